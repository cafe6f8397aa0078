"""Data quality of a study: each respondent's signals with value and limit, and a person's decision about them; what concerns the study as a whole; how much it matters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as Reply

from wtp.analysis import CONDITIONAL, MANY_LEFT_OUT, Analysis, QualityReport, Request, compared
from wtp.errors import DataError
from wtp.store import audit, decisions
from wtp.store.decisions import KEEP, LEAVE_OUT, UNDECIDED, Decision
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.analyses import analysis_as, quality_of, stored_analysis, stored_pair
from wtp.web.formats import money, number, percent, precision
from wtp.web.i18n import text as said
from wtp.web.reading import labels_of
from wtp.web.stopping import gate_of
from wtp.web.verdicts import note_text

blueprint = Blueprint("quality", __name__, url_prefix="/manage")
_A_PAGE = 50
_PLACES = {"likelihood": 2, "fast_choices": 1, "fast_interview": 0}
_SHARES = {"duplicate", "straight_lining"}
_ENDS = ("", "_low", "_high")
_YES = {"honeypot", "attention", "never_buys"}


def signal_names() -> dict[str, str]:
    """Every signal in the words of the page, in the order of its columns."""
    return {
        "fast_choices": _("Seconds a choice"),
        "fast_interview": _("Seconds in all"),
        "position": _("One position"),
        "straight_lining": _("One point in ratings"),
        "likelihood": _("Fit to own choices (RLH)"),
        "duplicate": _("Equal to another"),
        "words": _("Same text as others"),
        "pasted": _("Pasted texts"),
        "honeypot": _("Filled the hidden field"),
        "attention": _("Missed the attention check"),
        "retest": _("Repeated choice agrees"),
        "never_buys": _("Would buy nothing"),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One respondent: cells are (signal, value, limit, flagged), texts as shown."""

    number: int
    simulated: bool
    flags: int
    suggestion: str
    cells: tuple[tuple[str, str, str, bool], ...]
    decision: Decision | None


@blueprint.get("/<slug>/quality")
@requires(*ANALYSTS)
def quality(slug: str) -> str:
    """Signals, decisions, and how much they matter."""
    survey = running.survey_of(slug)
    with running.database().begin() as connection:
        said_so = "signals of data quality"
        audit.add(connection, slug, audit.PEOPLE_VIEWED, who=current_user.name, reason=said_so, now=datetime.now(UTC))
    return _page(survey)


@blueprint.post("/<slug>/quality")
@requires(*ANALYSTS)
def decide(slug: str) -> Reply | tuple[str, int]:
    """Keep, leave out or take back a decision about the ticked respondents, with a reason; only added to."""
    survey = running.survey_of(slug)
    picked = sorted(
        {int(n) for n in request.form.getlist("respondent") if n.isascii() and n.isdecimal() and len(n) < 9}
    )
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    if decision not in decisions.DECISIONS:
        abort(400)
    mistake = "" if picked else _("Tick at least one respondent.")
    if picked and decision != UNDECIDED and not reason.strip():
        mistake = _("Say why: without a reason nobody can check the decision later.")
    if not mistake:
        try:
            with running.database().begin() as connection:
                now = datetime.now(UTC)
                who = current_user.name
                decisions.decide(connection, slug, picked, decision, reason=reason, made_by=who, now=now)
                said_so = f"{decision}: {len(picked)} respondents. {reason}".strip()[:500]
                audit.add(connection, slug, audit.DECIDED, who=who, reason=said_so, now=now)
        except DataError:
            mistake = _("That could not be saved: the reason is too long, or a respondent is not in this study.")
    if mistake:
        return _page(survey, mistake, frozenset(picked), reason), 422
    signal, show, page = (request.args.get(name) for name in ("signal", "show", "page"))
    return redirect(url_for(".quality", slug=slug, signal=signal, show=show, page=page, _anchor="respondents"), 303)


@blueprint.post("/<slug>/influence")
@requires(*ANALYSTS)
def measure(slug: str) -> Reply:
    """Make the quick figures with everybody and without those with two or more flags, which takes some seconds."""
    survey, database = running.survey_of(slug), running.database()
    for without in ((), quality_of(database, survey).flagged):
        analysis_as(database, survey, Request(model=CONDITIONAL, without=without))
    return redirect(url_for(".quality", slug=slug, _anchor="influence"), 303)


def _page(survey: Survey, mistake: str = "", ticked: frozenset[int] = frozenset(), reason: str = "") -> str:
    database = running.database()
    report = quality_of(database, survey)
    with database.read() as connection:
        made = decisions.current(connection, survey.slug)
        history = decisions.history(connection, survey.slug)
    names = signal_names()
    signal, show = request.args.get("signal", ""), request.args.get("show", "all")
    if (signal and signal not in names) or show not in {"all", "flagged", "left_out", "decided", "people", "simulated"}:
        abort(404)
    rows = [row for row in _rows(report, made) if _wanted(row, signal, show)]
    pages = max(1, -(-len(rows) // _A_PAGE))
    asked = request.args.get("page", "1")
    page = min(max(int(asked) if asked.isdecimal() and len(asked) < 7 else 1, 1), pages)
    left_out = sum(decision.decision == LEAVE_OUT for decision in made.values())
    stored, is_open = stored_analysis(database, survey), gate_of(database, survey).is_open
    pair = stored_pair(database, survey, report.flagged)
    return render_template(
        "manage/quality.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        names=names,
        columns=[name for name in names if (report.signals["signal"] == name).any()],
        rows=rows[(page - 1) * _A_PAGE : page * _A_PAGE],
        found=len(rows),
        page=page,
        pages=pages,
        signal=signal,
        show=show,
        counts=flag_counts(report, names),
        groups=_groups(report),
        cutoffs=report.cutoffs.to_dict("records"),
        tasks=survey.definition.choice_tasks.counted,
        measures={row["measure"]: row for row in report.study.to_dict("records")},
        left_out=left_out,
        many=left_out > MANY_LEFT_OUT * max(len(report.respondents), 1),
        everybody=len(report.respondents),
        flagged=len(report.flagged),
        history=list(reversed(history[-20:])),
        decided={KEEP: _("keep"), LEAVE_OUT: _("leave out"), UNDECIDED: _("taken back")},
        is_open=is_open,
        reliability=_reliability(survey, stored[0]) if stored and is_open else None,
        influence=_influence(survey, *pair) if pair and is_open else None,
        mistake=mistake,
        ticked=ticked,
        reason=reason,
    )


def flag_counts(report: QualityReport, names: dict[str, str]) -> list[tuple[str, str, int, int]]:
    """(signal, its name, people flagged, simulated flagged), the most frequent first."""
    simulated = dict(zip(report.respondents["respondent"], report.respondents["simulated"], strict=True))
    flags = report.signals[report.signals["flagged"].astype(bool)]
    found = Counter((str(row.signal), bool(simulated[row.respondent])) for row in flags.itertuples())
    rows = [(name, words, found[name, False], found[name, True]) for name, words in names.items()]
    return sorted((row for row in rows if row[2] or row[3]), key=lambda row: -(row[2] + row[3]))


def _groups(report: QualityReport) -> list[dict[str, Any]]:
    """People and simulated respondents apart: how many, with one and with more flags, and where they came from."""
    found = []
    for simulated in (False, True):
        mine = report.respondents[report.respondents["simulated"].astype(bool) == simulated]
        if len(mine):
            flags, sources = mine["flags"], mine["source"].value_counts()
            found.append(
                {
                    "simulated": simulated,
                    "all": len(mine),
                    "one": int((flags == 1).sum()),
                    "more": int((flags >= 2).sum()),
                    "sources": {str(name): int(count) for name, count in sources.items()},
                }
            )
    return found


def _rows(report: QualityReport, made: dict[int, Decision]) -> list[Row]:
    cells: dict[int, list[tuple[str, str, str, bool]]] = {}
    for entry in report.signals.to_dict("records"):
        value, limit = _shown(entry["signal"], entry["value"]), _shown(entry["signal"], entry["limit"])
        cells.setdefault(entry["respondent"], []).append((entry["signal"], value, limit, bool(entry["flagged"])))
    rows = [
        Row(p["respondent"], bool(p["simulated"]), p["flags"], p["suggestion"], tuple(cells.get(p["respondent"], ())), made.get(p["respondent"]))
        for p in report.respondents.to_dict("records")
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.simulated, -row.flags, row.number))


def _shown(signal: str, value: float) -> str:
    if signal in _YES:
        return _("yes")
    if signal == "retest":
        return _("yes") if value else _("no")
    if signal in _SHARES:
        return percent(value)
    return number(value, _PLACES.get(signal, 0))


def _wanted(row: Row, signal: str, show: str) -> bool:
    if signal and not any(
        name == signal and (flagged or name in {"retest", "never_buys"}) for name, _v, _l, flagged in row.cells
    ):
        return False
    return {
        "all": True,
        "flagged": row.flags >= 2,
        "left_out": row.decision is not None and row.decision.decision == LEAVE_OUT,
        "decided": row.decision is not None,
        "people": not row.simulated,
        "simulated": row.simulated,
    }[show]


def _reliability(survey: Survey, analysis: Analysis) -> dict[str, Any] | None:
    """The repeated choice task's figures, and each step raw and without slips, as texts."""
    if "reliability" not in analysis.tables or not len(analysis.tables["reliability"]):
        return None
    labels, unit = labels_of(survey.definition), survey.definition.currency
    row = analysis.tables["reliability"].iloc[0]
    table = analysis.tables.get("without_slips", pd.DataFrame())
    steps = []
    for step in table.to_dict("records"):
        exact = precision(step["worth_corrected_high"] - step["worth_corrected_low"])

        steps.append(
            (
                f"{labels[step['attribute']]}: {labels[step['attribute'] + '.' + step['to_level']]}",
                number(step["part_worth"], 2),
                _between(*(number(step[f"corrected{end}"], 2) for end in _ENDS)),
                _between(*(money(step[f"worth{end}"], unit, exact) for end in _ENDS)),
                _between(*(money(step[f"worth_corrected{end}"], unit, exact) for end in _ENDS)),
            )
        )
    return {"row": row.to_dict(), "note": note_text(str(row["note"])), "steps": steps}


def _between(figure: str, low: str, high: str) -> str:
    return _("%(figure)s (%(low)s to %(high)s)", figure=figure, low=low, high=high)


def _influence(survey: Survey, before: Analysis, after: Analysis) -> dict[str, Any]:
    """Figures with everybody and without those with two or more flags: those of the headline and whatever moves."""
    labels, unit = labels_of(survey.definition), survey.definition.currency
    table = compared(before, after)
    rows = []
    for row in table.to_dict("records"):
        exact = precision(2 * row["half_interval"])
        what = _("Price upper limit")
        if row["figure"] == "worth":
            what = f"{labels[row['attribute']]}: {labels[row['attribute'] + '.' + row['to_level']]}"
        rows.append(
            (
                labels[row["segment"]],
                what,
                money(row["with_all"], unit, exact),
                money(row["without_flagged"], unit, exact),
                money(row["change"], unit, exact),
                money(row["half_interval"], unit, exact),
                bool(row["moved"]),
            )
        )
    moved = [row for row in rows if row[-1]]
    headline = [row for row in rows if row[1] == _("Price upper limit") and not row[-1]]
    return {"all": len(rows), "moved": len(moved), "rows": [*moved, *headline], "without": len(after.request.without)}
