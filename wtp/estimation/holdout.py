"""How well choices that were not used in estimation are predicted: hit rate and log score, beside the pooled logit and chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogit

_BLOCK = 20_000_000  # numbers at a time


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """table: one row each for the model, the pooled logit and chance, with hit_rate, log_score (mean log probability of the choice), tasks."""

    table: pd.DataFrame
    respondents: int


def probabilities(data: ChoiceData, coefficients: np.ndarray) -> np.ndarray:
    """(A,) choice probabilities, averaged over the draws of respondents' coefficients (R, N, K)."""
    person = data.respondent[data.task_of_row]
    total = np.zeros(len(data.X))
    size = max(1, _BLOCK // max(1, len(data.X)))
    for start in range(0, len(coefficients), size):
        block = np.asarray(coefficients[start : start + size], dtype=float)
        v = np.zeros((len(block), len(data.X)))
        for k in range(data.X.shape[1]):  # no (R, A, K) array
            v += data.centred[:, k] * block[:, person, k]
        v -= np.maximum.reduceat(v, data.starts, axis=1)[:, data.task_of_row]
        np.exp(v, out=v)
        v /= np.add.reduceat(v, data.starts, axis=1)[:, data.task_of_row]
        total += v.sum(axis=0)
    return np.asarray(total / len(coefficients))


def chosen_probabilities(data: ChoiceData, coefficients: np.ndarray) -> np.ndarray:
    """(T,) mean probability of the chosen alternatives; a smallest positive number instead of 0."""
    return np.asarray(np.maximum(probabilities(data, coefficients)[data.chosen], np.finfo(float).tiny))


def predict_holdout(data: ChoiceData, coefficients: np.ndarray, tasks: ChoiceData) -> Prediction:
    """Predict tasks of respondents who are in the estimation data, from their draws (R, N, K); the pooled logit is fitted to the same data.

    Raises DataError for other columns or an unknown respondent.
    """
    if tasks.names != data.names:
        raise DataError(
            f"columns {', '.join(tasks.names)}; allowed: {', '.join(data.names)}; code both with one formula and the same levels."
        )
    place = pd.Index(data.respondents).get_indexer(tasks.respondents)
    if (place < 0).any():
        who = tasks.respondents[np.argmin(place)]
        raise DataError(
            f"respondent {who}: not in the estimation data; allowed: its respondents; leave these tasks out."
        )
    own = probabilities(tasks, coefficients[:, place])
    pooled = np.asarray(ConditionalLogit(data).fit(cov_type="nonrobust").predict(tasks))
    equal = 1 / tasks.sizes
    rows = {"model": _scores(tasks, own), "pooled": _scores(tasks, pooled)}
    rows["chance"] = (float(equal.mean()), float(np.log(equal).mean()), len(equal))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["hit_rate", "log_score", "tasks"])
    return Prediction(table, len(tasks.respondents))


def _scores(tasks: ChoiceData, p: np.ndarray) -> tuple[float, float, int]:
    """A tie counts as the share of a hit that guessing among its alternatives would give."""
    best = p >= np.maximum.reduceat(p, tasks.starts)[tasks.task_of_row] - 1e-12
    hits = best[tasks.chosen] / np.add.reduceat(best.astype(float), tasks.starts)
    scores = np.log(np.maximum(p[tasks.chosen], np.finfo(float).tiny))
    return float(hits.mean()), float(scores.mean()), len(tasks.starts)
