"""Slips in choosing, measured by a repeated choice task, and part-worths without them: a sensitivity view, never the figure itself.

Model of Clayton, Horiuchi, Kaufman, King and Komisarchik (2025) for any number J of alternatives: a respondent states the preferred one with probability 1 - e, otherwise one of the J - 1 others,
anew at each asking. Both askings agree with probability A = (1 - e)^2 + e^2 / (J - 1) = 1/J + r^2 (J - 1)/J, where r = 1 - e J/(J - 1); so r is the root of the agreement
corrected for chance, (A - 1/J) / (1 - 1/J). What is observed is P = r P* + (1 - r)/J, the preferred shares pulled towards chance by r (with J = 2, their r = 1 - 2 e). Part-worths
without slips maximise the likelihood of P with P* a conditional logit. r and part-worths are estimated together: one sandwich over respondents covers both (Newey and McFadden 1994), so that the uncertainty
of the agreement is in the intervals. It reads every disagreement as a slip; what is true wavering of taste belongs to the logit's own error, so the truth lies between the
raw figure and this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import logsumexp

from wtp.errors import EstimationError
from wtp.estimation.choice_data import ChoiceData

FEWEST_REPEATED = 30
LOWEST_KAPPA = 0.10
_HIGHEST_R = 0.995  # the likelihood needs room for a slip


@dataclass(frozen=True, slots=True)
class Reliability:
    """Agreement of repeated choice tasks: asked, share that agreed, share by chance 1/J, and what follows from them.

    kappa: agreement beyond chance as a share of what is possible; attenuation r = root of kappa; slips e, the share of choices that are none of the preferred one.
    """

    asked: int
    agreement: float
    chance: float

    @property
    def kappa(self) -> float:
        """(A - 1/J) / (1 - 1/J); negative if they agree less often than by chance."""
        return (self.agreement - self.chance) / (1 - self.chance)

    @property
    def attenuation(self) -> float:
        """r: effects on choice shares are this share of what they would be without slips; NaN at or below chance."""
        return float(np.sqrt(self.kappa)) if self.kappa > 0 else float("nan")

    @property
    def slips(self) -> float:
        """e = (1 - r)(1 - 1/J)."""
        return (1 - self.attenuation) * (1 - self.chance)


@dataclass(frozen=True, slots=True)
class WithoutSlips:
    """names: K parameters; params (K,) and their covariance (K, K) without slips; reliability they rest on."""

    names: tuple[str, ...]
    params: np.ndarray
    covariance: np.ndarray
    reliability: Reliability

    @property
    def table(self) -> pd.DataFrame:
        """parameter, estimate, std_error."""
        return pd.DataFrame(
            {"parameter": self.names, "estimate": self.params, "std_error": np.sqrt(np.diag(self.covariance))}
        )


def without_slips(data: ChoiceData, agreed: pd.Series, start: np.ndarray) -> WithoutSlips:
    """Part-worths with the slips that the repeated choice task shows taken out.

    data: forced choices alone, all tasks with the same J alternatives. agreed: 1 or 0 by respondent label, of those whose repeated task is answered. start: (K,) the usual estimates.
    Raises EstimationError where the agreement is of fewer than 30 or hardly above chance, or where nothing is found.
    """
    sizes = np.unique(data.sizes)
    if len(sizes) != 1:
        raise EstimationError(
            "choice tasks of different sizes; allowed: the same number of alternatives; leave some out."
        )
    J = int(sizes[0])
    known = agreed.reindex(data.respondents)
    asked = known.notna().to_numpy()
    reliability = Reliability(int(asked.sum()), float(known[asked].mean()) if asked.any() else np.nan, 1 / J)
    if reliability.asked < FEWEST_REPEATED:
        raise EstimationError(
            f"repeated choice task: {reliability.asked} answers; allowed: at least {FEWEST_REPEATED}; ask more respondents."
        )
    if not reliability.kappa >= LOWEST_KAPPA:
        raise EstimationError(
            f"repeated choice task: {reliability.agreement:.0%} agree, {reliability.chance:.0%} by chance; too near to chance to correct by."
        )
    r = min(reliability.attenuation, _HIGHEST_R)
    found = minimize(
        lambda b: _loss(data, b, r, J), start, jac=True, method="BFGS", options={"gtol": 1e-5 * len(data.starts)}
    )
    scores = _scores(data, found.x, r, J)
    if not np.isfinite(found.fun) or np.abs(scores.sum(axis=0)).max() > 1e-3 * len(data.starts):
        raise EstimationError(
            "part-worths without slips: no maximum found; allowed: clearer choices; use the raw ones."
        )
    return WithoutSlips(data.names, found.x, _sandwich(data, found.x, r, J, known, reliability), reliability)


def _observed(data: ChoiceData, params: np.ndarray, r: float, J: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, J) preferred probabilities, (T,) of the chosen one, (T,) observed probability of the chosen one."""
    utility = (data.centred @ params).reshape(-1, J)
    preferred = np.exp(utility - logsumexp(utility, axis=1, keepdims=True))
    chosen = preferred.ravel()[data.chosen]
    return preferred, chosen, r * chosen + (1 - r) / J


def _task_scores(data: ChoiceData, params: np.ndarray, r: float, J: int) -> tuple[np.ndarray, np.ndarray]:
    """(T,) log-likelihood and (T, K) scores."""
    Z = data.centred.reshape(-1, J, data.centred.shape[1])
    preferred, chosen, observed = _observed(data, params, r, J)
    mean = np.einsum("tj,tjk->tk", preferred, Z)
    return np.log(observed), (r * chosen / observed)[:, None] * (data.centred[data.chosen] - mean)


def _loss(data: ChoiceData, params: np.ndarray, r: float, J: int) -> tuple[float, np.ndarray]:
    log_likelihood, scores = _task_scores(data, params, r, J)
    weights = data.task_weights
    return -float(weights @ log_likelihood), -(weights @ scores)


def _scores(data: ChoiceData, params: np.ndarray, r: float, J: int) -> np.ndarray:
    """(N, K) scores of respondents."""
    scores = data.task_weights[:, None] * _task_scores(data, params, r, J)[1]
    return np.asarray(np.add.reduceat(scores, data.first_tasks))


def _sandwich(
    data: ChoiceData, params: np.ndarray, r: float, J: int, known: pd.Series, reliability: Reliability
) -> np.ndarray:
    """(K, K): derivatives by central differences of the exact scores, moments by respondent."""
    K = len(params)

    def total(theta: np.ndarray) -> np.ndarray:
        return np.asarray(_scores(data, theta[:K], float(theta[K]), J).sum(axis=0))

    theta = np.r_[params, r]
    steps = 1e-5 * np.maximum(1, np.abs(theta))
    slopes = [
        (total(theta + h * e) - total(theta - h * e)) / (2 * h) for h, e in zip(steps, np.eye(K + 1), strict=True)
    ]
    slope_of_agreement = 2 * r * (J - 1) / J  # dA/dr
    A = np.zeros((K + 1, K + 1))
    A[:K] = np.column_stack(slopes)
    A[K, K] = -reliability.asked * slope_of_agreement
    moment = (known - reliability.agreement).fillna(0.0).to_numpy()
    psi = np.column_stack([_scores(data, params, r, J), moment])
    inverse = np.linalg.pinv(A)
    groups = len(data.respondents)
    covariance = inverse @ (psi.T @ psi) @ inverse.T * groups / (groups - 1)
    return np.asarray(covariance[:K, :K])
