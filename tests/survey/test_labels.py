"""Labelled alternatives in the files of a study: every contradiction named, and a design with empty cells read and written without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulated import modes
from wtp.survey import Definition, Mistake, Survey, inspect_survey
from wtp.survey.design_file import format_design, read_design_text
from wtp.survey.labels import belongs, prices_with, reference, shown_with, todays_offer
from wtp.survey.load import inspect_text
from wtp.survey.versions import compare

TEXT = (Path(__file__).parents[1] / "modes" / "survey.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return modes(tmp_path_factory.mktemp("labels"))


def checked(*changes: tuple[str, str]) -> tuple[Definition | None, tuple[Mistake, ...]]:
    text = TEXT
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return inspect_text(text, Path("survey.toml"))


RULES = 'prohibited = [{ levels = { mode = ["bus"], time = ["h3"] } }]'
# name: (what is replaced, by what, key, found, allowed)
WRONG = {
    "labels undeclared": ('labels = "mode"\n', "", "attributes[2].only", "none declared", "choice_tasks.labels"),
    "own price, undeclared": ('labels = "mode"\n', "", "price.per_label", "none declared", "choice_tasks.labels"),
    "own tastes, undeclared": ('labels = "mode"\n', "", "simulation.segments[0].per_label", "none declared", "choice_tasks.labels"),
    "unknown labels": ('labels = "mode"', 'labels = "modes"', "choice_tasks.labels", "modes", "mode, time"),
    "too few labels": ("alternatives = 3", "alternatives = 4", "choice_tasks.labels", "mode with 3 levels", "at least 4"),
    "unknown label": ('only = ["car"]', 'only = ["ferry"]', "attributes[4].only", "ferry", "rail, car, bus"),
    "all labels": ('only = ["rail", "bus"]', 'only = ["rail", "bus", "car"]', "attributes[3].only", "every label", "some of"),
    "the label itself": ('id = "mode"\n', 'id = "mode"\nonly = ["rail"]\n', "attributes[0].only", "labels the alternatives", "another attribute"),
    "by one label alone": ('only = ["car"]', 'only = ["car"]\nper_label = true', "attributes[4].per_label", "one label alone", "two labels"),
    "today's level ruled out": (RULES, 'prohibited = [{ levels = { mode = ["rail"], time = ["h4"] } }]', "attributes[1].current", "h4 with rail", "h5, h3"),
    "no level left": (RULES, 'prohibited = [{ levels = { mode = ["bus"], time = ["h3", "h4", "h5"] } }]', "attributes[1]", "no level of time with bus", "one or more"),
    "a level that a label never has": (RULES, 'prohibited = [{ levels = { mode = ["car"], seat = ["open"] } }]', "choice_tasks.prohibited[0].levels.mode", "car with seat", "rail"),
    "attributes that never meet": (RULES, 'prohibited = [{ levels = { parking = ["garage"], seat = ["open"] } }]', "choice_tasks.prohibited[0]", "parking with seat", "meet in one offer"),
    "once, and only for some": ("tasks = 8", 'tasks = 8\nat_most_once = ["transfers"]', "choice_tasks.at_most_once", "transfers", "all labels"),
    "one price": ("prices = [20, 40, 60]", "prices = [20]", "choice_tasks.conditional_prices", "1 prices with bus", "at least 2"),
    "today's price": ("current = 60\n", "current = 30\n", "price.current", "30", "40 to 100, the prices of rail"),
    "a rival's attribute": ('mode = "car", time = "h4", parking', 'mode = "car", seat = "open", time = "h4", parking', "competitors[0].levels.seat", "no attribute of car", "mode, time, parking"),
    "a rival without": (', parking = "street" }', " }", "competitors[0].levels.parking", "missing", "street, garage"),
    "tastes of no label": ('{ label = "rail", price', '{ label = "ship", price', "simulation.segments[0].per_label[0].label", "ship", "rail, car, bus"),
    "tastes twice": ('{ label = "rail", price', '{ label = "car", price', "simulation.segments[0].per_label[1].label", "car again", "once"),
    "tastes that are shared": ("worth = { time = [0, 10, 20] }", "worth = { transfers = [0, 1, 2] }", "simulation.segments[0].per_label[1].worth.transfers", "transfers for car", "time, parking"),
    "too few tastes": ("worth = { time = [0, 10, 20] }", "worth = { time = [0, 10] }", "simulation.segments[0].per_label[1].worth.time", "[0.0, 10.0]", "3 amounts"),
    "its own coefficient, yet shared": ("per_label = true\n\n[choice_tasks]", "\n[choice_tasks]", "simulation.segments[0].per_label[0].price_coefficient", "coefficient of its own", "price.per_label"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_contradiction_about_labels_is_named(name: str) -> None:
    old, new, key, found, allowed = WRONG[name]
    _, mistakes = checked((old, new))
    here = [mistake for mistake in mistakes if mistake.key == key]
    assert len(here) == 1, [str(mistake) for mistake in mistakes]
    assert found in here[0].found
    assert allowed in here[0].allowed
    assert here[0].remedy


def test_rated_offers_are_refused_in_one_sentence() -> None:
    page = '[[pages]]\ntype = "profile_rating"\nid = "rated"\nprofiles = 4\ntitle = { en = "Offers", de = "Angebote" }\nquestion = { en = "Buy?", de = "Kaufen?" }\nscale = { low = 1, high = 7, low_label = { en = "no", de = "nein" }, high_label = { en = "yes", de = "ja" } }\n\n'
    _, mistakes = checked(('[[pages]]\ntype = "thanks"', page + '[[pages]]\ntype = "thanks"'))
    assert [mistake.key for mistake in mistakes] == ["pages[3].type"]
    assert "not rated yet" in str(mistakes[0])


def test_what_an_offer_of_a_label_has(study: Survey) -> None:
    definition = study.definition
    assert todays_offer(definition) == {"mode": "rail", "time": "h4", "seat": "open", "transfers": "one"}
    assert belongs(definition, {"mode": "car", "time": "h3", "parking": "garage"})
    assert not belongs(definition, {"mode": "car", "time": "h3"}), "a level is missing"
    assert not belongs(definition, {"mode": "car", "time": "h3", "parking": "garage", "seat": "open"})
    assert shown_with(definition, definition.attribute("time"), "bus") == ("h5", "h4")
    assert shown_with(definition, definition.attribute("seat"), "bus") == ()
    assert prices_with(definition, "bus") == (20, 40, 60)
    assert reference(definition, definition.attribute("time"), "bus") == "h4"
    without, _ = checked(('current = "h4"', 'current = "h3"'))
    assert without is not None
    assert reference(without, without.attribute("time"), "bus") == "h5", "the first that a coach shows"


def test_a_design_with_empty_cells_comes_back_as_it_was(study: Survey) -> None:
    definition, design = study.definition, study.design
    assert design is not None
    text = format_design(design, definition)
    assert text == (study.folder / "design.csv").read_text(encoding="utf-8")
    back, mistakes = read_design_text(text, Path("design.csv"), definition)
    assert mistakes == ()
    assert back == design
    assert inspect_survey(study.folder)[1] == ()
    for tasks in design.versions.values():
        for alternative in (a for task in tasks for a in task.alternatives):
            assert belongs(definition, alternative.levels)
            assert alternative.price in prices_with(definition, alternative.levels["mode"])


@pytest.mark.parametrize(
    ("mode", "column", "value", "allowed"),
    [
        ("car", "seat", "open", "an empty cell, for car has no seat"),
        ("rail", "seat", "", "open, reserved"),
        ("bus", "parking", "garage", "an empty cell, for bus has no parking"),
        ("rail", "mode", "ship", "rail, car, bus"),
    ],
)
def test_a_cell_that_does_not_belong_is_named_by_its_row(
    study: Survey, mode: str, column: str, value: str, allowed: str
) -> None:
    lines = (study.folder / "design.csv").read_text(encoding="utf-8").splitlines()
    head = lines[0].split(",")
    number = next(n for n, line in enumerate(lines) if line.split(",")[head.index("mode")] == mode)
    cells = lines[number].split(",")
    cells[head.index(column)] = value
    lines[number] = ",".join(cells)
    design, mistakes = read_design_text("\n".join(lines) + "\n", Path("design.csv"), study.definition)
    assert design is None
    assert [(m.key, m.allowed) for m in mistakes] == [(f"line {number + 1}, {column}", allowed)]


def test_how_a_label_is_valued_leaves_answers_valid_and_what_it_has_does_not(study: Survey) -> None:
    definition = study.definition
    shared = TEXT[: TEXT.index("[simulation]")].replace("per_label = true\n", "")
    pooled, mistakes = inspect_text(shared, Path("survey.toml"))
    assert mistakes == ()
    assert pooled is not None
    assert pooled.hash == definition.hash
    assert pooled.fingerprint != definition.fingerprint
    other, _ = checked(('only = ["rail", "bus"]', 'only = ["bus"]'))
    assert other is not None
    assert other.hash != definition.hash
    found = compare(other, definition)
    assert (found.use, [change.kind for change in found.changes]) == ("poolable", ["only"])
