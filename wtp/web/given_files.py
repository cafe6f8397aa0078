"""What pages share that are given files: one that is too large or cannot be read, its problems in words; and files of customers from the dry run to the day they are taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as Reply

from wtp.errors import ConflictError
from wtp.imports import CheckedContacts, File, Problem, Purchases, read_file
from wtp.imports.problems import ERROR, REMEDY, WHAT
from wtp.imports.tables import MOST_BYTES, shown_name
from wtp.imports.unreadable import UnreadableError
from wtp.store import customer_files
from wtp.store.customer_files import Imported
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, may_see

MOST_MB = MOST_BYTES // 1_000_000
_MOST_SHOWN = 20
Answer = Reply | tuple[str, int]


def too_large(error: RequestEntityTooLarge, page: Callable[[Survey], str]) -> Answer:
    """A file beyond the limit, said on the page where it was given, to those who may see it."""
    slug = (request.view_args or {}).get("slug", "")
    survey = running.surveys().get(slug)
    if not current_user.is_authenticated or current_user.role not in ANALYSTS or not survey or not may_see(slug):
        return error.get_response()
    return page(survey), 413


def unreadable(error: UnreadableError) -> str:
    """Why a file cannot be read."""
    return str(_(error.template).format(**error.values))


def in_words(kinds: Sequence[Problem], place: Callable[[Problem], str] = lambda problem: problem.column) -> dict[str, Any]:  # fmt: skip
    """The problems of a file as its template takes them."""
    shown = kinds[:_MOST_SHOWN]
    return {
        "kinds": [(problem, _(WHAT[problem.code]), _(REMEDY[problem.code]), place(problem)) for problem in shown],
        "more": len(kinds) - len(shown),
        "is_error": lambda problem: problem.severity == ERROR,
    }


@dataclass(frozen=True, slots=True)
class CustomerFiles:
    """What differs between files of contacts and of purchases. add: a row of a file into what `store` takes. page: with a mistake, or with the name of a file and what was found."""

    kind: customer_files.Kind
    row: Callable[..., Any]
    store: Callable[..., Imported]
    page: Callable[..., str]

    def too_large(self, error: RequestEntityTooLarge) -> Answer:
        """A file beyond the limit."""
        mistake = _("The file is larger than %(most)s MB. Nothing was added.", most=MOST_MB)
        return too_large(error, lambda survey: self.page(survey, mistake=mistake))

    def give(self, survey: Survey, read: Callable[[File], CheckedContacts | Purchases]) -> Answer:
        """Try a file and tell every problem; import all of it if that was asked for and nothing is wrong."""
        given = request.files.get("file")
        if given is None or not given.filename:
            return self.page(survey, mistake=_("Choose a file first.")), 422
        try:
            file = read_file(given.read(), shown_name(given.filename))
        except UnreadableError as error:
            return self.page(survey, mistake=unreadable(error)), 422
        found = read(file)
        if found.errors or request.form.get("do") != "import":
            return self.page(survey, tried=(file.name, found)), 422 if found.errors else 200
        try:
            with running.database().begin() as connection:
                made = self.store(
                    connection,
                    survey.slug,
                    [self.row(**row) for row in found.rows],
                    name=file.name,
                    digest=file.digest,
                    who=current_user.name,
                    now=datetime.now(UTC),
                    secret=running.secret(),
                    simulated=request.form.get("simulated") == "yes",
                )
        except ConflictError:
            mistake = _("This very file was imported already; it stands in the list below. Nothing was added.")
            return self.page(survey, mistake=mistake), 409
        return redirect(url_for(".start", slug=survey.slug, done=made.id), 303)

    def take_back(self, survey: Survey, number: int) -> Answer:
        """Delete the rows of a file, if the box says so."""
        if request.form.get("sure") != "yes":
            mistake = _("Nothing was taken back: tick the box that says what will be deleted.")
            return self.page(survey, mistake=mistake), 422
        who, now = current_user.name, datetime.now(UTC)
        with running.database().begin() as connection:
            customer_files.take_back(connection, survey.slug, self.kind, number, who=who, now=now)
        return redirect(url_for(".start", slug=survey.slug), 303)

    def shown(
        self, entries: Sequence[Imported], tried: tuple[str, CheckedContacts | Purchases] | None
    ) -> dict[str, Any]:
        """What the template of both takes: what was tried, the files that are there, and the one that just came."""
        asked = request.args.get("done", "")
        return {
            **in_words(tried[1].gathered if tried else ()),
            "tried": tried,
            "entries": entries,
            "fresh": next((e for e in entries if str(e.id) == asked and not e.taken_back_at), None),
            "forgotten": "forgotten" in request.args,
            "most": MOST_MB,
        }
