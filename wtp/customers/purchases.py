"""What customers bought: cross-selling, up-selling, discounts; and what of it is known of a single customer.

Purchases are what people did with what they were offered; they also show supply, sales effort and discounts of that time, so they never stand for a willingness to pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

SMALLEST_GROUP = 10
PURCHASE_COLUMNS = ["customer", "family", "amount", "list_price", "attribute", "offered_up", "stepped_up", "surcharge"]
CROSS, UP, DISCOUNT, FAMILIES = "cross_selling", "up_selling", "discount", "families"


def selling(purchases: pd.DataFrame, segments: pd.Series, *, confidence: float = 0.90) -> pd.DataFrame:
    """segment, figure, customers, estimate, low, high: cross_selling (share of customers with two or more families), up_selling (steps up taken of those offered),
    discount (mean share off the list price, by customer), families (mean number by customer).

    purchases: customer, family, offered_up, stepped_up, amount, list_price. segments: segment by customer, missing for some; "all" is everybody. Shares have Wilson (1927) intervals; of up-selling
    with the number of offers that counts as many as these, since one customer gets several. Groups of fewer than 10 customers have no row.
    """
    each = by_customer(purchases)
    groups = {"all": each, **{str(name): each[each.index.isin(own.index)] for name, own in segments.groupby(segments)}}
    rows = []
    for name, own in groups.items():
        figures = {
            CROSS: _share(own["families"] >= 2, confidence),
            UP: _taken(own, confidence),
            DISCOUNT: _mean(own["discount"].dropna(), confidence),
            FAMILIES: _mean(own["families"], confidence),
        }
        rows += [(name, figure, *found) for figure, found in figures.items() if found[0] >= SMALLEST_GROUP]
    return pd.DataFrame(rows, columns=["segment", "figure", "customers", "estimate", "low", "high"])


def families(purchases: pd.DataFrame, segments: pd.Series, *, confidence: float = 0.90) -> pd.DataFrame:
    """segment, family, customers, share, low, high: how many of the customers who bought anything bought of each family. Groups of fewer than 10 customers, and families bought by 1 to 9 of them, are left out."""
    rows = []
    there = pd.Index(purchases["customer"].dropna().unique())
    groups = {"all": there, **{str(name): there[there.isin(own.index)] for name, own in segments.groupby(segments)}}
    for name, own in groups.items():
        bought = purchases[purchases["customer"].isin(own)].drop_duplicates(["customer", "family"])["family"]
        for family, count in bought.value_counts().items() if len(own) >= SMALLEST_GROUP else ():
            if count >= SMALLEST_GROUP:
                low, high = proportion_confint(count, len(own), alpha=1 - confidence, method="wilson")
                rows.append((name, str(family), int(count), count / len(own), low, high))
    return pd.DataFrame(rows, columns=["segment", "family", "customers", "share", "low", "high"])


def by_customer(purchases: pd.DataFrame) -> pd.DataFrame:
    """One row a customer: purchases, families, offered, taken, discount (mean share off the list price, NaN if unknown)."""
    known = purchases.dropna(subset=["customer"])
    off = 1 - known["amount"].astype(float) / known["list_price"].astype(float)
    taken = known["stepped_up"].fillna(False).astype(bool)
    # An offer of which nobody knows what came of it is no refusal.
    offered = (known["offered_up"].fillna(False).astype(bool) & known["stepped_up"].notna()) | taken
    frame = known.assign(off=off.where(np.isfinite(off)), offered=offered, taken=taken)
    return frame.groupby("customer", sort=True).agg(
        purchases=("family", "size"),
        families=("family", "nunique"),
        offered=("offered", "sum"),
        taken=("taken", "sum"),
        discount=("off", "mean"),
    )


def known_of(purchases: pd.DataFrame, problems: Mapping[Any, str]) -> dict[Any, dict[str, Any]]:
    """What is known by customer, as plain values that are kept with a respondent: purchases, families, offered, taken, discount; steps: (attribute, surcharge, taken) of every offer to step up; core_problem from contacts.

    problems: core problem by customer. Who bought and told nothing is left out.
    """
    known: dict[Any, dict[str, Any]] = {customer: {"core_problem": problem} for customer, problem in problems.items()}
    for customer, row in by_customer(purchases).iterrows():
        found = {name: int(row[name]) for name in ("purchases", "families", "offered", "taken")}
        known.setdefault(customer, {}).update(found)
        if pd.notna(row["discount"]):
            known[customer]["discount"] = round(float(row["discount"]), 6)
    told = purchases.dropna(subset=["customer", "attribute", "surcharge", "stepped_up"])
    told = told[told["offered_up"].map(lambda offered: offered is not False) | told["stepped_up"].astype(bool)]
    for customer, attribute, surcharge, taken in told[
        ["customer", "attribute", "surcharge", "stepped_up"]
    ].values.tolist():
        known[customer].setdefault("steps", []).append([str(attribute), float(surcharge), bool(taken)])
    return known


_Figure = tuple[int, float, float, float]


def _share(values: pd.Series, confidence: float) -> _Figure:
    count, n = int(values.sum()), len(values)
    if not n:
        return 0, np.nan, np.nan, np.nan
    low, high = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    return n, count / n, float(low), float(high)


def _mean(values: pd.Series, confidence: float) -> _Figure:
    n = len(values)
    if n < 2 or values.std() == 0:
        mean = float(values.mean()) if n else np.nan
        return n, mean, mean, mean
    low, high = DescrStatsW(values.astype(float)).tconfint_mean(alpha=1 - confidence)
    return n, float(values.mean()), float(low), float(high)


def _taken(own: pd.DataFrame, confidence: float) -> _Figure:
    """A ratio of sums: its variance from the customers' own sums, as an equivalent number of single offers."""
    asked = own[own["offered"] > 0]
    n = len(asked)
    if n < 2:
        return n, np.nan, np.nan, np.nan
    offered = float(asked["offered"].sum())
    share = float(asked["taken"].sum()) / offered
    residual = (asked["taken"] - share * asked["offered"]).to_numpy(dtype=float)
    variance = float((residual**2).sum()) / offered**2 * n / (n - 1)
    equivalent = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else float(n)
    trials = min(equivalent, offered)
    low, high = proportion_confint(share * trials, trials, alpha=1 - confidence, method="wilson")
    return n, share, float(low), float(high)
