"""What differs between two versions, by meaning."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from wtp.survey import Definition, Survey
from wtp.survey.changes import Change, changes
from wtp.survey.editing import Place, edited, moved, removed
from wtp.survey.load import inspect_text, references


def after(source: str) -> Definition:
    definition, mistakes = inspect_text(source, Path("survey.toml"))
    assert definition is not None, mistakes
    return definition


CHANGED: list[tuple[Place, Any, Change, bool]] = [
    (("attributes", 1, "levels", 2, "label", "en"), "Within 24 hours", Change("changed", (("attributes", "speed"), ("levels", "same_day")), "label.en", "The same day", "Within 24 hours"), True),
    (("attributes", 1, "levels", 2, "unit_cost"), 6.5, Change("changed", (("attributes", "speed"), ("levels", "same_day")), "unit_cost", 5.0, 6.5), False),
    (("price", "levels"), [80, 90, 100, 130], Change("changed", (), "price.levels", [80.0, 90.0, 100.0, 115.0, 130.0], [80.0, 90.0, 100.0, 130.0]), True),
    (("economics", "budget"), None, Change("changed", (), "economics.budget", 200000.0, None), False),
    (("segments", 0, "customers"), 5000, Change("changed", (("segments", "uptime"),), "customers", 4200, 5000), False),
    (("pages", 1, "questions", 2, "required"), True, Change("changed", (("pages", "profile"), ("questions", "role")), "required", False, None), True),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value", "expected", "asked"), CHANGED, ids=lambda value: str(value)[:40])
def test_a_change_is_told_where_it_is(survey: Survey, place: Place, value: Any, expected: Change, asked: bool) -> None:
    new = after(edited(survey.source, {place: value}))
    assert changes(survey.definition, new) == (expected,)
    assert (new.hash != survey.definition.hash) is asked


def test_what_came_went_and_moved(survey: Survey) -> None:
    new = after(moved(removed(survey.source, ("competitors", 0)), ("attributes", 0), 1))
    found = changes(survey.definition, new)
    assert [(change.kind, change.where) for change in found] == [
        ("order", ()),
        ("removed", (("competitors", "discounter"),)),
    ]
    assert (found[0].field, found[0].after[:2]) == ("attributes", ["speed", "range"])
    back = changes(new, survey.definition)
    assert [(change.kind, change.where) for change in back] == [
        ("order", ()),
        ("added", (("competitors", "discounter"),)),
    ]


def test_the_same_is_no_change(survey: Survey) -> None:
    raw = tomllib.loads(survey.source)
    assert changes(survey.definition, Definition.model_validate(raw, context=references(raw))) == ()
