"""The desk on which an author has a study: its draft, the mistakes in it by part, and what every page of the workbench shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _

from wtp.errors import SurveyError
from wtp.survey import Definition, Mistake, Survey
from wtp.survey.drafts import Draft, folder_of, read_draft
from wtp.survey.editing import Place
from wtp.survey.load import DEFINITION_FILE, inspect_text, parse_source
from wtp.web.i18n import language
from wtp.web.running import surveys
from wtp.web.workbench import words
from wtp.web.workbench.entries import Reader, key_of, name_of, said
from wtp.web.workbench.typed import shown_number

blueprint = Blueprint("workbench", __name__, url_prefix="/manage")

# Where the keys of the file are edited; whatever is not here stands under basics.
PART_OF = {
    "attributes": "attributes",
    "price": "price",
    "choice_tasks": "choice_tasks",
    "pages": "pages",
    "segments": "segments",
    "process": "process",
    "screen_outs": "participants",
    "quotas": "participants",
    "competitors": "competitors",
    "economics": "costs",
    "panel": "access",
    "embed_in": "access",
    "look": "look",
    "contacts": "contacts",
    "privacy": "privacy",
    "simulation": "simulation",
}
BASICS = tuple(name for name in Definition.model_fields if name not in PART_OF and name != "format")


@dataclass(frozen=True, slots=True)
class Desk:
    """One study as its author has it; `content` is None if the draft is no TOML, `definition` if it has any mistake."""

    draft: Draft
    content: Mapping[str, Any] | None
    definition: Definition | None
    mistakes: tuple[Mistake, ...]
    survey: Survey | None

    @property
    def slug(self) -> str:
        """The study's name in addresses."""
        return self.draft.slug

    @property
    def title(self) -> str:
        """What people call the study."""
        return self.reader.title(self.content or {}) or self.slug

    @property
    def reader(self) -> Reader:
        """Makes forms of the draft."""
        return Reader(self.content or {}, self.mistakes)

    def size(self, name: str) -> int:
        """How many entries a list of the draft has."""
        found = (self.content or {}).get(name)
        return len(found) if isinstance(found, list) else 0

    @property
    def by_part(self) -> Counter[str]:
        """How many mistakes each part has."""
        return Counter(part_of(key_of(mistake)) for mistake in self.mistakes)

    @property
    def listed(self) -> list[tuple[str, str, str, str]]:
        """All mistakes as (page, name of the place, place in words, what is wrong)."""
        reader, found = self.reader, []
        for place, mistake in reader.mistakes:
            found.append((page_of(place), name_of(place), reader.where(place) or mistake.key, said(mistake)))
        return found


def desk_of(slug: str) -> Desk:
    """The desk with this study, or 404."""
    folder = folder_of(surveys().folder, slug)
    if folder is None:
        abort(404)
    try:
        draft = read_draft(folder)
    except SurveyError:
        abort(404)
    content, _mistakes = parse_source(draft.text, folder / DEFINITION_FILE)
    definition, mistakes = _inspected(draft.text, folder / DEFINITION_FILE, _pictures(folder))
    return Desk(draft, content, definition, mistakes, surveys().get(slug))


@lru_cache(maxsize=32)
def _inspected(text: str, path: Path, _there: tuple[str, ...]) -> tuple[Definition | None, tuple[Mistake, ...]]:
    return inspect_text(text, path)


def _pictures(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in (folder / "pictures").glob("*")))


def part_of(place: Place) -> str:
    """The part of the study in which a place is edited; the file as a whole is "source"."""
    return PART_OF.get(str(place[0]), "basics") if place else "source"


def page_of(place: Place) -> str:
    """The page on which a place is edited."""
    part = part_of(place)
    if part in {"attributes", "pages", "segments", "participants", "competitors"} and len(place) > 1:
        deep = 4 if len(place) > 3 and place[2] == "questions" else 2
        return name_of(place[:deep])
    return part


def page(template: str, desk: Desk, **context: Any) -> str:
    """A page of the workbench, with the parts of the study beside it."""
    counts = desk.by_part
    parts = [(name, str(title), counts[name]) for name, title in words.PARTS.items()]
    pictures = sorted(path.name for path in (desk.draft.folder / "pictures").glob("*.*"))
    return render_template(
        f"workbench/{template}.html",
        shown_number=partial(shown_number, language=language()),
        plain=plain,
        pictures=pictures,
        desk=desk,
        slug=desk.slug,
        parts=parts,
        wrong=counts,
        words=words,
        trail=_trail(desk),
        **context,
    )


def _trail(desk: Desk) -> str:
    """What became of the last change, in a few words."""
    if desk.draft.changed:
        return _("Saved as draft") if desk.draft.published else _("Draft, not published yet")
    return _("Published, no change since")


def plain(value: Any) -> str:
    """A value of the file in words that anybody can read."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return shown_number(value, language())


def posted_revision() -> str:
    """The revision that a change was made from; a form without one is not ours."""
    revision = request.form.get("revision", "")
    if not revision:
        abort(400)
    return revision
