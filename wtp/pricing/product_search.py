"""Which levels and which price are best for share, revenue or profit: of one offer, or of a small line of one firm.

One offer is settled by trying every profile and price against all respondents and draws, as long as there are at most 200,000 of them. Otherwise, and for
lines, a stated search: each offer in turn gets its best profile (all of them, or attribute by attribute) while the rest stays, until nothing improves, from
today's line and several random ones. Rivals do not answer; `nash_prices` says what happens if they do.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from wtp.errors import DataError
from wtp.estimation.choice_data import NONE
from wtp.estimation.parallel import on_cores
from wtp.pricing.demand_curve import PROFIT, REVENUE
from wtp.pricing.offers import Offer, level_part, own_data
from wtp.pricing.people import People
from wtp.pricing.share_kernel import profile_sums
from wtp.pricing.simulator import Market
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT

SHARE = "share"
EXACT, SEARCH = "exact", "search"
_MOST_PROFILES = 200_000
_MOST_PEOPLE = 500_000
_MOST_PEOPLE_SEARCHED = 50_000
_STARTS = 6
_MOST_ROUNDS = 50
_HIGHEST = 69.0  # exp of it is the largest that leaves room in single precision


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be changed of one offer: levels by attribute, prices, and what each level costs a purchase beyond any other."""

    levels: Mapping[str, tuple[Any, ...]]
    prices: tuple[float, ...]
    costs: Mapping[str, Mapping[Any, float]]

    @property
    def profiles(self) -> int:
        """How many profiles with prices there are."""
        return math.prod(map(len, self.levels.values())) * len(self.prices)

    def offer(self, offer: Offer, place: int) -> Offer:
        """The profile at a place in C order, levels of the attributes first, then the price."""
        sizes = [*map(len, self.levels.values()), len(self.prices)]
        *at, price = np.unravel_index(place, sizes)
        levels = {name: own[int(i)] for (name, own), i in zip(self.levels.items(), at, strict=True)}
        cost = float(self.unit_costs(offer)[place])
        return replace(offer, levels={**offer.levels, **levels}, price=self.prices[int(price)], unit_cost=cost)

    def unit_costs(self, offer: Offer) -> np.ndarray:
        """(profiles,) unit cost of each."""
        total = np.array([offer.unit_cost])
        for name, own in self.levels.items():
            table = self.costs.get(name, {})
            added = np.array([table.get(level, 0.0) for level in own]) - table.get(offer.levels[name], 0.0)
            total = (total[:, None] + added).ravel()
        return np.repeat(total, len(self.prices))


def best_offers(
    market: Market,
    names: str | Sequence[str],
    *,
    objective: str = PROFIT,
    levels: Mapping[str, Sequence[Any]] | None = None,
    prices: Sequence[float] | None = None,
    level_costs: Mapping[str, Mapping[Any, float]] | None = None,
    customers: float = 1.0,
    top: int = 10,
    confidence: float = 0.90,
    seed: int = 0,
) -> pd.DataFrame:
    """The best levels and prices of one offer (the best `top` of them), or of a line (its best).

    levels: those that may be chosen, by attribute; by default all that the study showed. prices: by default the tested ones. level_costs: money a purchase by
    attribute and level; the offer's own unit cost is with its present levels. Columns rank, offer, a column an attribute, price, unit_cost, share, revenue,
    profit, objective, value, low, high, method; value is of all offers of the firm together. Raises DataError for unknown levels or offers, and where a cost is missing.
    """
    line = (names,) if isinstance(names, str) else tuple(names)
    _check(market, line, objective)
    choices = _choices(market, market.offer(line[0]), levels, prices, level_costs)
    if len(line) == 1 and choices.profiles <= _MOST_PROFILES:
        values = _values(market, market.people.thinned(_MOST_PEOPLE), line[0], choices, objective)
        offer = market.offer(line[0])
        found = [_put(market, choices.offer(offer, int(p))) for p in np.argsort(-values, kind="stable")[:top]]
        method = EXACT
    else:
        people = market.people.thinned(_MOST_PEOPLE_SEARCHED)
        found, method = [_search(market, people, line, choices, objective, np.random.default_rng([seed, 13]))], SEARCH
    return pd.concat(
        [_rows(rank, m, line, objective, customers, confidence, method) for rank, m in enumerate(found, 1)],
        ignore_index=True,
    )


def _check(market: Market, line: Sequence[str], objective: str) -> None:
    if objective not in (PROFIT, REVENUE, SHARE):
        raise DataError(f"objective {objective!r}; allowed: {PROFIT}, {REVENUE}, {SHARE}; name one of these.")
    firms = {market.offer(name).seller for name in line}
    if len(firms) != 1 or len(set(line)) != len(line):
        raise DataError(
            f"offers {', '.join(line)}; allowed: one or more different offers of one firm; give them the same firm."
        )
    labels = market.data.labels
    if labels and len({market.offer(name).levels[labels.column] for name in line}) > 1:
        raise DataError(
            f"offers {', '.join(line)} with different {labels.column!r}; allowed: a line of one label; search them one by one."
        )
    missing = [o.name for o in market.offers if o.seller in firms and math.isnan(o.unit_cost)]
    if objective == PROFIT and missing:
        raise DataError(f"offers {', '.join(missing)}: no unit_cost; allowed: a cost a purchase; give it.")
    if not market.price_clear:
        raise DataError(f"best offers: {NO_PRICE_EFFECT} allowed: a price that deters; check the study.")


def _choices(
    market: Market,
    offer: Offer,
    levels: Mapping[str, Sequence[Any]] | None,
    prices: Sequence[float] | None,
    costs: Mapping[str, Mapping[Any, float]] | None,
) -> Choices:
    data = own_data(market.data, offer.levels)
    shown = {c.name: c.levels for c in data.attributes if c.name not in (market.price, NONE)}
    if data.labels:  # another label would be another offer
        shown[data.labels.column] = (offer.levels[data.labels.column],)
    unknown = [name for name in (levels or {}) if name not in shown]
    if unknown:
        raise DataError(f"levels of {', '.join(unknown)}; allowed: attributes {', '.join(shown)}; name these.")
    allowed = {name: tuple((levels or {}).get(name, own)) for name, own in shown.items()}
    tested = market.money_of(offer.name).form.tested
    wanted = tuple(map(float, prices)) if prices is not None else tested
    outside = [price for price in wanted if not tested[0] <= price <= tested[-1]]
    if outside or not wanted:
        raise DataError(
            f"prices {', '.join(f'{price:g}' for price in outside) or 'none'}; allowed: {tested[0]:g} to {tested[-1]:g}, which were tested; choose within."
        )
    return Choices(allowed, wanted, costs or {})


def _put(market: Market, offer: Offer) -> Market:
    """The market with an offer in place of the one of its name."""
    return market.change(offer.name, levels=offer.levels, price=offer.price, unit_cost=offer.unit_cost)


def _values(market: Market, people: People, name: str, choices: Choices, objective: str) -> np.ndarray:
    """(profiles,) mean over draws of what the firm gets a customer, for every profile of one offer; the rest stays."""
    place, offer = market.place(name), market.offer(name)
    data, values, weights = own_data(market.data, offer.levels), people.values, people.flat_weights
    others = np.delete(market.utilities_of(people), place, axis=0)
    rest = logsumexp(others, axis=0)
    mine = [j for j, other in enumerate(o for o in market.offers if o.name != name) if other.seller == offer.seller]
    margins = [_margin(other, objective) for other in market.offers if other.name != name]
    lost = sum((margins[j] * np.exp(others[j] - rest) for j in mine), np.zeros(len(values)))
    parts = [
        market.scale * (np.array([level_part(data, attribute, level) for level in own]) @ values.T)
        for attribute, own in choices.levels.items()
    ]
    money = market.moneys[place]
    falls = money.form.basis(np.array(choices.prices)) @ values[:, list(money.columns)].T
    parts.append(market.scale * falls)
    highest = [part.max(axis=0) for part in parts]
    odds = [np.exp(part - top) for part, top in zip(parts, highest, strict=True)]
    odds[0] *= np.exp(np.minimum(sum(highest) - rest + market.shifts[place], _HIGHEST))
    sizes = np.array([len(part) for part in parts])
    stacked = np.concatenate(odds).astype(np.float32)
    share, given = _threaded(stacked, sizes, weights, lost)
    prices = np.tile(choices.prices, choices.profiles // len(choices.prices))
    if objective == SHARE:
        margin = np.ones(choices.profiles)
    else:
        margin = prices if objective == REVENUE else prices - choices.unit_costs(offer)
    return np.asarray(margin * share - given + weights @ lost)


def _threaded(
    odds: np.ndarray, sizes: np.ndarray, weights: np.ndarray, lost: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`profile_sums` over all cores; the sum is the same for any number of them but for rounding."""
    cores = os.cpu_count() or 1
    ends = np.linspace(0, odds.shape[1], cores + 1).astype(int)
    largest = weights.max()
    scaled = (weights / largest).astype(np.float32)  # single precision has no small numbers to spare

    def part(ends: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        own = slice(*ends)
        return profile_sums(np.ascontiguousarray(odds[:, own]), sizes, scaled[own], lost[own].astype(np.float32))

    found = on_cores(part, pairwise(ends), cores)
    return largest * sum(part[0] for part in found), largest * sum(part[1] for part in found)


def _margin(offer: Offer, objective: str) -> float:
    return {SHARE: 1.0, REVENUE: offer.price, PROFIT: offer.price - offer.unit_cost}[objective]


def _search(
    market: Market,
    people: People,
    line: Sequence[str],
    choices: Choices,
    objective: str,
    rng: np.random.Generator,
) -> Market:
    """Each offer in turn gets its best profile until nothing improves, from today's line and random ones; the best of all."""
    best, best_value = market, -math.inf
    for start in range(_STARTS):
        now = market
        if start:
            for name in line:
                now = _put(now, choices.offer(market.offer(name), int(rng.integers(choices.profiles))))
        value = -math.inf
        for _ in range(_MOST_ROUNDS):
            before = value
            for name in line:
                now, value = _improved(now, people, name, choices, objective)
            if value <= before + 1e-9 * abs(before):
                break
        if value > best_value:
            best, best_value = now, value
    return best


def _improved(market: Market, people: People, name: str, choices: Choices, objective: str) -> tuple[Market, float]:
    """The market with the best profile of one offer, tried whole or attribute by attribute."""
    if choices.profiles <= _MOST_PROFILES:
        groups = [tuple(choices.levels)]
    else:
        groups = [(attribute,) for attribute in choices.levels]
    value = -math.inf
    for free in groups:
        offer = market.offer(name)
        levels = {a: own if a in free else (offer.levels[a],) for a, own in choices.levels.items()}
        part = Choices(levels, choices.prices, choices.costs)
        values = _values(market, people, name, part, objective)
        place = int(values.argmax())
        value = float(values[place])
        market = _put(market, part.offer(offer, place))
    return market, value


def _rows(
    rank: int, market: Market, line: Sequence[str], objective: str, customers: float, confidence: float, method: str
) -> pd.DataFrame:
    """One row an offer of the line, its figures and the objective of all offers of the firm."""
    firm = market.offer(line[0]).seller
    draws = market.share_draws()
    mine = [j for j, offer in enumerate(market.offers) if offer.seller == firm]
    total = sum(draws[:, j] * _margin(market.offers[j], objective) for j in mine) * (
        1.0 if objective == SHARE else customers
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(total, [tail, 1 - tail])
    rows = []
    for name in line:
        offer, share = market.offer(name), float(draws[:, market.place(name)].mean())
        figures = {
            "share": share,
            "revenue": customers * share * offer.price,
            "profit": customers * share * (offer.price - offer.unit_cost),
        }
        rows.append(
            {"rank": rank, "offer": name, **offer.levels, "price": offer.price, "unit_cost": offer.unit_cost, **figures}
            | {"objective": objective, "value": float(np.mean(total)), "low": low, "high": high, "method": method}
        )  # fmt: skip
    return pd.DataFrame(rows)
