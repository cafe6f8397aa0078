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
from wtp.estimation.labelled import Labels, SeenAs, fit_of, plain
from wtp.estimation.latent_results import LatentClassResults
from wtp.pricing.money import Money

NO_PRICE_EFFECT = "The price did not clearly drive the answers, so no amount is shown."
CLASS_WITHOUT_PRICE = (
    "In one class the price did not drive the answers, so no amount is shown for all together; see the classes."
)
DIFFERENT = "Respondents differ much: half of them would pay less than this, half more, some much more."
BEYOND = "Beyond the span of the tested prices: read it as 'more than that span'."
NO_ONE_WORTH = "Offers of different labels differ in their attributes or in what a price means to them, so the change has no one worth: compare whole offers in the market."
AT_PRICE = "At a price of {price:g}; with this form of the price it differs from price to price."
_MOST_WRONG_SIGNS = 0.001
MOST_WITHOUT_PRICE = 0.05
_HETEROGENEOUS = 0.3
AnyFit = Any  # results of any estimator, see `estimation.draws.Fit`


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one attribute from one level to another, by their values in the choice data; label: of which offers, where alternatives bear labels."""

    attribute: str
    from_level: str
    to_level: str
    label: str = ""


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
    Where alternatives bear labels each amount is told by the price coefficient of the label that its step names, in a column offer_label; without steps, of every parameter for every label that has it.
    A change of the label itself has no one worth where attributes or prices are the labels' own; it is withheld.
    at: the price at which changes are valued where its form is not linear, by default the middle one of the tested prices.
    Columns segment, [attribute, from_level, to_level,] parameter, estimate, low, high, method, currency, respondents, note; money in the
    unit of the price column. A withheld figure is NaN and its note says why.
    Raises DataError if the fit has no such price, or a level is unknown.
    """
    if getattr(fit.data, "labels", None) is not None and not isinstance(fit, SeenAs):
        return _by_label(fit, steps, price, at=at, draws=draws, confidence=confidence, seed=seed, currency=currency)
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


def _by_label(fit: AnyFit, steps: Sequence[Step] | None, price: str, **asked: Any) -> pd.DataFrame:
    """The table where alternatives bear labels, with a column offer_label; steps keep their order."""
    labels: Labels = fit.data.labels
    if not labels.prices:
        raise DataError(
            f"price {price!r} is no parameter; allowed: {', '.join(fit.data.names)}; add the price to the formula or name it."
        )
    if steps is None:
        tables = [willingness_to_pay(fit_of(fit, name), price, **asked) for name in labels.prices]
        return pd.concat(
            [_labelled(table, name) for name, table in zip(labels.prices, tables, strict=True)], ignore_index=True
        )
    tables = []
    for step in steps:
        table = willingness_to_pay(fit_of(fit, _label_for(labels, step)), price, steps=[step], **asked)
        if step.attribute == labels.column and not labels.comparable:
            table = table.assign(estimate=np.nan, low=np.nan, high=np.nan, note=NO_ONE_WORTH)
        tables.append(_labelled(table, step.label))
    found = pd.concat(tables, ignore_index=True)
    return found.sort_values("segment", kind="stable", ignore_index=True)  # "all", then class after class


def _labelled(table: pd.DataFrame, label: str) -> pd.DataFrame:
    table.insert(1, "offer_label", label)
    return table


def _label_for(labels: Labels, step: Step) -> str:
    """The label by whose price a step is valued. Raises DataError where none is named and each has a price of its own."""
    having = [a.only for a in labels.attributes if step.attribute in (a.of, a.name)]
    if step.label or not having:
        return step.label or labels.names[0]
    if step.attribute != labels.column and (labels.own_prices or len(having) > 1):
        raise DataError(
            f"step of {step.attribute!r} without a label, and amounts differ by label; allowed: {', '.join(labels.names)}; name it in the step."
        )
    return having[0][0] if having[0] else labels.names[0]


def _in_classes(fit: AnyFit) -> bool:
    return isinstance(plain(fit), LatentClassResults) or getattr(fit, "model", "") == "latent"


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
        if data.labels is not None:
            kept = [a for a in data.attributes if a.name != data.labels.column or data.labels.comparable]
            others = [k for k in others if any(a.contrasts[:, k].any() for a in kept)]
        return np.eye(len(data.names))[others], {"parameter": [data.names[k] for k in others]}
    rows = [contrast(data, step.attribute, step.from_level, step.to_level) for step in steps]
    return np.reshape(rows, (len(rows), len(data.names))), {
        "attribute": [step.attribute for step in steps],
        "from_level": [step.from_level for step in steps],
        "to_level": [step.to_level for step in steps],
        "parameter": [f"{step.attribute}[{step.from_level} -> {step.to_level}]" for step in steps],
    }
