"""Willingness to pay: the money that offsets a change between two named levels, W = (u_to - u_from) / a.

a = -(price coefficient) > 0. Each W is computed inside each Krinsky-Robb draw of a pooled fit and summarised last (percentiles; the point
is the ratio of the estimates). Where the price did not clearly drive the answers there is no W, whatever the ratio would say (Krinsky and
Robb 1986; Hole 2007; Fieller 1954). W is a trade-off value: not a price that half would pay, and not to be added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.choice_data import NONE, ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults, quantile
from wtp.estimation.diagnostics import price_note
from wtp.estimation.draws import Draws, weighted_quantiles
from wtp.estimation.latent_results import LatentClassResults

NO_PRICE_EFFECT = "The price did not clearly drive the answers, so no amount is shown."
CLASS_WITHOUT_PRICE = (
    "In one class the price did not drive the answers, so no amount is shown for all together; see the classes."
)
DIFFERENT = "Respondents differ much: half of them would pay less than this, half more; look at their distribution."
BEYOND = "Beyond the span of the tested prices: read it as 'more than that span'."
_MOST_WRONG_SIGNS = 0.001
MOST_WITHOUT_PRICE = 0.05
_HETEROGENEOUS = 0.3
AnyFit = Any  # results of any estimator, see `estimation.draws.Fit`


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one attribute from one level to another, by their values in the choice data."""

    attribute: str
    from_level: str
    to_level: str


def willingness_to_pay(
    fit: AnyFit,
    price: str = "price",
    *,
    steps: Sequence[Step] | None = None,
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
    currency: str = "",
) -> pd.DataFrame:
    """WTP of every parameter (against its base level, or per unit), or of every step, from any kind of fit.

    Pooled fits: the ratio of the estimates with its interval over the draws. Where respondents differ (hierarchical, mixed): within each draw the weighted median
    over respondents, across draws median and interval; means of ratios mislead (Daly, Hess and Train 2012). Latent classes: each class, segment "class 1"
    and so on, and for all the share-weighted mean. One segment of a hierarchical fit is `fit.segment(members)`.
    Columns segment, [attribute, from_level, to_level,] parameter, estimate, low, high, method, currency, respondents, note; money in the
    unit of the price column. A withheld figure is NaN and its note says why.
    Raises DataError if `price` is no parameter of the fit or a level is unknown.
    """
    data = fit.data
    k = _price_index(data, price)
    contrasts, labels = _contrasts(data, price, steps)
    drawn = fit.simulate(draws, seed)
    tail = (1 - confidence) / 2
    if isinstance(fit, LatentClassResults):
        parts = _by_class(drawn, contrasts, k, tail)
    elif drawn.values.shape[1] == 1:
        parts = {"all": _pooled(fit, drawn, contrasts, k, tail)}
    else:
        parts = {"all": _over_people(drawn, contrasts, k, tail)}
    span = price_span(data, price)
    tables = []
    for segment, (estimate, low, high, note) in parts.items():
        table = pd.DataFrame(labels)
        table.insert(0, "segment", segment)
        notes = [note or (BEYOND if abs(w) > span else "") for w in estimate]
        tables.append(table.assign(
            estimate=estimate, low=low, high=high, method=drawn.method, currency=currency, respondents=int(fit.respondents), note=notes
        ))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


_Part = tuple[np.ndarray, np.ndarray, np.ndarray, str]


def _withheld(count: int, note: str) -> _Part:
    nothing = np.full(count, np.nan)
    return nothing, nothing, nothing, note


def _pooled(fit: AnyFit, drawn: Draws, contrasts: np.ndarray, k: int, tail: float) -> _Part:
    simulated = drawn.values[:, 0, :]
    if not price_drove(fit, fit.data.names[k], simulated):
        return _withheld(len(contrasts), NO_PRICE_EFFECT)
    worth = simulated @ contrasts.T / -simulated[:, [k]]
    low, high = np.quantile(worth, [tail, 1 - tail], axis=0)
    params = fit.utility_params
    return contrasts @ params / -params[k], low, high, ""


def _by_class(drawn: Draws, contrasts: np.ndarray, k: int, tail: float) -> dict[str, _Part]:
    """Every class, then all: no class may have a price that did not drive its choices, or there is no figure for all."""
    a = -np.asarray(drawn.values[:, :, k], dtype=float)
    clear = (a <= 0).mean(axis=0) <= _MOST_WRONG_SIGNS
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.einsum("rgk,sk->rgs", drawn.values, contrasts) / a[:, :, None]
    parts: dict[str, _Part] = {}
    for c, fine in enumerate(clear):
        low, middle, high = np.quantile(worth[:, c], [tail, 0.5, 1 - tail], axis=0)
        parts[f"class {c + 1}"] = (middle, low, high, "") if fine else _withheld(len(contrasts), NO_PRICE_EFFECT)
    if not clear.all():
        return {"all": _withheld(len(contrasts), CLASS_WITHOUT_PRICE), **parts}
    low, middle, high = np.quantile(
        np.einsum("rg,rgs->rs", np.broadcast_to(drawn.weights, a.shape), worth), [tail, 0.5, 1 - tail], axis=0
    )
    return {"all": (middle, low, high, ""), **parts}


def _over_people(drawn: Draws, contrasts: np.ndarray, k: int, tail: float) -> _Part:
    medians, ratios, wrong = worth_over_people(drawn, contrasts, k)
    if wrong > MOST_WITHOUT_PRICE:
        return _withheld(len(contrasts), NO_PRICE_EFFECT)
    low, middle, high = np.quantile(medians, [tail, 0.5, 1 - tail], axis=0)
    ratio = np.median(ratios, axis=0)
    apart = bool((np.abs(middle - ratio) > _HETEROGENEOUS * np.maximum(np.abs(ratio), 1e-12)).any())
    return middle, low, high, DIFFERENT if apart else ""


def worth_over_people(drawn: Draws, contrasts: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Weighted medians over respondents of W = contrast'b / a, and ratios of means, (R, steps) each; the share of prices of the wrong sign.

    A respondent whom a higher price does not deter would pay any amount for what he likes, so his W is infinite with the sign of the utility.
    """
    medians, ratios = np.empty((len(drawn.values), len(contrasts))), np.empty((len(drawn.values), len(contrasts)))
    wrong = 0.0
    for start, values, weights in drawn.blocks():
        own = slice(start, start + len(values))
        a, u = -values[:, :, k], values @ contrasts.T
        wrong += float((weights * (a <= 0)).sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = np.where(a[:, :, None] > 0, u / a[:, :, None], np.sign(u) * np.inf)
        worth = np.where(np.isnan(worth), 0.0, worth)
        medians[own] = weighted_quantiles(worth, weights, (0.5,))[0]
        ratios[own] = np.einsum("rg,rgs->rs", weights, u) / np.einsum("rg,rg->r", weights, a)[:, None]
    return medians, ratios, wrong / len(drawn.values)


def price_drove(fit: AnyFit, price: str, draws: np.ndarray) -> bool:
    """Whether money figures of a pooled fit may be shown: the price coefficient is clearly negative, in hardly any draw (R, K) not."""
    k = _price_index(fit.data, price)
    column = draws[:, k]
    clear = not price_note(float(fit.utility_params[k]), float(fit.utility_errors[k]))
    return clear and float((column >= 0).mean()) <= _MOST_WRONG_SIGNS


def price_span(data: ChoiceData, price: str) -> float:
    """Highest less lowest tested price."""
    levels = next(attribute.levels for attribute in data.attributes if attribute.name == price)
    return float(levels[-1]) - float(levels[0])


def contrast(data: ChoiceData, attribute: str, from_level: str, to_level: str) -> np.ndarray:
    """(K,) vector whose product with the parameters is u_to - u_from."""
    return np.asarray(level_row(data, attribute, to_level) - level_row(data, attribute, from_level))


def level_row(data: ChoiceData, attribute: str, level: object) -> np.ndarray:
    """(K,) coded columns of one level; DataError if the data never showed it."""
    for columns in data.attributes:
        if columns.name == attribute:
            if level not in columns.levels:
                shown = ", ".join(map(str, columns.levels))
                raise DataError(
                    f"attribute {attribute!r}: level {level!r} was never shown; allowed: {shown}; name one of these."
                )
            return np.asarray(columns.contrasts[columns.levels.index(level)])
    known = ", ".join(columns.name for columns in data.attributes)
    raise DataError(f"attribute {attribute!r} is not in the data; allowed: {known}; name one of these.")


def delta_interval(
    fit: ConditionalLogitResults, vector: np.ndarray, price: str = "price", *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of W = vector'params / a by the delta method (Hole 2007); poor when a / se(a) is below 5."""
    u, a, v_uu, v_ua, v_aa = _moments(fit, vector, price)
    w = u / a
    half = quantile(fit, confidence) * float(np.sqrt(v_uu - 2 * w * v_ua + w**2 * v_aa)) / a
    return w - half, w + half


def fieller_interval(
    fit: ConditionalLogitResults, vector: np.ndarray, price: str = "price", *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of W by Fieller (1954): {W: (u - W a)^2 <= z^2 Var(u - W a)}; unbounded where the price is not significant."""
    u, a, v_uu, v_ua, v_aa = _moments(fit, vector, price)
    z2 = quantile(fit, confidence) ** 2
    second, first, constant = a**2 - z2 * v_aa, -2 * (u * a - z2 * v_ua), u**2 - z2 * v_uu
    if second <= 0:
        return -np.inf, np.inf
    root = float(np.sqrt(first**2 - 4 * second * constant))
    return (-first - root) / (2 * second), (-first + root) / (2 * second)


def _moments(fit: ConditionalLogitResults, vector: np.ndarray, price: str) -> tuple[float, float, float, float, float]:
    params, covariance = fit.params.to_numpy(), fit.cov_params().to_numpy()
    k = _price_index(fit.data, price)
    return (
        float(vector @ params),
        float(-params[k]),
        float(vector @ covariance @ vector),
        float(-(covariance[k] @ vector)),
        float(covariance[k, k]),
    )


def _price_index(data: ChoiceData, price: str) -> int:
    if price not in data.names:
        raise DataError(
            f"price {price!r} is no parameter; allowed: {', '.join(data.names)}; add the price to the formula or name it."
        )
    return data.names.index(price)


def _contrasts(data: ChoiceData, price: str, steps: Sequence[Step] | None) -> tuple[np.ndarray, dict[str, list[str]]]:
    if steps is None:
        others = [k for k, name in enumerate(data.names) if name not in (price, NONE)]
        return np.eye(len(data.names))[others], {"parameter": [data.names[k] for k in others]}
    rows = [contrast(data, step.attribute, step.from_level, step.to_level) for step in steps]
    return np.reshape(rows, (len(rows), len(data.names))), {
        "attribute": [step.attribute for step in steps],
        "from_level": [step.from_level for step in steps],
        "to_level": [step.to_level for step in steps],
        "parameter": [f"{step.attribute}[{step.from_level} -> {step.to_level}]" for step in steps],
    }
