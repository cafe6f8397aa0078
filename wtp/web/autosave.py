"""Drafts of pages: what is typed is kept at once, before the page is confirmed; nothing is judged, and nothing confirmed is touched.

A browser sends the fields that changed, with the revision that its page was made from and a running number of its window. A page that was
confirmed since is left alone (409).
"""

from __future__ import annotations

import re
from contextlib import suppress

from flask import abort, request, session
from sqlalchemy import Connection
from wtforms.form import BaseForm

from wtp.errors import DataError, RefusedError
from wtp.store import drafts, rules
from wtp.store.drafts import Fields
from wtp.survey import Step
from wtp.web import entry, forms, metrics, running
from wtp.web.security import limiter
from wtp.web.visit import Visit

_SENDER = re.compile(r"[a-z0-9]{1,16}")
_NUMBER = re.compile(r"[0-9]{1,9}")


def _person() -> str:
    """Whose drafts are counted together: one respondent's, wherever he is, and nobody else's behind the same address."""
    slug = (request.view_args or {}).get("slug", "")
    return str(session.get(entry.token_key(slug)) or request.remote_addr)


@limiter.limit("240 per minute", key_func=_person)
def keep(slug: str, step_id: str) -> tuple[str, int]:
    """Keep what was typed on an open page: 204 kept, 409 the page was confirmed since, 403 or 404 there is no such page to fill in."""
    try:
        with running.database().begin() as connection:
            visit = entry.visit_to_save(connection, slug)
            place = visit.place(step_id)
            if not visit.begun or place is None or not 0 < place <= visit.reached or visit.completed:
                abort(404)
            if entry.elsewhere(visit, connection) is not None:
                abort(403)
            step = visit.route[place]
            form = forms.page_form(step.page, visit.task(step))
            form.process(request.form)
            revision = forms.revision(form)
            sender, number = request.form.get("sender", ""), request.form.get("number", "")
            if revision is None or not _SENDER.fullmatch(sender) or not _NUMBER.fullmatch(number):
                abort(400)
            typed = forms.typed(form, request.form, request.form.get("changed", "").split(","))
            kept = _keep(connection, visit, step, typed, revision, sender, int(number))
    except RefusedError:
        abort(403)
    except DataError:
        abort(413)
    metrics.drafted(visit)
    return "", 204 if kept else 409


def keep_typed(connection: Connection, visit: Visit, step: Step, form: BaseForm) -> None:
    """Keep everything that was typed on a page which could not be taken as it is; this also works without script."""
    typed = forms.typed(form, request.form, [field.name for field in form])
    if visit.begun and any(any(values) for values in typed.values()):
        # More than a draft may hold, or over: the page shows it with what is wrong.
        with suppress(DataError, RefusedError):
            _keep(connection, visit, step, typed, forms.revision(form) or 0)


def _keep(
    connection: Connection, visit: Visit, step: Step, typed: Fields, revision: int, sender: str = "", number: int = 0
) -> bool:
    """Whether the page is still the one that was typed on; only then it is kept."""
    if visit.interview is None or (standing := visit.standing) is None:
        return False
    rules.more_answers(standing)
    if visit.completed or visit.revision(step) != revision:
        return False
    person = visit.interview.respondent_id
    drafts.keep(
        connection, person, step.id, typed, revision=revision, now=entry.now(), sender=sender, number=number
    )  # fmt: skip
    return True
