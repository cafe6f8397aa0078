"""Survey folders: every mistake at once, each with file, key, found, allowed, remedy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wtp.design import search
from wtp.errors import SurveyError
from wtp.survey import Definition, Mistake, inspect_survey, load_survey, steps
from wtp.survey.design_file import format_design

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"
TEXT = (SUPPLIER / "survey.toml").read_text(encoding="utf-8")
DESIGN = (SUPPLIER / "design.csv").read_text(encoding="utf-8")


def mistakes_of(folder: Path, text: str, design: str | None = None) -> tuple[Mistake, ...]:
    (folder / "survey.toml").write_text(text, encoding="utf-8")
    if design is not None:
        (folder / "design.csv").write_text(design, encoding="utf-8")
    return inspect_survey(folder)[1]


OTHER_LEVELS = re.findall(r'(?s)  \{ id = "broad".*?\n\]', TEXT)[0]

# name: (what is replaced, by what, key, found, allowed, remedy)
WRONG = {
    "unknown key": ('current = "broad"', 'current = "broad"\ncolour = "red"', "attributes[0].colour", "'red'", "keys of the schema", "remove"),
    "missing key": ('current = "broad"\n', "", "attributes[0].current", "nothing", "required", "add it"),
    "missing language": ('{ en = "Brand", de = "Marke" }', '{ en = "Brand" }', "attributes[4].label", "texts in en", "en, de", "add de"),
    "surplus language": ('{ en = "Brand", de = "Marke" }', '{ en = "Brand", de = "Marke", fr = "Marque" }', "attributes[4].label", "fr", "en, de", "remove fr"),
    "text for a number": ("minutes = 10", 'minutes = "ten"', "minutes", "'ten'", "integer", "change"),
    "prices fall": ("levels = [80, 90", "levels = [95, 90", "price.levels", "90 follows 95", "rise", "sort"),
    "two prices": ("levels = [80, 90, 100, 115, 130]", "levels = [80, 130]", "price.levels", "80", "at least 3", "change"),
    "today's price outside": ("levels = [80, 90, 100, 115, 130]", "levels = [110, 115, 130]", "price.current", "100", "110 to 130", "both sides"),
    "unknown option": ('["cost"]', '["costs"]', "segments[1].when", "costs", "downtime, cost, growth", "name one"),
    "unknown question": ("when = { core_problem", "when = { core_problems", "segments[0].when.core_problems", "core_problems", "core_problem", "name one"),
    "unknown type": ('type = "rating"', 'type = "ratings"', "pages[5].questions[0]", "ratings", "rating", "choose"),
    "level of today unknown": ('current = "known"', 'current = "famous"', "attributes[4].current", "famous", "new, known, leading", "today's offer"),
    "same id twice": ('id = "financing"\nlabel', 'id = "speed"\nlabel', "attributes", "'speed'", "id of its own", "rename"),
    "importance of what": ('{ id = "brand", label = { en = "Trust', '{ id = "trust", label = { en = "Trust', "pages[5].questions[0]", "trust", "price, range", "ids of the attributes"),
    "worths too few": ("range = [0, 4, 6]", "range = [0, 4]", "simulation.segments[0]", "[0", "3 amounts", "one amount for each"),
    "shares": ("share = 0.36", "share = 0.5", "simulation.segments", "1.14", "sum of 1", "adjust"),
    "simulated whom": ('segment = "growth"', 'segment = "grow"', "simulation.segments[2].segment", "grow", "uptime, cost, growth", "declared"),
    "no purchase question": ("purchase_question = {", "# purchase_question = {", "pages[3].purchase_question", "no purchase question", "dual", "add"),
    "a label's name": ('id = "role"', 'id = "simulated"', "pages[1].questions[2].id", "simulated", "any id but respondent", "rename the question"),
    "everybody's name": ('id = "uptime"', 'id = "all"', "segments[0].id", "all", "any id but all, price, range", "rename the segment"),
    "an attribute's name": ('id = "uptime"', 'id = "speed"', "segments[0].id", "speed", "any id but all, price, range", "rename the segment"),
    "condition without options": ('["cost"]', "[]", "segments[1].when.core_problem", "[]", "at least 1", "change"),
    "simulated twice": ('segment = "growth"', 'segment = "cost"', "simulation.segments[2].segment", "cost again", "once", "another"),
    "no number": ("range = [0, 4, 6]", "range = [0, nan, 6]", "simulation.segments[0].worth.range[1]", "nan", "finite", "change"),
    "no end": ("price_coefficient = -0.075", "price_coefficient = -inf", "simulation.segments[0].price_coefficient", "-inf", "finite", "change"),
    "too many customers": ("customers = ", "customers = 99999999", "segments[0].customers", "99999999", "1000000000", "change"),
    "control character": ('en = "Brand"', 'en = "Br\\u0000and"', "attributes[4].label", "'\\x00' in en", "printable", "remove"),
    "one level": (OTHER_LEVELS, "]", "attributes[0].levels", "core", "at least 2", "change"),
    "bad id": ('id = "speed"\nlabel', 'id = "Speed!"\nlabel', "attributes[1].id", "'Speed!'", "text that fits", "as allowed"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_with_its_remedy(name: str, tmp_path: Path) -> None:
    old, new, key, found, allowed, remedy = WRONG[name]
    assert old in TEXT
    mistakes = mistakes_of(tmp_path, TEXT.replace(old, new, 1))
    here = [mistake for mistake in mistakes if mistake.key == key]
    assert here, [str(mistake) for mistake in mistakes]
    assert found in here[0].found
    assert allowed in here[0].allowed
    assert remedy in here[0].remedy
    assert here[0].file == str(tmp_path / "survey.toml")
    assert str(here[0]).startswith(f"{here[0].file}, {key}: found ")


@pytest.mark.parametrize("name", ["none", "chosen", "simulated", "repeats", "segment"])
def test_no_attribute_takes_the_name_of_a_column(name: str, tmp_path: Path) -> None:
    text = TEXT.replace('id = "brand"', f'id = "{name}"').replace("brand = [", f"{name} = [")
    found = [mistake for mistake in mistakes_of(tmp_path, text) if mistake.key == "attributes[4].id"]
    assert [mistake.found for mistake in found] == [name]
    assert "any id but price, none" in found[0].allowed


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = TEXT
    independent = (
        "unknown key",
        "text for a number",
        "missing language",
        "prices fall",
        "unknown option",
        "unknown type",
    )
    for name in independent:
        text = text.replace(WRONG[name][0], WRONG[name][1], 1)
    assert {m.key for m in mistakes_of(tmp_path, text)} == {WRONG[name][2] for name in independent}


def test_the_choice_tasks_need_their_page(tmp_path: Path) -> None:
    without = re.sub(
        r"(?m)^purchase_question = .*\n", "", TEXT.replace('type = "choice_tasks"', 'type = "information"')
    )
    without = without.replace('question = { en = "I choose"', 'text = { en = "I choose"')
    found = mistakes_of(tmp_path, without)
    assert [(m.key, m.allowed) for m in found] == [("pages", "one page of type choice_tasks")]


def test_pages_must_begin_with_consent_and_end_with_thanks(tmp_path: Path) -> None:
    swapped = TEXT.replace('type = "consent"', 'type = "information"').replace("agree = {", "# agree = {")
    found = mistakes_of(tmp_path, swapped)
    assert [m.key for m in found] == ["pages"]
    assert "consent" in found[0].allowed


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"title = ", "not TOML"),
        (b'title = "a"\ntitle = "b"', "not TOML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"x = " + b"[" * 3000 + b"]" * 3000, "not"),
        (b"x = " + b"9" * 5000, "not TOML: Exceeds the limit"),
        (b"# " + b"x" * 2_000_000, "2,000,002 bytes"),
    ],
)
def test_a_file_that_is_no_toml_is_one_sentence(content: bytes, found: str, tmp_path: Path) -> None:
    (tmp_path / "survey.toml").write_bytes(content)
    survey, mistakes = inspect_survey(tmp_path)
    assert survey is None
    assert len(mistakes) == 1
    assert found in str(mistakes[0]) or "nested" in str(mistakes[0])


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SurveyError, match="no such file or directory; allowed: a survey folder"):
        load_survey(tmp_path / "absent")


DESIGN_WRONG = {
    "unknown level": (lambda t: t.replace(",same_day,", ",tomorrow,", 1), "speed", "'tomorrow'"),
    "unknown price": (lambda t: t.replace(",130\n", ",131\n", 1), "price", "'131'"),
    "no number": (lambda t: t.replace("\n1,1,estimation", "\none,1,estimation", 1), "version", "'one'"),
    "unknown kind": (lambda t: t.replace("1,1,estimation", "1,1,guess", 1), "kind", "'guess'"),
    "unclosed quote": (lambda t: '"abc', "after line", "unexpected end of data"),
    "endless field": (lambda t: '"' + t, "after line", "field larger than"),
    "too many digits": (lambda t: t.replace("\n1,1,est", "\n" + "9" * 5000 + ",1,est", 1), "line 2, version", "'999"),
    "foreign digits": (lambda t: t.replace("\n1,1,est", "\n\u0661,1,est", 1), "line 2, version", "\u0661"),
    "surplus cell": (lambda t: t.replace("80\n", "80,x\n", 1), "(end)", "too long by 1"),
    "alternative twice": (lambda t: t.replace("estimation,,2", "estimation,,1", 1), "choice task 1", "1, 1, 3"),
    "repeats nothing": (lambda t: t.replace("repeat,1,", "repeat,,"), "choice task 13", "repeats nothing"),
    "repeats a holdout": (lambda t: re.sub(r"repeat,\d+,", "repeat,11,", t), "choice task 13", "repeats 11"),
    "repeats what differs": (lambda t: t.replace("repeat,1,", "repeat,2,"), "choice task 13", "repeats 2"),
    "repeats itself": (lambda t: t.replace("13,repeat,1,", "13,repeat,13,"), "choice task 13", "repeats 13"),
    "repeats as an estimation task": (
        lambda t: t.replace("1,1,estimation,,", "1,1,estimation,3,"),
        "choice task 1",
        "repeats 3",
    ),
    "two kinds": (lambda t: t.replace("estimation,,2", "holdout,,2", 1), "choice task 1", "differ in kind"),
    "wrong number": (lambda t: t.replace("\n3,13,", "\n3,14,"), "version 3", "choice task 14"),
    "missing column": (lambda t: "\n".join(",".join(r.split(",")[:-1]) for r in t.splitlines()), "line 1", "version"),
    "missing row": (lambda t: "\n".join(t.splitlines()[:-1]), "version 120, choice task 13", "2 alternatives"),
    "missing task": (lambda t: "\n".join(t.splitlines()[:-3]), "version 120", "tasks"),
    "short row": (lambda t: t + "121,1\n", "line 4682, range", "nothing"),
    "empty": (lambda t: t.splitlines()[0] + "\n", "(file)", "no row"),
}


@pytest.mark.parametrize("name", DESIGN_WRONG)
def test_a_mistake_in_the_design_is_named(name: str, tmp_path: Path) -> None:
    change, key, found = DESIGN_WRONG[name]
    mistakes = mistakes_of(tmp_path, TEXT, change(DESIGN))
    assert mistakes
    assert any(key in m.key and found in m.found for m in mistakes), [str(m) for m in mistakes[:3]]
    assert all(m.file.endswith("design.csv") and "wtp design" in m.remedy for m in mistakes)
    assert len(mistakes) <= 100


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (DESIGN.encode() + b"\xff", f"byte {len(DESIGN.encode())} is not UTF-8"),
        (b"x" * 50_000_001, "50,000,001 bytes"),
        (None, "is a directory"),
    ],
)
def test_a_design_that_is_no_text_is_one_sentence(content: bytes | None, found: str, tmp_path: Path) -> None:
    if content is None:
        (tmp_path / "design.csv").mkdir()
    else:
        (tmp_path / "design.csv").write_bytes(content)
    mistakes = mistakes_of(tmp_path, TEXT)
    assert [(m.file, m.key, m.found) for m in mistakes] == [(str(tmp_path / "design.csv"), "(file)", found)]


def test_files_saved_by_an_editor_of_windows_are_read(tmp_path: Path) -> None:
    """A byte order mark and other line ends change nothing, least of all the hash that binds answers to a design."""
    for name, text in (("survey.toml", TEXT), ("design.csv", DESIGN)):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_survey(tmp_path).design == load_survey(SUPPLIER).design


def test_prices_keep_all_of_their_digits(tmp_path: Path) -> None:
    dear = TEXT.replace("[80, 90, 100, 115, 130]", "[1249995.49, 1249996.5, 123456789.99]").replace(
        "current = 100", "current = 1249996.5"
    )
    for rival in ("price = 82", "price = 125\n"):
        dear = dear.replace(rival, "price = 1249996.5\n")
    assert mistakes_of(tmp_path, dear) == ()
    definition = load_survey(tmp_path).definition
    text = format_design(search(definition, 1), definition)
    assert mistakes_of(tmp_path, dear, text) == ()
    design = load_survey(tmp_path).design
    assert design is not None
    shown = {a.price for tasks in design.versions.values() for task in tasks for a in task.alternatives}
    assert shown == set(definition.price.levels)


def test_the_supplier_study_is_sound() -> None:
    survey = load_survey(SUPPLIER)
    definition = survey.definition
    assert [a.id for a in definition.attributes] == ["range", "speed", "financing", "competence", "brand", "design"]
    assert all(len(a.levels) == 3 for a in definition.attributes)
    assert len(definition.price.levels) == 5
    assert definition.languages == ("en", "de")
    rating = definition.importance_rating
    assert rating is not None
    assert {item.id for item in rating.items} == {"price", *(a.id for a in definition.attributes)}
    assert definition.van_westendorp is not None
    assert (definition.choice_tasks.tasks, definition.choice_tasks.holdouts, definition.choice_tasks.repeated) == (
        10,
        2,
        1,
    )


def test_the_route_is_the_authors_with_one_step_a_choice_task() -> None:
    route = steps(load_survey(SUPPLIER).definition)
    assert [s.id for s in route[:3]] == ["consent", "profile", "introduction"]
    assert [s.id for s in route if s.order] == [f"choice-{n}" for n in range(1, 14)]
    assert [s.id for s in route[-3:]] == ["prices", "importance", "thanks"]


def test_the_hash_depends_on_content_not_on_layout(tmp_path: Path) -> None:
    original = load_survey(SUPPLIER).definition_hash
    folder = tmp_path / "supplier"
    shutil.copytree(SUPPLIER, folder)
    (folder / "survey.toml").write_text(
        "# a comment\n\n" + TEXT.replace("minutes = 10", "minutes   =   10"), encoding="utf-8"
    )
    assert load_survey(folder).definition_hash == original
    (folder / "survey.toml").write_text(TEXT.replace("minutes = 10", "minutes = 11"), encoding="utf-8")
    assert load_survey(folder).definition_hash != original


def test_a_definition_survives_the_store() -> None:
    definition = load_survey(SUPPLIER).definition
    again = Definition.model_validate_json(definition.model_dump_json())
    assert again == definition
    assert again.hash == definition.hash


def test_the_schema_names_every_part() -> None:
    schema = Definition.model_json_schema()
    assert schema["additionalProperties"] is False
    assert {"attributes", "price", "choice_tasks", "pages", "segments", "economics"} <= set(schema["properties"])
    assert {"SingleChoice", "Rating", "VanWestendorp", "ChoiceTaskPage"} <= set(schema["$defs"])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_damage_to_the_file_raises_anything_but_mistakes(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = TEXT.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["delete", "double", "cut", "replace", "insert"]))
        if kind == "delete":
            del lines[place]
        elif kind == "double":
            lines.insert(place, lines[place])
        elif kind == "cut":
            lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))]
        elif kind == "replace":
            lines[place] = lines[place].replace(
                data.draw(st.sampled_from(['"', "=", "[", "{", "1", "id"])),
                data.draw(st.sampled_from(["", "nan", "[]", "-5", '"'])),
            )
        else:
            lines.insert(
                place,
                data.draw(
                    st.sampled_from(["x = 1", "[[pages]]", "[price]", "id = 5", "levels = []", "attributes = 3"])
                ),
            )
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "survey.toml").write_text("\n".join(lines), encoding="utf-8")
    survey, mistakes = inspect_survey(folder)
    assert survey is not None or mistakes
    assert all(m.key and m.found and m.allowed and m.remedy for m in mistakes)


@pytest.mark.parametrize(
    ("old", "new", "key", "found"),
    [
        ('id = "discounter"', 'id = "own"', "competitors[0].id", "own"),
        ('range = "core", speed', 'range = "cor", speed', "competitors[0].levels.range", "cor"),
        ('range = "core", speed', "speed", "competitors[0].levels.range", "missing"),
        ("price = 82", "price = 60", "competitors[0].price", "60"),
        ("budget = 200000", 'route = "barter"', "economics.route", "barter"),
    ],
)
def test_mistakes_of_competitors_are_named(tmp_path: Path, old: str, new: str, key: str, found: str) -> None:
    assert old in TEXT
    mistakes = mistakes_of(tmp_path, TEXT.replace(old, new))
    assert [mistake.key for mistake in mistakes] == [key]
    assert found in mistakes[0].found


def test_a_stopping_rule_is_optional_and_says_something(tmp_path: Path) -> None:
    plain = Definition.model_validate(load_survey(SUPPLIER).definition.model_dump())
    assert plain.stopping is None
    folder = Path(shutil.copytree(SUPPLIER, tmp_path / "supplier"))
    rule = "\n[stopping]\nrespondents = 300\nhalf_width = 4.5\n"
    (folder / "survey.toml").write_text(TEXT + rule, encoding="utf-8")
    found = load_survey(folder).definition
    assert found.stopping is not None
    assert (found.stopping.respondents, found.stopping.half_width) == (300, 4.5)
    assert found.hash == plain.hash, "nobody is asked anything else"
    mistakes = mistakes_of(tmp_path, TEXT + "\n[stopping]\n")
    assert [(m.key, m.found, m.allowed) for m in mistakes] == [
        ("stopping", "no rule", "respondents, half_width or both")
    ]
    for wrong in ("respondents = 29", "half_width = 0", "respondents = 300.5"):
        assert mistakes_of(tmp_path, TEXT + f"\n[stopping]\n{wrong}\n"), wrong


def test_a_later_wave_names_the_earlier_one_and_no_circle(tmp_path: Path) -> None:
    """Nobody is asked anything else because of it; whose earlier study is gone goes on."""
    for slug, earlier in (("supplier", ""), ("second", "supplier"), ("third", "second"), ("alone", "gone")):
        shutil.copytree(SUPPLIER, tmp_path / slug)
        text = f'follows = "{earlier}"\n{TEXT}' if earlier else TEXT
        (tmp_path / slug / "survey.toml").write_text(text, encoding="utf-8")
    surveys = {slug: load_survey(tmp_path / slug) for slug in ("supplier", "second", "third", "alone")}
    assert [each.definition.follows for each in surveys.values()] == [None, "supplier", "second", "gone"]
    assert len({each.definition_hash for each in surveys.values()}) == 1
    for slug, earlier, found in (
        ("supplier", "supplier", "this study itself"),
        ("supplier", "third", "a circle: supplier follows third follows second follows supplier"),
        ("alone", "../second", "'../second'"),
    ):
        file = tmp_path / slug / "survey.toml"
        file.write_text(f'follows = "{earlier}"\n{TEXT}', encoding="utf-8")
        _, (mistake,) = inspect_survey(tmp_path / slug)
        assert (mistake.key, mistake.found) == ("follows", found)
