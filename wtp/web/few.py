"""What may be told to those who read results alone: no figures from which, beside all that were told before, a few people could be worked out; `wtp.analysis.views` has the rule.

The study's own figures come first: where they may not be renewed yet, the last ones that were told are shown, as a kept analysis. Other selections are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn, TypeVar

from flask import abort, make_response, render_template
from flask_login import current_user

from wtp.analysis import SAME_CHOICES, Request, tell
from wtp.jobs import keys_of
from wtp.store import Database, answers, results, told
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS
from wtp.web.analyses import LEFT_OUT, is_final, without
from wtp.web.i18n import text

T = TypeVar("T")
_MOST_REFUSED = 1000
_TRIES = 3


def sees_everything() -> bool:
    """Whether single answers are open to whoever is logged in, or to the command that runs."""
    return not current_user or current_user.role in ANALYSTS


def for_readers(
    survey: Survey, asked: Mapping[str, str], read: Callable[[Mapping[str, str]], T]
) -> tuple[Mapping[str, str], T]:
    """What somebody is shown who asks for this, see `results.kept`, and what `read` makes of it: the same, or, if he reads results alone, in place of the usual figures those that were told last. Answers 403 with the page that says why where it is nothing."""
    database = running.database()
    if sees_everything():
        return asked, read(asked)
    if "analysis" in asked:
        return asked, read(asked) if may_see_kept(database, survey, asked["analysis"]) else refuse(survey)
    chosen, versions = asked.get("without", LEFT_OUT), asked.get("versions", SAME_CHOICES)
    for _ in range(_TRIES):
        left_out = without(database, survey, chosen)
        basis = _basis(database, survey, left_out, versions)
        if not may_see(database, survey, left_out, versions):
            break
        found = read(asked)
        if basis == _basis(database, survey, without(database, survey, chosen), versions):
            return asked, found
        # An answer came meanwhile: the figures may be of it too, which nobody has judged.
    last = last_told(database, survey) if {"without", "versions"}.isdisjoint(asked) else None
    if last is None:
        refuse(survey)
    shown = {**asked, "analysis": last}
    return shown, read(shown)


def _basis(database: Database, survey: Survey, left_out: tuple[int, ...], versions: str) -> str:
    with database.read() as connection:
        return keys_of(connection, survey, Request(versions=versions, without=left_out))[1]


def shown_in_place(survey: Survey, fingerprint: str) -> bool:
    """Whether a reader sees this analysis because the figures of now may not be told yet."""
    if sees_everything() or fingerprint != last_told(running.database(), survey):
        return False
    return not told_as_it_is(survey, LEFT_OUT, SAME_CHOICES)


def told_as_it_is(survey: Survey, chosen: str, versions: str) -> bool:
    """Whether figures of this set as they are now may be shown to whoever is logged in."""
    database = running.database()
    return sees_everything() or may_see(database, survey, without(database, survey, chosen), versions)


def refuse_few(survey: Survey, fingerprint: str) -> None:
    """Answer 403 with the page that says why, where a kept analysis would tell of a few persons."""
    if not sees_everything() and not may_see_kept(running.database(), survey, fingerprint):
        refuse(survey)


def refuse(survey: Survey) -> NoReturn:
    """Answer 403 with the page that says why."""
    abort(
        make_response(
            render_template("results/too_few.html", slug=survey.slug, study=text(survey.definition.title)), 403
        )
    )


def may_see(database: Database, survey: Survey, left_out: tuple[int, ...], versions: str) -> bool:
    """Whether somebody who reads results alone may see figures without these respondents as they are now; what he may see counts as told from now on. The usual figures are told before any others."""
    usual = Request(without=without(database, survey))
    asked = Request(versions=versions, without=left_out)
    return [_tell(database, survey, each) for each in dict.fromkeys((usual, asked))][-1]


def may_see_kept(database: Database, survey: Survey, fingerprint: str) -> bool:
    """The same for an analysis that was kept: one that was told, or is of the answers that are there now and may be told."""
    with database.read() as connection:
        if fingerprint in told.fingerprints(connection, survey.slug):
            return True
        kept = results.made(connection, survey.slug, fingerprints=[fingerprint])
        if not kept:
            return True  # there is nothing to be seen
        made = kept[0].made
        request = Request(versions=made["versions"], without=tuple(made["without"]))
        current = fingerprint in {
            each.fingerprint
            for each in results.made(connection, survey.slug, basis=keys_of(connection, survey, request)[1])
        }
    return current and may_see(database, survey, request.without, request.versions)


def last_told(database: Database, survey: Survey) -> str | None:
    """The analysis of the usual answers that was told last: a final one if one of the same answers is kept. None if there is none any more."""
    with database.read() as connection:
        made = told.newest(connection, survey.slug)
    return next((kept.fingerprint for kept in made if is_final(kept.made)), made[0].fingerprint) if made else None


def _tell(database: Database, survey: Survey, request: Request) -> bool:
    while True:
        with database.read() as connection:
            basis = keys_of(connection, survey, request)[1]
            if told.has(connection, survey.slug, basis):
                return True
            number = told.number(connection, survey.slug)
            if _refused(database).get((survey.slug, basis)) == number:
                return False
            memory = told.memory(connection, survey.slug)
            found = answers.read_answers(connection, survey.slug)
        # Of a study whose single answers were deleted after their time readers keep what they had.
        after = tell(memory, survey, found, request) if found.respondents or not memory else None
        if after is None:
            _note_refused(database, survey.slug, basis, number)
            return False
        with database.begin() as connection:
            if told.keep(connection, survey.slug, basis, number, after, datetime.now(UTC)):
                return True


@lru_cache(maxsize=8)
def _refused(_: Database) -> dict[tuple[str, str], int]:
    """Study and basis of what was not told, with the number of the memory beside which it was judged: so that nobody reads all answers again for it."""
    return {}


def _note_refused(database: Database, slug: str, basis: str, number: int) -> None:
    refused = _refused(database)
    if len(refused) >= _MOST_REFUSED:
        refused.clear()
    refused[slug, basis] = number
