"""Writing a study: one page a part, an attribute, a page, a question; every change is saved as a draft, checked while typing and when saved."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from wtp.errors import ConflictError, SurveyError
from wtp.survey import Definition
from wtp.survey.drafts import save_draft
from wtp.survey.editing import Place, applied, edited, inserted, moved, removed, value_at
from wtp.survey.load import DEFINITION_FILE, inspect_content
from wtp.survey.pages import QuestionPage
from wtp.survey.renaming import followed
from wtp.survey.texts import languages_of, without_languages
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.i18n import language
from wtp.web.running import surveys
from wtp.web.workbench import words
from wtp.web.workbench.desk import BASICS, Desk, blueprint, desk_of, page, posted_revision
from wtp.web.workbench.entries import Entry, Reader, Table, name_of, place_of
from wtp.web.workbench.schema import PAGES, QUESTIONS, fields_of, model_at, skeleton
from wtp.web.workbench.typed import changes

_LISTED = {
    "attributes": ("attributes",),
    "pages": ("pages",),
    "segments": ("segments",),
    "participants": ("screen_outs", "quotas"),
    "competitors": ("competitors",),
}
_SINGLE = ("price", "choice_tasks")
_ROOTS = {
    "basics": BASICS,
    "process": ("process",),
    "access": ("panel", "embed_in"),
    "look": ("look",),
    "costs": ("economics",),
    "contacts": ("contacts",),
    "privacy": ("privacy",),
    "simulation": ("simulation",),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of tables that have pages of their own: attributes, pages, questions."""

    place: Place
    rows: tuple[tuple[Place, str, str, str, int], ...]  # place, title, id, type, mistakes
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What one page of the editor shows; `up` is the page above it."""

    node: str
    title: str
    tables: tuple[Table, ...] = ()
    listings: tuple[Listing, ...] = ()
    costs: tuple[tuple[str, str, tuple[Entry, ...]], ...] = ()
    up: str = ""
    kind: str = ""

    @property
    def entries(self) -> list[Entry]:
        """All fields of the page."""
        return [entry for table in self.tables for entry in table.walk()] + [e for _, _, row in self.costs for e in row]


@blueprint.get("/<slug>/edit")
@requires(*ANALYSTS)
def overview(slug: str) -> str:
    """The study as its author has it: what is wrong, what is next."""
    desk = desk_of(slug)
    return page("overview", desk, broken=surveys().mistakes(slug))


@blueprint.get("/<slug>/edit/<node>")
@requires(*ANALYSTS)
def edit(slug: str, node: str) -> ResponseReturnValue:
    """One page of the editor."""
    desk = desk_of(slug)
    if desk.content is None:
        return redirect(url_for(".source", slug=slug), 303)
    return _page(desk, _view(desk.reader, node))


@blueprint.post("/<slug>/edit/<node>")
@requires(*ANALYSTS)
def change(slug: str, node: str) -> ResponseReturnValue:
    """Save what was typed, and add, remove or move what was asked for."""
    desk, revision = desk_of(slug), posted_revision()
    if desk.content is None:
        return redirect(url_for(".source", slug=slug), 303)
    reader = desk.reader
    view = _view(reader, node)
    typed = changes(view.entries, request.form, reader.languages, language())
    if revision != desk.draft.revision:
        return _page(
            _as_typed(desk, typed), _view(_as_typed(desk, typed).reader, node), conflict=_both(view, typed)
        ), 409
    typed |= _languages_gone(desk.content, typed) | followed(desk.content, typed)
    try:
        text, target = _done(edited(desk.draft.text, typed), node)
        save_draft(desk.draft.folder, text, revision)
    except ConflictError:
        fresh = desk_of(slug)
        return _page(
            _as_typed(fresh, typed), _view(_as_typed(fresh, typed).reader, node), conflict=_both(view, typed)
        ), 409
    except SurveyError as error:
        mine = _as_typed(desk, typed)
        return _page(mine, _view(mine.reader, node), refused=str(error)), 422
    return redirect(target, 303)


@blueprint.post("/<slug>/check/<node>")
@requires(*ANALYSTS)
def check(slug: str, node: str) -> Response:
    """What is wrong with what stands in the form now; nothing is saved."""
    desk = desk_of(slug)
    posted_revision()
    if desk.content is None:
        abort(404)
    typed = changes(_view(desk.reader, node).entries, request.form, desk.reader.languages, language())
    mine = _as_typed(desk, typed | followed(desk.content, typed))
    view = _view(mine.reader, node)
    found = {entry.name: entry.mistakes for entry in view.entries if entry.mistakes}
    found |= {f"{table.name} ": table.mistakes for table in _tables(view) if table.mistakes}
    return jsonify(mistakes=found, parts=mine.by_part, count=len(mine.mistakes))


def _tables(view: View) -> list[Table]:
    found = list(view.tables)
    for entry in view.entries:
        found += entry.rows
    return found


def _page(desk: Desk, view: View, *, conflict: Sequence[Any] = (), refused: str = "") -> str:
    wrong = [(entry.name, entry.label, text) for entry in view.entries for text in entry.mistakes]
    wrong += [(table.name, table.title, text) for table in _tables(view) for text in table.mistakes]
    return page(
        "edit", desk, view=view, here=view.node, summary=wrong, conflict=conflict, refused=refused, name_of=name_of
    )


def _view(reader: Reader, node: str) -> View:
    """What belongs on a page, or 404."""
    if node in _LISTED:
        return View(node, str(words.PARTS[node]), listings=tuple(_listing(reader, (name,)) for name in _LISTED[node]))
    if node in _SINGLE:
        model = model_at(reader.content, (node,))
        there = value_at(reader.content, (node,)) is not None and model is not None
        table = reader.table((node,), model) if there and model else reader.table((), Definition, (node,))
        return View(node, str(words.PARTS[node]), (table,))
    if node in _ROOTS:
        costs = _costs(reader) if node == "costs" else ()
        return View(node, str(words.PARTS[node]), (reader.table((), Definition, _ROOTS[node]),), costs=costs)
    return _view_of(reader, node, place_of(node))


def _view_of(reader: Reader, node: str, place: Place) -> View:
    """The page of one attribute, page, question, segment ..."""
    above = {name: part for part, names in _LISTED.items() for name in names}
    if name_of(place) != node or place[0] not in above or len(place) not in {2, 4} or not isinstance(place[-1], int):
        abort(404)
    value, model = value_at(reader.content, place), model_at(reader.content, place)
    if not isinstance(value, Mapping):
        abort(404)
    up = name_of(place[:2]) if len(place) == 4 else above[str(place[0])]
    if model is None:
        return View(node, reader.title(value), up=up)
    table = reader.table(place, model)
    listings = (_listing(reader, (*place, "questions")),) if model is QuestionPage else ()
    return View(node, table.title, (table,), listings, up=up, kind=str(value.get("type") or place[0]))


def _listing(reader: Reader, place: Place) -> Listing:
    found = value_at(reader.content, place)
    rows = []
    for n, one in enumerate(found if isinstance(found, list) else ()):
        wrong = sum(key[: len(place) + 1] == (*place, n) for key, _ in reader.mistakes)
        table = one if isinstance(one, Mapping) else {}
        rows.append(((*place, n), reader.title(table), str(table.get("id", "")), str(table.get("type", "")), wrong))
    types = {"pages": tuple(PAGES), "questions": tuple(QUESTIONS)}.get(str(place[-1]), ())
    return Listing(place, tuple(rows), types)


def _costs(reader: Reader) -> tuple[tuple[str, str, tuple[Entry, ...]], ...]:
    """(attribute, level, its two amounts) for every level."""
    found = []
    attributes = reader.content.get("attributes")
    for a, attribute in enumerate(attributes if isinstance(attributes, list) else ()):
        levels = attribute.get("levels") if isinstance(attribute, Mapping) else None
        for n, level in enumerate(levels if isinstance(levels, list) else ()):
            place: Place = ("attributes", a, "levels", n)
            model = model_at(reader.content, place)
            if model is None or not isinstance(level, Mapping):
                continue
            fields = [field for field in fields_of(model) if field.name in {"unit_cost", "investment"}]
            entries = tuple(reader.entry((*place, f.name), f, model, level.get(f.name)) for f in fields)
            found.append((reader.title(attribute), reader.title(level), entries))
    return tuple(found)


def _as_typed(desk: Desk, typed: Mapping[Place, Any]) -> Desk:
    """The desk as it would be with what was typed."""
    content = applied(desk.content or {}, typed)
    definition, mistakes = inspect_content(content, desk.draft.folder / DEFINITION_FILE)
    return Desk(desk.draft, content, definition, mistakes, desk.survey)


def _both(view: View, typed: Mapping[Place, Any]) -> list[tuple[str, Any, Any]]:
    """(field, what the draft says now, what was typed) wherever they differ; empty entries say that only the place changed."""
    labels = {entry.place: (entry.label, entry.value) for entry in view.entries}
    return [(*labels.get(place, (name_of(place), None)), value) for place, value in typed.items()] or [("", None, None)]


def _languages_gone(content: Mapping[str, Any], typed: Mapping[Place, Any]) -> dict[Place, Any]:
    """With a language that is taken away go its texts, which no form would show any more."""
    if ("languages",) not in typed or not typed["languages",]:
        return {}
    gone = set(languages_of(content)) - set(typed["languages",])
    return without_languages(applied(content, typed), list(typed["languages",])) if gone else {}


def _done(text: str, node: str) -> tuple[str, str]:
    """The text after what the button says, and the page to go to."""
    slug = (request.view_args or {})["slug"]
    verb, _, name = request.form.get("do", "save").partition(" ")
    here = url_for(".edit", slug=slug, node=node)
    if verb == "save":
        return text, here
    content: dict[str, Any] = tomllib.loads(text)
    place = place_of(name)
    model = model_at(content, place)
    listed = isinstance(place[-1], int)
    if verb == "add" and not listed:
        return _added(text, content, place, slug, here)
    if verb in {"up", "down"} and listed and value_at(content, place) is not None:
        by = -1 if verb == "up" else 1
        return moved(text, place, by), _at(here, (*place[:-1], int(place[-1]) + by), node)
    if verb == "remove" and value_at(content, place) is not None and (listed or (model and _optional(content, place))):
        up = (
            name_of(place[:2])
            if len(place) == 4 and place[2] == "questions"
            else next((part for part, names in _LISTED.items() if place[0] in names), node)
        )
        return removed(text, place), url_for(".edit", slug=slug, node=up) if name == node else here
    abort(400)


def _added(text: str, content: Mapping[str, Any], place: Place, slug: str, here: str) -> tuple[str, str]:
    types: Mapping[str, Any] = {"pages": PAGES, "questions": QUESTIONS}.get(str(place[-1]), {})
    kind = request.form.get(f"type {name_of(place)}", "") if types else None
    model = types.get(kind or "") if types else model_at(content, place)
    if model is None or (len(place) > 1 and value_at(content, place[:-1]) is None):
        abort(400)
    if not types and _optional(content, place):
        return edited(text, {place: skeleton(content, model, place)}), here
    new = skeleton(content, model, place, kind)
    listed = value_at(content, place)
    number = len(listed) if isinstance(listed, list) else 0
    text = inserted(text, place, new)
    if place == ("pages",) and number and (content["pages"][-1] or {}).get("type") == "thanks":
        text, number = moved(text, ("pages", number), -1), number - 1  # the last page stays the last
    own_page = place[-1] == "questions" or place in {(name,) for names in _LISTED.values() for name in names}
    return text, url_for(".edit", slug=slug, node=name_of((*place, number))) if own_page else _at(
        here, (*place, number), ""
    )


def _optional(content: Mapping[str, Any], place: Place) -> bool:
    """Whether the place is that of a table that may be left out, such as the prior of the choice tasks."""
    outer = model_at(content, place[:-1]) if len(place) > 1 else Definition
    field = next((f for f in fields_of(outer) if f.name == place[-1]), None) if outer else None
    return field is not None and field.kind == "record" and not field.required


def _at(address: str, place: Place, node: str) -> str:
    return address if name_of(place) == node else f"{address}#{name_of(place)}"
