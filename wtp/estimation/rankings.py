"""Rankings of items: the chance to come first by an exploded logit, mean places (Borda), and how far respondents agree.

A ranking is a series of choices, the first of all items, the second of what is left and so on (Chapman and Staelin 1982; Beggs, Cardell and Hausman 1981); where only the first
few are ranked the series ends there. The chance to come first is e^v / sum e^v. Mean places count unranked items at the mean of the places that are left. Agreement is Kendall's
W, corrected for ties: 0 if everybody ranks at random, 1 if all alike. Notation: N respondents, L items, R draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax
from scipy.stats import rankdata

from wtp.errors import DataError, EstimationError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogit
from wtp.estimation.diagnostics import Note

_NO_SHARES = "The rankings give mean places only, no chance to come first: {reason}"


@dataclass(frozen=True, eq=False, slots=True)
class Rankings:
    """table: item, first, share, share_low, share_high, place, place_low, place_high. agreement: Kendall's W with its interval. draws: (R, L) of minus the mean place.

    first: share of respondents who put the item first; share: the same by the model, which uses all places, NaN where it has no estimate and a note says why.
    """

    table: pd.DataFrame
    agreement: tuple[float, float, float]
    draws: np.ndarray
    respondents: int
    notes: tuple[Note, ...]


def ranking_table(ranks: pd.DataFrame, *, confidence: float = 0.95, replicates: int = 1_000, seed: int = 0) -> Rankings:
    """Judge rankings, one row a respondent and one column an item: 1 for the first and so on, NaN for items that were not ranked.

    Intervals of places and of the agreement are percentiles over respondents drawn with replacement, those of shares over draws of the model. Raises DataError for fewer than two
    respondents or items, or for rows that do not count 1, 2, 3 ...
    """
    given = ranks.to_numpy(dtype=float)
    n, items = given.shape
    if n < 2 or items < 2:
        raise DataError(f"{n} rankings of {items} items; allowed: two or more of both; collect more answers.")
    ranked = np.isfinite(given).sum(axis=1)
    counts = np.where(np.isfinite(given), given, 0)
    right = (ranked > 0) & (np.sort(counts, axis=1) == _counting(ranked, items)).all(axis=1)
    if not right.all():
        raise DataError(f"ranking {ranks.index[~right][0]}: its places are not 1, 2, 3 and so on; mend it.")
    places = np.where(np.isfinite(given), given, ((ranked + 1 + items) / 2)[:, None])
    weights = np.random.default_rng([seed, 6]).multinomial(n, np.full(n, 1 / n), size=replicates)
    mean, drawn = places.mean(axis=0), weights @ places / n
    tied = (items - ranked).astype(float)
    ties = tied**3 - tied
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    w = _concordance(mean, ties.mean())
    w_low, w_high = np.quantile(_concordance(drawn, weights @ ties / n), [tail, 1 - tail])
    table = pd.DataFrame({"item": list(ranks.columns), "first": (given == 1).mean(axis=0)})
    shares, notes = _shares(given, tail, seed)
    for name, values in zip(("share", "share_low", "share_high"), shares, strict=True):
        table[name] = values
    table = table.assign(place=mean, place_low=low, place_high=high)
    # Samples with replacement repeat persons, who agree with themselves: the estimate can lie below all of them.
    agreement = (float(w), float(min(w, w_low)), float(w_high))
    return Rankings(table, agreement, -drawn, n, notes)


def _counting(ranked: np.ndarray, items: int) -> np.ndarray:
    """(N, L) sorted places as they should be: zeros for what is not ranked, then 1, 2, ..."""
    return np.asarray(np.maximum(np.arange(1, items + 1) - (items - ranked)[:, None], 0))


def _concordance(mean: np.ndarray, ties: np.ndarray | float) -> np.ndarray:
    """Kendall's W of mean places (..., L); ties: mean over respondents of t^3 - t for t tied places."""
    items = mean.shape[-1]
    spread = ((mean - (items + 1) / 2) ** 2).sum(axis=-1)
    return np.asarray(12 * spread / np.maximum(items**3 - items - ties, 1e-12))


def exploded(given: np.ndarray) -> ChoiceData:
    """The choices that rankings (N, L) are made of; parameters are those of the items beside the first."""
    items = given.shape[1]
    parts = []
    for stage in range(1, items):
        people, item = np.nonzero(~(given < stage) & (given == stage).any(axis=1)[:, None])
        parts.append(
            pd.DataFrame(
                {"respondent": people, "choice_task": stage, "item": item, "chosen": given[people, item] == stage}
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["item"] = pd.Categorical(frame["item"], categories=range(items))
    return ChoiceData.from_long(frame, "item", price=None)


def _shares(given: np.ndarray, tail: float, seed: int) -> tuple[list[np.ndarray], tuple[Note, ...]]:
    try:
        fit = ConditionalLogit(exploded(given)).fit()
    except (DataError, EstimationError) as error:
        nothing = np.full(given.shape[1], np.nan)
        return [nothing, nothing, nothing], (Note("ranking", "warning", _NO_SHARES, {"reason": str(error)}),)
    contrasts = fit.data.attributes[0].contrasts
    drawn = softmax(fit.simulate(2_000, seed).values[:, 0] @ contrasts.T, axis=1)
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return [softmax(contrasts @ fit.params.to_numpy()), low, high], ()


def rank_draws(draws: np.ndarray) -> np.ndarray:
    """(R, L) ranks within each draw of how much something matters, 1 the most; ties share the mean."""
    return np.asarray(rankdata(-draws.round(12), axis=1))
