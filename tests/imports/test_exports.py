"""What we write we read: every export of choices, imported, gives the same fit; a fit of other programs' own is in `tests/golden/layouts.json`."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.export.conftest import answers, frozen, taken  # noqa: F401 - a fixture of theirs
from tests.simulated import every_question, modes, simulated
from wtp.analysis.choice_frame import choice_data, choice_frame
from wtp.estimation import ConditionalLogit
from wtp.imports import Checked, check, guess, read_file
from wtp.survey import Answers, Respondent, Survey

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "layouts.json").read_text(encoding="utf-8"))
WHOLE = {"choices": "csv", "csv": "zip", "xlsx": "xlsx"}
ESTIMATION = ("logitr", "mlogit", "xlogit", "apollo", "biogeme", "sawtooth")


@pytest.fixture(scope="module")
def people(survey: Survey) -> Answers:
    """The 60 simulated respondents of the golden file."""
    return frozen(survey)


@pytest.fixture(scope="module")
def own(survey: Survey, people: Answers) -> float:
    return likelihood(survey, people.respondents)


def likelihood(survey: Survey, respondents: Any) -> float:
    definition = survey.definition
    return float(ConditionalLogit(choice_data(definition, choice_frame(definition, respondents))).fit().llf)


def imported(survey: Survey, content: bytes, name: str) -> Checked:
    file = read_file(content, name)
    found = check(survey, file, guess(file, survey.definition))
    assert [str(problem) for problem in found.problems] == []
    return found


def persons(found: Checked) -> tuple[Respondent, ...]:
    return tuple(person for _, person in found.people)


@pytest.mark.parametrize(("name", "suffix"), WHOLE.items())
def test_everything_comes_back_whole(name: str, suffix: str, survey: Survey, people: Answers) -> None:
    found = imported(survey, taken(name, survey, people), f"x.{suffix}")
    assert [who for who, _ in found.people] == [str(person.number) for person in people.respondents]
    for before, after in zip(people.respondents, persons(found), strict=True):
        assert after.simulated
        assert [
            (c.task.kind, c.task.number, c.task.alternatives, c.chosen, c.buys, c.order) for c in after.choices
        ] == [(c.task.kind, c.task.number, c.task.alternatives, c.chosen, c.buys, c.order) for c in before.choices]


@pytest.mark.parametrize("name", ESTIMATION)
def test_the_layouts_of_other_programs_give_the_same_fit(
    name: str, survey: Survey, people: Answers, own: float
) -> None:
    found = imported(survey, taken(name, survey, people), "x.zip")
    assert likelihood(survey, persons(found)) == pytest.approx(own, abs=1e-6)
    assert found.simulated == len(people.respondents), "whatever is simulated stays so"
    assert {c.task.kind for person in persons(found) for c in person.choices} == {"estimation"}
    if name in GOLDEN:
        assert own == pytest.approx(GOLDEN[name]["log_likelihood"], abs=1e-3)


def test_a_single_none_option_stays_one_alternative_of_its_task(survey: Survey, people: Answers) -> None:
    bayesm = imported(survey, taken("bayesm", survey, people), "x.zip")
    with zipfile.ZipFile(io.BytesIO(taken("sawtooth", survey, people))) as files:
        cho = imported(survey, files.read("study.cho"), "study.cho")
        assert cho.simulated == 0, "a bare .cho cannot say it; whoever imports does"
    fits = [likelihood(survey, persons(found)) for found in (bayesm, cho)]
    again = Answers(survey.slug, persons(bayesm), "again")
    for name in ("choices", "bayesm", "sawtooth", "apollo", "logitr", "xlogit"):
        once_more = imported(survey, taken(name, survey, again), f"x.{WHOLE.get(name, 'zip')}")
        fits.append(likelihood(survey, persons(once_more)))
    assert fits == pytest.approx([fits[0]] * len(fits), abs=1e-6)
    if "bayesm" in GOLDEN:
        assert fits[0] == pytest.approx(GOLDEN["bayesm"]["log_likelihood"], abs=1e-3)


def test_answers_come_back_beside_the_choices(survey: Survey, answers: Answers) -> None:  # noqa: F811 - the fixture
    file = read_file(taken("csv", survey, answers), "x.zip")
    found = check(survey, file, guess(file, survey.definition))
    assert [problem.code for problem in found.problems] == ["buying_missing"], (
        "one broke off before the second question"
    )
    before = {str(person.number): person for person in answers.respondents}
    for who, person in found.people:
        for question, value in person.answers.items():
            assert value == before[who].answers.get(question), f"{who} {question}"
        assert [c.buys for c in person.choices] == [c.buys for c in before[who].choices]
    assert found.answers == sum(v is not None for p in answers.respondents for v in p.answers.values())


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_every_type_of_question_comes_back(name: str, whole: tuple[Survey, Answers]) -> None:
    study, everybody = whole
    found = imported(study, taken(name, study, everybody), f"x.{WHOLE[name]}")
    asked = {question.id for question in study.definition.questions}
    for before, after in zip(everybody.respondents, persons(found), strict=True):
        assert set(after.answers) == asked
        for question, value in after.answers.items():
            assert value == before.answers.get(question), question


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Survey, Answers]:
    study = every_question(tmp_path_factory.mktemp("surveys"))
    return study, simulated(study, 4)


def test_labelled_alternatives_come_back_with_what_they_lack(tmp_path: Path) -> None:
    study = modes(tmp_path)
    before = simulated(study, 5)
    found = imported(study, taken("choices", study, before), "x.csv")
    tasks = [[c.task.alternatives for c in person.choices] for person in persons(found)]
    assert tasks == [[c.task.alternatives for c in person.choices] for person in before.respondents]
    assert any(len(a.levels) < len(study.definition.attributes) for a in tasks[0][0]), "some lack an attribute"
    content = taken("choices", study, before).decode("utf-8-sig").splitlines()
    heading, row = content[0].split(","), content[1].split(",")
    lacking = next(
        at for at, cell in enumerate(row) if not cell and heading[at] in {a.id for a in study.definition.attributes}
    )
    row[lacking] = study.definition.attribute(heading[lacking]).level_ids[0]
    file = read_file("\n".join([content[0], ",".join(row), *content[2:]]).encode(), "x.csv")
    codes = [(p.code, p.row, p.column) for p in check(study, file, guess(file, study.definition)).problems]
    assert codes == [("surplus_level", 2, heading[lacking])]
