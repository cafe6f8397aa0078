"""The market simulator: shares of named offers, what moves them, and who takes them from whom.

Within each draw P_ij = e^(s v_ij) d_j / (sum_k e^(s v_ik) d_k + e^(s (n_i + m))) for respondent i and offer j, s a scale, d_j the reach of an offer, n_i the none utility
with a shift m; shares are weighted means over respondents, summarised over draws last. Shares on posterior means would be too extreme and their
intervals vanish. A share is one of *preference* among the offers described, not a market share: what is not described (stock, habit, sales effort)
enters through reach, calibration and scale alone.

`preference` shares have the red-bus / blue-bus property: a copy of an offer takes from all in proportion. `first choice` gives each respondent's best
offer everything. `randomized first choice` (Orme and Huber 2000) adds noise to levels and to offers, so that similar offers share their demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logsumexp

from wtp.errors import DataError
from wtp.estimation.choice_data import NONE, ChoiceData
from wtp.pricing.money import Money
from wtp.pricing.offers import Offer, as_offers, level_change, offer_vector, own_data
from wtp.pricing.people import People, summary_of
from wtp.pricing.randomized_choice import randomized_first_choice
from wtp.pricing.share_kernel import share_sums
from wtp.pricing.willingness_to_pay import MOST_WITHOUT_PRICE

PREFERENCE, FIRST_CHOICE, RANDOMIZED = "preference", "first_choice", "randomized_first_choice"
RULES = (PREFERENCE, FIRST_CHOICE, RANDOMIZED)
RED_BUS = (
    "Two offers are the same but for the price or the name: shares of preference let them take from all others in proportion; "
    "randomized first choice lets them share their own demand."
)


@dataclass(frozen=True, eq=False)
class Market:
    """Offers that compete for the respondents of a fit, or of one of its segments; read-only, each change gives a new market.

    `Market(fit, offers)`: offers as `Offer`s, or name -> {attribute: level, ..., price: number}. none: whether not buying is possible; by default where the study
    asked for it. draws: of the fit, at most. scale multiplies all utilities, none_shift is added to that of none.

    Every table has the mean over draws (a pooled fit: the figure at the estimates), and an interval over draws.
    """

    fit: Any
    offers: Any
    price: str = "price"
    none: bool | None = None
    draws: int = 500
    seed: int = 0
    scale: float = 1.0
    none_shift: float = 0.0

    def __post_init__(self) -> None:
        """Check everything at once, before anything is computed."""
        set_ = object.__setattr__
        set_(self, "offers", as_offers(self.offers, self.price))
        has_none = self.data.none is not None
        if self.none and not has_none:
            raise DataError("none=True, and the study has no none option; allowed: none=False; leave it out.")
        set_(self, "none", has_none if self.none is None else self.none)
        covered = np.zeros(len(self.data.names), dtype=bool)
        for money in self.moneys:
            covered[list(money.columns)] = True
        covered[self.data.none if has_none else []] = True
        for columns in self.data.labels.attributes if self.data.labels else self.data.attributes:
            covered |= (columns.contrasts != 0).any(axis=0)
        if not covered.all():
            names = ", ".join(name for name, known in zip(self.data.names, covered, strict=True) if not known)
            raise DataError(
                f"parameters {names} belong to no attribute; allowed: main effects; leave interactions out of the formula."
            )
        if not self.scale > 0:
            raise DataError(f"scale {self.scale!r}; allowed: above 0; mend it.")
        _ = self.vectors

    @property
    def data(self) -> ChoiceData:
        """The choice data of the fit."""
        return self.fit.data  # type: ignore[no-any-return]

    @cached_property
    def moneys(self) -> tuple[Money, ...]:
        """How the price of each offer is money: one way for all, or each label's own."""
        if self.data.labels is None:
            return (Money.of(self.data, self.price),) * len(self.offers)
        return tuple(Money.of(own_data(self.data, offer.levels), self.price) for offer in self.offers)

    @cached_property
    def priced(self) -> tuple[tuple[Money, np.ndarray], ...]:
        """The ways in which prices are money, each with the places of its offers."""
        groups: dict[tuple[int, ...], tuple[Money, list[int]]] = {}
        for place, money in enumerate(self.moneys):
            groups.setdefault(money.columns, (money, []))[1].append(place)
        return tuple((money, np.array(places)) for money, places in groups.values())

    def money_of(self, name: str) -> Money:
        """How the price of an offer is money."""
        return self.moneys[self.place(name)]

    @cached_property
    def people(self) -> People:
        """Respondents in each draw."""
        return People.of(self.fit.simulate(self.draws, self.seed))

    @cached_property
    def estimate(self) -> People | None:
        """The estimates themselves as the one draw of a pooled fit, None for other fits."""
        if not hasattr(self.fit, "utility_params"):
            return None
        return People(np.asarray(self.fit.utility_params, dtype=float)[None, :], np.ones((1, 1)))

    @cached_property
    def vectors(self) -> np.ndarray:
        """(J, K) so that utilities are `vectors @ parameters`, the none option last."""
        rows = [offer_vector(self.data, money, offer) for offer, money in zip(self.offers, self.moneys, strict=True)]
        if self.none:
            nothing = np.zeros(len(self.data.names))
            nothing[self.data.none] = 1
            rows.append(nothing)
        return np.array(rows)

    @cached_property
    def shifts(self) -> np.ndarray:
        """(J,) what reach and none shift add to the utilities."""
        added = [float(np.log(offer.reach)) for offer in self.offers]
        return np.array([*added, self.none_shift * self.scale] if self.none else added)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the rows: the offers, then "none"."""
        names = tuple(offer.name for offer in self.offers)
        return (*names, NONE) if self.none else names

    @cached_property
    def utilities(self) -> np.ndarray:
        """(J, R N) utilities in the draws."""
        return self.utilities_of(self.people)

    def utilities_of(self, people: People) -> np.ndarray:
        """(J, R N) utilities of some draws."""
        return np.ascontiguousarray(self.scale * (self.vectors @ people.values.T) + self.shifts[:, None])

    @cached_property
    def price_clear(self) -> bool:
        """Whether a higher price deters, so that anything may be said about prices."""
        if hasattr(self.fit, "utility_params"):
            drawn = self.fit.simulate().values[:, 0, :]
            return all(money.drove(self.fit, drawn) for money, _ in self.priced)
        wrong = (~money.deters(self.people.values) for money, _ in self.priced)
        return max(float(self.people.flat_weights @ own) for own in wrong) <= MOST_WITHOUT_PRICE

    def place(self, name: str) -> int:
        """Row of an offer. Raises DataError for an unknown name."""
        if name not in self.labels[: len(self.offers)]:
            known = ", ".join(offer.name for offer in self.offers)
            raise DataError(f"offer {name!r} is not in the market; allowed: {known}; name one of these.")
        return self.labels.index(name)

    def offer(self, name: str) -> Offer:
        """An offer by its name."""
        return self.offers[self.place(name)]  # type: ignore[no-any-return]

    def change(
        self, name: str, *, levels: Mapping[str, Any] | None = None, price: float | None = None, **other: Any
    ) -> Market:
        """The market in which one offer has other levels, another price, or another `unit_cost`, `reach` or `firm`: a what-if.

        What other offers are worth is not computed again.
        """
        place, old = self.place(name), self.offer(name)
        new = replace(
            old, levels={**old.levels, **(levels or {})}, price=old.price if price is None else price, **other
        )
        market = self.with_offers((*self.offers[:place], new, *self.offers[place + 1 :]))
        if "utilities" in self.__dict__:
            utilities = self.utilities.copy()
            step = self.scale * (market.vectors[place] - self.vectors[place])
            moved = np.flatnonzero(step)
            utilities[place] += self.people.values[:, moved] @ step[moved] + (market.shifts[place] - self.shifts[place])
            market.__dict__["utilities"] = utilities
        return market

    def with_offer(self, offer: Offer) -> Market:
        """The market with one more offer."""
        return self.with_offers((*self.offers, offer))

    def without(self, *names: str) -> Market:
        """The market without some offers."""
        places = [self.place(name) for name in names]
        return self.with_offers(tuple(offer for j, offer in enumerate(self.offers) if j not in places))

    def with_offers(self, offers: Sequence[Offer], none_shift: float | None = None) -> Market:
        """The market with other offers, and perhaps another none shift."""
        market = replace(self, offers=offers, none_shift=self.none_shift if none_shift is None else none_shift)
        for name in ("people", "estimate") if self.data.labels else ("people", "estimate", "price_clear"):
            if name in self.__dict__:
                market.__dict__[name] = self.__dict__[name]
        return market

    def share_draws(self) -> np.ndarray:
        """(R, J) shares of preference in each draw, the none option last."""
        return share_sums(self.utilities, self.people.weights)

    def figures(self, figure: Callable[[People, np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """A figure, people and their utilities (J, R N) -> (R, ...), in the draws, and (...) at the estimates of a pooled fit, None for others."""
        exact = None if self.estimate is None else figure(self.estimate, self.utilities_of(self.estimate))[0]
        return figure(self.people, self.utilities), exact

    def summarise(self, figure: Callable[[People, np.ndarray], np.ndarray], confidence: float) -> pd.DataFrame:
        """estimate, low, high of a figure: people and their utilities (J, R N) -> (R, n)."""
        return summary_of(*self.figures(figure), confidence)

    def shares(self, rule: str = PREFERENCE, *, confidence: float = 0.90) -> pd.DataFrame:
        """offer, share, low, high, rule, note: one row an offer and "none"; shares sum to 1."""
        if rule not in RULES:
            raise DataError(f"rule {rule!r}; allowed: {', '.join(RULES)}; name one of these.")
        rules: dict[str, Callable[[People, np.ndarray], np.ndarray]] = {
            PREFERENCE: lambda people, utilities: share_sums(utilities, people.weights),
            FIRST_CHOICE: _first_choice,
            RANDOMIZED: lambda people, utilities: randomized_first_choice(
                utilities, people.weights, self._level_places, self.seed
            ),
        }
        figure = rules[rule]
        if rule == RANDOMIZED:
            # Simulated noise has no figure at the estimates alone; the draws average over it.
            table = summary_of(figure(self.people, self.utilities), None, confidence)
        else:
            table = self.summarise(figure, confidence)
        alike = rule == PREFERENCE and self._alike()
        named = table.rename(columns={"estimate": "share"})
        named.insert(0, "offer", self.labels)
        return named.assign(rule=rule, note=RED_BUS if alike else "")

    @cached_property
    def _level_places(self) -> np.ndarray:
        """(J, A) number of each offer's level within each attribute, the price among them; -1 for none."""
        known = self.data.labels.attributes if self.data.labels else self.data.attributes
        names = dict.fromkeys(columns.of or columns.name for columns in known)
        kinds = [name for name in names if name not in (self.price, NONE)]
        rows = [[offer.levels.get(kind) for kind in kinds] + [offer.price] for offer in self.offers]
        codes = np.column_stack([pd.factorize(pd.Series(list(column)))[0] for column in zip(*rows, strict=True)])
        return np.vstack([codes, np.full((1, codes.shape[1]), -1)]) if self.none else codes

    def _alike(self) -> bool:
        kinds = self._level_places[: len(self.offers), :-1]
        return len(np.unique(kinds, axis=0)) < len(self.offers)

    def against_rest(self, place: int, utilities: np.ndarray) -> np.ndarray:
        """(R N,) utility of one offer less the log of the sum of exp(utility) of everything else; its share is the logistic of that."""
        others = np.delete(utilities, place, axis=0)
        if not len(others):
            raise DataError(
                "a market of one offer without a none option: its share is always 1; allowed: a rival or a none option; add one."
            )
        return np.asarray(utilities[place] - logsumexp(others, axis=0))

    def shares_with(self, place: int, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Shares (R, S) of one offer if its vector changes by each of `steps` (S, K), in the draws and at the estimates of a pooled fit."""

        def figure(people: People, utilities: np.ndarray) -> np.ndarray:
            own = self.against_rest(place, utilities)
            moved = (people.values[:, k] @ step[k] for step in steps for k in [np.flatnonzero(step)])
            return np.stack([people.mean(expit(own + self.scale * by)) for by in moved], axis=1)

        return self.figures(figure)

    def price_steps(self, place: int, prices: Sequence[float] | np.ndarray) -> np.ndarray:
        """(P, K) changes of an offer's vector that lead to these prices."""
        money = self.moneys[place]
        columns = list(money.columns)
        steps = np.zeros((len(prices), len(self.data.names)))
        steps[:, columns] = money.form.basis(np.asarray(prices, dtype=float)) - self.vectors[place, columns]
        return steps

    def share_curve(self, name: str, prices: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """(R, P) shares of one offer at other prices of its own, in the draws and at the estimates of a pooled fit."""
        place = self.place(name)
        return self.shares_with(place, self.price_steps(place, prices))

    def sensitivity(
        self, name: str, prices: Sequence[float] | None = None, *, confidence: float = 0.90
    ) -> pd.DataFrame:
        """attribute, level, share, low, high, change, change_low, change_high of one offer with each level of each attribute, and at each price.

        A label stays as it is: another one would be another offer. prices: by default the tested ones. change: against the offer as it is.
        """
        place, offer = self.place(name), self.offer(name)
        tested = self.moneys[place].form.tested if prices is None else tuple(prices)
        rows: list[tuple[str, Any]] = []
        steps = []
        data = own_data(self.data, offer.levels)
        for columns in data.attributes:
            if columns.name not in (self.price, NONE, data.labels and data.labels.column):
                here = offer.levels[columns.name]
                rows += [(columns.name, level) for level in columns.levels]
                steps += [level_change(data, columns.name, here, level) for level in columns.levels]
        rows += [(self.price, at) for at in tested]
        steps += [*self.price_steps(place, tested), np.zeros(len(self.data.names))]
        shares, exact = self.shares_with(place, np.array(steps))
        table = summary_of(shares[:, :-1], None if exact is None else exact[:-1], confidence)
        table = table.rename(columns={"estimate": "share"})
        change = summary_of(
            shares[:, :-1] - shares[:, -1:], None if exact is None else exact[:-1] - exact[-1], confidence
        )
        table[["change", "change_low", "change_high"]] = change.to_numpy()
        table.insert(0, "level", [level for _, level in rows])
        table.insert(0, "attribute", [attribute for attribute, _ in rows])
        return table

    def source_of_volume(self, name: str, *, confidence: float = 0.90) -> pd.DataFrame:
        """offer, before, after, taken, taken_low, taken_high, part: from whom a new offer takes its share.

        part: share of the new offer's demand that comes from each; from offers of the same firm it is cannibalised.
        """
        place = self.place(name)
        kept = [j for j in range(len(self.labels)) if j != place]

        def figure(people: People, utilities: np.ndarray) -> np.ndarray:
            after = share_sums(utilities, people.weights)
            before = share_sums(np.ascontiguousarray(utilities[kept]), people.weights)
            return np.hstack([before - after[:, kept], before, after[:, kept], after[:, [place]]])

        found, n = self.summarise(figure, confidence), len(kept)
        table = pd.DataFrame({
            "offer": [self.labels[j] for j in kept],
            "before": found["estimate"].to_numpy()[n : 2 * n],
            "after": found["estimate"].to_numpy()[2 * n : 3 * n],
        })  # fmt: skip
        table[["taken", "taken_low", "taken_high"]] = found.to_numpy()[:n]
        same = [j < len(self.offers) and self.offers[j].seller == self.offer(name).seller for j in kept]
        return table.assign(part=table["taken"] / found["estimate"].iloc[-1], cannibalised=same)


def _first_choice(people: People, utilities: np.ndarray) -> np.ndarray:
    """Everything to the best offer; equal ones share it."""
    best = utilities == utilities.max(axis=0)
    return people.mean(best / best.sum(axis=0)).T
