"""Everything to take away: the list, and each file, written whole before its first byte is sent."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, cast

import pandas as pd
from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Reply

from wtp.export import FORMATS, Format, Source
from wtp.store import Database, answers, audit, measures, respondents, studies
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.analyses import analysis_of, with_people, without
from wtp.web.formats import NBSP, number
from wtp.web.i18n import language
from wtp.web.i18n import text as said
from wtp.web.measure_words import frame
from wtp.web.stopping import gate_of

blueprint = Blueprint("exports", __name__, url_prefix="/manage")
_TRIES = 3  # on a busy field the last one is taken as it is


@contextmanager
def source_of(database: Database, survey: Survey, *, figures: bool) -> Iterator[Source]:
    """A study as it is now, for every format; while it is open, answers come from one state of the database. figures: with the analysis that the pages show."""
    for attempt in range(_TRIES):
        with database.read() as connection:
            before = answers.state(connection, survey.slug)
        analysis = with_people(database, survey, analysis_of(database, survey)) if figures else None
        left_out = without(database, survey)
        with database.read() as connection:
            now = answers.state(connection, survey.slug)
            if figures and now != before and attempt < _TRIES - 1:
                continue  # somebody answered meanwhile, so the figures are of fewer answers
            counts = respondents.counts(connection, survey.slug)
            state = f"{now} {survey.definition_hash} {left_out}"
            yield Source(
                survey,
                lambda: answers.batches(connection, survey.slug),
                counts.begun,
                counts.simulated,
                analysis,
                frozenset(left_out),
                hashlib.sha256(state.encode()).hexdigest()[:8],
                lambda hashes: studies.definitions(connection, hashes),
                _beside(connection, survey.slug) if figures else {},
            )
            return


def _beside(connection: Connection, slug: str) -> dict[str, pd.DataFrame]:
    """The table of measures, if there are any: their findings are figures."""
    found = measures.of_study(connection, slug)
    return {"measures": frame(found, datetime.now(UTC).date())} if found else {}


def file_name(source: Source, format_: Format) -> str:
    """Study, what is in it, day (UTC), state of the answers, and whether answers are simulated."""
    part = "" if format_.part or source.analysis else "-answers"
    simulated = "-simulated" if source.simulated else ""
    day = datetime.now(UTC).date().isoformat()
    return f"{source.survey.slug}-{format_.name}{part}-{day}-{source.state}{simulated}.{format_.suffix}"


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the list."""

    name: str
    what: str
    whom: str
    suffix: str
    size: str
    figures: bool
    needs_figures: bool


@blueprint.get("/<slug>/exports")
@requires(*ANALYSTS)
def exports(slug: str) -> str:
    """What can be taken away, in which format, how large about, for whom."""
    survey = running.survey_of(slug)
    database = running.database()
    with database.read() as connection:
        counts = respondents.counts(connection, slug)
    choices = counts.completed * survey.definition.choice_tasks.total
    words = _words()
    rows = [
        _Row(f.name, *words[f.name], f.suffix.upper(), _size(20_000 + f.respondent_bytes * counts.begun + f.choice_bytes * choices), f.figures, f.needs_figures)
        for f in FORMATS.values()
    ]  # fmt: skip
    return render_template(
        "manage/exports.html",
        slug=slug,
        study=said(survey.definition.title),
        counts=counts,
        everything=[row for row in rows if row.figures],
        layouts=[row for row in rows if not row.figures],
        is_open=gate_of(database, survey).is_open,
        contacts=survey.definition.contacts is not None,
    )


@blueprint.get("/<slug>/exports/<export>")
@requires(*ANALYSTS)
def download(slug: str, export: str) -> Response | Reply:
    """One file. figures=no leaves results out, which otherwise wait for the stopping rule."""
    survey = running.survey_of(slug)
    database = running.database()
    format_ = FORMATS.get(export) or abort(404)
    figures = format_.figures and request.args.get("figures") != "no"
    if format_.needs_figures and not figures:
        abort(404)
    if figures and not gate_of(database, survey).is_open:
        return redirect(url_for("results.overview", slug=slug), 303)
    file = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - sending it closes it
    try:
        with source_of(database, survey, figures=figures) as source:
            format_.write(source, file, language())
            called = file_name(source, format_)
        with database.begin() as connection:
            audit.add(connection, slug, audit.EXPORTED, who=current_user.name, reason=called, now=datetime.now(UTC))
    except BaseException:
        file.close()
        raise
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    reply = Response(_parts(file), mimetype=format_.mimetype)
    reply.call_on_close(file.close)
    reply.headers["Content-Disposition"] = f"attachment; filename={called}"
    reply.content_length = size
    return reply


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    """The file, closed behind its last byte or when the reader goes away."""
    with file:
        while part := file.read(1 << 18):
            yield part


def _size(count: int) -> str:
    """Bytes in words, to two digits."""
    unit, name = (1_000_000, "MB") if count >= 1_000_000 else (1_000, "kB")
    return f"{number(count / unit, int(count < 10 * unit))}{NBSP}{name}"


def _words() -> dict[str, tuple[str, str]]:
    """Format -> what it is, for whom."""
    r, python = _("Statisticians with R"), _("Statisticians with Python")
    return {
        "csv": (_("CSV files, a table each"), _("Everybody; any program reads them")),
        "xlsx": (_("Excel workbook with charts"), _("Managers and analysts with Excel")),
        "parquet": (_("Parquet files, a table each, typed"), _("Analysts with Python or R; large studies")),
        "sav": (_("SPSS files with labels and missing codes"), _("Market researchers with SPSS")),
        "json": (_("One JSON file with survey, answers and tables"), _("Programmers")),
        "notebook": (
            _("Notebook that makes every figure again, with all it takes"),
            _("Analysts with Python; whoever must check the figures"),
        ),
        "choices": (_("Long choice data, as wtp estimate reads it"), _("Analysts")),
        "logitr": (_("For logitr"), r),
        "mlogit": (_("For mlogit"), r),
        "apollo": (_("For apollo"), r),
        "bayesm": (_("For bayesm"), r),
        "biogeme": (_("For Biogeme"), python),
        "xlogit": (_("For xlogit"), python),
        "sawtooth": (_("For Sawtooth Software (CHO, CHS)"), _("Market researchers with Lighthouse Studio")),
    }
