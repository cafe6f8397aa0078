"""The codes of contacts in survey.toml: every mistake is named, the survey's own problems are used, and nothing that is asked changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.survey.test_renaming import place_of, renamed
from wtp.survey import Definition, load_survey
from wtp.survey.contacts import OTHER, contact_codes, segment_by_problem
from wtp.survey.load import inspect_text

ROOT = Path(__file__).parents[2]
SUPPLIER = ROOT / "surveys/supplier/survey.toml"
TEXT = SUPPLIER.read_text(encoding="utf-8")
PROBLEM = '[contacts]\ncore_problem = "core_problem"'
NONE_OF_OURS = re.sub(r"(?s)# (Stands on the page|What staff note).*?(?=\[\[pages|# Who answers in)", "", TEXT)
# name: (what is replaced, by what, key, found, allowed)
WRONG = {
    "unknown key": ("linked = false", "colour = 1", "contacts.colour", "1", "keys of the schema"),
    "no such question": (PROBLEM, '[contacts]\ncore_problem = "roel"', "contacts.core_problem", "roel", "core_problem, employees, role"),
    "problems twice": (PROBLEM, f'{PROBLEM}\ncore_problems = [{{ id = "a", label = {{ en = "A", de = "A" }} }}]', "contacts", "core_problem and core_problems", "one of the two"),
    "same id": ('{ id = "mail", label', '{ id = "phone", label', "contacts.channels", "'phone' more than once", "id of its own"),
    "other": ('id = "spare_part"', 'id = "other"', "contacts.frequent_questions", "'other'", "any other id"),
    "bad id": ('id = "visit"', 'id = "A visit"', "contacts.channels[2].id", "'A visit'", "text that fits"),
    "missing language": ('{ en = "Phone", de = "Telefon" }', '{ en = "Phone" }', "contacts.channels[0].label", "texts in en", "each of en, de"),
    "customers": ("linked = false", "linked = false\ncustomers = 0", "contacts.customers", "0", "greater than or equal to 1"),
    "no word": ("linked = false", 'linked = "perhaps"', "contacts.linked", "'perhaps'", "boolean"),
    "attribute other": ('id = "brand"', 'id = "other"', "attributes[4].id", "other", "any other id"),
}  # fmt: skip


def read(text: str, place: Path = SUPPLIER) -> Definition:
    definition, mistakes = inspect_text(text, place)
    assert definition is not None, [str(mistake) for mistake in mistakes]
    return definition


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_named_at_its_key(name: str) -> None:
    old, new, key, found, allowed = WRONG[name]
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    if name == "attribute other":
        text = text.replace("brand = ", "other = ").replace('{ id = "brand"', '{ id = "other"')
    mistakes = {mistake.key: mistake for mistake in inspect_text(text, SUPPLIER)[1]}
    assert key in mistakes, list(mistakes)
    assert found in mistakes[key].found
    assert allowed in mistakes[key].allowed
    assert mistakes[key].remedy


def test_without_segments_the_number_of_customers_is_needed() -> None:
    text = re.sub(r"(?s)\[\[segments\]\].*?(?=\[economics\])", "", TEXT)
    text = text[: text.index("[simulation]")]
    (mistake,) = inspect_text(text, SUPPLIER)[1]
    assert (mistake.key, mistake.found) == ("contacts.customers", "nothing")
    codes = contact_codes(read(text.replace("linked = false", "customers = 500")))
    assert codes is not None
    assert codes.customers == 500


@pytest.mark.parametrize("slug", ["supplier", "workshop"])
def test_contacts_change_nothing_that_is_asked(slug: str) -> None:
    path = ROOT / "surveys" / slug / "survey.toml"
    text = path.read_text(encoding="utf-8")
    with_, without = read(text, path), read(re.sub(r"(?s)# What staff note.*?(?=# Who answers in)", "", text), path)
    assert with_.contacts is not None
    assert without.contacts is None
    assert with_.hash == without.hash
    assert without.fingerprint != with_.fingerprint


def test_a_survey_without_contacts_is_known_as_in_earlier_releases() -> None:
    assert read(NONE_OF_OURS).fingerprint == "f3fb36967df88baf"
    assert read(NONE_OF_OURS).hash == load_survey(SUPPLIER.parent).definition_hash == "ce17ea4d99a992c9"


def test_codes_speak_of_the_surveys_own_attributes_and_problems() -> None:
    definition = read(TEXT)
    codes = contact_codes(definition)
    assert codes is not None
    assert list(codes["mattered_most"]) == [*(a.id for a in definition.attributes), "price", OTHER]
    assert list(codes["core_problem"]) == ["downtime", "cost", "growth"]
    assert list(codes["question"])[-1] == OTHER
    assert codes.customers == 12_000
    assert segment_by_problem(definition) == {"downtime": "uptime", "cost": "cost", "growth": "growth"}
    two = TEXT.replace('when = { core_problem = ["cost"] }', 'when = { core_problem = ["cost"], role = ["decides"] }')
    assert segment_by_problem(read(two)) == {"downtime": "uptime", "growth": "growth"}, "a problem alone does not tell"
    own = TEXT.replace(PROBLEM, '[contacts]\ncore_problems = [{ id = "noise", label = { en = "Noise", de = "Lärm" } }]')
    assert list((contact_codes(read(own)) or codes)["core_problem"]) == ["noise"]
    assert segment_by_problem(read(own)) == {}
    assert contact_codes(read(NONE_OF_OURS)) is None


def test_a_question_that_is_renamed_stays_the_core_problem() -> None:
    place = place_of(TEXT, "pages", "profile", "questions", "core_problem")
    new = renamed(TEXT, {place: "main_problem"})
    assert 'core_problem = "main_problem"' in new
    assert read(new).contacts.core_problem == "main_problem"  # type: ignore[union-attr]
