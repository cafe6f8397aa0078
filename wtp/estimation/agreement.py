"""Do several ways of asking order the same things alike? Rank correlations, and where what is said and what is chosen lie apart.

Each method gives draws of how much each attribute matters, (R, L). Everything is computed within a draw, over the attributes that two methods share, and summarised across draws
last: Spearman's rank correlation with percentiles, and for each attribute the gap, rank by the reference less rank by the other method (positive: said more than chosen). Methods
are drawn independently of each other, although the same respondents answered; noise in either pulls a correlation towards 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from wtp.estimation.rankings import rank_draws

FEWEST_SHARED = 3
SAID_MORE, CHOSEN_MORE, AGREE, UNDECIDED = "said_more", "chosen_more", "agree", "undecided"
_APART = 2  # ranks
_SURE = 0.90


@dataclass(frozen=True, eq=False, slots=True)
class Method:
    """One way of asking: its attributes, how much each matters (L,), and draws of it (R, L)."""

    attributes: Sequence[str]
    estimate: np.ndarray
    draws: np.ndarray

    def of(self, attributes: Sequence[str]) -> Method:
        """The same for some of its attributes, in this order."""
        at = [list(self.attributes).index(attribute) for attribute in attributes]
        return Method(tuple(attributes), self.estimate[at], self.draws[:, at])


def method_ranks(methods: Mapping[str, Method], *, reference: str, confidence: float = 0.95) -> pd.DataFrame:
    """method, attribute, rank, rank_low, rank_high, gap, probability, verdict; ranks are among all attributes of the method.

    gap is against the reference, among the attributes that both have (NaN for the reference itself, or with fewer than three); probability: that it has this sign. verdict: said_more or
    chosen_more if the ranks are two or more apart and the sign has 90 per cent, agree if they are at most one apart, else undecided.
    """
    tail = (1 - confidence) / 2
    frames = []
    for name, method in methods.items():
        low, high = np.quantile(rank_draws(method.draws), [tail, 1 - tail], axis=0, method="inverted_cdf")
        own = pd.DataFrame({"method": name, "attribute": list(method.attributes)})
        own["rank"] = rank_draws(method.estimate[None])[0]
        frames.append(
            own.assign(rank_low=low, rank_high=high, **_gaps(methods, name, reference, list(own["attribute"])))
        )
    return pd.concat(frames, ignore_index=True)


def _gaps(methods: Mapping[str, Method], name: str, reference: str, attributes: list[str]) -> dict[str, list[Any]]:
    shared = _shared(methods, name, reference) if reference in methods and name != reference else []
    if len(shared) < FEWEST_SHARED:
        nothing: list[Any] = [np.nan] * len(attributes)
        return {"gap": nothing, "probability": nothing, "verdict": [""] * len(attributes)}
    said, chosen = methods[name].of(shared), methods[reference].of(shared)
    draws = min(len(said.draws), len(chosen.draws))
    apart = rank_draws(chosen.draws[:draws]) - rank_draws(said.draws[:draws])
    gap = (rank_draws(chosen.estimate[None]) - rank_draws(said.estimate[None]))[0]
    sure = (np.sign(apart) == np.sign(gap)).mean(axis=0)
    clear = (np.abs(gap) >= _APART) & (sure >= _SURE)
    verdict = np.where(
        clear & (gap > 0), SAID_MORE, np.where(clear, CHOSEN_MORE, np.where(np.abs(gap) < _APART, AGREE, UNDECIDED))
    )
    found = pd.DataFrame({"gap": gap, "probability": sure, "verdict": verdict}, index=shared).reindex(attributes)
    found["verdict"] = found["verdict"].fillna("")
    return {str(column): list(found[column]) for column in found}


def rank_correlations(methods: Mapping[str, Method], *, confidence: float = 0.95) -> pd.DataFrame:
    """one, other, shared, correlation, low, high: every pair of methods with three or more attributes in common."""
    tail = (1 - confidence) / 2
    rows = []
    for one, other in combinations(methods, 2):
        shared = _shared(methods, one, other)
        if len(shared) < FEWEST_SHARED:
            continue
        a, b = methods[one].of(shared), methods[other].of(shared)
        draws = min(len(a.draws), len(b.draws))
        drawn = _spearman(a.draws[:draws], b.draws[:draws])
        estimate = float(_spearman(a.estimate[None], b.estimate[None])[0])
        low, high = np.quantile(drawn, [tail, 1 - tail])
        rows.append((one, other, len(shared), estimate, min(float(low), estimate), max(float(high), estimate)))
    return pd.DataFrame(rows, columns=["one", "other", "shared", "correlation", "low", "high"])


def _shared(methods: Mapping[str, Method], one: str, other: str) -> list[str]:
    there = set(methods[other].attributes)
    return [attribute for attribute in methods[one].attributes if attribute in there]


def _spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(R,) correlations of the ranks of a and b, both (R, L); 0 where one of them has ties alone."""
    x, y = (rank_draws(values) - (values.shape[1] + 1) / 2 for values in (a, b))
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.asarray(np.divide((x * y).sum(axis=1), size, out=np.zeros(len(x)), where=size > 0))
