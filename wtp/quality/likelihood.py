"""Root likelihood against random clickers, on the tasks that were really shown.

The likelihood of a respondent's choices under the tastes of the study, integrated over how they differ, is what tells a random clicker apart best (Neyman and Pearson). Its
root (RLH) lies at 1/J for chance. The tastes are found as those of a mixture: a share of random clickers, whose likelihood is known exactly, and all
others, normal with any covariance, for what one segment honours and another does not decides how well honest choices fit (EM with simulated moments, Train 2009
ch. 14); so clickers do not water the tastes down. Which value is too low follows from simulation on the same tasks: random clickers, and respondents
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

_DRAWS = 256
_STEPS = 20  # each with fresh draws, so that the tastes do not settle on some of them
_FIRMER = 1.3  # than the average taste: pooling weakens tastes that differ
_SPREAD = 0.4  # to start from, of each taste and at least of the largest one: people also differ in what the average hardly cares for
_PRIOR_PEOPLE = 15  # that the first spread counts as, so that few respondents do not make it collapse
_FALSE_ALARMS = (0.01, 0.02, 0.05, 0.10)
_CHUNK = 100
_LARGEST = 500.0  # exp of it is finite
_SHARE_STEPS = 40
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
    try:
        pooled = _pooled(X, picked, answered)
    except EstimationError:
        return None
    draws = _population(pooled, X, picked, answered)
    rlh = _rlh(X, picked, answered, draws)
    return RootLikelihood(
        pd.Series(rlh, index=[r.number for r in people], name="rlh"), _cutoffs(X, answered, draws, rng)
    )


def _arrays(definition: Definition, people: Sequence[Respondent]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (N, T, J, K) coded as shown, the place of the chosen offer (N, T), which tasks were answered by one of as many offers as the study shows (N, T)."""
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
            known[key] = np.array([columns.row(definition, a) for a in choice.task.offers])
        return known[key]

    for n, person in enumerate(people):
        for t, choice in enumerate(person.choices):
            if len(choice.task.offers) != most or choice.picked.is_none:
                continue
            X[n, t] = coded(choice)
            picked[n, t] = [a.number for a in choice.task.offers].index(choice.chosen)
            answered[n, t] = True
    return X, picked, answered


def _pooled(X: np.ndarray, picked: np.ndarray, answered: np.ndarray) -> np.ndarray:
    _, _, J, K = X.shape
    people, tasks = np.nonzero(answered)
    rows = X[people, tasks].reshape(-1, K)
    names = [f"x{k}" for k in range(K - 1)] + ["price"]
    frame = pd.DataFrame(rows, columns=names)
    frame["respondent"] = np.repeat(people, J)
    frame["choice_task"] = np.repeat(tasks, J)
    frame["chosen"] = (np.tile(np.arange(J), len(people)) == np.repeat(picked[people, tasks], J)).astype(int)
    fit = ConditionalLogit(ChoiceData.from_long(frame, " + ".join(names))).fit()
    return np.asarray(fit.params.loc[names], dtype=float)


def _population(pooled: np.ndarray, X: np.ndarray, picked: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """(R, K) draws of the tastes, normal with the mean and covariance that make all choices most likely beside a share of clickers."""
    size = np.maximum(np.abs(pooled), np.abs(pooled).max() * _SPREAD)
    mean, first = _FIRMER * pooled, np.diag((_SPREAD * size) ** 2)
    covariance, chance = first, -answered.sum(axis=1) * np.log(X.shape[2])
    for step in range(_STEPS):
        draws = _normal(mean, covariance, step)
        each = _likelihoods(X, picked, answered, draws)
        total = logsumexp(each, axis=1, keepdims=True)
        consistent = _consistent(total[:, 0] - np.log(_DRAWS), chance)
        weights = consistent @ np.exp(each - total)
        people = weights.sum()
        mean = weights @ draws / people
        away = draws - mean
        covariance = ((weights[:, None] * away).T @ away + _PRIOR_PEOPLE * first) / (people + _PRIOR_PEOPLE)
    return _normal(mean, covariance, _STEPS)


def _normal(mean: np.ndarray, covariance: np.ndarray, seed: int) -> np.ndarray:
    uniform = qmc.Sobol(len(mean), seed=seed).random(_DRAWS).clip(1e-6, 1 - 1e-6)
    return np.asarray(mean + norm.ppf(uniform) @ np.linalg.cholesky(covariance).T)


def _consistent(log_likelihood: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """(N,) probability of being no clicker, with the most likely share of them (Dempster, Laird and Rubin 1977)."""
    share = 0.1
    odds = np.exp(np.clip(log_likelihood - chance, -_LARGEST, _LARGEST))
    for _ in range(_SHARE_STEPS):
        consistent = odds * (1 - share) / (odds * (1 - share) + share)
        share = float(np.clip(1 - consistent.mean(), 1e-6, 0.6))
    return np.asarray(consistent)


def _likelihoods(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(N, R) log-likelihood of everybody's choices at each draw."""
    found = []
    for start in range(0, len(X), _CHUNK):
        part = slice(start, start + _CHUNK)
        chosen = np.take_along_axis(X[part], picked[part, :, None, None], axis=2)
        odds = (X[part] - chosen) @ draws.T  # (n, T, J, R), 0 for the chosen one, so that p = 1 / sum exp
        np.exp(np.minimum(odds, _LARGEST, out=odds), out=odds)
        found.append(np.where(answered[part][..., None], -np.log(odds.sum(axis=2)), 0.0).sum(axis=1))
    return np.concatenate(found)


def _rlh(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(N,) root of the likelihood integrated over the draws."""
    log_likelihood = logsumexp(_likelihoods(X, picked, answered, draws), axis=1) - np.log(len(draws))
    return np.asarray(np.exp(log_likelihood / answered.sum(axis=1)))


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
