"""What an improvement is worth against competitors: the competitive premium, over given or sampled rivals, and consumer surplus.

Competitive (equal-share) worth: the W with S(z', p + W) = S(z, p), the offer at today's price p with today's levels z and other levels z', rivals and none as they are (Orme 2001,
2021). It is less than the trade-off value where people would never or always buy. S falls with p, so that W is unique; outside of the tested prices it is
censored, and how often is told. Rivals that nobody described are drawn at random (sampling of scenarios).

Consumer surplus (Small and Rosen 1981): the money worth of the change with the right to walk away, [lse(v') - lse(v)] / a.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logsumexp

from wtp.errors import DataError
from wtp.estimation.choice_data import NONE
from wtp.estimation.draws import draw_quantiles, weighted_quantiles
from wtp.estimation.labelled import seen_as
from wtp.pricing.money import Money
from wtp.pricing.offers import Offer, level_change, own_data
from wtp.pricing.people import People
from wtp.pricing.simulator import Market
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT, Step

CENSORED_ABOVE = "Higher than the tested prices can tell: at the highest one the share is still larger than today's."
CENSORED_BELOW = "Lower than the tested prices can tell: at the lowest one the share is still smaller than today's."
_ROUNDS = 60
_TOLERANCE = 1e-12


def competitive_worth(market: Market, name: str, steps: Sequence[Step], *, confidence: float = 0.90) -> pd.DataFrame:
    """attribute, from_level, to_level, estimate, low, high, censored, note: the price change of an offer that keeps its share after each step.

    Steps start from the offer's levels. censored: share of draws in which W is outside of the tested prices. The estimate is the median over draws (a pooled fit: at
    the estimates), withheld if it is censored itself; an end of an interval outside of the tested prices is cut off there.
    """
    if not market.price_clear:
        return _withheld(steps, confidence)
    drawn, exact = market.figures(lambda people, utilities: _equal_share(market, name, steps, people, utilities, None))
    return _table(steps, drawn, exact, confidence, _room(market, market.offer(name)))


def _room(market: Market, offer: Offer) -> tuple[float, float]:
    """By how much the price of an offer can fall and rise within the tested prices."""
    tested = market.money_of(offer.name).form.tested
    return tested[0] - offer.price, tested[-1] - offer.price


def equal_share_worth(
    market: Market, name: str, steps: Sequence[Step], *, bounds: tuple[float, float] | None = None
) -> np.ndarray:
    """(R, S) W of each step in each draw; infinite where the price p + W would be outside of the bounds, by default the tested prices."""
    return _equal_share(market, name, steps, market.people, market.utilities, bounds)


def equal_share_estimate(
    market: Market, name: str, steps: Sequence[Step], *, bounds: tuple[float, float] | None = None
) -> np.ndarray | None:
    """(S,) the same at the estimates of a pooled fit, None for others."""
    if market.estimate is None:
        return None
    utilities = market.utilities_of(market.estimate)
    return np.asarray(_equal_share(market, name, steps, market.estimate, utilities, bounds)[0])


def _equal_share(
    market: Market,
    name: str,
    steps: Sequence[Step],
    people: People,
    utilities: np.ndarray,
    bounds: tuple[float, float] | None,
) -> np.ndarray:
    place, offer = market.place(name), market.offer(name)
    own = market.against_rest(place, utilities)
    today = people.mean(expit(own))
    found = np.empty((people.draws, len(steps)))
    data = own_data(market.data, offer.levels)
    for s, step in enumerate(steps):
        if step.from_level != offer.levels.get(step.attribute):
            raise DataError(
                f"step from {step.from_level!r}: the offer {name!r} has {offer.levels.get(step.attribute)!r}; allowed: steps from its own levels; mend it."
            )
        change = level_change(data, step.attribute, step.from_level, step.to_level)
        moved = own + market.scale * (people.values @ change)
        found[:, s] = _solve(market, market.moneys[place], people, moved, offer.price, today, bounds)
    return found


def _solve(
    market: Market,
    money: Money,
    people: People,
    own: np.ndarray,
    price: float,
    today: np.ndarray,
    bounds: tuple[float, float] | None,
) -> np.ndarray:
    """(R,) W with mean share(price + W) = today, by Newton's steps kept inside a bracket that halves."""
    form, columns = money.form, list(money.columns)
    coefficients = market.scale * people.values[:, columns].reshape(people.draws, -1, len(columns))
    shaped = own.reshape(people.draws, -1)
    here = form.basis(np.array([price]))

    def gap(worth: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        basis, slope = form.basis(price + worth) - here, form.slope_basis(price + worth)
        chance = expit(shaped[rows] + np.einsum("rnm,rm->rn", coefficients[rows], basis))
        weights = people.weights if len(people.weights) == 1 else people.weights[rows]
        falls = np.einsum("rnm,rm->rn", coefficients[rows], slope)
        return (weights * chance).sum(axis=1) - today[rows], (weights * falls * chance * (1 - chance)).sum(axis=1)

    everyone = np.arange(people.draws)
    lowest, highest = bounds or (form.tested[0], form.tested[-1])
    low, high = np.full(people.draws, lowest - price), np.full(people.draws, highest - price)
    worth = np.where(gap(high, everyone)[0] > 0, np.inf, np.where(gap(low, everyone)[0] < 0, -np.inf, 0.0))
    worth[worth == 0] = np.clip(0.0, low[0], high[0])
    rows = np.flatnonzero(np.isfinite(worth))
    for _ in range(_ROUNDS):
        if not len(rows):
            break
        value, slope = gap(worth[rows], rows)
        low[rows] = np.where(value > 0, worth[rows], low[rows])
        high[rows] = np.where(value < 0, worth[rows], high[rows])
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = worth[rows] - value / slope
        inside = (newton > low[rows]) & (newton < high[rows])
        moved = np.where(inside, newton, (low[rows] + high[rows]) / 2)
        done = (np.abs(moved - worth[rows]) < _TOLERANCE * money.span) | (value == 0)
        worth[rows] = np.where(value == 0, worth[rows], moved)
        rows = rows[~done]
    return worth


def _withheld(steps: Sequence[Step], confidence: float) -> pd.DataFrame:
    nothing = np.full((1, len(steps)), np.nan)
    return _table(steps, nothing, None, confidence).assign(censored=np.nan, note=NO_PRICE_EFFECT)


def _table(
    steps: Sequence[Step],
    drawn: np.ndarray,
    exact: np.ndarray | None,
    confidence: float,
    room: tuple[float, float] | None = None,
) -> pd.DataFrame:
    tail = (1 - confidence) / 2
    middle, low, high = draw_quantiles(drawn, [0.5, tail, 1 - tail])
    estimate = middle if exact is None else exact
    note = np.where(estimate == np.inf, CENSORED_ABOVE, np.where(estimate == -np.inf, CENSORED_BELOW, ""))
    if room is not None:  # what is known of a censored figure is on one side of it alone
        low = np.where(estimate == -np.inf, np.nan, low.clip(*room))
        high = np.where(estimate == np.inf, np.nan, high.clip(*room))
    figures = [np.where(np.isinf(figure), np.nan, figure) for figure in (estimate, low, high)]
    return pd.DataFrame({
        "attribute": [step.attribute for step in steps],
        "from_level": [step.from_level for step in steps],
        "to_level": [step.to_level for step in steps],
        **dict(zip(("estimate", "low", "high"), figures, strict=True)),
        "censored": np.isinf(drawn).mean(axis=0),
        "note": note,
    })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Random rivals: how many scenarios, how many rivals in each."""

    count: int = 50
    rivals: int = 4
    seed: int = 0


def sampled_worth(
    fit: Any,
    offer: Offer,
    steps: Sequence[Step],
    scenarios: Scenarios | None = None,
    *,
    price: str = "price",
    draws: int = 200,
    confidence: float = 0.90,
) -> pd.DataFrame:
    """The competitive worth where nobody described the rivals: columns as `competitive_worth`, and `scenarios`.

    Rivals have random levels and tested prices, all equally probable. Within each draw the median over scenarios; across draws median and interval, so that
    the interval is that of the respondents. censored: share of draws and scenarios.
    """
    plan = scenarios or Scenarios()
    rng = np.random.default_rng([plan.seed, 17])
    first = Market(fit, [offer], price=price, draws=draws)
    if not first.price_clear:
        return _withheld(steps, confidence).assign(scenarios=0)
    found = []
    for _ in range(plan.count):
        rivals = [_rival(first, f"rival {r + 1}", rng) for r in range(plan.rivals)]
        found.append(equal_share_worth(first.with_offers([offer, *rivals]), offer.name, steps))
    every = np.stack(found)  # (scenarios, R, S)
    middle = np.quantile(every, 0.5, axis=0, method="inverted_cdf")
    table = _table(steps, middle, None, confidence, _room(first, offer))
    return table.assign(censored=np.isinf(every).mean(axis=(0, 1)), scenarios=plan.count)


def _rival(market: Market, name: str, rng: np.random.Generator) -> Offer:
    """An offer with random levels and a tested price; where alternatives bear labels, a random label and what that one has."""
    data = market.data
    label = str(rng.choice(data.labels.names)) if data.labels else ""
    data = seen_as(data, label)
    shown = {c.name: c.levels for c in data.attributes if c.name not in (market.price, NONE)}
    if data.labels:
        shown[data.labels.column] = (label,)
    tested = Money.of(data, market.price).form.tested
    levels = {a: own[int(rng.integers(len(own)))] for a, own in shown.items()}
    return Offer(name, levels, tested[int(rng.integers(len(tested)))])


def consumer_surplus(market: Market, name: str, steps: Sequence[Step], *, confidence: float = 0.90) -> pd.DataFrame:
    """attribute, from_level, to_level, estimate, low, high, note: money worth of each step of an offer to its market, the right to walk away included.

    Within each draw the weighted median over respondents (those who would not buy anyway gain nothing); a pooled fit has one. Where the price is not linear its slope at
    the offer's price is used.
    """
    place, offer = market.place(name), market.offer(name)
    data = own_data(market.data, offer.levels)

    def figure(people: People, utilities: np.ndarray) -> np.ndarray:
        money = market.moneys[place]
        slope = money.form.slope_basis(np.array([offer.price]))[0]
        sensitivity = -market.scale * (people.values[:, list(money.columns)] @ slope)
        before = logsumexp(utilities, axis=0)
        found = []
        for step in steps:
            change = level_change(data, step.attribute, step.from_level, step.to_level)
            after = utilities.copy()
            after[place] += market.scale * (people.values @ change)
            gain = logsumexp(after, axis=0) - before
            found.append(
                np.where(sensitivity > 0, gain / np.where(sensitivity > 0, sensitivity, 1.0), np.sign(gain) * np.inf)
            )
        worth = np.stack(found, axis=1).reshape(people.draws, -1, len(steps))
        return np.asarray(weighted_quantiles(worth, np.broadcast_to(people.weights, worth.shape[:2]), (0.5,))[0])

    if not market.price_clear:
        return _withheld(steps, confidence).drop(columns="censored")
    return _table(steps, *market.figures(figure), confidence).drop(columns="censored")
