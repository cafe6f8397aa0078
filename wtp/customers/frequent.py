"""The questions that customers ask most, with the ranks that they could also have, and how much is not on the list yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

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

    Ranks are intervals of a Poisson bootstrap of persons, shares Wilson's (1927) with the number of questions that counts where some ask often, so that one who asks ten
    times does not count as ten.
    """
    listed = [code for code in codes if code != OTHER]
    asked = contacts[contacts["question"].isin(listed)]
    people = pd.crosstab(asked["person"], asked["question"]).reindex(columns=listed, fill_value=0)
    counts = people.sum().to_numpy()
    if not counts.sum():
        empty = ("question", "contacts", "customers", "share", "low", "high", "rank", "rank_low", "rank_high")
        return pd.DataFrame(columns=list(empty))
    # Half a question more for each, drawn anew each time: nobody has asked it yet is not the same as nobody ever will, and ties are broken by chance.
    prior = np.random.default_rng([seed, 23]).gamma(0.5, size=(_REPLICATES, len(listed)))
    drawn = _resampled(people.to_numpy(), seed) + prior
    tail = (1 - confidence) / 2
    ranks = (-drawn).argsort(axis=1).argsort(axis=1) + 1
    order = np.argsort(-counts, kind="stable")
    asked_by = people.sum(axis=1).to_numpy()
    persons = (
        asked_by.sum() ** 2 / (asked_by**2).sum()
    )  # as many questions as if every person had asked about as much (Kish 1965)
    low, high = proportion_confint(counts / counts.sum() * persons, persons, alpha=1 - confidence, method="wilson")
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
    if len(counts) == len(set(codes) - {OTHER}):  # the list is closed, and all of it was asked
        return Unseen(0.0, 0.0, 0.0, float((asked == OTHER).mean()))
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    share = once / n
    reach = stats.norm.isf((1 - confidence) / 2) * np.sqrt(once * (1 - share) + 2 * twice) / n
    return Unseen(share, max(0.0, share - reach), min(1.0, share + reach), float((asked == OTHER).mean()))
