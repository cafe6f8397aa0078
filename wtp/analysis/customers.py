"""What contacts with customers say, as an analysis of its own: kept apart from the answers, so that no figure of the survey changes with a phone call.

A contact belongs to the segment of its customer's answers where he is linked with them, else to the one that is declared by the core problem that staff noted.
Nothing is told of fewer than 10 customers, nor what such figures could be worked out from; a contact without a customer number counts as one customer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.disclosure import SMALLEST_REST, not_worked_out
from wtp.analysis.record import ALL, Analysis, Request
from wtp.customers.coders import coder_agreement
from wtp.customers.frequent import frequent_questions, unseen
from wtp.customers.touchpoints import (
    Window,
    differs,
    effort,
    monthly,
    reason_rates,
    remedies,
    what_mattered,
    window_of,
)
from wtp.errors import DataError
from wtp.estimation.diagnostics import Note
from wtp.segments.declared import declared
from wtp.survey.answers import Respondent
from wtp.survey.contacts import ContactCodes, contact_codes, segment_by_problem
from wtp.survey.load import Survey

FEW = "Contacts of fewer than 10 customers so far: no figures yet."
PART_KNOWN = (
    "Of {share} of the contacts the segment is not known; the rates of segments take them to be like the others."
)
NUMBERLESS = "{share} of the contacts are without a customer number; each of them counts as a customer of its own."
_COLUMNS = ("id", "customer_id", "happened_at", "channel", "reason", "question", "mattered_most", "impression", "core_problem", "remedy", "solved", "minutes", "simulated")  # fmt: skip
# What is not told of a few customers, by table; the number of contacts and customers too.
_FIGURES = {
    "contact_reasons": ("contacts", "customers", "rate", "low", "high", "dispersion", "trend", "trend_low", "trend_high", "trend_p"),
    "contact_months": ("contacts", "customers", "rate", "low", "high"),
    "contact_mattered": ("customers", "share", "low", "high"),
    "contact_questions": ("contacts", "customers", "share", "low", "high", "rank", "rank_low", "rank_high"),
    "contact_remedies": ("contacts", "customers", "known", "solved", "low", "high", "followed", "repeated", "repeated_low", "repeated_high"),
    "contact_effort": ("contacts", "customers", "minutes", "lower_quartile", "upper_quartile", "judged", "impression", "low", "high"),
}  # fmt: skip
# Figures that rest on fewer customers than their row, by the column that counts these.
_FEWER: dict[str, dict[str, tuple[str, ...]]] = {
    "contact_remedies": {
        "known_customers": ("known", "solved", "low", "high"),
        "followed_customers": ("followed", "repeated", "repeated_low", "repeated_high"),
    },
    "contact_effort": {
        "timed_customers": ("minutes", "lower_quartile", "upper_quartile"),
        "judged": ("judged", "impression", "low", "high"),
    },
}
_TOTALS = ("any",)


def analyse_contacts(
    survey: Survey,
    contacts: Sequence[Mapping[str, Any]],
    codings: Sequence[Mapping[str, Any]] = (),
    *,
    links: Mapping[int, int] | None = None,
    respondents: Sequence[Respondent] = (),
    request: Request | None = None,
) -> Analysis:
    """Figures of contacts as the store gives them; links: customer -> number of the respondent whose answers are among `respondents`.

    Tables contact_segments, contact_reasons, contact_months, contact_mattered, contact_difference, contact_questions, contact_unseen, contact_remedies, contact_effort and
    contact_agreement, by segment; `respondents` and `completed` of the record are contacts. Raises DataError if the study has no codes for contacts.
    """
    request, codes = request or Request(), contact_codes(survey.definition)
    if codes is None:
        raise DataError(f"{survey.slug}: no [contacts]; allowed: a study with codes for contacts; add the table.")
    frame = _frame(contacts)
    frame["segment"] = _segments(survey, frame, links or {}, respondents)
    tables, notes = _tables(survey, frame, codes, pd.DataFrame(list(codings)), request)
    return Analysis(
        study=survey.slug,
        definition_hash=survey.definition_hash,
        answers_hash=_hash(contacts, codings),
        request=request,
        respondents=len(frame),
        completed=len(frame),
        simulated=int(frame["simulated"].sum()),
        currency=survey.definition.currency,
        tables=tables,
        notes=tuple(notes),
    )


def _frame(contacts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Contacts with `person`: the customer, or a number of its own for each of whom nobody knows."""
    frame = pd.DataFrame([{name: row.get(name) for name in _COLUMNS} for row in contacts], columns=list(_COLUMNS))
    frame["happened_at"] = pd.to_datetime(frame["happened_at"], utc=True)
    for name in ("customer_id", "impression", "minutes"):
        frame[name] = frame[name].astype("Int64")
    for name in ("reason", "question", "mattered_most", "core_problem", "remedy"):
        frame[name] = frame[name].astype("object").where(frame[name].notna(), None)
    frame["solved"] = frame["solved"].astype("boolean")
    frame["simulated"] = frame["simulated"].fillna(False).astype(bool)
    unknown = pd.Series(-1 - np.arange(len(frame)), index=frame.index, dtype="Int64")
    frame["person"] = frame["customer_id"].fillna(unknown).astype("int64")
    return frame


def _segments(
    survey: Survey, frame: pd.DataFrame, links: Mapping[int, int], respondents: Sequence[Respondent]
) -> pd.Series:
    by_problem = frame["core_problem"].map(segment_by_problem(survey.definition)).astype("object")
    if not links:
        return by_problem.where(by_problem.notna(), None)
    answered = declared(survey.definition, respondents)
    of_customer = {customer: answered.get(number) for customer, number in links.items()}
    linked = frame["person"].map({customer: name for customer, name in of_customer.items() if pd.notna(name)})
    found = linked.astype("object").fillna(by_problem)
    return found.where(found.notna(), None)


def _tables(
    survey: Survey, frame: pd.DataFrame, codes: ContactCodes, codings: pd.DataFrame, request: Request
) -> tuple[dict[str, pd.DataFrame], list[Note]]:
    notes: list[Note] = []
    if frame["person"].nunique() < SMALLEST_REST:
        return {}, [Note("few_customers", "stop", FEW)]
    known = float(frame["segment"].notna().mean())
    numberless = float(frame["customer_id"].isna().mean())
    if survey.definition.segments and known < 0.995:
        notes.append(Note("part_known", "info", PART_KNOWN, {"share": f"{1 - known:.0%}"}))
    if numberless >= 0.005:
        notes.append(Note("numberless", "info", NUMBERLESS, {"share": f"{numberless:.0%}"}))
    window = window_of(frame["happened_at"])
    sizes = {segment.id: segment.customers for segment in survey.definition.segments}
    total = sum(sizes.values())
    found: dict[str, list[pd.DataFrame]] = {}
    for name in told_segments(frame, list(sizes)):
        part = frame if name == ALL else frame[frame["segment"] == name]
        customers = codes.customers if name == ALL else known * sizes[name] * codes.customers / total
        for table, made in _of_group(part, codes, window, customers, request).items():
            made.insert(0, "segment", name)
            found.setdefault(table, []).append(_without_few(made, table))
    tables = {name: _not_worked_out(pd.concat(frames, ignore_index=True), name) for name, frames in found.items()}
    tables["contact_difference"] = pd.DataFrame(
        {"segment": [ALL], "p": [differs(frame, list(codes["mattered_most"]), seed=request.seed)]}
    )
    tables["contact_agreement"] = _agreement(frame, codings, codes, request)
    return {name: tables[name] for name in sorted(tables)}, notes


def told_segments(frame: pd.DataFrame, segments: Sequence[str]) -> list[str]:
    """Everybody and the segments that are told: 10 customers or more, and whoever is left is nobody or as many."""
    people = frame.groupby("segment")["person"].nunique()
    shown = [name for name in segments if people.get(name, 0) >= SMALLEST_REST]
    while shown and 0 < frame.loc[~frame["segment"].isin(shown), "person"].nunique() < SMALLEST_REST:
        shown.remove(min(shown, key=people.__getitem__))
    return [ALL, *shown]


def _of_group(
    part: pd.DataFrame, codes: ContactCodes, window: Window, customers: float, request: Request
) -> dict[str, pd.DataFrame]:
    reasons, sure = list(codes["reason"]), request.confidence
    rates = reason_rates(part, reasons, window=window, customers=customers, confidence=sure)
    made = {
        "contact_segments": pd.DataFrame(
            {
                "contacts": [len(part)],
                "customers": [part["person"].nunique()],
                "first_day": [window.start.date().isoformat()],
                "last_day": [window.end.date().isoformat()],
            }
        ),
        "contact_reasons": rates,
        "contact_months": monthly(part, rates.iloc[0], window=window, customers=customers, confidence=sure),
        "contact_mattered": what_mattered(part, list(codes["mattered_most"]), confidence=sure),
        "contact_effort": effort(part, reasons, confidence=sure),
    }
    if codes["question"]:
        listed = list(codes["question"])
        made["contact_questions"] = frequent_questions(part, listed, confidence=sure, seed=request.seed)
        if part.loc[part["question"].notna(), "person"].nunique() >= SMALLEST_REST:
            missing = unseen(part, listed, confidence=sure)
            names = ("unseen", "low", "high", "unlisted")
            made["contact_unseen"] = pd.DataFrame({name: [float(getattr(missing, name))] for name in names})
    if codes["remedy"]:
        made["contact_remedies"] = remedies(part, list(codes["remedy"]), window=window, confidence=sure)
    return made


def _without_few(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table in which nothing is told of 1 to 9 customers; where that hides so few that they could be worked out from the rest, the smallest told row goes too."""
    if name not in _FIGURES or table.empty:
        return table
    customers = table["customers"]
    total = table[table.columns[1]].isin(_TOTALS)
    hidden = customers.between(1, SMALLEST_REST - 1)
    while (
        hidden.any() and customers[hidden].sum() < SMALLEST_REST and (rest := ~hidden & ~total & (customers > 0)).any()
    ):
        hidden |= table.index == customers[rest].idxmin()
    if name == "contact_mattered" and customers.sum() < SMALLEST_REST:  # a row of nobody tells how many the others are
        hidden |= True
    made = _hidden(table, name, hidden)
    for counted, columns in _FEWER.get(name, {}).items():
        few = (table[counted] < SMALLEST_REST).fillna(True)
        made = _masked(made, (*columns, *([counted] if counted not in columns else [])), few)
    return made


def _hidden(table: pd.DataFrame, name: str, rows: pd.Series) -> pd.DataFrame:
    """The table without the figures of these rows."""
    made = _masked(table, (*_FIGURES[name], *(c for c in _FEWER.get(name, {}) if c not in _FIGURES[name])), rows)
    if "clear" in made:
        made["clear"] = made["clear"].mask(rows, "")
    return made


def _masked(table: pd.DataFrame, columns: Sequence[str], rows: pd.Series) -> pd.DataFrame:
    made = table.copy()
    for column in columns:
        numeric = made[column].astype("Int64") if pd.api.types.is_integer_dtype(made[column]) else made[column]
        made[column] = numeric.mask(rows)
    return made


def _not_worked_out(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The table of all segments, in which no hidden cell is what is left of everybody less the segments that are told: else the smallest told one is hidden too."""
    if name not in _FIGURES or table.empty:
        return table
    code, customers = table.columns[1], table["customers"].astype("Float64")
    hidden = pd.Series(False, index=table.index)
    for _, rows in table.groupby(code, sort=False):
        everybody = rows[rows["segment"] == ALL]
        parts = customers[rows.index[rows["segment"] != ALL]].dropna()
        if everybody.empty or pd.isna(customers[everybody.index[0]]):
            stay = []  # what is not told of everybody is told of no part of it
        else:
            stay = not_worked_out(customers[everybody.index[0]], parts.to_dict())
        hidden[parts.index.difference(stay)] = True
    return _hidden(table, name, hidden) if hidden.any() else table


def _agreement(frame: pd.DataFrame, codings: pd.DataFrame, codes: ContactCodes, request: Request) -> pd.DataFrame:
    fields = {name: list(codes[name]) for name in ("reason", "mattered_most", "core_problem") if codes[name]}
    if codings.empty:
        codings = pd.DataFrame(columns=["contact", *fields])
    second = codings[codings["contact"].isin(frame["id"])]
    first = frame.set_index("id").loc[second["contact"].astype("int64")]
    table = coder_agreement(first, second, fields, confidence=request.confidence)
    table.insert(0, "segment", ALL)
    return table


def _hash(contacts: Sequence[Mapping[str, Any]], codings: Sequence[Mapping[str, Any]]) -> str:
    rows = [[str(row.get(name)) for name in _COLUMNS] for row in contacts]
    rows += [[str(value) for value in row.values()] for row in codings]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
