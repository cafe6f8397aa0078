"""Choice data from anywhere: one long frame in, the tables that `wtp estimate` writes out."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from wtp.analysis.record import ALL, NOT_ESTIMATED, stacked
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit, importance, parameter_table
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import Note
from wtp.pricing import willingness_to_pay

_NO_PRICE = (
    "The formula has no column {price!r}, so there is no WTP; add it to the formula or name another one with --price."
)
_PACKAGES = ("wtp", "numpy", "scipy", "pandas", "statsmodels")


@dataclass(frozen=True, slots=True)
class ChoiceAnalysis:
    """What `wtp estimate` writes: frames by file name, the summary as text, and `estimates` as a JSON record."""

    tables: Mapping[str, pd.DataFrame]
    summary: str
    estimates: Mapping[str, Any]


def analyse_choices(
    frame: pd.DataFrame,
    formula: str,
    *,
    respondent: str = "respondent",
    choice_task: str = "choice_task",
    chosen: str = "chosen",
    price: str = "price",
    weights: str | None = None,
    segments: str | None = None,
    seed: int = 1,
    currency: str = "",
) -> ChoiceAnalysis:
    """Estimate a pooled conditional logit for everybody and, if a column is named, for each segment.

    frame: long format, one row an alternative. Intervals are 95 per cent, standard errors clustered by respondent.
    Raises DataError or EstimationError if everybody's data cannot be used; a segment that fails gets a note instead.
    """
    began = time.perf_counter()
    columns: dict[str, Any] = {
        "respondent": respondent,
        "choice_task": choice_task,
        "chosen": chosen,
        "price": price,
        "weights": weights,
    }
    parts = {ALL: frame} | _by_segment(frame, respondent, segments)
    fits: dict[str, ConditionalLogitResults] = {}
    notes: list[Note] = []
    for name, part in parts.items():
        try:
            fits[name] = ConditionalLogit(ChoiceData.from_long(part, formula=formula, **columns)).fit()
        except (DataError, EstimationError) as error:
            if name == ALL:
                raise
            notes.append(Note("not_estimated", "stop", NOT_ESTIMATED, {"reason": str(error)}, name))
        else:
            notes += [note.in_segment(name) for note in fits[name].notes]
    everybody = fits[ALL]
    importances = {name: importance(fit, seed=seed, confidence=0.95) for name, fit in fits.items()}
    tables = {
        "part_worths": stacked({name: parameter_table(fit) for name, fit in fits.items()}),
        "importance": stacked(importances).drop(columns="noise_floor"),
    }
    if everybody.data.price is None:
        notes.append(Note("no_price", "warning", _NO_PRICE, {"price": price}))
        worth = pd.DataFrame(
            columns=["segment", "parameter", "estimate", "low", "high", "method", "currency", "respondents", "note"]
        )
    else:
        worth = stacked(
            {name: willingness_to_pay(fit, price=price, seed=seed, currency=currency) for name, fit in fits.items()}
        )
    tables["willingness_to_pay"] = worth
    summary = "\n\n".join(f"Segment: {name}\n{fit.summary().as_text()}" for name, fit in fits.items())
    if notes:
        summary += "\n\nNotes\n" + "\n".join(f"- [{note.severity}] {note}" for note in notes) + "\n"
    floors = importances[ALL].set_index("attribute")["noise_floor"]
    estimates = _estimates(everybody, seed, notes) | {
        "importance_noise_floor": {name: float(floor) for name, floor in floors.items()},
        "seconds": round(time.perf_counter() - began, 3),
    }
    return ChoiceAnalysis(tables, summary, estimates)


def _by_segment(frame: pd.DataFrame, respondent: str, segments: str | None) -> dict[str, pd.DataFrame]:
    if segments is None:
        return {}
    if segments not in frame.columns:
        raise DataError(
            f"segments: no column {segments!r}; found: {', '.join(map(str, frame.columns))}; name one of these."
        )
    if frame[segments].isna().any():
        row = int(frame[segments].isna().to_numpy().argmax()) + 1
        raise DataError(
            f"column {segments!r}, row {row}: no segment; allowed: a segment in every row; fill it in or drop the row."
        )
    if (frame[segments].astype(str) == ALL).any():
        raise DataError(
            f"column {segments!r}: a segment called {ALL!r}, which means everybody; allowed: other names; rename it."
        )
    if respondent in frame.columns:
        several = frame.groupby(respondent, sort=False)[segments].nunique().gt(1)
        if several.any():
            who = several.index[several.to_numpy()][0]
            raise DataError(
                f"respondent {who}: in more than one segment; allowed: one a respondent; mend column {segments!r}."
            )
    return {str(name): part for name, part in frame.groupby(segments, sort=True)}


def _estimates(fit: ConditionalLogitResults, seed: int, notes: list[Note]) -> dict[str, Any]:
    return {
        "model": "conditional",
        "log_likelihood": float(fit.llf),
        "null_log_likelihood": float(fit.llnull),
        "aic": float(fit.aic),
        "bic": float(fit.bic),
        "parameters": {name: float(value) for name, value in fit.params.items()},
        "standard_errors": {name: float(value) for name, value in fit.bse.items()},
        "covariance": str(fit.cov_type),
        "respondents": int(fit.respondents),
        "choice_tasks": int(fit.choice_tasks),
        "alternatives": int(fit.alternatives),
        "converged": bool(fit.converged),
        "diagnostics": {"r_hat": None, "ess": None},
        "seed": seed,
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES}
        | {"python": platform.python_version()},
        "notes": [
            {"code": note.code, "severity": note.severity, "segment": note.segment, "text": str(note)} for note in notes
        ],
    }
