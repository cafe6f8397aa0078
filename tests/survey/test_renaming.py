"""A new id reaches everything that names the old one, and every other line of the file stays as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wtp.survey.editing import Place, edited
from wtp.survey.load import inspect_text
from wtp.survey.renaming import followed

ROOT = Path(__file__).parents[2]
EVERY = ROOT / "tests/every_question/survey.toml"
SUPPLIER = ROOT / "surveys/supplier/survey.toml"
RULES = """at_most_once = ["speed"]
prohibited = [
  # Nobody could do this.
  { levels = { speed = ["{LEVEL}"], range = ["core"] } },
]
conditional_prices = [{ levels = { speed = ["{LEVEL}"] }, prices = [360] }]
prior = { price_coefficient = -0.02, worth = { range = [0, 5, 9], speed = [0, 5, 9] } }
"""


def place_of(text: str, *way: str | int) -> Place:
    """The place of the id of an entry, named by lists and ids in turn."""
    place: tuple[str | int, ...] = ()
    content = tomllib.loads(text)
    for part, wanted in zip(way[::2], way[1::2], strict=True):
        content = content[part]
        number = next(n for n, entry in enumerate(content) if entry["id"] == wanted)
        content, place = content[number], (*place, str(part), number)
    return (*place, "id")


def renamed(text: str, changes: dict[Place, str]) -> str:
    return edited(text, changes | followed(tomllib.loads(text), changes))


def ids(file: Path) -> list[tuple[str, Place]]:
    """Every id that something can name."""
    content, found = tomllib.loads(file.read_text(encoding="utf-8")), []
    for a, attribute in enumerate(content["attributes"]):
        found.append((attribute["id"], ("attributes", a, "id")))
        found += [(one["id"], ("attributes", a, "levels", n, "id")) for n, one in enumerate(attribute["levels"])]
    found += [(one["id"], ("segments", n, "id")) for n, one in enumerate(content.get("segments", []))]
    for p, page in enumerate(content["pages"]):
        for q, question in enumerate(page.get("questions", [])):
            place = ("pages", p, "questions", q)
            found.append((question["id"], (*place, "id")))
            for key in ("options", "items"):
                if key == "options" or not question.get("measures"):
                    found += [(o["id"], (*place, key, n, "id")) for n, o in enumerate(question.get(key, []))]
    return found


@pytest.mark.parametrize("file", [EVERY, SUPPLIER], ids=["every", "supplier"])
def test_any_one_id_can_be_renamed_and_renamed_back(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert inspect_text(text, file)[1] == ()
    for old, place in ids(file):
        new = renamed(text, {place: "a_new_name"})
        assert [str(one) for one in inspect_text(new, file)[1]] == [], old
        assert len(new.splitlines()) == len(text.splitlines())
        back = renamed(new, {place: old})
        assert tomllib.loads(back) == tomllib.loads(text), old
        assert [line for line in back.splitlines() if line.lstrip().startswith("#")] == [
            line for line in text.splitlines() if line.lstrip().startswith("#")
        ]


def test_rules_of_the_design_follow_and_keep_their_order_and_comments() -> None:
    text = SUPPLIER.read_text(encoding="utf-8")
    level = tomllib.loads(text)["attributes"][1]["levels"][0]["id"]
    text = text.replace("versions = 120\n", "versions = 120\n" + RULES.replace("{LEVEL}", level))
    changes: dict[Place, str] = {
        place_of(text, "attributes", "speed"): "pace",
        place_of(text, "attributes", "speed", "levels", level): "slowest",
    }
    new = renamed(text, changes)
    expected = RULES.replace("speed", "pace").replace("{LEVEL}", "slowest")
    assert expected in new
    content = tomllib.loads(new)
    assert list(content["competitors"][0]["levels"]) == [
        {"speed": "pace"}.get(name, name) for name in tomllib.loads(text)["competitors"][0]["levels"]
    ]
    assert "speed" not in {item["id"] for page in content["pages"] for q in page.get("questions", ()) if q.get("measures") for item in q["items"]}  # fmt: skip


def test_two_names_can_be_exchanged_at_once() -> None:
    text = SUPPLIER.read_text(encoding="utf-8")
    changes: dict[Place, str] = {
        place_of(text, "segments", "cost"): "growth",
        place_of(text, "segments", "growth"): "cost",
    }
    before = [one["segment"] for one in tomllib.loads(text)["simulation"]["segments"]]
    after = [one["segment"] for one in tomllib.loads(renamed(text, changes))["simulation"]["segments"]]
    assert after == [{"cost": "growth", "growth": "cost"}.get(name, name) for name in before] != before


@pytest.mark.parametrize("new", ["", "range"])
def test_nothing_follows_to_an_id_that_is_none_or_taken(new: str) -> None:
    text = SUPPLIER.read_text(encoding="utf-8")
    assert followed(tomllib.loads(text), {place_of(text, "attributes", "speed"): new}) == {}
