"""From a survey folder to one frozen `Survey`, or to the list of all its mistakes.

A mistake names file, key, what was found, what is allowed and what to do. All of a file's mistakes are found in one go;
`load_survey` raises them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wtp.errors import SurveyError
from wtp.survey.definition import SLUG, Definition, cross_mistakes
from wtp.survey.design_file import read_design
from wtp.survey.mistakes import Mistake
from wtp.survey.tasks import Design
from wtp.survey.toml_text import read_toml

DEFINITION_FILE = "survey.toml"
DESIGN_FILE = "design.csv"
_MAX_BYTES = 1_000_000
_SLUG = re.compile(SLUG)


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey folder, read and checked. `slug` is the folder's name; `design` is None before `wtp design`; `source` is the text of survey.toml."""

    slug: str
    folder: Path
    definition: Definition
    definition_hash: str
    design: Design | None
    source: str = ""


def load_survey(folder: Path) -> Survey:
    """Read `survey.toml` and, if it is there, `design.csv`.

    Raises SurveyError with every mistake, one a line.
    """
    survey, mistakes = inspect_survey(folder)
    if survey is None or mistakes:
        raise SurveyError("\n".join(map(str, mistakes)))
    return survey


def inspect_survey(folder: Path) -> tuple[Survey | None, tuple[Mistake, ...]]:
    """Read a survey folder; the survey is None if its definition has mistakes."""
    path = folder / DEFINITION_FILE
    source, mistakes = read_source(path)
    if source is None:
        return None, mistakes
    definition, mistakes = inspect_text(source, path)
    if definition is None:
        return None, mistakes
    design: Design | None = None
    if (folder / DESIGN_FILE).exists():
        design, mistakes = read_design(folder / DESIGN_FILE, definition)
    return Survey(folder.name, folder, definition, definition.hash, design, source), mistakes


def inspect_text(source: str, path: Path) -> tuple[Definition | None, tuple[Mistake, ...]]:
    """Check the text of a definition file, which is or will be at `path`; the definition is None if there is any mistake."""
    raw, mistakes = parse_source(source, path)
    return (None, mistakes) if raw is None else inspect_content(raw, path)


def inspect_content(raw: dict[str, Any], path: Path) -> tuple[Definition | None, tuple[Mistake, ...]]:
    """Check the plain content of a definition file, which is or will be at `path`."""
    try:
        definition = Definition.model_validate(raw, context=references(raw))
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if not _echo(detail)]
        return None, tuple(_mistake(path, raw, detail) for detail in details)
    mistakes = tuple(Mistake(str(path), *row) for row in cross_mistakes(definition))
    pictures = path.parent / "pictures"
    for name in sorted(definition.pictures):
        if not (pictures / name).is_file():
            found = Mistake(str(path), "attributes", f"picture {name}", f"a file in {pictures}", "put it there")
            mistakes = (*mistakes, found)
    mistakes = (*mistakes, *_wave_mistakes(definition, path))
    return (None if mistakes else definition), mistakes


def _wave_mistakes(definition: Definition, path: Path) -> tuple[Mistake, ...]:
    """A study that would follow itself, at once or by way of others; an earlier study that is not there any more is no mistake."""
    waves, earlier = [path.parent.name], definition.follows
    while earlier is not None:
        if earlier in waves:
            found = "this study itself" if len(waves) == 1 else f"a circle: {' follows '.join([*waves, earlier])}"
            return (Mistake(str(path), "follows", found, "an earlier study", "name one that does not follow this one"),)
        waves.append(earlier)
        source, _ = read_source(path.parent.parent / earlier / DEFINITION_FILE)
        raw, _ = parse_source(source or "", path)
        earlier = raw["follows"] if raw and isinstance(raw.get("follows"), str) and _SLUG.fullmatch(raw["follows"]) else None  # fmt: skip
    return ()


def definition_of(source: str) -> Definition | None:
    """The definition that a text holds, whatever is wrong between its parts; None if it cannot be read as one."""
    raw, _ = parse_source(source, Path(DEFINITION_FILE))
    try:
        return None if raw is None else Definition.model_validate(raw, context=references(raw))
    except ValidationError:
        return None


def read_source(path: Path) -> tuple[str | None, tuple[Mistake, ...]]:
    """The text of a definition file, or why there is none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            found, allowed, remedy = (
                f"{path.stat().st_size:,} bytes",
                f"at most {_MAX_BYTES:,} bytes",
                "give a survey definition",
            )
        else:
            return path.read_text(encoding="utf-8-sig"), ()
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        allowed, remedy = "a survey folder with a survey.toml", "give the folder, as in surveys/supplier"
    except UnicodeDecodeError as error:
        found, allowed, remedy = f"byte {error.start} is not UTF-8", "text in UTF-8", "save the file as UTF-8"
    return None, (Mistake(str(path), "(file)", found, allowed, remedy),)


def parse_source(source: str, path: Path) -> tuple[dict[str, Any] | None, tuple[Mistake, ...]]:
    """The plain content of a definition's text, or why it is no TOML."""
    try:
        return read_toml(source), ()
    except ValueError as error:  # what the reader raises, and Python itself for numbers of thousands of digits
        found, remedy = f"not TOML: {error}", "mend the place named"
    except RecursionError:
        found, remedy = "tables nested too deeply", "remove the nesting"
    return None, (Mistake(str(path), "(file)", found, "a TOML 1.0 file", remedy),)


def _tables(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _ids(value: Any) -> list[str]:
    return [entry["id"] for entry in _tables(value) if isinstance(entry.get("id"), str)]


def references(raw: dict[str, Any]) -> dict[str, Any]:
    """Identifiers that other parts may refer to, read leniently, since their own parts may be wrong."""
    languages = raw.get("languages")
    questions = [question for page in _tables(raw.get("pages")) for question in _tables(page.get("questions"))]
    picked = {"single_choice": ["unsure"], "multiple_choice": []}
    return {
        "languages": [str(x) for x in languages] if isinstance(languages, list) else [],
        "attributes": {
            a["id"]: _ids(a.get("levels")) for a in _tables(raw.get("attributes")) if isinstance(a.get("id"), str)
        },
        "options": {
            q["id"]: _ids(q.get("options"))
            for q in questions
            if q.get("type") == "single_choice" and isinstance(q.get("id"), str)
        },
        "conditions": {
            q["id"]: _ids(q.get("options")) + (picked[q["type"]] if "unsure" in q else [])
            for q in questions
            if q.get("type") in picked and isinstance(q.get("id"), str)
        },
        "numbers": [q["id"] for q in questions if q.get("type") == "number" and isinstance(q.get("id"), str)],
    }


def _key(raw: Any, location: tuple[int | str, ...]) -> str:
    """`attributes[0].levels[2].label` as the author would look for it; names of pydantic's unions are left out."""
    key, node, before = "", raw, None
    for part in location:
        if isinstance(part, int):
            key += f"[{part}]"
            node = node[part] if isinstance(node, list) and part < len(node) else None
        elif part.startswith("["):  # pydantic's word for a wrong key, which is named already, or a kind of condition
            continue
        elif isinstance(before, int) and isinstance(node, dict) and part == node.get("type"):
            before = None
            continue
        else:
            key += f".{part}" if key else part
            node = node.get(part) if isinstance(node, dict) else None
        before = part
    return key or "(file)"


def _echo(detail: ErrorDetails) -> bool:
    """A list that is only too short because its entries are wrong, each of which is named already."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it, or mend its spelling",
    "string_pattern_mismatch": "write it as allowed",
    "union_tag_invalid": "choose one of them",
    "union_tag_not_found": "add a type",
}


def _mistake(path: Path, raw: dict[str, Any], detail: ErrorDetails) -> Mistake:
    context = detail.get("ctx", {})
    key = _key(raw, detail["loc"])
    if "remedy" in context:
        return Mistake(str(path), key, str(context["found"]), str(context["allowed"]), str(context["remedy"]))
    found = "nothing" if detail["type"] == "missing" else _short(detail["input"])
    allowed = {
        "missing": "this key is required",
        "extra_forbidden": "only the keys of the schema (wtp check --schema)",
        "union_tag_invalid": str(context.get("expected_tags", "")),
        "union_tag_not_found": "a table with a type",
        "too_short": f"at least {context.get('min_length')} of them",
        "too_long": f"at most {context.get('max_length')} of them",
        "string_pattern_mismatch": f"text that fits {context.get('pattern', '')}",
    }.get(detail["type"], detail["msg"].removeprefix("Input should be "))
    return Mistake(str(path), key, found, allowed, _REMEDIES.get(detail["type"], "change it to what is allowed"))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
