"""What ratings and rankings measure: mistakes are named, names of rivals are not asked, and renamed ids are followed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.simulated import RATED, expected
from wtp.survey import load_survey
from wtp.survey.definition import Definition
from wtp.survey.editing import edited
from wtp.survey.load import inspect_text
from wtp.survey.measures import expectation_ratings, rated_rivals, rival_name, scripts
from wtp.survey.renaming import followed

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return (expected(tmp_path_factory.mktemp("surveys")).folder / "survey.toml").read_text(encoding="utf-8")


def definition_of(text: str) -> Definition:
    definition, mistakes = inspect_text(text, Path("survey.toml"))
    assert definition is not None, mistakes
    return definition


PAGE = 'id = "met"\nmeasures = "experience"'
# name: (what is replaced, by what, key, found, allowed, remedy)
WRONG = {
    "one alone": (PAGE, 'id = "met"', "pages[6].questions[0].measures", "expectation alone", "with experience", "add a rating"),
    "twice": (PAGE, 'id = "met"\nmeasures = "expectation"', "pages[7].questions[0].measures", "again", "one rating", "remove one"),
    "another scale": ('high = 7, low_label = { en = "poor", de = "schlecht" }', 'high = 5, low_label = { en = "poor", de = "schlecht" }', "pages[7].questions[0].scale", "1 to 7", "1 to 5", "same scale"),
    "other items": ('  { id = "design", label = { en = "Design and technology", de = "Design und Technik" } },\n]\n\n[[pages]]\ntype = "questions"\nid = "own"', ']\n\n[[pages]]\ntype = "questions"\nid = "own"', "pages[7].questions[0].items", "brand", "design", "same items"),
    "a part of a script": ('measures = "script"', 'measures = "script"\nmost = 3', "pages[6].questions[1]", "3", "all 5 events", "remove most"),
    "an unknown rival": ('competitor = "leader"', 'competitor = "other"', "pages[9].questions[0].competitor", "other", "discounter, leader", "name one"),
    "a rival of nobody": ('measures = "performance"', 'measures = "performance"\nrival = { en = "A", de = "A" }', "pages[8].questions[0]", "rival of a rating that measures performance", "rival_performance", "remove rival"),
    "a mean off the scale": ("expectation = 6.0", "expectation = 7.0", "simulation.segments[0].rated[1].expectation", "7", "between 1 and 7", "change"),
    "a mean of nothing": ('id = "speed", expectation', 'id = "sped", expectation', "simulation.segments[0].rated[1].id", "sped", "items of the rating expected", "name one"),
    "an unknown event": ('script = ["call", "date"', 'script = ["call", "meal"', "simulation.segments[0].script", "meal", "call, date", "name events"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_with_its_remedy(text: str, name: str) -> None:
    old, new, key, found, allowed, remedy = WRONG[name]
    assert old in text
    mistakes = inspect_text(text.replace(old, new, 1), Path("survey.toml"))[1]
    here = [mistake for mistake in mistakes if mistake.key == key]
    assert here, [str(mistake) for mistake in mistakes]
    assert found in here[0].found
    assert allowed in here[0].allowed
    assert remedy in here[0].remedy


def test_what_was_asked_is_found(text: str) -> None:
    definition = definition_of(text)
    ratings = expectation_ratings(definition)
    assert ratings is not None
    assert [rating.id for rating in ratings] == ["expected", "met"]
    assert [question.id for question in scripts(definition)] == ["order_of_events"]
    assert [rival.id for rival in rated_rivals(definition)] == ["leader"]
    assert rival_name(definition) == {"en": "Market leader", "de": "Marktführer"}
    named = definition_of(text.replace('competitor = "leader"', 'rival = { en = "The other", de = "Der andere" }'))
    assert rival_name(named) == {"en": "The other", "de": "Der andere"}
    assert [rival.id for rival in rated_rivals(named)] == ["discounter", "leader"]
    nobody = load_survey(SUPPLIER).definition
    assert (expectation_ratings(nobody), scripts(nobody), rival_name(nobody)) == (None, (), None)


def test_who_the_rival_is_changes_nothing_that_was_asked(text: str) -> None:
    with_name, without = definition_of(text), definition_of(text.replace('competitor = "leader"\n', ""))
    assert with_name.hash == without.hash
    assert with_name.fingerprint != without.fingerprint
    script = definition_of(text.replace('measures = "script"\n', "").replace('script = ["call"', '# script = ["call"'))
    assert script.hash != with_name.hash
    supplier = load_survey(SUPPLIER).definition
    kept = supplier.model_dump_json()
    assert not any(f'"{key}"' in kept for key in ("rival", "competitor", "rated", "script")), "old fingerprints stay"


def test_new_ids_are_followed(text: str) -> None:
    content = tomllib.loads(text)
    events = content["pages"][6]["questions"][1]["items"]
    assert events[0]["id"] == "call"
    changes = {
        ("attributes", 1, "id"): "pace",
        ("competitors", 1, "id"): "first",
        ("pages", 6, "questions", 1, "items", 0, "id"): "ring",
    }
    after = definition_of(edited(text, changes | followed(content, changes)))
    assert [rival.id for rival in rated_rivals(after)] == ["first"]
    assert after.simulation is not None
    for segment in after.simulation.segments:
        assert segment.script[0] == "ring"
        assert [rated.id for rated in segment.rated] == ["pace" if name == "speed" else name for name in RATED]
    # an event that bears an attribute's id is none
    twin = text.replace('{ id = "call"', '{ id = "speed"').replace('"call"', '"speed"')
    changes = {("attributes", 1, "id"): "pace"}
    after = definition_of(edited(twin, changes | followed(tomllib.loads(twin), changes)))
    assert scripts(after)[0].items[0].id == "speed"
