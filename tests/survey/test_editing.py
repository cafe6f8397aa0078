"""Changes to a survey file: what was meant is there, and no other line is touched."""

from __future__ import annotations

import difflib
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wtp.survey.editing import Place, edited, inserted, moved, removed, value_at
from wtp.survey.toml_text import written

ROOT = Path(__file__).parents[2]
SUPPLIER = (ROOT / "surveys/supplier/survey.toml").read_text(encoding="utf-8")
EVERY = (ROOT / "tests/every_question/survey.toml").read_text(encoding="utf-8")
SMALL = """\
# head
title = { en = "T" }  # the title

# about a
[[attributes]]
id = "a"
levels = [
  # worst
  { id = "core", label = { en = "x" } },  # cheap
  { id = "broad", label = { en = "y" } },
  # best
  { id = "one", label = { en = "z" } } # dear
]

# about b
[[attributes]]
id = "b" # b itself
note = \"\"\"
[[attributes]]
# no comment\"\"\"
levels = [{ id = "l" }, { id = "m" }]

[[pages]]
id = "p"

# about q1
[[pages.questions]]
id = "q1"

[[pages.questions]]
id = "q2"

[[pages]]
id = "r"

# who answers
[simulation]
spread = 0.3
"""


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are gone and lines that are new."""
    found = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[:2] in {"- ", "+ "}]
    return [line[2:] for line in found if line[0] == "-"], [line[2:] for line in found if line[0] == "+"]


def scalars(content: Any, place: Place = ()) -> list[tuple[Place, Any]]:
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    found = []
    for key, value in entries:
        if isinstance(value, dict | list):
            found += scalars(value, (*place, key))
        else:
            found.append(((*place, key), value))
    return found


@pytest.mark.parametrize("source", [SUPPLIER, EVERY], ids=["supplier", "every question"])
def test_a_change_of_one_value_changes_its_line_alone(source: str) -> None:
    places = scalars(tomllib.loads(source))
    for place, value in random.Random(1).sample(places, 12):
        new = 'Neu „x“ \\ "y" #' if isinstance(value, str) else value + 1
        after = edited(source, {place: new})
        assert value_at(tomllib.loads(after), place) == new
        gone, came = lines_changed(source, after)
        height = value.count("\n") + 1 + value.startswith("\n") if isinstance(value, str) else 1
        assert len(gone) <= height + 1, place
        assert len(came) <= 1 + (height > 1), place


def test_several_changes_at_once_and_keys_that_come_and_go() -> None:
    after = edited(
        SUPPLIER,
        {
            ("title", "de"): "Neuer Titel",
            ("attributes", 1, "by_segment"): None,
            ("attributes", 0, "levels", 1, "unit_cost"): 1.75,
            ("attributes", 0, "levels", 0, "picture"): "core.png",
            ("pages", 2, "when"): {"core_problem": ["cost"]},
            ("embed_in",): ["https://www.example.com"],
            ("panel",): {"parameter": "pid", "completed": "https://p.example/{id}"},
            ("choice_tasks", "prior"): {"price_coefficient": -0.1, "worth": {"range": [0, 1, 2]}},
        },
    )
    gone, came = lines_changed(SUPPLIER, after)
    assert len(gone) == 4
    assert 'when = { core_problem = ["cost"] }' in came
    assert 'embed_in = ["https://www.example.com"]' in came
    assert "[panel]" in came
    assert "prior = { price_coefficient = -0.1, worth = { range = [0, 1, 2] } }" in came
    assert (
        edited(after, {("choice_tasks", "prior"): None, ("panel",): None, ("embed_in",): None}).count("\n")
        <= after.count("\n") - 4
    )


def test_an_equal_value_changes_nothing() -> None:
    assert edited(SUPPLIER, dict(random.Random(2).sample(scalars(tomllib.loads(SUPPLIER)), 30))) == SUPPLIER


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: "\r" not in text)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_any_text_comes_back(text: str) -> None:
    assert tomllib.loads(f"a = {written(text)}") == {"a": text}
    after = edited(SMALL, {("title", "en"): text, ("attributes", 1, "note"): text + "\n" + text})
    content = tomllib.loads(after)
    assert (content["title"]["en"], content["attributes"][1]["note"]) == (text, text + "\n" + text)
    assert "# the title" in after


def test_tables_move_with_the_comments_above_them() -> None:
    after = moved(SMALL, ("attributes", 1), -1)
    assert [a["id"] for a in tomllib.loads(after)["attributes"]] == ["b", "a"]
    assert (
        after.index("# about b")
        < after.index('id = "b" # b itself')
        < after.index("# about a")
        < after.index('id = "a"')
    )
    assert sorted(after.split("\n")) == sorted(SMALL.split("\n"))
    assert moved(after, ("attributes", 0), 1) == SMALL


def test_nested_tables_move_within_their_own() -> None:
    after = moved(SMALL, ("pages", 0, "questions", 0), 1)
    assert [q["id"] for q in tomllib.loads(after)["pages"][0]["questions"]] == ["q2", "q1"]
    assert after.index('"q2"') < after.index("# about q1") < after.index('"q1"') < after.index('"r"')
    last = moved(SMALL, ("pages", 0), 1)
    assert [p["id"] for p in tomllib.loads(last)["pages"]] == ["r", "p"]
    assert last.index("# who answers") > last.index('"q2"')


def test_entries_of_an_array_move_with_their_comments() -> None:
    after = moved(SMALL, ("attributes", 0, "levels", 2), -1)
    assert [level["id"] for level in tomllib.loads(after)["attributes"][0]["levels"]] == ["core", "one", "broad"]
    assert (
        '  # best\n  { id = "one", label = { en = "z" } }, # dear\n  { id = "broad", label = { en = "y" } }\n]' in after
    )
    first = moved(SMALL, ("attributes", 0, "levels", 0), 1)
    assert (
        '[\n  { id = "broad", label = { en = "y" } },\n  # worst\n  { id = "core", label = { en = "x" } },  # cheap\n'
        in first
    )
    side_by_side = moved(SMALL, ("attributes", 1, "levels", 0), 1)
    assert 'levels = [{ id = "m" }, { id = "l" }]' in side_by_side


@pytest.mark.parametrize(
    ("place", "by"),
    [(("attributes", 0), -1), (("attributes", 1), 1), (("attributes", 0, "levels", 2), 1), (("attributes", 7), 1)],
)
def test_beyond_an_end_nothing_moves(place: Place, by: int) -> None:
    assert moved(SMALL, place, by) == SMALL


def test_what_is_removed_takes_its_own_comment_and_no_other() -> None:
    after = removed(SMALL, ("attributes", 0))
    assert lines_changed(SMALL, after)[1] == []
    assert "# about a" not in after
    assert "# about b" in after
    assert "# who answers" in removed(SMALL, ("pages", 1))
    assert "# best" in removed(SMALL, ("attributes", 0, "levels", 1))
    none = removed(removed(SMALL, ("pages", 0, "questions", 1)), ("pages", 0, "questions", 0))
    assert "questions" not in tomllib.loads(none)["pages"][0]


def test_what_is_added_stands_behind_the_last_of_its_kind() -> None:
    question = {"type": "text", "id": "q3", "label": {"en": "Why?"}}
    after = inserted(SMALL, ("pages", 0, "questions"), question)
    assert tomllib.loads(after)["pages"][0]["questions"][2] == question
    assert lines_changed(SMALL, after)[0] == []
    first = inserted(SMALL, ("pages", 1, "questions"), question)
    assert tomllib.loads(first)["pages"][1]["questions"] == [question]
    assert first.index("Why?") < first.index("# who answers")
    level = inserted(SMALL, ("attributes", 0, "levels"), {"id": "new", "label": {"en": ""}})
    assert tomllib.loads(level)["attributes"][0]["levels"][3]["id"] == "new"
    segment = inserted(SMALL, ("segments",), {"id": "s", "when": {"q1": ["a"]}})
    assert segment.endswith('[[segments]]\nid = "s"\nwhen = { q1 = ["a"] }\n')
    assert tomllib.loads(inserted(SMALL, ("simulation", "segments"), {"segment": "s"}))["simulation"]["segments"] == [
        {"segment": "s"}
    ]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_random_way_back_leads_to_the_same_content(seed: int) -> None:
    """Any sequence of moves keeps every line of the file, and undone in reverse order its content."""
    rng, source, done = random.Random(seed), EVERY, []
    for _ in range(3):
        content = tomllib.loads(source)
        lists: list[Place] = [("attributes",), ("pages",), ("segments",)]
        lists += [("pages", n, "questions") for n, page in enumerate(content["pages"]) if page.get("questions")]
        lists += [("attributes", n, "levels") for n in range(len(content["attributes"]))]
        where = rng.choice([place for place in lists if value_at(content, place)])
        at, by = rng.randrange(len(value_at(content, where))), rng.choice([-1, 1])
        source = moved(source, (*where, at), by)
        done.append((where, at, by))
    assert sorted(filter(None, source.split("\n"))) == sorted(filter(None, EVERY.split("\n")))
    for where, at, by in reversed(done):
        if 0 <= at + by < len(value_at(tomllib.loads(source), where)):
            source = moved(source, (*where, at + by), -by)
    assert tomllib.loads(source) == tomllib.loads(EVERY)
