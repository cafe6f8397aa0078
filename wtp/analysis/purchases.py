"""Purchases beside choices: what customers bought as covariates of their tastes, and whether the tastes foretell which steps up they took.

Supply, sales effort and discounts of the past are in every purchase, so purchases move a taste only as far as the choices of others with the same purchases say so, and never stand for a price limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from wtp.analysis.disclosure import not_worked_out, told
from wtp.analysis.record import ALL
from wtp.customers.purchases import PURCHASE_COLUMNS, SMALLEST_GROUP, families, known_of, selling
from wtp.errors import DataError
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.pricing.money import Money
from wtp.pricing.willingness_to_pay import contrast
from wtp.segments.declared import declared
from wtp.survey.answers import Answers, Respondent
from wtp.survey.definition import Definition

SELLING, BOUGHT_FAMILIES = "selling", "purchase_families"
FAMILIES, STEPPED_UP, DISCOUNT = "bought_families", "bought_step_ups", "bought_discount"
UP_SELLING, PURCHASE_GAIN, PURCHASE_EFFECTS = "up_selling", "purchase_gain", "purchase_effects"
_DRAWS = 200
_GROUPS = 10


def selling_tables(
    definition: Definition,
    purchases: Sequence[Mapping[str, Any]],
    links: Mapping[Any, int],
    answers: Answers,
    confidence: float,
) -> dict[str, pd.DataFrame]:
    """`selling` and `purchase_families` of all customers who bought, and of the segments of those whose answers are linked.

    purchases: rows as the store gives them, `customer` among them. links: number of the respondent by customer. Segments of fewer than 10 customers are left out, and so many that nobody can work them out.
    """
    frame = pd.DataFrame(purchases)
    if frame.empty or frame["customer"].isna().all():
        return {}
    there = set(frame["customer"].dropna())
    declared_of = declared(definition, answers.respondents)
    segments = pd.Series({customer: declared_of.get(number) for customer, number in links.items() if customer in there}, dtype="str").dropna()  # fmt: skip
    sizes = {ALL: len(there), **{str(name): int(count) for name, count in segments.value_counts().items()}}
    shown = told(sizes, smallest=SMALLEST_GROUP)
    own = segments[segments.isin(shown)]
    tables = {
        SELLING: selling(frame, own, confidence=confidence),
        BOUGHT_FAMILIES: families(frame, own, confidence=confidence),
    }
    tables = {name: _not_worked_out(table, table.columns[1]) for name, table in tables.items()}
    order = [ALL, *(segment.id for segment in definition.segments)]
    invented = int(frame["simulated"].sum())
    return {
        name: table.sort_values("segment", key=lambda s: s.map(order.index), kind="stable", ignore_index=True).assign(simulated_purchases=invented)
        for name, table in tables.items()
        if len(table) and shown
    }  # fmt: skip


def _not_worked_out(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """The table without rows of segments from which, with that of everybody, a group of 1 to 9 customers could be worked out."""
    stay: list[Any] = []
    for _, rows in table.groupby(by, sort=False):
        everybody = rows[rows["segment"] == ALL]
        own = rows.loc[rows["segment"] != ALL, "customers"].iloc[::-1]  # of equal ones the last leaves
        if len(everybody):
            stay += [*everybody.index, *not_worked_out(everybody["customers"].iloc[0], own.to_dict())]
    return table.loc[stay].reset_index(drop=True)


def known_beside(
    purchases: Sequence[Mapping[str, Any]], contacts: Sequence[Mapping[str, Any]]
) -> dict[Any, dict[str, Any]]:
    """What is known by customer, to be kept with linked respondents: what he bought, and the core problem that his contacts were about most, the last of those named as often."""
    frame = pd.DataFrame(purchases, columns=PURCHASE_COLUMNS)
    told_of: dict[Any, list[tuple[Any, str]]] = {}
    for row in contacts:
        if row["customer_id"] is not None and row["core_problem"]:
            told_of.setdefault(row["customer_id"], []).append((row["happened_at"], row["core_problem"]))
    problems = {}
    for customer, named in told_of.items():
        counts = Counter(problem for _, problem in named)
        most = max(counts.values())
        problems[customer] = max((when, problem) for when, problem in named if counts[problem] == most)[1]
    return known_of(frame, problems)


def purchase_covariates(people: Sequence[Respondent]) -> pd.DataFrame:
    """(N, up to 3) by respondent: log(1 + families bought), share of the steps up taken of those offered, mean discount; without a column that is known of fewer than 75, or does not vary.

    Who is not linked to purchases has the mean, so that nothing is said of him.
    """
    index = pd.Index([r.number for r in people], name="respondent")
    known = [r.known for r in people]
    frame = pd.DataFrame(
        {
            FAMILIES: [np.log1p(k["families"]) if "families" in k else np.nan for k in known],
            STEPPED_UP: [k["taken"] / k["offered"] if k.get("offered") else np.nan for k in known],
            DISCOUNT: [k.get("discount", np.nan) for k in known],
        },
        index=index,
        dtype=float,
    )
    kept = [name for name in frame if frame[name].notna().sum() >= FULL_SAMPLE and len(set(frame[name].dropna())) > 1]
    return frame[kept].fillna(frame[kept].mean())


def purchase_tables(
    definition: Definition,
    people: Sequence[Respondent],
    with_purchases: Any,
    without: Any,
    holdout: Any,
    confidence: float,
) -> dict[str, pd.DataFrame]:
    """`purchase_gain`: mean log-probability of held-out choices with and without purchases, and what is gained with its interval over respondents; `up_selling`: forecast and taken steps up by tenth.

    with_purchases, without: hierarchical fits of the same choices; the forecast comes from the one that never saw a purchase. holdout: held-out choices in its columns, or None.
    """  # fmt: skip
    tables = {}
    known = sum("families" in r.known for r in people)
    if holdout is not None:
        scores = {name: fit.log_scores(holdout) for name, fit in (("with", with_purchases), ("without", without))}
        each = pd.Series(scores["with"] - scores["without"]).groupby(holdout.respondent).mean()
        low, high = DescrStatsW(each).tconfint_mean(alpha=1 - confidence)
        rows = [(ALL, name, known, float(own.mean()), len(own)) for name, own in scores.items()]
        columns = ["segment", "purchases", "customers", "log_score", "choice_tasks"]
        table = pd.DataFrame(rows, columns=columns)
        tables[PURCHASE_GAIN] = table.assign(gained=[float(each.mean()), 0.0], low=[low, np.nan], high=[high, np.nan])
    tables[PURCHASE_EFFECTS] = _effects(with_purchases)
    offers = offered_steps(definition, people)
    if len(offers):
        found = up_selling(definition, without, offers, confidence)
        if len(found):
            tables[UP_SELLING] = found.assign(segment=ALL)
    return tables


def _effects(fit: Any) -> pd.DataFrame:
    """What a standard deviation more of each purchase covariate moves: covariate, parameter, effect (logits; of a signed coefficient on the log scale), low, high (95 per cent), r_hat."""
    table = fit.covariate_effects
    own = table[table["covariate"].isin([FAMILIES, STEPPED_UP, DISCOUNT])]
    watched = fit.diagnostics["r_hat"]
    names = own["covariate"] + ":" + own["parameter"]
    return pd.DataFrame(
        {
            "segment": ALL,
            "covariate": own["covariate"].to_numpy(),
            "parameter": own["parameter"].to_numpy(),
            "effect": own["estimate"].to_numpy(),
            "low": own["low"].to_numpy(),
            "high": own["high"].to_numpy(),
            "r_hat": watched.reindex(names).to_numpy(),
        }
    )


def offered_steps(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    """respondent, attribute, from_level, to_level, surcharge, taken of every step up from today's level that was offered to somebody."""
    better = {
        attribute.id: (attribute.current, attribute.step(1)) for attribute in definition.attributes if attribute.ordered
    }
    rows = []
    for person in people:
        for attribute, surcharge, taken in person.known.get("steps", ()):
            today, level = better.get(attribute, ("", None))
            if level is not None:
                rows.append((person.number, attribute, today, level.id, float(surcharge), bool(taken)))
    return pd.DataFrame(rows, columns=["respondent", "attribute", "from_level", "to_level", "surcharge", "taken"])


def up_selling(definition: Definition, fit: Any, offers: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """group (1 is the least likely), forecast (mean probability that the worth is above the surcharge), taken (share), low, high (Wilson), offers, customers.

    Up to ten groups of as many offers by the forecast, each made to 10 or more customers; the intervals count customers, since one gets several offers.
    """
    data = fit.data
    place = pd.Index(data.respondents).get_indexer(offers["respondent"])
    offers = offers[place >= 0].assign(place=place[place >= 0])
    if not len(offers):
        return offers
    try:
        money = Money.of(data)
    except DataError:  # a price for each label
        return offers.head(0)
    steps = offers[["attribute", "from_level", "to_level"]].drop_duplicates().values.tolist()
    contrasts = {}
    for attribute, start, level in steps:
        with suppress(DataError):  # a level that was never shown, or an attribute of single labels
            contrasts[attribute] = contrast(data, attribute, start, level)
    offers = offers[offers["attribute"].isin(list(contrasts))]
    if not len(offers):
        return offers
    drawn = np.asarray(fit.simulate(_DRAWS).values, dtype=float)
    forecast = np.zeros(len(offers))
    for attribute, own in contrasts.items():
        rows = np.flatnonzero(offers["attribute"] == attribute)
        values = drawn[:, offers["place"].to_numpy()[rows]]
        worth = money.worth_of_people(values, own[None])[..., 0]
        forecast[rows] = (worth > offers["surcharge"].to_numpy()[rows]).mean(axis=0)
    each = pd.DataFrame({"respondent": offers["respondent"].to_numpy(), "forecast": forecast, "taken": offers["taken"].to_numpy(dtype=float)})  # fmt: skip
    rank = each["forecast"].rank(method="first").to_numpy()
    for groups in range(_GROUPS, 1, -1):
        group = pd.Series(np.ceil(rank * groups / len(rank)).astype(int), name="group")
        found = each.groupby(group).agg(
            forecast=("forecast", "mean"), taken=("taken", "mean"), offers=("taken", "size"), customers=("respondent", "nunique")
        )  # fmt: skip
        if found["customers"].min() >= SMALLEST_GROUP:
            break
    else:
        return offers.head(0)
    low, high = proportion_confint(
        found["taken"] * found["customers"], found["customers"], alpha=1 - confidence, method="wilson"
    )
    return found.assign(low=np.asarray(low), high=np.asarray(high)).reset_index()
