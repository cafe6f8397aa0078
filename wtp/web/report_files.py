"""The report of the results to send on: as PDF and as PowerPoint, of the same reading as the pages, in the language of the reader."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from flask import Blueprint, Flask, Response, current_app, render_template, request

from wtp.analysis import ALL, SAME_CHOICES
from wtp.errors import DataError
from wtp.export.report import Report
from wtp.export.report_pdf import PDF, PdfError, PdfTimeoutError, write_pdf
from wtp.export.slides import PPTX, write_pptx
from wtp.store import Database
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import LEFT_OUT, analysis_of
from wtp.web.beside import with_purchases
from wtp.web.i18n import INTERFACE_LANGUAGES, speak
from wtp.web.i18n import text as said
from wtp.web.reading import Reading, labels_of
from wtp.web.report import report_of
from wtp.web.results import kept, reading_of

blueprint = Blueprint("report", __name__)
_RETRY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a report is written, and as what it is sent."""

    mimetype: str
    write: Callable[[Report, IO[bytes]], object]


REPORTS = {"pdf": _Kind(PDF, write_pdf), "pptx": _Kind(PPTX, write_pptx)}


@blueprint.get("/results/<slug>/report.<any(pdf, pptx):kind>")
@requires(*READERS)
def report(slug: str, kind: str) -> Response | tuple[str, int, dict[str, str]]:
    """All results of this selection in one file, or a page that says why there is none."""
    reading = reading_of(slug)
    file = io.BytesIO()
    try:
        written = REPORTS[kind].write(report_of(reading, running.database(), kept().get("analysis", "")), file)
    except PdfError as error:
        current_app.logger.warning("%s", error)
        page = render_template(
            "results/no_report.html", slug=slug, study=said(reading.definition.title), segment=reading.segment, kept=kept(),
            late=isinstance(error, PdfTimeoutError), why=str(error),
        )  # fmt: skip
        return page, 503, {"Retry-After": str(_RETRY_SECONDS)}
    if without_charts := getattr(written, "no_charts", ""):
        current_app.logger.warning("PDF without charts: %s", without_charts)
    sent = Response(file.getvalue(), mimetype=REPORTS[kind].mimetype)
    sent.headers.set("Content-Disposition", "attachment", filename=_file_name(reading, kind))
    return sent


def _file_name(reading: Reading, kind: str) -> str:
    """Study, segment, whose answers, day (UTC), state of the answers, and whether answers are simulated."""
    asked = request.args.get("segment", ALL)
    segment = "" if asked == ALL else f"-{reading.segment}"
    part = f"-without-{reading.answers}" if reading.left_out else ""
    simulated = "-simulated" if reading.analysis.simulated else ""
    day = datetime.now(UTC).date().isoformat()
    return f"{reading.survey.slug}-report{segment}{part}-{day}-{reading.analysis.answers_hash[:8]}{simulated}.{kind}"


def write_report(
    app: Flask, survey: Survey, kind: str, file: IO[bytes], *, segment: str = ALL, language: str = "", chosen: str = LEFT_OUT
) -> str:  # fmt: skip
    """Write what the pages show, for the command line; gives back what is missing in the file, or nothing.

    Raises DataError for a segment or language that is not there, PdfError where no PDF can be made.
    """
    database: Database = app.extensions["wtp_database"]
    segments = (ALL, *(one.id for one in survey.definition.segments))
    for option, found, allowed in (("--segment", segment, segments), ("--lang", language or INTERFACE_LANGUAGES[0], INTERFACE_LANGUAGES)):  # fmt: skip
        if found not in allowed:
            raise DataError(f"{option}: found {found!r}; allowed: {', '.join(allowed)}; name one of these.")
    with app.app_context():
        speak(language or app.extensions["wtp_settings"].staff_language)
        analysis = with_purchases(database, survey, analysis_of(database, survey, chosen, SAME_CHOICES))
        economics = survey.definition.economics
        budget = economics.budget if economics else None
        reading = Reading(survey, analysis, segment, labels_of(survey.definition), chosen, budget)
        written = REPORTS[kind].write(report_of(reading, database), file)
    return str(getattr(written, "no_charts", ""))
