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
from wtp.estimation.draws import Draws, draw_quantiles, weighted_quantiles
from wtp.estimation.latent_results import LatentClassResults
from wtp.pricing.money import Money

NO_PRICE_EFFECT = "The price did not clearly drive the answers, so no amount is shown."
CLASS_WITHOUT_PRICE = (
    "In one class the price did not drive the answers, so no amount is shown for all together; see the classes."
)
DIFFERENT = "Respondents differ much: half of them would pay less than this, half more, some much more."
BEYOND = "Beyond the span of the tested prices: read it as 'more than that span'."
AT_PRICE = "At a price of {price:g}; with this form of the price it differs from price to price."
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
    at: float | None = None,
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
    currency: str = "",
) -> pd.DataFrame:
    """WTP of every parameter (against its base level, or per unit), or of every step, from any kind of fit.

    Pooled fits: the ratio of the estimates with its interval over the draws. Where respondents differ (hierarchical, mixed): within each draw the weighted median
    over respondents, across draws median and interval; means of ratios mislead (Daly, Hess and Train 2012). Latent classes: each class, segment "class 1"
    and so on, and for all the share-weighted mean. One segment of a hierarchical fit is `fit.segment(members)`.
    at: the price at which changes are valued where its form is not linear, by default the middle one of the tested prices.
    Columns segment, [attribute, from_level, to_level,] parameter, estimate, low, high, method, currency, respondents, note; money in the
    unit of the price column. A withheld figure is NaN and its note says why.
    Raises DataError if the fit has no such price, or a level is unknown.
    """
    data = fit.data
    money = Money.of(data, price, at)
    contrasts, labels = _contrasts(data, money, steps)
    drawn = fit.simulate(draws, seed)
    tail = (1 - confidence) / 2
    if _in_classes(fit):
        parts = _by_class(drawn, contrasts, money, tail)
    elif hasattr(fit, "utility_params"):
        parts = {"all": _pooled(fit, drawn, contrasts, money, tail)}
    else:
        parts = {"all": _over_people(drawn, contrasts, money, tail)}
    usual = AT_PRICE.format(price=money.at) if money.depends_on_price else getattr(fit, "caveat", "")
    tables = []
    for segment, (estimate, low, high, remarks) in parts.items():
        table = pd.DataFrame(labels)
        table.insert(0, "segment", segment)
        notes = [note or (BEYOND if abs(w) > money.span else usual) for w, note in zip(estimate, remarks, strict=True)]
        shown = [np.where(np.isinf(figure), np.nan, figure) for figure in (estimate, low, high)]
        tables.append(table.assign(
            estimate=shown[0], low=shown[1], high=shown[2], method=drawn.method, currency=currency, respondents=int(fit.respondents), note=notes
        ))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _in_classes(fit: AnyFit) -> bool:
    return isinstance(fit, LatentClassResults) or getattr(fit, "model", "") == "latent"


def worth_draws(fit: AnyFit, drawn: Draws, contrasts: np.ndarray, money: Money) -> tuple[np.ndarray, np.ndarray | None]:
    """The WTP of changes (S, K) for all together, as `willingness_to_pay` has it: (R, S) in the draws, and (S,) at the estimates of a pooled fit; NaN where it is withheld."""
    point: np.ndarray | None = None
    if hasattr(fit, "utility_params"):
        shown = money.drove(fit, drawn.values[:, 0, :])
        worths, point = money.worth(drawn.values[:, 0, :], contrasts), money.worth(fit.utility_params, contrasts)
    elif _in_classes(fit):
        values = np.asarray(drawn.values, dtype=float)
        deterred = money.deters(values)
        shown = bool(((~deterred).mean(axis=0) <= _MOST_WRONG_SIGNS).all())
        kept = deterred.all(axis=1)
        weights = np.broadcast_to(drawn.weights, values.shape[:2])[kept]
        worths = np.einsum("rg,rgs->rs", weights, money.worth(values[kept], contrasts))
    else:
        worths, _, wrong = worth_over_people(drawn, contrasts, money)
        shown = wrong <= MOST_WITHOUT_PRICE
    if shown:
        return worths, point
    return np.full((max(len(worths), 1), len(contrasts)), np.nan), None


_Part = tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]


def _withheld(count: int, note: str) -> _Part:
    nothing = np.full(count, np.nan)
    return nothing, nothing, nothing, [note] * count


def _pooled(fit: AnyFit, drawn: Draws, contrasts: np.ndarray, money: Money, tail: float) -> _Part:
    simulated = np.asarray(drawn.values[:, 0, :])
    if not money.drove(fit, simulated):
        return _withheld(len(contrasts), NO_PRICE_EFFECT)
    worth = money.worth(simulated[money.deters(simulated)], contrasts)
    low, high = draw_quantiles(worth, [tail, 1 - tail])
    return money.worth(fit.utility_params, contrasts), low, high, [""] * len(contrasts)


def _by_class(drawn: Draws, contrasts: np.ndarray, money: Money, tail: float) -> dict[str, _Part]:
    """Every class, then all: no class may have a price that did not drive its choices, or there is no figure for all."""
    values = np.asarray(drawn.values, dtype=float)
    clear = (~money.deters(values)).mean(axis=0) <= _MOST_WRONG_SIGNS
    worth = money.worth(values, contrasts)
    parts: dict[str, _Part] = {}
    for c, fine in enumerate(clear):
        if fine:
            low, middle, high = draw_quantiles(worth[money.deters(values[:, c]), c], [tail, 0.5, 1 - tail])
        parts[f"class {c + 1}"] = (
            (middle, low, high, [""] * len(contrasts)) if fine else _withheld(len(contrasts), NO_PRICE_EFFECT)
        )
    if not clear.all():
        return {"all": _withheld(len(contrasts), CLASS_WITHOUT_PRICE), **parts}
    everywhere = money.deters(values).all(axis=1)
    weights = np.broadcast_to(drawn.weights, values.shape[:2])[everywhere]
    low, middle, high = draw_quantiles(np.einsum("rg,rgs->rs", weights, worth[everywhere]), [tail, 0.5, 1 - tail])
    return {"all": (middle, low, high, [""] * len(contrasts)), **parts}


def _over_people(drawn: Draws, contrasts: np.ndarray, money: Money, tail: float) -> _Part:
    medians, ratios, wrong = worth_over_people(drawn, contrasts, money)
    if wrong > MOST_WITHOUT_PRICE:
        return _withheld(len(contrasts), NO_PRICE_EFFECT)
    low, middle, high = draw_quantiles(medians, [tail, 0.5, 1 - tail])
    ratio = np.median(ratios, axis=0)
    # A gap that the interval covers is no sign of anything, and near 0 every gap is large in per cent.
    apart = np.abs(middle - ratio) > np.maximum(_HETEROGENEOUS * np.abs(ratio), (high - low) / 2)
    return middle, low, high, [DIFFERENT if here else "" for here in apart]


def worth_over_people(drawn: Draws, contrasts: np.ndarray, money: Money) -> tuple[np.ndarray, np.ndarray, float]:
    """Weighted medians over respondents of the worth W of changes (S, K), and that of the average respondent, (R, S) each; the share of prices of the wrong sign.

    A respondent whom a higher price does not deter would pay any amount for what he likes, so his W is infinite with the sign of the utility.
    """
    medians, ratios = np.empty((len(drawn.values), len(contrasts))), np.empty((len(drawn.values), len(contrasts)))
    wrong = 0.0
    for start, values, weights in drawn.blocks():
        own = slice(start, start + len(values))
        wrong += float((weights * ~money.deters(values)).sum())
        worth = money.worth_of_people(values, contrasts)
        medians[own] = weighted_quantiles(worth, weights, (0.5,))[0]
        ratios[own] = money.worth(np.einsum("rg,rgk->rk", weights, values), contrasts)
    return medians, ratios, wrong / len(drawn.values)


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


def _contrasts(data: ChoiceData, money: Money, steps: Sequence[Step] | None) -> tuple[np.ndarray, dict[str, list[str]]]:
    if steps is None:
        others = [k for k, name in enumerate(data.names) if k not in money.columns and name != NONE]
        return np.eye(len(data.names))[others], {"parameter": [data.names[k] for k in others]}
    rows = [contrast(data, step.attribute, step.from_level, step.to_level) for step in steps]
    return np.reshape(rows, (len(rows), len(data.names))), {
        "attribute": [step.attribute for step in steps],
        "from_level": [step.from_level for step in steps],
        "to_level": [step.to_level for step in steps],
        "parameter": [f"{step.attribute}[{step.from_level} -> {step.to_level}]" for step in steps],
    }
