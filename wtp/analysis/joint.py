"""What an attribute is worth and how it is rated, in the same draws: joint regions instead of two intervals that ignore one another.

Each draw of a hierarchical fit weights its respondents by a Bayesian bootstrap (Rubin 1981), so the mean rating under the same weights belongs to the worth of that draw, and the
draws' covariance is that of both figures. Other fits draw no respondents and have no joint regions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.estimation.hierarchical import HierarchicalSegment
from wtp.pricing import Step
from wtp.pricing.competition import equal_share_worth
from wtp.pricing.investment import OWN, UP, draws_for, todays_market
from wtp.pricing.offers import own_fit
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer

JOINT = ["segment", "attribute"] + [f"{rating}_{column}" for rating in ("own", "gap") for column in ("reach", "value_reach", "correlation")]  # fmt: skip


def joint_regions(
    definition: Definition, segments: Mapping[str, HierarchicalSegment], groups: Mapping[str, Sequence[Respondent]], values: pd.DataFrame, *, confidence: float, seed: int, none_shift: float
) -> pd.DataFrame:  # fmt: skip
    """segment, attribute, and for the own rating and for its gap to the rival: half-widths of the joint region along rating and worth, and their correlation.

    values: segment, attribute, direction, from_level, to_level: the steps whose worth the region is about. The region is the ellipse of the normal law with the draws' covariance that
    holds both figures with the stated confidence. No rows where nothing was rated; NaN where fewer than 30 rated or the worth is withheld.
    """
    if not definition.performance_ratings or not segments:
        return _table([])
    rows: list[tuple[object, ...]] = []
    for name, fit in segments.items():
        steps = values[values["segment"] == name]
        numbers = np.asarray(fit.data.respondents)[fit.members]
        rated = {a: _ratings(definition, groups[name], numbers, a) for a in steps["attribute"]}  # fmt: skip
        if all(np.isnan(columns).all() for columns in rated.values()):
            continue
        seen = own_fit(fit, todays_offer(definition))
        market = todays_market(seen, definition, draws=draws_for(fit), seed=seed, none_shift=none_shift)
        if not market.price_clear or (fit.data.none is None and not definition.competitors):
            continue
        span = market.money_of(OWN).span
        moves = [Step(*map(str, row)) for row in steps[["attribute", "from_level", "to_level"]].to_numpy()]
        price = definition.price.current
        worths = equal_share_worth(market, OWN, moves, bounds=(price - span, price + span)).clip(-span, span)
        weights = np.broadcast_to(market.people.weights, (len(worths), len(numbers)))
        for place, move in enumerate(moves):
            worth = worths[:, place] if steps["direction"].iloc[place] == UP else -worths[:, place]
            regions = [region(_means(weights, column), worth, confidence) for column in rated[move.attribute].T]
            rows.append((name, move.attribute, *regions[0], *regions[1]))
    return _table(rows)


def _table(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=JOINT).astype(dict.fromkeys(JOINT[2:], float))


def region(x: np.ndarray, y: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Half-widths along x and y and the correlation of the ellipse that holds draws (R,) and (R,) with this probability."""
    if np.isnan(x).any() or np.isnan(y).any():
        return math.nan, math.nan, math.nan
    spread = x.std(ddof=1), y.std(ddof=1)
    reach = math.sqrt(-2 * math.log(1 - confidence))  # of the chi-square law with two degrees of freedom
    correlation = float(np.corrcoef(x, y)[0, 1]) if min(spread) > 0 else 0.0
    return reach * float(spread[0]), reach * float(spread[1]), correlation


def _ratings(definition: Definition, members: Sequence[Respondent], numbers: np.ndarray, attribute: str) -> np.ndarray:
    """(N, 2): each respondent's own rating of an attribute and its gap to the rival, NaN where he did not rate."""
    asked = definition.performance_ratings
    answers = {respondent.number: respondent.answers for respondent in members}
    own, rival = (
        np.array([((answers.get(n, {}).get(asked[kind].id) or {}).get(attribute) if kind in asked else None) for n in numbers], dtype=float)
        for kind in ("performance", "rival_performance")
    )  # fmt: skip
    return np.column_stack([own, own - rival])


def _means(weights: np.ndarray, ratings: np.ndarray) -> np.ndarray:
    """(R,) weighted means of those who rated."""
    there = ~np.isnan(ratings)
    if there.sum() < SMALLEST_SAMPLE:
        return np.full(len(weights), np.nan)
    own = weights[:, there]
    return np.asarray(own @ ratings[there] / own.sum(axis=1))
