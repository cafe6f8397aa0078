"""The customer's process in survey.toml: every mistake with its place, and nothing of it changes what respondents were asked before."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from wtp.survey import inspect_survey, load_survey
from wtp.survey.editing import Place, edited
from wtp.survey.process import PROCESS_MEASURES, process_questions
from wtp.survey.renaming import followed
from wtp.survey.texts import texts_of

SURVEYS = Path(__file__).parents[2] / "surveys"
TEXT = (SURVEYS / "workshop" / "survey.toml").read_text(encoding="utf-8")
STEPS = "book, bring, get_about, extra_repairs, pick_up, pay"
ALL_BUT_ONE_STEP = re.findall(r'(?s)\[\[process\]\]\nid = "bring".*?\n(?=\[economics\])', TEXT)[0]
TIMES = 'measures = "service_window"'
RATED = re.findall(r'(?s)items = \[\n  \{ id = "book".*?\n\]', TEXT)[0]
ONE_RATED = "\n".join([*RATED.splitlines()[:2], "]"])

# name: (what is replaced, by what, key, found, allowed, remedy)
WRONG = {
    "no step of this name": ('{ id = "pay", label = { en = "Paying", de = "Bezahlen" } },\n  { id = "no_moment"', '{ id = "leave", label = { en = "Paying", de = "Bezahlen" } },\n  { id = "no_moment"', "pages[5].questions[0].options", "leave", f"the steps {STEPS}", "ids of the steps"),
    "all may be marked": ("most = 3", "most = 6", "pages[5].questions[0].most", "6", "1 to 5", "matters most"),
    "one step rated": (RATED, ONE_RATED, "pages[6].questions[0].items", "book", "two steps", "add"),
    "a cost that is no money": ("money = true\n", "", "pages[7].questions[1].money", "false", "money", "money = true"),
    "one step": (ALL_BUT_ONE_STEP, "", "process", "1 step", "2 to 12", "add"),
    "no hours": ("hours = 3", "hours = 0", "process[2].hours", "0", "greater than 0", "change"),
    "measures something else": (TIMES, 'measures = "importance"', "pages[7].questions[0].measures", "importance", "service_window", "change"),
    "no supplier in German": ('supplier = { en = "Write the bill", de = "Rechnung stellen" }', 'supplier = { en = "Write the bill" }', "process[5].supplier", "texts in en", "de, en", "add de"),
    "truth of no step": ('{ step = "book", matters = 1, satisfaction = 5.4 }', '{ step = "books", matters = 1 }', "simulation.segments[0].process.steps[0].step", "books", STEPS, "name a step"),
    "truth of no day": ('{ day = "monday", suits = [0.06', '{ day = "someday", suits = [0.06', "simulation.segments[0].process.windows[0].day", "someday", "monday, tuesday", "name a day"),
    "truth of three bands": ('{ day = "monday", suits = [0.06, 0.03, 0.03, 0.22]', '{ day = "monday", suits = [0.06, 0.03, 0.03]', "simulation.segments[0].process.windows[0].suits", "0.06, 0.03, 0.03", "4 shares", "each time band"),
    "a truth above 1": ('{ day = "monday", suits = [0.06', '{ day = "monday", suits = [1.06', "simulation.segments[0].process.windows[0].suits", "1.06", "from 0 to 1", "each time band"),
}  # fmt: skip


def mistakes_of(folder: Path, text: str) -> list[str]:
    shutil.copytree(SURVEYS / "workshop", folder, dirs_exist_ok=True)
    (folder / "survey.toml").write_text(text, encoding="utf-8")
    return [str(one).removeprefix(str(folder / "survey.toml")) for one in inspect_survey(folder)[1]]


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_says_where_what_and_what_to_do(case: str, tmp_path: Path) -> None:
    old, new, key, *said = WRONG[case]
    assert TEXT.count(old) >= 1, "the case fits the file"
    (first, *more) = mistakes_of(tmp_path, TEXT.replace(old, new, 1))
    assert first.startswith(f", {key}: found "), first
    assert all(part in first for part in said), first
    assert more == [] or case == "one step", "the questions then name steps that are not there"


def test_what_is_measured_twice_is_told_at_both(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, TEXT.replace(
        '[[pages.questions]]\ntype = "number"', '[[pages.questions]]\ntype = "number"\nid = "again"\nmeasures = "interruption_cost"\nlabel = { en = "Once more", de = "Noch einmal" }\nmoney = true\n\n[[pages.questions]]\ntype = "number"', 1
    ))  # fmt: skip
    assert len(found) == 2
    assert all("interruption_cost in 2 questions; allowed: one" in one for one in found)


def test_steps_without_a_question_and_a_survey_without_steps_are_fine(tmp_path: Path) -> None:
    supplier = load_survey(SURVEYS / "supplier")
    assert process_questions(supplier.definition) == {}
    steps = re.findall(r"(?s)\[\[process\]\].*?(?=\[economics\])", TEXT)[0]
    text = (SURVEYS / "supplier" / "survey.toml").read_text(encoding="utf-8")
    shutil.copytree(SURVEYS / "supplier", tmp_path / "supplier")
    (tmp_path / "supplier" / "survey.toml").write_text(text.replace('languages = ["en", "de"]', 'languages = ["de", "en"]') + "\n" + steps, encoding="utf-8")  # fmt: skip
    own = load_survey(tmp_path / "supplier")
    assert [step.id for step in own.definition.process] == STEPS.split(", ")
    assert own.definition.process[0].hours == 0.25


def test_what_is_known_of_the_process_changes_no_version() -> None:
    definition = load_survey(SURVEYS / "workshop").definition
    assert list(process_questions(definition)) == [m for m in PROCESS_MEASURES if m != "interruption_window"]
    bare = definition.model_copy(update={"process": ()})
    assert bare.hash == definition.hash
    assert bare.fingerprint != definition.fingerprint
    supplier = load_survey(SURVEYS / "supplier").definition
    assert supplier.hash == "ce17ea4d99a992c9", "as it was before there were processes"
    assert supplier.simulation is not None
    assert "process" not in supplier.simulation.model_dump_json(), "nor does the fingerprint of kept analyses change"


def test_a_renamed_step_or_day_is_followed_to_its_questions_and_truths() -> None:
    content = tomllib.loads(TEXT)
    day: Place = ("pages", 7, "questions", 0, "days", 6, "id")
    for place, new, count in ((("process", 4, "id"), "collect", 2 + 3), (day, "rest_day", 3)):
        changes = {place: new}
        after = edited(TEXT, changes | followed(content, changes))
        assert after.count(f'"{new}"') == count + 1, place
    renamed = edited(TEXT, {("process", 4, "id"): "collect"} | followed(content, {("process", 4, "id"): "collect"}))
    assert '"pick_up"' not in renamed


def test_what_the_supplier_does_is_a_text_to_translate() -> None:
    found = {text.place: text for text in texts_of(tomllib.loads(TEXT))}
    assert found["process", 5, "supplier"].missing(["de", "en", "fr"]) == ["fr"]
