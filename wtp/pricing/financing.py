"""Financing without a trick: the same offer as a cash price and as instalments, and every amount in both views.

Instalments of a price P less a down payment over n months at a yearly interest i (nominal, monthly r = i / 12): P r / (1 - (1 + r)^-n), P / n without interest. Utility is of the cash
price, so that an offer is worth the same however its price is written; whether customers like instalments is the part-worth of the attribute financing, not a
part of the price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.pricing.offers import Offer

_MONEY = ("estimate", "low", "high", "limit", "safe", "safe_low", "safe_high", "stretch", "stretch_low", "stretch_high", "change", "change_low", "change_high")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """months of instalments, interest a year (0.06 is 6 per cent), down_payment as a share of the price."""

    months: int
    interest: float = 0.0
    down_payment: float = 0.0

    def __post_init__(self) -> None:
        """Refuse terms that are none."""
        if self.months < 1 or not 0 <= self.interest < 1 or not 0 <= self.down_payment < 1:
            raise DataError(
                f"terms: {self.months} months, interest {self.interest:g}, down payment {self.down_payment:g}; "
                "allowed: 1 month or more, interest and down payment from 0 to below 1; mend them."
            )

    @property
    def per_month(self) -> float:
        """Instalment a month of one unit of money of the cash price."""
        rate = self.interest / 12
        share = 1 - self.down_payment
        return share / self.months if rate == 0 else float(share * rate / (1 - (1 + rate) ** -self.months))

    def instalment(self, price: float | np.ndarray) -> float | np.ndarray:
        """Money a month of a cash price."""
        return price * self.per_month

    def cash_price(self, instalment: float | np.ndarray) -> float | np.ndarray:
        """The cash price that an instalment pays for."""
        return instalment / self.per_month

    def total(self, price: float | np.ndarray) -> float | np.ndarray:
        """What is paid in all: the down payment and every instalment."""
        return price * (self.down_payment + self.months * self.per_month)

    def offer(self, offer: Offer, instalment: float) -> Offer:
        """The offer at the cash price of an instalment: what the simulator takes."""
        return Offer(
            offer.name, offer.levels, float(self.cash_price(instalment)), offer.firm, offer.unit_cost, offer.reach
        )


def in_instalments(table: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """A table of money in cash with every amount also a month: column estimate_per_month beside estimate, and so on."""
    monthly = {
        f"{name}_per_month": terms.instalment(table[name].to_numpy(dtype=float)) for name in _MONEY if name in table
    }
    if not monthly:
        raise DataError(
            f"no amount in columns {', '.join(table.columns)}; allowed: one of {', '.join(_MONEY)}; pass a table of money."
        )
    return table.assign(**monthly)
