"""The log of what staff did: of the installation, and of each study, also of those that were deleted. Administrators read it and take it away; no page changes it."""

from __future__ import annotations

import pandas as pd
from flask import Blueprint, Response, abort, render_template, request

from wtp.export import table_csv
from wtp.store import audit
from wtp.web import running
from wtp.web.accounts import ADMINISTRATORS, requires
from wtp.web.log_words import action_words

blueprint = Blueprint("staff_log", __name__, url_prefix="/staff")
_A_PAGE = 50
_MOST = 2**31 - 1  # what the column of numbers can hold


def _asked() -> tuple[str, tuple[str, ...]]:
    """Whose log is asked for, and which ones there are; 404 for one that is not there."""
    with running.database().read() as connection:
        there = audit.studies(connection)
    study = request.args.get("study", audit.INSTALLATION)
    return (study, there) if study in {audit.INSTALLATION, *there} else abort(404)


@blueprint.get("/log")
@requires(*ADMINISTRATORS)
def log() -> str:
    """Fifty entries, the newest first. What was checked before is checked again when asked for: the time that it takes grows with the log."""
    study, there = _asked()
    before = request.args.get("before", type=int)
    before = None if before is None else max(0, min(before, _MOST))
    with running.database().read() as connection:
        found = audit.newest(connection, study, _A_PAGE + 1, before=before)
        checked = running.log_checker().check(connection, study, whole="check" in request.args)
    return render_template(
        "staff/log.html",
        study=study,
        studies=there,
        entries=found[:_A_PAGE],
        before=before,
        more=found[_A_PAGE - 1].number if len(found) > _A_PAGE else None,
        broken=checked.broken,
        since=checked.since,
        words=action_words,
    )


@blueprint.get("/log.csv")
@requires(*ADMINISTRATORS)
def log_csv() -> Response:
    """A whole log, the oldest entry first."""
    study, _there = _asked()
    with running.database().read() as connection:
        found = audit.entries(connection, study)
    columns = ("number", "happened_at", "who", "action", "reason", "chain")
    rows = [{name: getattr(entry, name) for name in columns} for entry in found]
    frame = pd.DataFrame(rows, columns=columns)
    headers = {"Content-Disposition": f"attachment; filename={study or 'installation'}-log.csv"}
    return Response(table_csv(frame), mimetype="text/csv", headers=headers)
