"""My data: what is stored of a respondent, for the respondent, to read, to take along, and to delete; reached from every page of a survey and by the personal link.

The same record, as JSON or as the page, is what `wtp access` writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from babel.dates import format_datetime
from flask import Flask, Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as Reply

from wtp.analysis import of_person
from wtp.errors import DataError
from wtp.jobs import clear_away
from wtp.store import access, erasure
from wtp.store.access import Stored
from wtp.survey import Survey
from wtp.web import entry, running
from wtp.web.answers_in_words import Told, answers_in_words
from wtp.web.i18n import INTERFACE_LANGUAGES, language, language_name, speak
from wtp.web.visit import Visit, load, visit_of

_ON_PAGE = "everything of one person deleted, by the person, on the page"
FORMATS = ("json", "html")


@dataclass(frozen=True, slots=True)
class MyData:
    """What is stored of one person, for its page. record: everything; told: the answers in words."""

    visit: Visit
    record: Mapping[str, Any]
    told: tuple[Told, ...]

    def times(self, name: str) -> str:
        """A time of the interview in the reader's words, UTC; "" if it did not come yet."""
        return _time(self.record.get("respondent", {}).get(name))

    @property
    def language(self) -> str:
        """The language of the interview, named in the reader's."""
        code = self.record.get("respondent", {}).get("language")
        return language_name(code, language()) if code else ""

    @property
    def agreed(self) -> Mapping[str, Any]:
        """The text of the consent; nothing before it."""
        return (self.record.get("consent") or {}).get("text") or {}

    def number_of(self, table: str) -> int:
        """How many rows of a table are this person's, each choice task and page once."""
        rows = self.record.get(table, [])
        return len({row.get("choice_order", row.get("page", place)) for place, row in enumerate(rows)})


def show(slug: str) -> str:
    """Everything that is stored of who asks, and the way to delete it."""
    return _page(_mine(slug), sure=True)


def file(slug: str) -> Response:
    """The same as a file of JSON."""
    mine = _mine(slug)
    headers = {"Content-Disposition": f"attachment; filename={mine.visit.slug}-my-data.json"}
    return Response(_text(mine.record), mimetype="application/json", headers=headers)


def delete(slug: str) -> Reply | tuple[str, int]:
    """Delete everything that is stored of who asks, once it was confirmed."""
    mine = _mine(slug)
    if request.form.get("sure") != "yes":
        return _page(mine, sure=False), 422
    with running.database().begin() as connection:
        gone = erasure.erase(connection, slug, mine.visit.token, who="respondent", reason=_ON_PAGE, now=entry.now())
    clear_away(running.database(), running.place(), gone.jobs if gone else ())
    for key in (entry.token_key(slug), entry.panel_key(slug), f"pace/{slug}"):
        session.pop(key, None)
    session[_deleted_key(slug)] = mine.visit.browser_key
    return redirect(url_for("respond.deleted", slug=slug), 303)


def deleted(slug: str) -> str | Reply:
    """The last page of who had everything deleted."""
    if (key := session.get(_deleted_key(slug))) is None:
        return redirect(url_for("respond.start", slug=slug), 303)
    return render_template(
        "respond/deleted.html", slug=slug, title=entry.survey(slug).definition.title, browser_key=key
    )


def person_file(app: Flask, survey: Survey, key: str, file_format: str, in_language: str) -> str:
    """All that is stored under the hash of a token, as text of JSON or of a page that needs nothing else.

    Raises DataError if nothing is stored under it.
    """
    with app.test_request_context():
        speak(in_language if in_language in INTERFACE_LANGUAGES else INTERFACE_LANGUAGES[0])
        with running.database().read() as connection:
            stored = access.of_hash(connection, survey.slug, key)
            if stored is None:
                raise DataError(
                    f"{survey.slug}: nothing is stored under this token; allowed: the token or the personal link of somebody who was "
                    "invited or took part; look at it again."
                )
            found = _my_data(visit_of(connection, survey, "", key), stored)
        if file_format == "json":
            return _text(found.record)
        return render_template("respond/my_data_file.html", mine=found, visit=replace(found.visit, token=""))


def _mine(slug: str) -> MyData:
    visit = entry.visit(slug)
    with running.database().read() as connection:
        stored = access.everything(connection, visit.slug, visit.token)
        fresh = load(connection, entry.survey(visit.slug), visit.token)
        return _my_data(fresh, stored or Stored(visit.slug, None, {}, ()))


def _my_data(visit: Visit, stored: Stored) -> MyData:
    record: dict[str, Any] = {"study": stored.study, **stored.record}
    if stored.number is not None:
        derived = [found for text in stored.people if (found := of_person(text, stored.number))]
        record |= {"derived": derived} if derived else {}
    return MyData(visit, record, tuple(answers_in_words(visit)) if visit.begun else ())


def _page(mine: MyData, *, sure: bool) -> str:
    return render_template("respond/my_data.html", mine=mine, visit=mine.visit, sure=sure)


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def _time(text: str | None) -> str:
    return format_datetime(datetime.fromisoformat(text), "long", locale=language()) if text else ""


def _deleted_key(slug: str) -> str:
    return f"deleted/{slug}"
