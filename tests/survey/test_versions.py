"""Two versions of a study: what an older one asked is the same, can be pooled, or means something else; and which questions mean the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wtp.survey import Definition, load_survey
from wtp.survey.versions import Change, compare, same_answers

TESTS = Path(__file__).parents[1]
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def definition() -> Definition:
    return load_survey(TESTS / "every_question").definition


def edited(definition: Definition, edit: Edit) -> Definition:
    raw = definition.model_dump()
    edit(raw)
    return Definition.model_validate(raw)


def question(raw: dict[str, Any], name: str) -> dict[str, Any]:
    return next(q for page in raw["pages"] for q in page.get("questions", ()) if q["id"] == name)


def page(raw: dict[str, Any], name: str) -> dict[str, Any]:
    return next(p for p in raw["pages"] if p["id"] == name)


def level(attribute: str, place: int, **change: Any) -> Edit:
    def edit(raw: dict[str, Any]) -> None:
        own = next(a for a in raw["attributes"] if a["id"] == attribute)
        levels = list(own["levels"])
        levels[place] = {**levels[place], **change}
        own["levels"] = tuple(levels)

    return edit


def without_level(raw: dict[str, Any]) -> None:
    own = raw["attributes"][1]
    own["levels"] = own["levels"][:-1]


def more_levels(raw: dict[str, Any]) -> None:
    own = raw["attributes"][1]
    own["levels"] = (*own["levels"], {"id": "van", "label": {"en": "Van", "de": "Transporter"}})


def put(*path: str, value: Any) -> Edit:
    def edit(raw: dict[str, Any]) -> None:
        place = raw
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return edit


def reversed_levels(raw: dict[str, Any]) -> None:
    own = raw["attributes"][1]
    own["levels"] = own["levels"][::-1]


def one_attribute(raw: dict[str, Any]) -> None:
    raw["attributes"] = raw["attributes"][:1]


@pytest.mark.parametrize(
    ("edit", "use", "change"),
    [
        (level("loan", 1, label={"en": "Compact car", "de": "Kompaktwagen"}), "same", Change("words", "loan.small.label")),
        (put("title", value={"en": "Other", "de": "Anders"}), "same", None),
        (put("minutes", value=20), "same", None),
        (put("choice_tasks", "tasks", value=8), "same", None),
        (without_level, "poolable", Change("level_added", "loan.same")),
        (more_levels, "poolable", Change("level_removed", "loan.van")),
        (reversed_levels, "poolable", Change("level_order", "loan")),
        (put("price", "levels", value=(150, 200, 250, 350)), "poolable", Change("prices")),
        (put("choice_tasks", "alternatives", value=2), "poolable", Change("offers_in_a_task")),
        (put("choice_tasks", "none", value="without"), "different", Change("none_option")),
        (put("currency", value="CHF"), "different", Change("currency", "CHF EUR")),
        (put("price", "unit", value={"en": "per year", "de": "pro Jahr"}), "different", Change("price_unit")),
        (one_attribute, "different", Change("attribute_added", "loan")),
    ],
)  # fmt: skip
def test_what_an_edit_makes_of_the_choices(definition: Definition, edit: Edit, use: str, change: Change | None) -> None:
    """The edited definition is the older one."""
    found = compare(definition, edited(definition, edit))
    assert found.use == use
    assert change in found.changes if change else found.changes == ()


def test_costs_segments_and_quotas_change_nothing(definition: Definition) -> None:
    def edit(raw: dict[str, Any]) -> None:
        raw["segments"], raw["quotas"] = raw["segments"][:1], ()
        raw["price"]["current"] = 250

    found = compare(definition, edited(definition, edit))
    assert (found.use, found.changes) == ("same", ())


def test_a_language_that_was_added_changes_nothing(definition: Definition) -> None:
    def english(value: Any) -> Any:
        if isinstance(value, dict):
            return {"en": value["en"]} if value.keys() == {"en", "de"} else {k: english(v) for k, v in value.items()}
        return tuple(english(v) for v in value) if isinstance(value, list | tuple) else value

    older = Definition.model_validate(english(definition.model_dump()) | {"languages": ("en",)})
    found = compare(definition, older)
    assert (found.use, found.changes) == ("same", ())


def _scale(raw: dict[str, Any]) -> None:
    question(raw, "satisfied")["scale"]["high"] = 7


def _options(raw: dict[str, Any]) -> None:
    own = question(raw, "brands")
    own["options"] = (*own["options"], {"id": "online", "label": {"en": "Online", "de": "Online"}})


def _unit(raw: dict[str, Any]) -> None:
    question(raw, "age")["unit"] = {"en": "months", "de": "Monate"}


def _items(raw: dict[str, Any]) -> None:
    page(raw, "matters")["items"] = page(raw, "matters")["items"][:-1]


@pytest.mark.parametrize(
    ("edit", "name"), [(_scale, "satisfied"), (_options, "brands"), (_unit, "age"), (_items, "matters")]
)
def test_a_question_that_means_something_else_is_left_out_alone(definition: Definition, edit: Edit, name: str) -> None:
    found = compare(definition, edited(definition, edit))
    assert found.use == "same"
    assert Change("question", name) in found.changes
    answers = {"satisfied": 1, "brands": 2, "age": 3, "matters-1": 4, "matters-2": 4, "offer-1": 5, "words": 6}
    kept = same_answers(answers, found)
    assert {key for key in answers if key.partition("-")[0] == name}.isdisjoint(kept)
    assert len(kept) == len(answers) - (2 if name == "matters" else 1)


def _words(raw: dict[str, Any]) -> None:
    own = question(raw, "brands")
    own["label"] = {"en": "Which garages did you use?", "de": "Welche Werkstätten haben Sie genutzt?"}
    own["options"] = own["options"][::-1]
    own["required"] = False


def test_other_words_and_another_order_of_a_question_are_named_and_kept(definition: Definition) -> None:
    found = compare(definition, edited(definition, _words))
    assert found.changes == (Change("words", "brands.label"),)
    assert "brands" in found.questions


def test_rated_offers_of_other_levels_are_not_mixed(definition: Definition) -> None:
    assert "offer" in compare(definition, edited(definition, _words)).questions
    assert "offer" not in compare(definition, edited(definition, without_level)).questions
