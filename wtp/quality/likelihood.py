"""Root likelihood against random clickers, on the tasks that were really shown.

The likelihood of a respondent's choices under the tastes of the study, integrated over how they differ, is what tells a random clicker apart best (Neyman and Pearson). Its
root (RLH) lies at 1/J for chance. Which value is too low follows from simulation on the same tasks: random clickers, and respondents whose tastes
are those of the study, so that both what is caught and what is lost are told (the recipe of cut-offs by random data, with its price).
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
from wtp.survey.answers import Choice, Respondent
from wtp.survey.definition import Definition

_DRAWS = 128
_SPREADS = (0.1, 0.25, 0.5, 1.0, 1.5)
_SCALES = (1.0, 1.3, 1.7)
_FALSE_ALARMS = (0.01, 0.02, 0.05, 0.10)
_CHUNK = 200
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
    trusted = np.ones(len(people), dtype=bool)
    for _ in range(2):  # again without those who look random, since they water the tastes down
        try:
            mean = _pooled(X[trusted], picked[trusted], answered[trusted])
        except EstimationError:
            return None
        draws = _population(mean, X[trusted], picked[trusted], answered[trusted])
        rlh = _rlh(X, picked, answered, draws)
        cutoffs = _cutoffs(X, answered, draws, rng)
        trusted = rlh >= cutoffs["cutoff"].iloc[2]
    return RootLikelihood(pd.Series(rlh, index=[r.number for r in people], name="rlh"), cutoffs)


def _arrays(definition: Definition, people: Sequence[Respondent]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (N, T, J, K) coded as shown, the place of the chosen alternative (N, T), which tasks were answered (N, T)."""
    places = [{level: n for n, level in enumerate(a.level_ids)} for a in definition.attributes]
    low, high = definition.price.levels[0], definition.price.levels[-1]
    codes = [np.eye(len(place))[:, 1:] for place in places]
    longest = max(len(r.choices) for r in people)
    most = definition.choice_tasks.alternatives
    width = sum(code.shape[1] for code in codes) + 1
    X = np.zeros((len(people), longest, most, width))
    picked = np.zeros((len(people), longest), dtype=int)
    answered = np.zeros((len(people), longest), dtype=bool)
    known: dict[int, np.ndarray] = {}

    def coded(choice: Choice) -> np.ndarray:
        key = id(choice.task)
        if key not in known:
            rows = []
            for a in choice.task.alternatives:
                levels = [
                    code[place[a.levels[attribute.id]]]
                    for attribute, place, code in zip(definition.attributes, places, codes, strict=True)
                ]
                rows.append(np.concatenate([*levels, [(a.price - low) / (high - low)]]))
            known[key] = np.array(rows)
        return known[key]

    for n, person in enumerate(people):
        for t, choice in enumerate(person.choices):
            X[n, t] = coded(choice)
            picked[n, t] = [a.number for a in choice.task.alternatives].index(choice.chosen)
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


def _population(mean: np.ndarray, X: np.ndarray, picked: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """(R, K) draws of tastes round the pooled ones, as strong and as wide as makes the choices most likely (pooling weakens tastes that differ)."""
    z = norm.ppf(qmc.Sobol(len(mean), seed=1).random(_DRAWS).clip(1e-6, 1 - 1e-6))
    floor = 0.1 * np.abs(mean).max()
    candidates = [
        scale * (mean + spread * np.maximum(np.abs(mean), floor) * z) for spread in _SPREADS for scale in _SCALES
    ]
    return max(candidates, key=lambda draws: _log_likelihood(X, picked, answered, draws).sum())


def _log_likelihood(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(N,) log of the likelihood integrated over the draws."""
    found = []
    for start in range(0, len(X), _CHUNK):
        part = slice(start, start + _CHUNK)
        utility = np.einsum("ntjk,rk->rntj", X[part], draws, optimize=True)
        chosen = np.take_along_axis(utility, picked[None, part, :, None], axis=3)[..., 0]
        log_p = np.where(answered[part], chosen - logsumexp(utility, axis=3), 0.0).sum(axis=2)
        found.append(logsumexp(log_p, axis=0) - np.log(len(draws)))
    return np.concatenate(found)


def _rlh(X: np.ndarray, picked: np.ndarray, answered: np.ndarray, draws: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(_log_likelihood(X, picked, answered, draws) / answered.sum(axis=1)))


def _cutoffs(X: np.ndarray, answered: np.ndarray, draws: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """What each cut-off catches and loses, by simulated respondents of both kinds on the tasks that were shown."""
    again = rng.integers(0, len(X), 1_000)
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
