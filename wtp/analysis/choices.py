"""Choice data from anywhere: one long frame in, the tables that `wtp estimate` writes out, by any of the estimators."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from wtp.analysis.provenance import package_versions
from wtp.analysis.record import ALL, NOT_ESTIMATED, stacked
from wtp.errors import DataError, EstimationError
from wtp.estimation import (
    ChoiceData,
    ConditionalLogit,
    HierarchicalLogit,
    HierarchicalResults,
    LatentClassLogit,
    LatentClassResults,
    MixedLogit,
    importance,
    parameter_table,
    select_classes,
)
from wtp.estimation.choice_data import NONE
from wtp.estimation.diagnostics import Note
from wtp.estimation.formulas import terms
from wtp.estimation.hierarchical import Progress
from wtp.estimation.saved import fit_record, population_frame
from wtp.pricing import willingness_to_pay

MODELS = ("conditional", "mixed", "latent", "hierarchical")
_NO_PRICE = (
    "The formula has no column {price!r}, so there is no WTP; add it to the formula or name another one with --price."
)
_PRICE_BY_LABEL = (
    "The price stands in the formula by another column alone, so there is no WTP; name the column that labels the alternatives with --labels, and each "
    "label has its own."
)
_WORTH = ["segment", "parameter", "estimate", "low", "high", "method", "currency", "respondents", "note"]


@dataclass(frozen=True, slots=True)
class Specification:
    """Which estimator, and what only some of them take.

    random: distributions of the mixed logit. signs: signed coefficients of the hierarchical logit. classes: fewest and most latent classes. draws: of
    the simulated likelihood, or most sweeps of the sampler; None for the estimator's own.
    """

    model: str = "conditional"
    space: Literal["preference", "wtp"] = "preference"
    random: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, int] = field(default_factory=dict)
    covariates: Sequence[str] = ()
    classes: tuple[int, int] = (3, 3)
    draws: int | None = None
    none: str = NONE
    available: str | None = None
    buys: str | None = None
    labels: str | None = None
    price_form: str | Sequence[float] = "linear"
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ChoiceAnalysis:
    """What `wtp estimate` writes: frames by file name, the summary as text, `estimates` as a JSON record, draws of the respondents or None; `fit` and `population` for `load_fit`."""

    tables: Mapping[str, pd.DataFrame]
    summary: str
    estimates: Mapping[str, Any]
    draws: pd.DataFrame | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    population: pd.DataFrame | None = None


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
    specification: Specification | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ChoiceAnalysis:
    """Estimate everybody and, if a column is named, each segment: by a fit of its own, or, hierarchically, within one fit of everybody.

    frame: long format, one row an alternative. Intervals are 95 per cent, standard errors clustered by respondent.
    Raises DataError or EstimationError if everybody's data cannot be used; a segment that fails gets a note instead.
    """
    began = time.perf_counter()
    wanted = specification or Specification()
    columns: dict[str, Any] = {
        "respondent": respondent,
        "choice_task": choice_task,
        "chosen": chosen,
        "price": price,
        "weights": weights,
        "none": wanted.none,
        "available": wanted.available,
        "buys": wanted.buys,
        "price_form": wanted.price_form,
        "labels": wanted.labels,
    }
    parts = {ALL: frame} | _by_segment(frame, respondent, segments)
    notes: list[Note] = []
    if wanted.model == "hierarchical":
        fits = _within_one_fit(frame, formula, columns, segments, list(parts), wanted, seed, progress)
        notes += list(fits[ALL].notes)
    else:
        fits = {}
        for name, part in parts.items():
            try:
                fits[name] = _fit(ChoiceData.from_long(part, formula=formula, **columns), wanted, seed)
            except (DataError, EstimationError) as error:
                if name == ALL:
                    raise
                notes.append(Note("not_estimated", "stop", NOT_ESTIMATED, {"reason": str(error)}, name))
            else:
                notes += [note.in_segment(name) for note in fits[name].notes]
    everybody = fits[ALL]
    importances = {name: importance(fit, seed=seed, confidence=0.95) for name, fit in fits.items()}
    tables = {
        "part_worths": _all_parameters(fits),
        "importance": stacked(importances).drop(columns="noise_floor"),
    }
    if not everybody.data.price_parameters and everybody.data.price_form is None:
        by_label = wanted.labels is None and any(price in term and len(term) > 1 for term in terms(formula))
        notes.append(Note("no_price", "warning", _PRICE_BY_LABEL if by_label else _NO_PRICE, {"price": price}))
        tables["willingness_to_pay"] = pd.DataFrame(columns=_WORTH)
    else:
        worths = {
            name: willingness_to_pay(fit, price=price, at=wanted.at, seed=seed, currency=currency)
            for name, fit in fits.items()
        }
        named = [table.assign(segment=_in_segment(name, table["segment"])) for name, table in worths.items()]
        tables["willingness_to_pay"] = pd.concat(named, ignore_index=True)
    tables |= _people(everybody)
    summary = "\n\n".join(
        f"Segment: {name}\n{fit.summary().as_text()}" for name, fit in fits.items() if hasattr(fit, "summary")
    )
    if notes:
        summary += "\n\nNotes\n" + "\n".join(f"- [{note.severity}] {note}" for note in notes) + "\n"
    floors = importances[ALL].set_index("attribute")["noise_floor"].dropna()
    estimates = _estimates(everybody, wanted, seed, notes) | {
        "importance_noise_floor": {name: float(floor) for name, floor in floors.items()},
        "seconds": round(time.perf_counter() - began, 3),
    }
    return ChoiceAnalysis(
        tables,
        summary,
        estimates,
        _draws(everybody),
        fit_record(everybody, wanted.model),
        population_frame(everybody, wanted.model),
    )


def _fit(data: ChoiceData, wanted: Specification, seed: int) -> Any:
    if wanted.model == "mixed":
        return MixedLogit(data, wanted.random, wanted.space).fit(wanted.draws or 512, seed)
    if wanted.model == "latent":
        fewest, most = wanted.classes
        if fewest == most:
            return LatentClassLogit(data, fewest, wanted.covariates or None).fit(seed=seed)
        return select_classes(data, range(fewest, most + 1), seed=seed).best
    return ConditionalLogit(data, wanted.space).fit()


def _within_one_fit(
    frame: pd.DataFrame,
    formula: str,
    columns: Mapping[str, Any],
    segments: str | None,
    names: Sequence[str],
    wanted: Specification,
    seed: int,
    progress: Callable[[Progress], None] | None,
) -> dict[str, Any]:
    """The hierarchical fit of everybody, segments as covariates of its mean, and its segments."""
    covariates = list(dict.fromkeys([*wanted.covariates, *([segments] if segments and len(names) > 2 else [])]))
    data = ChoiceData.from_long(frame, formula=formula, covariates=covariates or None, **columns)
    model = HierarchicalLogit(data, signs=wanted.signs, covariates=covariates or None)
    fit = model.fit(draws=wanted.draws or 20_000, seed=seed, progress=progress)
    if segments is None:
        return {ALL: fit}
    own = (
        frame.groupby(columns["respondent"], sort=False)[segments]
        .first()
        .astype(str)
        .loc[list(data.respondents)]
        .to_numpy()
    )
    return {ALL: fit} | {name: fit.segment(own == name) for name in names if name != ALL}


def _in_segment(name: str, labels: pd.Series) -> pd.Series:
    """Rows of everybody in a segment carry its name, rows of a class both."""
    within = labels if name == ALL else f"{name}, " + labels
    return within.where(labels != ALL, name)


def _all_parameters(fits: Mapping[str, Any]) -> pd.DataFrame:
    """segment, parameter, estimate, std_error, low, high."""
    tables = {}
    for name, fit in fits.items():
        if isinstance(fit, LatentClassResults):
            table = parameter_table(fit)
            for number, rows in table.groupby(fit.params.index.get_level_values("class")):
                label = f"class {number}" if name == ALL else f"{name}, class {number}"
                tables[label] = rows.assign(parameter=[parameter for _, parameter in rows["parameter"]])
        elif isinstance(fit, HierarchicalResults):
            rows = fit.population.T[["mean", "std_error", "low", "high"]].rename(columns={"mean": "estimate"})
            tables[name] = rows.rename_axis("parameter").reset_index()
        elif hasattr(fit, "members"):
            means = np.vstack([np.einsum("rg,rgk->rk", w, v) for _, v, w in fit.simulate().blocks()])
            low, high = np.quantile(means, [0.025, 0.975], axis=0)
            tables[name] = pd.DataFrame(
                {"parameter": fit.data.names, "estimate": means.mean(axis=0), "std_error": means.std(axis=0, ddof=1), "low": low, "high": high}
            )  # fmt: skip
        else:
            tables[name] = parameter_table(fit)
    return stacked(tables)


def _people(fit: Any) -> dict[str, pd.DataFrame]:
    """respondents, and classes, of the fits that have them."""
    tables = {}
    if hasattr(fit, "individual"):
        people = fit.individual if "rlh" in fit.individual else fit.individual.assign(rlh=fit.rlh)
        tables["respondents"] = people.rename_axis("respondent").reset_index()
    if isinstance(fit, LatentClassResults):
        tables["classes"] = fit.classes.drop(columns="std_error").rename_axis("class").reset_index()
    return tables


def _draws(fit: Any) -> pd.DataFrame | None:
    """draw, chain, respondent and one column a parameter of a hierarchical fit."""
    if not isinstance(fit, HierarchicalResults):
        return None
    count, people, k = fit.draws.shape
    frame = pd.DataFrame(fit.draws.reshape(count * people, k), columns=list(fit.data.names))
    frame.insert(0, "respondent", np.tile(np.asarray(fit.data.respondents), count))
    frame.insert(0, "chain", np.repeat(fit.chain, people))
    frame.insert(0, "draw", np.repeat(np.arange(count), people))
    return frame


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


def _estimates(fit: Any, wanted: Specification, seed: int, notes: list[Note]) -> dict[str, Any]:
    labels = [
        " ".join(["class", str(label[0]), str(label[1])]) if isinstance(label, tuple) else str(label)
        for label in fit.params.index
    ]
    convergence: dict[str, float | None] = {"r_hat": None, "ess": None}
    if isinstance(fit, HierarchicalResults):
        convergence = dict(zip(("r_hat", "ess"), fit.convergence, strict=True))
    record: dict[str, Any] = {
        "model": wanted.model,
        "space": wanted.space,
        "log_likelihood": float(fit.llf),
        "null_log_likelihood": float(fit.llnull),
        "aic": _number(fit, "aic"),
        "bic": _number(fit, "bic"),
        "parameters": dict(zip(labels, map(float, fit.params), strict=True)),
    }
    if hasattr(fit, "bse"):
        record |= {
            "standard_errors": {label: _finite(value) for label, value in zip(labels, fit.bse, strict=True)},
            "covariance": str(fit.cov_type),
        }
    else:
        record |= {
            "standard_errors": dict(zip(labels, map(float, fit.population.loc["std_error"]), strict=True)),
            "covariance": "posterior",
        }
    if hasattr(fit, "draws_check"):
        record["log_likelihood_change_with_twice_the_draws"] = float(fit.draws_check)
    return record | {
        "respondents": int(fit.respondents),
        "choice_tasks": int(fit.choice_tasks),
        "alternatives": int(fit.alternatives),
        "converged": bool(fit.converged),
        "diagnostics": convergence,
        "seed": seed,
        "versions": package_versions(),
        "notes": [
            {"code": note.code, "severity": note.severity, "segment": note.segment, "text": str(note)} for note in notes
        ],
    }


def _number(fit: Any, name: str) -> float | None:
    return float(getattr(fit, name)) if hasattr(fit, name) else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
