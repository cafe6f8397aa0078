"""Strengths and weaknesses against the rated rival: how each attribute is seen, what it is worth, and whether the facts agree.

Gaps of ratings are moved towards zero by how much they may be chance (empirical Bayes over all attributes and segments of the study, g~ = t2 / (t2 + se2) g with the moment estimate of the variance t2
of true gaps); as long as no single one is clearly above chance (Bonferroni), all count as chance and nothing is claimed. What an attribute is worth is the worth of today's level with its uncertainty; both
vary together as far as their draws did. With the probability that an attribute is seen as better or worse, and that it is worth at least the smallest relevant amount:

- seen better and valued: keep it and tell it; seen better and not valued: over-delivered
- seen worse and valued: tell it where today's level is at least as good as the rival's (what is missing is the perception), fix it where it is lower, and behind where the rival's level is not known
- seen worse and not valued: let it be
- undecided where none of these reaches 90 per cent.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from wtp.survey.definition import Definition
from wtp.survey.measures import rated_rivals

KEEP, TELL, FIX, BEHIND, OVER, LEAVE, UNDECIDED = (
    "keep_tell",
    "tell",
    "fix",
    "behind",
    "over_delivered",
    "let_be",
    "undecided",
)
DECISION_PROBABILITY = 0.90
AHEAD, EQUAL, LOWER, UNKNOWN = "ahead", "equal", "lower", "unknown"
_DRAWS = 4_000
_TINY = 1e-9


def standing(definition: Definition, attribute: str) -> str:
    """Today's level against the best one of the rated rival (of all competitors, where the rating names none): ahead, equal, lower, or unknown.

    The price stands ahead if it is lower. Today's best level of all is at least equal to whatever a rival may have.
    """
    rivals = rated_rivals(definition)
    if attribute == "price":
        ours, theirs = -definition.price.current, max((-rival.price for rival in rivals), default=None)
        return UNKNOWN if theirs is None else _against(ours, theirs)
    own = definition.attribute(attribute)
    places = {level.id: place for place, level in enumerate(own.rising)}
    levels = [rival.levels[attribute] for rival in rivals if attribute in rival.levels]
    if not own.ordered:
        return EQUAL if levels and set(levels) == {own.current} else UNKNOWN
    if not levels:
        return EQUAL if places[own.current] == len(places) - 1 else UNKNOWN
    return _against(places[own.current], max(places[level] for level in levels))


def _against(ours: float, theirs: float) -> str:
    return AHEAD if ours > theirs else EQUAL if ours == theirs else LOWER


def strengths(rated: pd.DataFrame, *, smallest: float, confidence: float = 0.90, seed: int = 0) -> pd.DataFrame:
    """The table with pooled_gap and its interval, impact (worth times pooled gap, money times points) and its interval, verdict and its probability.

    rated: segment, attribute, gap, std_error, value, value_low, value_high (money; NaN where withheld), respondents, gap_correlation (of gap and worth, NaN: independent), standing. smallest: relevant amount of money. A row without a
    worth, as the price, has an empty verdict; its probability is NaN.
    """
    z = float(norm.ppf((1 + confidence) / 2))
    paired, spread_of, n = (rated[name].to_numpy(float) for name in ("gap", "std_error", "respondents"))
    gap, error = _towards_zero(paired, spread_of, n, 1 - confidence)
    value = rated["value"].to_numpy(float)
    value_error = (rated["value_high"] - rated["value_low"]).to_numpy(float) / (2 * z)
    both = rated["gap_correlation"].fillna(0.0).to_numpy(float)
    first, second = np.random.default_rng([seed, 34]).standard_normal((2, len(rated), _DRAWS))
    gaps = gap[:, None] + error[:, None] * first
    spread = both[:, None] * first + np.sqrt(1 - both[:, None] ** 2) * second
    worths = value[:, None] + value_error[:, None] * spread
    tail = (1 - confidence) / 2
    low, high = np.quantile(gaps * worths, [tail, 1 - tail], axis=1)
    valued, better = worths >= smallest, gaps > 0
    chances = np.stack([(better & valued), (~better & valued), (better & ~valued), (~better & ~valued)]).mean(axis=2)
    seen_worse = rated["standing"].map({AHEAD: TELL, EQUAL: TELL, LOWER: FIX}).fillna(BEHIND).to_numpy()
    names = np.stack([np.full(len(rated), KEEP), seen_worse, np.full(len(rated), OVER), np.full(len(rated), LEAVE)])
    at, rows = chances.argmax(axis=0), np.arange(len(rated))
    known = np.isfinite(value) & np.isfinite(value_error)
    probability = np.where(known, chances[at, rows], np.nan)
    verdict = np.where(~known, "", np.where(probability >= DECISION_PROBABILITY, names[at, rows], UNDECIDED))
    return rated.assign(
        pooled_gap=gap, pooled_gap_low=gap - z * error, pooled_gap_high=gap + z * error,
        impact=gap * value, impact_low=low, impact_high=high, verdict=verdict, probability=probability,
    )  # fmt: skip


def _towards_zero(gap: np.ndarray, error: np.ndarray, n: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Gaps (M,) of n respondents each and their errors after empirical Bayes round zero; all zero where none is clear of it among so many."""
    clear = np.abs(gap) > t.isf(alpha / 2 / max(len(gap), 1), n - 1) * np.maximum(error, _TINY)
    between = max(0.0, float((gap**2 - error**2).mean())) if clear.any() else 0.0
    weight = between / np.maximum(between + error**2, _TINY**2)
    return weight * gap, np.maximum(np.sqrt(weight) * error, _TINY)
