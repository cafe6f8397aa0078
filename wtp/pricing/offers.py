"""Named offers: what is sold, at which price, by whom, at which cost; and their place among the parameters of a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wtp.errors import DataError
from wtp.estimation.choice_data import NONE, ChoiceData
from wtp.estimation.labelled import fit_of, seen_as
from wtp.pricing.money import Money
from wtp.pricing.willingness_to_pay import level_row


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer of a market.

    levels: attribute -> level, all attributes of the data but the price; where alternatives bear labels, those that its label has. firm: offers of one firm are priced together; by default
    the offer's own name. unit_cost: money a purchase, NaN if unknown. reach: share of customers who know the offer and can get it.
    """

    name: str
    levels: Mapping[str, Any]
    price: float
    firm: str = ""
    unit_cost: float = math.nan
    reach: float = 1.0

    @property
    def seller(self) -> str:
        """The firm, or the offer's name."""
        return self.firm or self.name


def as_offers(offers: Sequence[Offer] | Mapping[str, Mapping[str, Any]], price: str) -> tuple[Offer, ...]:
    """Offers, also from name -> {attribute: level, ..., price: number}. Raises DataError for none, doubles and prices that are none."""
    if isinstance(offers, Mapping):
        made = []
        for name, parts in offers.items():
            if price not in parts:
                raise DataError(f"offer {name!r}: no {price!r}; allowed: every attribute and the price; add it.")
            made.append(Offer(name, {key: level for key, level in parts.items() if key != price}, parts[price]))
    else:
        made = list(offers)
    names = [offer.name for offer in made]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not made or twice or NONE in names:
        found = f"the name {', '.join(twice)} twice" if twice else "an offer called 'none'" if made else "no offer"
        raise DataError(f"offers: {found}; allowed: one or more offers, each with a name of its own; mend the list.")
    for offer in made:
        if not (isinstance(offer.price, int | float | np.number) and math.isfinite(offer.price) and offer.price >= 0):
            raise DataError(f"offer {offer.name!r}: price {offer.price!r}; allowed: a number from 0; mend it.")
        if not 0 < offer.reach <= 1:
            raise DataError(f"offer {offer.name!r}: reach {offer.reach!r}; allowed: above 0 to 1; mend it.")
    return tuple(made)


def own_data(data: Any, levels: Mapping[str, Any]) -> Any:
    """The data as offers of this one's label see them; the data themselves where there are no labels. Raises DataError without a known label."""
    if data.labels is None:
        return data
    if data.labels.column not in levels:
        raise DataError(
            f"an offer without {data.labels.column!r}; allowed: {', '.join(data.labels.names)}; add which of them it is."
        )
    return seen_as(data, str(levels[data.labels.column]))


def own_fit(fit: Any, levels: Mapping[str, Any]) -> Any:
    """The fit as offers of this one's label see it, see `own_data`."""
    own_data(fit.data, levels)
    return fit if fit.data.labels is None else fit_of(fit, str(levels[fit.data.labels.column]))


def level_part(data: ChoiceData, attribute: str, level: Any) -> np.ndarray:
    """(K,) columns of one level; a number between those shown is taken where the attribute entered as a number."""
    for columns in data.attributes:
        if columns.name == attribute and columns.numeric and level not in columns.levels:
            lowest, highest = min(columns.levels), max(columns.levels)
            if not (isinstance(level, int | float | np.number) and lowest <= level <= highest):
                raise DataError(
                    f"attribute {attribute!r}: {level!r} was never shown; allowed: {lowest:g} to {highest:g}; name a number between."
                )
            part = np.zeros(len(data.names))
            part[data.names.index(attribute)] = level
            return part
    return level_row(data, attribute, level)


def level_change(data: ChoiceData, attribute: str, from_level: Any, to_level: Any) -> np.ndarray:
    """(K,) what a step adds to an offer's vector."""
    return np.asarray(level_part(data, attribute, to_level) - level_part(data, attribute, from_level))


def levels_vector(data: ChoiceData, levels: Mapping[str, Any]) -> np.ndarray:
    """(K,) columns of levels of attributes together, at price 0."""
    data = own_data(data, levels)
    return np.asarray(np.sum([level_part(data, attribute, level) for attribute, level in levels.items()], axis=0))


def offer_vector(data: ChoiceData, money: Money, offer: Offer) -> np.ndarray:
    """(K,) vector whose product with the parameters is the offer's utility, the price included: of its own label, where alternatives bear labels.

    Raises DataError for an attribute that is missing or unknown, or a level that was never shown.
    """
    if data.labels is not None:
        data = own_data(data, offer.levels)
        money = Money.of(data, money.form.column)
    wanted = [columns.name for columns in data.attributes if columns.name not in (money.form.column, NONE)]
    missing = [name for name in wanted if name not in offer.levels]
    if missing:
        raise DataError(
            f"offer {offer.name!r}: no level of {', '.join(missing)}; allowed: a level of each of {', '.join(wanted)}; add it."
        )
    vector = levels_vector(data, offer.levels)
    vector[list(money.columns)] = money.form.basis(np.array([offer.price], dtype=float))[0]
    return vector
