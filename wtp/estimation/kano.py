"""Kano pairs: is a feature expected, a delight, wanted more and more, or of no interest (Kano, Seraku, Takahashi and Tsuji 1984)?

Each respondent says how it would be with the feature and how without it, 1 (I like it), 2 (I expect it), 3 (neutral), 4 (I can live with it), 5 (I dislike it).
The evaluation table makes a category of the pair (Berger et al. 1993):

| with \\ without | like | expect | neutral | live with | dislike |
|---|---|---|---|---|---|
| like | Q | A | A | A | O |
| expect, neutral, live with | R | I | I | I | M |
| dislike | R | R | R | R | Q |

better = (A + O) / (A + O + M + I): how far having it satisfies, 0 to 1; worse = -(O + M) / (A + O + M + I): how far lacking it dissatisfies, -1 to 0; both with percentile
intervals over respondents drawn with replacement. The most frequent category is only *decided* if it leads the second by more than 1.65 sqrt((a + b)(2n - a - b) / (2n)), a and b
their counts of n answers (Fong 1996): else two categories are too close to tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wtp.errors import DataError

CATEGORIES = ("attractive", "one_dimensional", "must_be", "indifferent", "reverse", "questionable")
_A, _O, _M, _I, _R, _Q = range(len(CATEGORIES))
_EVALUATION = np.array(
    [
        [_Q, _A, _A, _A, _O],
        [_R, _I, _I, _I, _M],
        [_R, _I, _I, _I, _M],
        [_R, _I, _I, _I, _M],
        [_R, _R, _R, _R, _Q],
    ]
)
_FONG = 1.65


@dataclass(frozen=True, slots=True)
class Kano:
    """counts by category; category: the most frequent; decided: whether it clearly leads. better, worse: (estimate, low, high), NaN where nobody answered in A, O, M or I."""

    counts: dict[str, int]
    category: str
    decided: bool
    better: tuple[float, float, float]
    worse: tuple[float, float, float]
    respondents: int


def kano(
    functional: np.ndarray,
    dysfunctional: np.ndarray,
    *,
    confidence: float = 0.95,
    replicates: int = 2_000,
    seed: int = 0,
) -> Kano:
    """Judge one feature by the answers (N,) with and without it, whole numbers from 1 to 5. Raises DataError for others, or for nobody."""
    pair = np.column_stack([functional, dysfunctional]).astype(float)
    if not len(pair) or not np.isin(pair, np.arange(1, 6)).all():
        raise DataError(
            "Kano answers; allowed: whole numbers from 1 (like) to 5 (dislike), of at least one respondent."
        )
    codes = _EVALUATION[tuple(pair.astype(int).T - 1)]
    counts = np.bincount(codes, minlength=len(CATEGORIES))
    n = len(codes)
    # Persons drawn with replacement have multinomial counts of categories.
    drawn = np.random.default_rng([seed, 5]).multinomial(n, counts / n, size=replicates)
    order = np.argsort(-counts, kind="stable")
    a, b = (int(x) for x in counts[order[:2]])
    decided = bool(a - b > _FONG * np.sqrt((a + b) * (2 * n - a - b) / (2 * n)))
    better, worse = (_with_interval(counts, drawn, categories, confidence) for categories in ((_A, _O), (_O, _M)))
    return Kano(
        counts=dict(zip(CATEGORIES, map(int, counts), strict=True)),
        category=CATEGORIES[order[0]],
        decided=decided,
        better=better,
        worse=(-worse[0], -worse[2], -worse[1]),
        respondents=n,
    )


def _with_interval(
    counts: np.ndarray, drawn: np.ndarray, categories: tuple[int, int], confidence: float
) -> tuple[float, float, float]:
    def share(of: np.ndarray) -> np.ndarray:
        known = of[..., [_A, _O, _M, _I]].sum(axis=-1)
        part = of[..., list(categories)].sum(axis=-1)
        return np.asarray(np.divide(part, known, out=np.full(np.shape(known), np.nan), where=known > 0))

    if not counts[[_A, _O, _M, _I]].sum():
        return np.nan, np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(share(drawn), [tail, 1 - tail])
    return float(share(counts)), float(low), float(high)
