"""Willingness to pay: the money that offsets a change between two named levels, W = (u_to - u_from) / a.

a = -(price coefficient) > 0. Each W is computed inside each Krinsky-Robb draw of a pooled fit and summarised last (percentiles; the point
is the ratio of the estimates). Where the price did not clearly drive the answers there is no W, whatever the ratio would say (Krinsky and
Robb 1986; Hole 2007; Fieller 1954). W is a trade-off value: not a price that half would pay, and not to be added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.choice_data import NONE, ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults, quantile
from wtp.estimation.diagnostics import price_note
from wtp.estimation.draws import krinsky_robb

NO_PRICE_EFFECT = "The price did not clearly drive the answers, so no amount is shown."
BEYOND = "Beyond the span of the tested prices: read it as 'more than that span'."
_MOST_WRONG_SIGNS = 0.001


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one attribute from one level to another, by their values in the choice data."""

    attribute: str
    from_level: str
    to_level: str


def willingness_to_pay(
    fit: ConditionalLogitResults,
    price: str = "price",
    *,
    steps: Sequence[Step] | None = None,
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
    currency: str = "",
) -> pd.DataFrame:
    """WTP of every parameter (against its base level, or per unit), or of every step.

    Columns segment, [attribute, from_level, to_level,] parameter, estimate, low, high, method, currency, respondents, note; money in the
    unit of the price column. A withheld figure is NaN and its note says why.
    Raises DataError if `price` is no parameter of the fit or a level is unknown.
    """
    data = fit.data
    k = _price_index(data, price)
    contrasts, labels = _contrasts(data, price, steps)
    table = pd.DataFrame(labels)
    table.insert(0, "segment", "all")
    params = fit.params.to_numpy()
    simulated = krinsky_robb(fit, draws, seed)[:, 0, :]
    if price_drove(fit, price, simulated):
        worth = simulated @ contrasts.T / -simulated[:, [k]]
        tail = (1 - confidence) / 2
        low, high = np.quantile(worth, [tail, 1 - tail], axis=0)
        estimate = contrasts @ params / -params[k]
        span = price_span(data, price)
        notes = [BEYOND if abs(w) > span else "" for w in estimate]
    else:
        estimate = low = high = np.full(len(contrasts), np.nan)
        notes = [NO_PRICE_EFFECT] * len(contrasts)
    return table.assign(
        estimate=estimate,
        low=low,
        high=high,
        method="krinsky_robb",
        currency=currency,
        respondents=fit.respondents,
        note=notes,
    )


def price_drove(fit: ConditionalLogitResults, price: str, draws: np.ndarray) -> bool:
    """Whether money figures may be shown: the price coefficient is clearly negative, in hardly any draw (R, K) not."""
    k = _price_index(fit.data, price)
    clear = not price_note(float(fit.params.iloc[k]), float(fit.bse.iloc[k]))
    return clear and float((draws[:, k] >= 0).mean()) <= _MOST_WRONG_SIGNS


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
