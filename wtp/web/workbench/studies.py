"""New studies from a template or another study, and the end of a study with everything that belongs to it."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from wtp.errors import ConflictError, SurveyError
from wtp.store import deletion, respondents, staff
from wtp.store.respondents import Counts
from wtp.survey.drafts import TEMPLATES, create, folder_of, free_slug, locked, read_draft, template
from wtp.survey.editing import Place, edited, value_at
from wtp.survey.load import DEFINITION_FILE, parse_source
from wtp.survey.texts import languages_of, texts_of, without_languages
from wtp.web.accounts import ANALYSTS, may_see, requires
from wtp.web.running import database, surveys
from wtp.web.workbench.desk import blueprint, desk_of, page

_NAMES = {
    "product": _l("Product price study: features, choices, Van Westendorp prices"),
    "service": _l("Service study: a contract by the month, with segments, costs and competitors"),
    "empty": _l("Empty study: two attributes, a price and the pages that must be there"),
}


@blueprint.get("/new")
@requires(*ANALYSTS)
def new() -> str:
    """The form of a new study."""
    return _form({"source": request.args.get("source", "product"), "languages": "en de", "currency": "EUR"}, {})


@blueprint.post("/new")
@requires(*ANALYSTS)
def make() -> ResponseReturnValue:
    """Make the study's folder with a draft in it; nobody can answer it before it is published."""
    typed = {name: request.form.get(name, "").strip() for name in ("source", "slug", "title", "languages", "currency")}
    languages = typed["languages"].replace(",", " ").split()
    text, pictures = _source(typed["source"])
    wrong: dict[str, str] = {}
    if text is None:
        wrong["source"] = _("Choose a template or a study.")
    if not free_slug(surveys().folder, typed["slug"]):
        wrong["slug"] = _(
            "Choose a name that is not taken: small letters, digits, - and _, a letter first, 2 to 40 of them."
        )
    if not typed["title"]:
        wrong["title"] = _("Give the study a title.")
    if not languages or not all(len(one) == 2 and one.isascii() and one.islower() for one in languages):
        wrong["languages"] = _("Name the languages by two small letters each, such as en de.")
    if not (len(typed["currency"]) == 3 and typed["currency"].isascii() and typed["currency"].isupper()):
        wrong["currency"] = _("Name the currency by three capital letters, such as EUR.")
    if wrong or text is None:
        return _form(typed, wrong), 422
    try:
        begun = _begun(text, typed["title"], languages, typed["currency"])
        with database().begin() as connection:
            folder = create(surveys().folder, typed["slug"], begun, pictures)
            staff.own_new_study(connection, current_user.member, folder.name)
    except ConflictError:
        return _form(typed, {"slug": _("This name has just been taken. Choose another.")}), 422
    return redirect(url_for(".overview", slug=folder.name), 303)


@blueprint.get("/<slug>/delete")
@requires(*ANALYSTS)
def ask_delete(slug: str) -> str:
    """What would go with the study."""
    desk = desk_of(slug)
    return page("delete", desk, here="overview", counts=_counts(slug), wanted=_wanted(slug), wrong_word=False)


@blueprint.post("/<slug>/delete")
@requires(*ANALYSTS)
def delete(slug: str) -> ResponseReturnValue:
    """Delete the study, if what was typed says how many answers go with it."""
    desk = desk_of(slug)
    if request.form.get("confirm", "").strip() != _wanted(slug):
        return page("delete", desk, here="overview", counts=_counts(slug), wanted=_wanted(slug), wrong_word=True), 422
    gone = desk.draft.folder.with_name(f".deleted-{slug}-{secrets.token_hex(4)}")
    with locked(desk.draft.folder):
        desk.draft.folder.rename(gone)  # from here on no process serves it
    try:
        with database().begin() as connection:
            deletion.delete_study(connection, slug, who=current_user.name)
    except BaseException:
        gone.rename(desk.draft.folder)
        raise
    shutil.rmtree(gone)
    return redirect(url_for("manage.studies"), 303)


def _form(typed: dict[str, str], wrong: dict[str, str]) -> str:
    folder = surveys().folder
    there = sorted(path.name for path in folder.iterdir() if folder_of(folder, path.name) and may_see(path.name))
    sources = [(name, str(title)) for name, title in _NAMES.items()]
    sources += [(f"study {slug}", _("A copy of %(study)s", study=slug)) for slug in there]
    chosen = typed.get("source", "")
    typed["source"] = chosen if chosen in TEMPLATES or chosen.startswith("study ") else f"study {chosen}"
    return render_template("workbench/new.html", typed=typed, wrong=wrong, sources=sources)


def _source(name: str) -> tuple[str | None, Path | None]:
    """The text to begin with, and the folder of its pictures."""
    if name in TEMPLATES:
        return template(name), None
    slug = name.removeprefix("study ")
    folder = folder_of(surveys().folder, slug)
    if not name.startswith("study ") or folder is None or not may_see(slug):
        return None, None
    try:
        return read_draft(folder).text, folder / "pictures"
    except SurveyError:
        return None, None


def _begun(text: str, title: str, languages: list[str], currency: str) -> str:
    """The text with the new study's title, languages and currency; texts in other languages go, new ones begin empty."""
    content, _mistakes = parse_source(text, surveys().folder / DEFINITION_FILE)
    if content is None:
        abort(422)
    changes: dict[Place, object] = {("languages",): languages, ("currency",): currency}
    if set(languages_of(content)) - set(languages):
        changes |= without_languages(content, languages)
    for found in texts_of(content):
        for language in languages:
            if language not in found.texts:
                changes[(*found.place, language)] = ""
    for language in languages:
        changes["title", language] = title
    return edited(text, {place: value for place, value in changes.items() if value_at(content, place) != value})


def _counts(slug: str) -> Counts:
    with database().read() as connection:
        return respondents.counts(connection, slug)


def _wanted(slug: str) -> str:
    """What has to be typed to delete a study: with answers, how many people's."""
    counts = _counts(slug)
    return f"{slug} {counts.begun}" if counts.begun else slug
