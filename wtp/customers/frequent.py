"""The questions that customers ask most, with the ranks that they could also have, and how much is not on the list yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from wtp.survey.contacts import OTHER

_REPLICATES = 2_000


@dataclass(frozen=True, slots=True)
class Unseen:
    """Share of questions that belong to a code never seen so far (Good 1953), with its interval (Esty 1983), and the share that staff found on no list."""

    unseen: float
    low: float
    high: float
    unlisted: float


def frequent_questions(contacts: pd.DataFrame, codes: Sequence[str], *, confidence: float, seed: int) -> pd.DataFrame:
    """Questions by how often they were asked: question, contacts, customers, share, low, high, rank, rank_low, rank_high; "other" is no question and has no rank.

    Ranks and shares are intervals of a Poisson bootstrap of persons, so that one who asks ten times does not count as ten.
    """
    listed = [code for code in codes if code != OTHER]
    asked = contacts[contacts["question"].isin(listed)]
    people = pd.crosstab(asked["person"], asked["question"]).reindex(columns=listed, fill_value=0)
    counts = people.sum().to_numpy()
    if not counts.sum():
        empty = ("question", "contacts", "customers", "share", "low", "high", "rank", "rank_low", "rank_high")
        return pd.DataFrame(columns=list(empty))
    drawn = _resampled(people.to_numpy(), seed)
    shares = drawn / np.maximum(drawn.sum(1, keepdims=True), 1)
    tail = (1 - confidence) / 2
    # Ties are broken by chance, else the list's order would decide.
    noise = np.random.default_rng([seed, 23]).random(drawn.shape)
    ranks = np.lexsort((noise, -drawn), axis=1).argsort(axis=1) + 1
    order = np.argsort(-counts, kind="stable")
    low, high = np.quantile(shares, [tail, 1 - tail], axis=0)
    rank_low, rank_high = np.quantile(ranks, tail, axis=0), np.quantile(ranks, 1 - tail, axis=0)
    table = pd.DataFrame(
        {
            "question": listed,
            "contacts": counts,
            "customers": (people > 0).sum().to_numpy(),
            "share": counts / counts.sum(),
            "low": low,
            "high": high,
            "rank": stats.rankdata(-counts, method="min"),
            "rank_low": np.floor(rank_low).astype(int),
            "rank_high": np.ceil(rank_high).astype(int),
        }
    )
    return table.iloc[order].reset_index(drop=True)


def _resampled(people: np.ndarray, seed: int) -> np.ndarray:
    """(replicates, questions): counts of Poisson bootstrap samples of persons; equal persons are drawn together."""
    kinds, how_many = np.unique(people, axis=0, return_counts=True)
    weights = np.random.default_rng([seed, 22]).poisson(how_many, (_REPLICATES, len(kinds)))
    return np.asarray(weights @ kinds)


def unseen(contacts: pd.DataFrame, codes: Sequence[str], *, confidence: float) -> Unseen:
    """How much of what is asked the figures cannot know yet."""
    asked = contacts.loc[contacts["question"].isin(list(codes)), "question"]
    counts = asked[asked != OTHER].value_counts().to_numpy()
    n = int(counts.sum())
    if not n:
        nothing = float("nan")
        return Unseen(nothing, nothing, nothing, nothing)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    share = once / n
    reach = stats.norm.isf((1 - confidence) / 2) * np.sqrt(once * (1 - share) + 2 * twice) / n
    return Unseen(share, max(0.0, share - reach), min(1.0, share + reach), float((asked == OTHER).mean()))
