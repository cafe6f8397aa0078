"""Answers of other programs into a study: a file is given, its columns are mapped, a dry run names every problem, and then all of it is imported or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as Reply

from wtp.errors import ConflictError, DataError, RefusedError
from wtp.export import table_csv
from wtp.imports import Checked, File, Mapping, Problem, check, guess, mapping_of, problems_frame, read_file
from wtp.imports.tables import shown_name
from wtp.imports.unreadable import UnreadableError
from wtp.store import imports
from wtp.store.imports import Imported
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.given_files import MOST_MB, Answer, in_words, unreadable
from wtp.web.given_files import too_large as too_large_file
from wtp.web.i18n import text as said
from wtp.web.import_form import LONGEST_LIST, layouts, offer, parsed, role_names

blueprint = Blueprint("imports", __name__, url_prefix="/manage")
_PLACE = "/<slug>/import/<int:import_number>"
_REFUSED = {
    "closed": _l("The study is closed, and its results stand for what was answered until then; nothing was added. Open it on its page Field to add more."),
    "quota": _l("A quota of the study has fewer places left than the file has respondents for it; nothing was added. Raise its limit, or give a file with fewer."),
}  # fmt: skip


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Answer:
    """A file beyond the limit, said where it was given."""
    mistake = _(
        "The file is larger than %(most)s MB. Nothing was kept. Leave out columns that are not needed, or give the respondents in several files.",
        most=MOST_MB,
    )
    return too_large_file(error, lambda survey: _start(survey, mistake))


@blueprint.get("/<slug>/import")
@requires(*ANALYSTS)
def start(slug: str) -> str:
    """Give a file; what waits, what was imported."""
    return _start(running.survey_of(slug))


@blueprint.post("/<slug>/import")
@requires(*ANALYSTS)
def give(slug: str) -> Answer:
    """Keep a file until it is mapped and imported, if it can be read."""
    survey = running.survey_of(slug)
    given, map_given = request.files.get("file"), request.files.get("mapping")
    if given is None or not given.filename:
        return _start(survey, _("Choose a file first.")), 422
    content, name = given.read(), shown_name(given.filename)
    try:
        file = read_file(content, name)
        mapping = guess(file, survey.definition)
        if map_given is not None and map_given.filename:
            mapping = mapping_of(map_given.read().decode("utf-8", errors="replace"), shown_name(map_given.filename))
            check(survey, file, mapping)
    except UnreadableError as error:
        return _start(survey, unreadable(error)), 422
    except DataError as error:
        return _start(survey, _("The mapping does not fit this file: %(error)s", error=error)), 422
    try:
        with running.database().begin() as connection:
            number = imports.keep(connection, slug, name=name, digest=file.digest, content=content, mapping=mapping.to_toml(), made_by=current_user.name, now=datetime.now(UTC))  # fmt: skip
    except ConflictError:
        return _start(
            survey,
            _(
                "This very file was imported already; it stands in the list below. Nothing was added. To import it again, take that import back first."
            ),
        ), 409
    return redirect(url_for(".look", slug=slug, import_number=number), 303)


@blueprint.get(_PLACE)
@requires(*ANALYSTS)
def look(slug: str, import_number: int) -> str:
    """The mapping, the first rows, and what a dry run says; nothing is written."""
    return _page(running.survey_of(slug), *_waiting(slug, import_number))


@blueprint.post(_PLACE)
@requires(*ANALYSTS)
def remap(slug: str, import_number: int) -> Reply:
    """Keep another mapping and try it."""
    survey = running.survey_of(slug)
    if (kept := _kept(slug, import_number)) is None:
        return redirect(url_for(".start", slug=slug), 303)
    _entry, file, before = kept
    mapping = parsed(request.form, file, before, survey.definition)
    with running.database().begin() as connection:
        imports.change(connection, slug, import_number, mapping.to_toml())
    return redirect(url_for(".look", slug=slug, import_number=import_number), 303)


@blueprint.get(f"{_PLACE}/problems.csv")
@requires(*ANALYSTS)
def problems(slug: str, import_number: int) -> Response:
    """Every problem with its row."""
    survey = running.survey_of(slug)
    _entry, file, mapping = _waiting(slug, import_number)
    frame = problems_frame(_checked(survey, file, mapping).problems)
    for column in ("problem", "remedy"):
        frame[column] = [_(text) for text in frame[column]]
    return _download(table_csv(frame), f"{slug}-import-problems.csv", "text/csv")


@blueprint.get(f"{_PLACE}/mapping.toml")
@requires(*ANALYSTS)
def mapping_file(slug: str, import_number: int) -> Response:
    """The mapping as it is now, for the next file and for the command line."""
    running.survey_of(slug)
    mapping = _waiting(slug, import_number)[2]
    return _download(mapping.to_toml().encode(), f"{slug}-mapping.toml", "application/toml")


@blueprint.post(f"{_PLACE}/commit")
@requires(*ANALYSTS)
def commit(slug: str, import_number: int) -> Answer:
    """Import the file as it was tried: all of it or nothing."""
    survey = running.survey_of(slug)
    if (kept := _kept(slug, import_number)) is None:
        return redirect(url_for(".start", slug=slug), 303)
    entry, file, mapping = kept
    found = _checked(survey, file, mapping, simulated=request.form.get("simulated") == "yes")
    if found.errors:
        return _page(survey, entry, file, mapping, _("The file has problems; nothing was added.")), 422
    try:
        with running.database().begin() as connection:
            imports.commit(
                connection, survey, import_number, found.people, who=current_user.name, now=datetime.now(UTC)
            )
    except RefusedError as error:
        return _page(survey, entry, file, mapping, str(_REFUSED[error.rule])), 409
    except (ConflictError, DataError):
        mistake = _(
            "Somebody else imported this file or its respondents meanwhile; nothing was added. Look at what is in the study now."
        )
        return _page(survey, entry, file, mapping, mistake), 409
    return redirect(url_for(".start", slug=slug, done=import_number), 303)


@blueprint.post(f"{_PLACE}/discard")
@requires(*ANALYSTS)
def discard(slug: str, import_number: int) -> Reply:
    """Forget a file that waits."""
    running.survey_of(slug)
    with running.database().begin() as connection:
        imports.discard(connection, slug, import_number)
    return redirect(url_for(".start", slug=slug), 303)


@blueprint.post(f"{_PLACE}/take-back")
@requires(*ANALYSTS)
def take_back(slug: str, import_number: int) -> Answer:
    """Delete everybody who came with an import, if the box says so."""
    survey = running.survey_of(slug)
    if request.form.get("sure") != "yes":
        return _start(
            survey, _("Nothing was taken back: tick the box that says what will be deleted."), import_number
        ), 422
    with running.database().begin() as connection:
        imports.take_back(connection, slug, import_number, who=current_user.name, now=datetime.now(UTC))
    return redirect(url_for(".start", slug=slug), 303)


def _start(survey: Survey, mistake: str = "", unsure: int = 0) -> str:
    now = datetime.now(UTC)
    with running.database().begin() as connection:
        imports.tidy(connection, now)
        entries = imports.everything(connection, survey.slug)
    asked = request.args.get("done", "")
    return render_template(
        "manage/import.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        mistake=mistake,
        unsure=unsure,
        waiting=[entry for entry in entries if entry.imported_at is None],
        done=[entry for entry in entries if entry.imported_at],
        fresh=next((e for e in entries if str(e.id) == asked and e.imported_at and not e.taken_back_at), None),
        most=MOST_MB,
    )


def _page(survey: Survey, entry: Imported, file: File, mapping: Mapping, mistake: str = "") -> str:
    found = _checked(survey, file, mapping)
    shown = offer(file, mapping, survey.definition)
    names = (
        role_names()
        | {a.id: said(a.label) for a in survey.definition.attributes}
        | {"price": said(survey.definition.price.label)}
    )

    def place(problem: Problem) -> str:
        return names.get(problem.column, problem.column) if problem.code == "no_column" else problem.column

    return render_template(
        "manage/import_mapping.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        entry=entry,
        file=file,
        offer=shown,
        mapping=mapping,
        found=found,
        **in_words(found.gathered, place),
        layouts=layouts(),
        typed=max(len(shown.columns), len(shown.answers_columns)) > LONGEST_LIST,
        dual=survey.definition.choice_tasks.none == "dual",
        mistake=mistake,
    )


def _checked(survey: Survey, file: File, mapping: Mapping, *, simulated: bool = False) -> Checked:
    with running.database().read() as connection:
        known = imports.known(connection, survey.slug)
    return check(survey, file, mapping, known=known, simulated=simulated)


def _waiting(slug: str, number: int) -> tuple[Imported, File, Mapping]:
    """A file that waits in this study, or 404."""
    running.survey_of(slug)
    return _kept(slug, number) or abort(404)


def _kept(slug: str, number: int) -> tuple[Imported, File, Mapping] | None:
    """A file that waits in this study; None if it was imported or forgotten meanwhile."""
    with running.database().read() as connection:
        kept = imports.get(connection, slug, number, datetime.now(UTC))
    if kept is None:
        return None
    entry, content = kept
    return entry, read_file(content, entry.name), mapping_of(entry.mapping, entry.name)


def _download(content: bytes, name: str, mimetype: str) -> Response:
    return Response(content, mimetype=mimetype, headers={"Content-Disposition": f"attachment; filename={name}"})
