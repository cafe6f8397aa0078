"""Cluster bootstrap of the conditional logit: respondents drawn with replacement, every replicate estimated anew.

It keeps what the answers of one respondent share and assumes no distribution of the estimates; the method of choice below 100 respondents
or with survey weights. A replicate is a vector of counts of respondents, and starts at the estimate, from where Newton arrives in a few steps.
Where a replicate's choices separate it has no finite estimate: such replicates are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError

from wtp.errors import EstimationError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_kernel import evaluate
from wtp.estimation.conditional_logit import ConditionalLogitResults, scaled_solve
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import BOOTSTRAP, Draws
from wtp.estimation.parallel import each

_TOLERANCE = 1e-8  # on twice the log-likelihood still to be gained; far below the spread of the replicates
_MOST_STEPS = 30
_MOST_LOST = 0.05
_BLOCK = 50  # replicates that run somewhere together
_FAR = 25.0  # utility between the extremes of a column: its choices are certain, so the replicate separates

_LOST = (
    "{lost} of {replicates} bootstrap replicates have no finite estimate, because their choices separate; intervals leave them out and are too "
    "narrow; collect more answers or merge rare levels."
)


@dataclass(frozen=True, eq=False, slots=True)
class Bootstrap:
    """draws: of the replicates that have an estimate, in utility space (R, 1, K). lost: how many have none. notes: if there are such."""

    draws: Draws
    lost: int
    notes: tuple[Note, ...]


def bootstrap(fit: ConditionalLogitResults, replicates: int = 1000, seed: int = 0) -> Bootstrap:
    """Estimate `replicates` samples of the fit's respondents, drawn with replacement; survey weights stay with their respondent.

    Raises EstimationError for fewer than two respondents or replicates, or where more than 5 per cent of the replicates have no estimate.
    """
    data: ChoiceData = fit.data
    people = len(data.respondents)
    if people < 2 or replicates < 2:
        raise EstimationError(
            f"{people} respondents, {replicates} replicates; allowed: two or more of both; collect more answers or ask for more."
        )
    rng = np.random.default_rng(seed)
    start = np.asarray(fit.utility_params, dtype=float)
    sizes = [min(_BLOCK, replicates - done) for done in range(0, replicates, _BLOCK)]
    drawn = (rng.multinomial(people, np.full(people, 1 / people), size=size) for size in sizes)
    answered = _Answered(data.centred, data.starts, data.chosen, data.task_weights, data.respondent, data.extents[1])
    blocks = each(_replicates, ((answered, start, counts) for counts in drawn), threads=False)
    found = [params for block in blocks for params in block]
    kept = np.array([params for params in found if params is not None])
    lost = replicates - len(kept)
    note = Note("replicates_lost", "warning", _LOST, {"lost": lost, "replicates": replicates})
    if lost > _MOST_LOST * replicates:
        raise EstimationError(f"{note}")
    draws = Draws(kept[:, None, :], np.ones((1, 1)), BOOTSTRAP)
    return Bootstrap(draws, lost, (note,) if lost else ())


@dataclass(frozen=True, eq=False, slots=True)
class _Answered:
    """What a replicate takes of the data, see `ChoiceData`, and nothing that tells whose answers they are."""

    centred: np.ndarray
    starts: np.ndarray
    chosen: np.ndarray
    task_weights: np.ndarray
    respondent: np.ndarray
    extents: np.ndarray


def _replicates(data: _Answered, start: np.ndarray, counts: np.ndarray) -> list[np.ndarray | None]:
    """Coefficients of samples with these counts of respondents (R, N)."""
    return [_replicate(data, start, each) for each in counts]


def _replicate(data: _Answered, start: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """Coefficients (K,) of respondents counted (N,), or None where they do not exist."""
    weights = data.task_weights * counts[data.respondent]
    nobody, k = np.zeros(len(data.starts), dtype=np.int64), len(start)
    params, best = start, -np.inf
    move = np.zeros(k)
    for _ in range(_MOST_STEPS):
        scores, information = np.zeros((1, k)), np.zeros((k, k))
        value = evaluate(data.centred, data.starts, data.chosen, weights, nobody, params + move, scores, information)
        if value < best - 1e-9 * abs(best):
            move = move / 2
            continue
        params, best = params + move, value
        if np.abs(params * data.extents).max() > _FAR:
            return None
        try:
            move = scaled_solve(information, scores[0])
        except LinAlgError:
            return None
        if float(scores[0] @ move) < _TOLERANCE:
            return np.asarray(params + move)
    return None
