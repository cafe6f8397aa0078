"""Root likelihood against random clickers, on the tasks that were really shown.

The likelihood of a respondent's choices under the tastes of the study, integrated over how they differ, is what tells a random clicker apart best (Neyman and Pearson). Its
root (RLH) lies at 1/J for chance. The tastes are found as those of a mixture: a share of random clickers, whose likelihood is known exactly, and all
others, normal round one mean and more or less firm; so clickers do not water the tastes down. Which value is too low follows from simulation on the same tasks: random clickers, and respondents
whose tastes are those of the study, so that both what is caught and what is lost are told (the recipe of cut-offs by random data, with its price).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import norm, qmc

from wtp.errors import EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.columns import Columns
from wtp.survey.answers import Choice, Respondent
from wtp.survey.definition import Definition

_DRAWS = 128
_SPREADS = (0.05, 0.2, 0.4, 0.6, 0.9, 1.3)
_SCALES = (0.8, 1.0, 1.2, 1.45, 1.75, 2.1, 2.5)  # pooling weakens tastes that differ
_SMALLEST_SPREAD = 0.4  # of the largest taste: people also differ in what the average hardly cares for
_STRENGTH = 0.25  # standard deviation of the logarithm: some people choose more firmly than others
_FALSE_ALARMS = (0.01, 0.02, 0.05, 0.10)
_CHUNK = 100
_LARGEST = 500.0  # exp of it is finite
_STEPS = 40
FEWEST_TASKS = 8
FALSE_ALARM = 0.05


@dataclass(frozen=True, slots=True)
class RootLikelihood:
    """rlh: by respondent. cutoffs: false_alarms, cutoff, catches (share of random clickers below), by the study's own tasks."""

    rlh: pd.Series
    cutoffs: pd.DataFrame

    @property
    def cutoff(self) -> float:
        """Below it 5 per cent of consistent respondents lie."""
        return float(self.cutoffs.loc[self.cutoffs["false_alarms"] == FALSE_ALARM, "cutoff"].iloc[0])


def root_likelihood(
    definition: Definition, respondents: Sequence[Respondent], rng: np.random.Generator
) -> RootLikelihood | None:
    """RLH of everybody with at least 8 choice tasks and the cut-offs; None if tastes cannot be estimated."""
    people = [r for r in respondents if len(r.choices) >= FEWEST_TASKS]
    if len(people) < 30:
        return None
    X, picked, answered = _arrays(definition, people)
    consistent, place = np.ones(len(people)), (2, 3)
    for _ in range(3):  # again with everybody weighted by the probability of being no clicker
        try:
            mean = _pooled(X, picked, answered, consistent)
        except EstimationError:
            return None
        draws, consistent, place = _population(mean, X, picked, answered, place)
    rlh = _rlh(X, picked, answered, draws)
    return RootLikelihood(
        pd.Series(rlh, index=[r.number for r in people], name="rlh"), _cutoffs(X, answered, draws, rng)
    )


def _arrays(definition: Definition, people: Sequence[Respondent]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (N, T, J, K) coded as shown, the place of the chosen alternative (N, T), which tasks were answered (N, T)."""
    columns = Columns.of(definition)
    longest = max(len(r.choices) for r in people)
    most = definition.choice_tasks.alternatives
    X = np.zeros((len(people), longest, most, len(columns.names)))
    picked = np.zeros((len(people), longest), dtype=int)
    answered = np.zeros((len(people), longest), dtype=bool)
    known: dict[int, np.ndarray] = {}

    def coded(choice: Choice) -> np.ndarray:
        key = id(choice.task)
        if key not in known:
            known[key] = np.array([columns.row(definition, a) for a in choice.task.alternatives])
        return known[key]

    for n, person in enumerate(people):
        for t, choice in enumerate(person.choices):
            X[n, t] = coded(choice)
            picked[n, t] = [a.number for a in choice.task.alternatives].index(choice.chosen)
            answered[n, t] = True
    return X, picked, answered


def _pooled(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, weights: np.ndarray) -> np.ndarray:
    _, _, J, K = X.shape
    people, tasks = np.nonzero(answered)
    rows = X[people, tasks].reshape(-1, K)
    names = [f"x{k}" for k in range(K - 1)] + ["price"]
    frame = pd.DataFrame(rows, columns=names)
    frame["respondent"] = np.repeat(people, J)
    frame["choice_task"] = np.repeat(tasks, J)
    frame["chosen"] = (np.tile(np.arange(J), len(people)) == np.repeat(picked[people, tasks], J)).astype(int)
    frame["weight"] = np.repeat(weights[people].clip(0.001), J)
    fit = ConditionalLogit(ChoiceData.from_long(frame, " + ".join(names), weights="weight")).fit()
    return np.asarray(fit.params.loc[names], dtype=float)


def _population(
    mean: np.ndarray, X: np.ndarray, picked: np.ndarray, answered: np.ndarray, place: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """(R, K) draws of the tastes, as strong and as wide as makes all choices most likely beside a share of clickers; (N,) probability of being none; the place on the grid.

    The likelihood is searched by the neighbours on the grid of spreads and scales, from `place` on.
    """
    drawn = norm.ppf(qmc.Sobol(len(mean) + 1, seed=1).random(_DRAWS).clip(1e-6, 1 - 1e-6))
    z, strength = drawn[:, :-1], np.exp(_STRENGTH * drawn[:, -1:])
    size = np.maximum(np.abs(mean), _SMALLEST_SPREAD * np.abs(mean).max())
    chance = -answered.sum(axis=1) * np.log(X.shape[2])
    tried: dict[tuple[int, int], tuple[float, np.ndarray, np.ndarray]] = {}

    def likely(at: tuple[int, int]) -> float:
        if at not in tried:
            draws = _SCALES[at[1]] * strength * (mean + _SPREADS[at[0]] * size * z)
            tried[at] = (*_mixture(_log_likelihood(X, picked, answered, draws), chance), draws)
        return tried[at][0]

    while True:
        around = [
            (s, k)
            for s in range(max(place[0] - 1, 0), min(place[0] + 2, len(_SPREADS)))
            for k in range(max(place[1] - 1, 0), min(place[1] + 2, len(_SCALES)))
        ]
        best = max(around, key=likely)
        if best == place:
            _, consistent, draws = tried[place]
            return draws, consistent, place
        place = best


def _mixture(log_likelihood: np.ndarray, chance: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood of everybody with the best share of clickers, and (N,) probability of being none (Dempster, Laird and Rubin 1977)."""
    share = 0.1
    odds = np.exp(np.clip(log_likelihood - chance, -_LARGEST, _LARGEST))
    for _ in range(_STEPS):
        consistent = odds * (1 - share) / (odds * (1 - share) + share)
        share = float(np.clip(1 - consistent.mean(), 1e-6, 0.6))
    total = np.logaddexp(np.log1p(-share) + log_likelihood, np.log(share) + chance).sum()
    return float(total), consistent


def _log_likelihood(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(N,) log of the likelihood integrated over the draws."""
    found = []
    for start in range(0, len(X), _CHUNK):
        part = slice(start, start + _CHUNK)
        chosen = np.take_along_axis(X[part], picked[part, :, None, None], axis=2)
        odds = (X[part] - chosen) @ draws.T  # (n, T, J, R), 0 for the chosen one, so that p = 1 / sum exp
        np.exp(np.minimum(odds, _LARGEST, out=odds), out=odds)
        log_p = np.where(answered[part][..., None], -np.log(odds.sum(axis=2)), 0.0).sum(axis=1)
        found.append(logsumexp(log_p, axis=1) - np.log(len(draws)))
    return np.concatenate(found)


def _rlh(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, draws: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(_log_likelihood(X, picked, answered, draws) / answered.sum(axis=1)))


def _cutoffs(X: np.ndarray, answered: np.ndarray, draws: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """What each cut-off catches and loses, by simulated respondents of both kinds on the tasks that were shown."""
    again = rng.integers(0, len(X), 2_000)
    tasks, seen = X[again], answered[again]
    tastes = draws[rng.integers(0, len(draws), len(again))]
    utility = np.einsum("ntjk,nk->ntj", tasks, tastes) + rng.gumbel(size=tasks.shape[:3])
    consistent = _rlh(tasks, utility.argmax(axis=2), seen, draws)
    clicks = rng.integers(0, X.shape[2], tasks.shape[:2])
    random = _rlh(tasks, clicks, seen, draws)
    rows = [
        (share, cut := float(np.quantile(consistent, share)), float((random < cut).mean())) for share in _FALSE_ALARMS
    ]
    return pd.DataFrame(rows, columns=["false_alarms", "cutoff", "catches"])
