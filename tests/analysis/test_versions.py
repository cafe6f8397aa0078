"""Two versions in one analysis: counted together where the choices mean the same, by request where levels differ, never where they mean something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.simulated import simulated
from wtp.analysis import Request, analyse
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.analysis.versions import Versions, counted, with_price_response
from wtp.estimation import ChoiceData, ConditionalLogit, ConditionalLogitResults
from wtp.segments import price_response
from wtp.survey import Answers, Definition, Survey

QUICK = Request(model="conditional")
CURRENT, OLDER = 90, 60


def version(survey: Survey, edit: Callable[[dict[str, Any]], None]) -> Survey:
    raw = survey.definition.model_dump()
    edit(raw)
    definition = Definition.model_validate(raw)
    return replace(survey, definition=definition, definition_hash=definition.hash)


def reworded(raw: dict[str, Any]) -> None:
    raw["attributes"][0]["label"] = {"en": "Range", "de": "Breite"}


def asked_otherwise(raw: dict[str, Any]) -> None:
    page = next(p for p in raw["pages"] for q in p.get("questions", ()) if q["id"] == "importance")
    next(q for q in page["questions"] if q["id"] == "importance")["scale"]["high"] = 5


def more_levels(raw: dict[str, Any]) -> None:
    """The older version had a level of the speed that is asked no longer."""
    speed = raw["attributes"][1]
    assert speed["id"] == "speed"
    speed["levels"] = (*speed["levels"], {"id": "one_hour", "label": {"en": "One hour", "de": "Eine Stunde"}})


def other_currency(raw: dict[str, Any]) -> None:
    raw["currency"] = "CHF"


@pytest.fixture(scope="module")
def now(survey: Survey) -> Answers:
    return simulated(survey, CURRENT, seed=1)


@pytest.fixture(scope="module")
def then(survey: Survey) -> Answers:
    return simulated(survey, OLDER, seed=2, first=1001)


def both(survey: Survey, now: Answers, then: Answers, older: Survey, swap: dict[str, str] | None = None) -> Answers:
    """People of the current version, and others who answered the older one; swap: levels that these saw instead."""

    def aged(answers: Answers) -> tuple[Any, ...]:
        people = []
        for person in answers.respondents:
            choices = []
            for choice in person.choices:
                alternatives = tuple(
                    replace(a, levels={k: (swap or {}).get(v, v) for k, v in a.levels.items()})
                    for a in choice.task.alternatives
                )
                task = replace(choice.task, alternatives=alternatives)
                choices.append(replace(choice, task=task, definition_hash=older.definition_hash))
            people.append(replace(person, choices=tuple(choices), definition_hash=older.definition_hash))
        return tuple(people)

    definitions = {s.definition_hash: s.definition for s in (survey, older)}
    return Answers(survey.slug, (*now.respondents, *aged(then)), "both", definitions)


def taken(survey: Survey, answers: Answers, versions: str = "same") -> tuple[Versions, set[str]]:
    """Who is counted, and the codes of the notes."""
    found = counted(survey, answers, replace(QUICK, versions=versions))
    return found, {note.code for note in found.notes}


def fitted(survey: Survey, versions: Versions) -> ConditionalLogitResults:
    definition = survey.definition
    data = ChoiceData.from_long(choice_frame(definition, versions.respondents), formula(definition))
    return ConditionalLogit(data).fit()


def test_versions_with_the_same_choices_are_counted_together(survey: Survey, now: Answers, then: Answers) -> None:
    older = version(survey, reworded)
    mixed = both(survey, now, then, older)
    analysis = analyse(survey, mixed, QUICK)
    assert int(analysis.table("segments", "all")["respondents"].iloc[0]) == CURRENT + OLDER
    versions = analysis.tables["versions"].set_index("version")
    assert versions["use"].to_dict() == {survey.definition_hash: "current", older.definition_hash: "counted"}
    assert versions["respondents"].to_list() == [CURRENT, OLDER]
    assert versions.loc[older.definition_hash, "changes"] == "words range.label"
    assert versions.loc[older.definition_hash, "low"] < 1 < versions.loc[older.definition_hash, "high"]
    assert [n.code for n in analysis.notes if n.code.startswith("version")] == ["versions_counted"]
    # The figures are those of all of them in one version.
    people = tuple(
        replace(r, definition_hash="", choices=tuple(replace(c, definition_hash=survey.definition_hash) for c in r.choices))
        for r in mixed.respondents
    )  # fmt: skip
    alone = analyse(survey, Answers(survey.slug, people, "both"), QUICK)
    for table in ("willingness_to_pay", "importance", "price_limit", "stated_importance", "answer_shares"):
        pd.testing.assert_frame_equal(analysis.tables[table], alone.tables[table])


def test_the_current_version_alone_by_request(survey: Survey, now: Answers, then: Answers) -> None:
    found, notes = taken(survey, both(survey, now, then, version(survey, reworded)), "current")
    assert found.respondents == now.respondents
    assert found.table["use"].to_list() == ["current", "not_counted"]
    assert notes == {"versions_not_counted"}


def test_answers_to_a_question_that_changed_are_left_out_alone(survey: Survey, now: Answers, then: Answers) -> None:
    found, _ = taken(survey, both(survey, now, then, version(survey, asked_otherwise)))
    assert len(found.respondents) == CURRENT + OLDER
    assert sum("importance" in r.answers for r in found.respondents) == CURRENT
    assert all("role" in r.answers for r in found.respondents)


def test_levels_that_are_gone_are_counted_by_request_and_never_reported(
    survey: Survey, now: Answers, then: Answers
) -> None:
    mixed = both(survey, now, then, version(survey, more_levels), {"same_day": "one_hour"})
    plain, notes = taken(survey, mixed)
    assert (len(plain.respondents), notes) == (CURRENT, {"versions_not_counted"})
    pooled, notes = taken(survey, mixed, "all")
    assert (len(pooled.respondents), notes) == (CURRENT + OLDER, {"versions_counted"})
    row = pooled.table.iloc[1]
    assert (row["use"], row["changes"]) == ("counted", "level_removed speed.one_hour")
    few, many = fitted(survey, plain), fitted(survey, pooled)
    assert few.params.index.to_list() == many.params.index.to_list(), "the level that is gone has no part-worth"
    assert (many.bse < few.bse).all(), "ragged level sets: who saw it still tells about all else"


def test_tasks_without_the_level_that_is_gone_are_the_same_choices(survey: Survey, now: Answers, then: Answers) -> None:
    """By hand: offers with it go, and so do tasks in which such an offer was chosen; the purchase question stays with its offer."""
    definition = survey.definition
    mixed = both(survey, now, then, version(survey, more_levels), {"same_day": "one_hour"})
    (person,) = [r for r in mixed.respondents if r.number == 1001]
    frame = choice_frame(definition, [person])
    rows = 0
    for choice in person.choices:
        if choice.task.kind != "estimation":
            continue
        left = [a for a in choice.task.alternatives if a.levels["speed"] != "one_hour"]
        if any(a.number == choice.chosen for a in left):
            rows += (len(left) if len(left) > 1 else 0) + 2
    assert 0 < len(frame) == rows < 10 * 5
    assert frame.groupby("choice_task")["chosen"].sum().eq(1).all()


def test_the_level_that_is_gone_does_not_bend_the_others(survey: Survey) -> None:
    """The same large sample in one version, and with a part of it that saw another level: the same figures within their errors."""
    first, second = simulated(survey, 300, seed=1), simulated(survey, 300, seed=2, first=1001)
    mixed = both(survey, first, second, version(survey, more_levels), {"same_day": "one_hour"})
    pooled = fitted(survey, taken(survey, mixed, "all")[0])
    whole, _ = taken(survey, Answers(survey.slug, (*first.respondents, *second.respondents), "whole"))
    assert (abs(pooled.params - fitted(survey, whole).params) < 2 * pooled.bse).all()


@pytest.mark.parametrize("versions", ["same", "all", "current"])
def test_a_version_that_means_something_else_is_never_counted(
    survey: Survey, now: Answers, then: Answers, versions: str
) -> None:
    found, notes = taken(survey, both(survey, now, then, version(survey, other_currency)), versions)
    assert found.respondents == now.respondents
    assert found.table["use"].to_list() == ["current", "different"]
    assert notes == {"other_version"}
    assert found.notes[0].values == {"count": OLDER}


def test_a_version_that_nobody_knows_any_more_is_never_counted(survey: Survey, now: Answers, then: Answers) -> None:
    mixed = replace(both(survey, now, then, version(survey, reworded)), definitions={})
    found, _ = taken(survey, mixed, "all")
    assert found.respondents == now.respondents
    assert found.table.iloc[1]["changes"] == "unreadable"


def test_who_has_chosen_nothing_yet_belongs_to_the_version_that_was_opened(
    survey: Survey, now: Answers, then: Answers
) -> None:
    mixed = both(survey, now, then, version(survey, other_currency))
    waiting = tuple(replace(r, choices=()) for r in mixed.respondents)
    found, _ = taken(survey, replace(mixed, respondents=waiting))
    assert len(found.respondents) == CURRENT


def test_a_version_in_which_the_price_hardly_moved_the_choices_is_named(
    survey: Survey, now: Answers, then: Answers
) -> None:
    rng = np.random.default_rng(5)
    clicking = tuple(
        replace(r, choices=tuple(replace(c, chosen=int(rng.integers(1, 4)), buys=bool(rng.integers(2))) for c in r.choices))
        for r in then.respondents
    )  # fmt: skip
    mixed = both(survey, now, replace(then, respondents=clicking), version(survey, reworded))
    found, _ = taken(survey, mixed)
    table, notes = with_price_response(survey.definition, found, survey.definition_hash, QUICK)
    assert table.loc[1, "price_ratio"] < 0.3
    assert table.loc[1, "high"] < 0.6
    assert [(note.code, note.severity) for note in notes] == [("version_price", "warning")]


def test_the_check_of_the_price_cries_wolf_at_its_rate() -> None:
    """120 respondents with the same tastes, a third in another group; respondents differ, so their answers hang together."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(60):
        people = np.repeat(np.arange(120), 6)
        tasks = np.tile(np.arange(6), 120)
        price, quality = rng.choice([1.0, 2.0, 3.0], (720, 2)), rng.integers(0, 2, (720, 2)).astype(float)
        taste = -1.0 + 0.3 * rng.standard_normal(120)[people]
        chosen = (taste[:, None] * price + quality + rng.gumbel(size=(720, 2))).argmax(axis=1)
        frame = pd.DataFrame(
            {
                "respondent": np.repeat(people, 2),
                "choice_task": np.repeat(tasks, 2),
                "price": price.ravel(),
                "quality": quality.ravel(),
                "chosen": np.ravel(chosen[:, None] == np.arange(2)),
            }
        )
        groups = np.array(["new"] * 80 + ["old"] * 40, dtype=object)
        found.append(price_response(ChoiceData.from_long(frame, "quality + price"), groups, "new")["p_value"].iloc[0])
    assert 0.02 <= np.mean(np.array(found) < 0.10) <= 0.20
