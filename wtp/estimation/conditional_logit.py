"""The conditional logit of McFadden (1974): one vector of part-worths for all respondents.

LL(b) = sum_t w_t [v_ty - log sum_j exp(v_tj)], v_tj = x_tj'b; score w_t (x_ty - xbar_t), Hessian
-sum_t w_t [sum_j p_tj x_tj x_tj' - xbar_t xbar_t']. It is globally concave, so Newton from zero arrives in a few steps. Answers of one
respondent are not independent: covariances are clustered by respondent, V = c A^-1 B A^-1 with
c = G/(G-1) (T-1)/(T-K), unless told otherwise. Notation: N = G respondents, T choice tasks, A alternative rows, K parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigvalsh
from statsmodels.base.model import LikelihoodModel

from wtp.errors import DataError, EstimationError
from wtp.estimation import diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_kernel import evaluate
from wtp.estimation.conditional_results import (
    COVARIANCES,
    ConditionalLogitResults,
    PlainResults,
    parameter_table,
    quantile,
)
from wtp.estimation.diagnostics import Note

__all__ = [
    "ConditionalLogit",
    "ConditionalLogitResults",
    "CovarianceType",
    "parameter_table",
    "quantile",
    "scaled_solve",
]

CovarianceType = Literal["cluster", "robust", "nonrobust"]
LOG_SCALE = "log_scale"
_TOLERANCE = 1e-14  # on twice the log-likelihood still to be gained
_ROUNDING = 1e-9  # below it a gain that no longer shrinks is rounding
_MAX_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Log-likelihood, (groups, K) scores and the (K, K) negative Hessian at one point of utility space."""

    log_likelihood: float
    scores: np.ndarray
    information: np.ndarray

    @property
    def gradient(self) -> np.ndarray:
        """(K,)."""
        return np.asarray(self.scores.sum(axis=0))


class ConditionalLogit(LikelihoodModel):  # type: ignore[misc]  # statsmodels has no types
    """Conditional logit on statsmodels' `LikelihoodModel`.

    data: the answered choice tasks. space: "preference", or "wtp" (Train and Weeks 2005): v = exp(log_scale) (w'x - price), so that coefficients are money;
    with fixed coefficients only another parametrisation of the same likelihood. `fit` returns statsmodels results with labelled params, cov_params,
    t_test, wald_test, summary. Raises DataError for WTP space without a price.
    """

    def __init__(self, data: ChoiceData, space: Literal["preference", "wtp"] = "preference") -> None:
        if space not in ("preference", "wtp"):
            raise EstimationError(f"space: found {space!r}; allowed: preference, wtp; choose one of them.")
        if space == "wtp" and data.price is None:
            raise DataError(
                "space: WTP space needs a price, and the data have none; allowed: a price in the formula; name it with price=."
            )
        self.choices, self.space = data, space
        self._Z = data.centred
        picked = np.zeros(len(data.X))
        picked[data.chosen] = 1
        names = [LOG_SCALE if space == "wtp" and name == data.price else name for name in data.names]
        exog = pd.DataFrame(self._Z, columns=names, copy=False)
        super().__init__(pd.Series(picked, name="chosen"), exog, hasconst=False)

    def to_utility(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients in utility space (K,) and their derivatives in the parameters (K, K)."""
        params = np.asarray(params, dtype=float)
        if self.space == "preference":
            return params, np.eye(len(params))
        k = self.choices.names.index(str(self.choices.price))
        scale = float(np.exp(params[k]))
        coefficients = scale * params
        coefficients[k] = -scale
        jacobian = scale * np.eye(len(params))
        jacobian[:, k] = coefficients
        return coefficients, jacobian

    def _evaluate(self, coefficients: np.ndarray, group: np.ndarray, groups: int) -> Evaluation:
        """Likelihood and derivatives in utility space; group: (T,) whose scores are summed."""
        data = self.choices
        columns = len(data.names)
        scores, information = np.zeros((groups, columns)), np.zeros((columns, columns))
        log_likelihood = evaluate(
            self._Z, data.starts, data.chosen, data.task_weights, group, coefficients, scores, information
        )
        return Evaluation(log_likelihood, scores, information)

    def _log_likelihood(self, coefficients: np.ndarray) -> float:
        data, nothing = self.choices, np.zeros((0, 0))
        weights = data.task_weights
        return float(
            evaluate(self._Z, data.starts, data.chosen, weights, data.respondent, coefficients, nothing, nothing)
        )

    def loglike(self, params: np.ndarray) -> float:
        """Log-likelihood at params (K,)."""
        return self._log_likelihood(self.to_utility(params)[0])

    def score_obs(self, params: np.ndarray) -> np.ndarray:
        """Score of each choice task, (T, K)."""
        coefficients, jacobian = self.to_utility(params)
        tasks = len(self.choices.starts)
        return np.asarray(self._evaluate(coefficients, np.arange(tasks), tasks).scores @ jacobian)

    def score(self, params: np.ndarray) -> np.ndarray:
        """Gradient of the log-likelihood, (K,)."""
        coefficients, jacobian = self.to_utility(params)
        return np.asarray(self._evaluate(coefficients, *self._groups("cluster")).gradient @ jacobian)

    def hessian(self, params: np.ndarray) -> np.ndarray:
        """Second derivatives of the log-likelihood, (K, K)."""
        coefficients, jacobian = self.to_utility(params)
        found = self._evaluate(coefficients, *self._groups("cluster"))
        hessian = -jacobian.T @ found.information @ jacobian
        if self.space == "wtp":
            # d2 b_j / dw_j dlog_scale = scale, and every coefficient is its own second derivative in log_scale.
            k = self.choices.names.index(str(self.choices.price))
            slope, others = found.gradient, np.arange(len(coefficients)) != k
            hessian[others, k] += slope[others] * -coefficients[k]
            hessian[k, others] += slope[others] * -coefficients[k]
            hessian[k, k] += slope @ coefficients
        return np.asarray(hessian)

    def _groups(self, cov_type: str) -> tuple[np.ndarray, int]:
        """(T,) group of each choice task whose scores the covariance sums, and their number."""
        if cov_type == "robust":
            return np.arange(len(self.choices.starts)), len(self.choices.starts)
        return self.choices.respondent, len(self.choices.respondents)

    def predict(self, params: np.ndarray, exog: ChoiceData | None = None) -> np.ndarray:
        """Choice probabilities, (A,), of the estimation tasks or of other `ChoiceData` with the same columns."""
        if exog is not None and exog.names != self.choices.names:
            raise DataError(
                f"columns {', '.join(exog.names)}; allowed: {', '.join(self.choices.names)}; code both with one formula and the same levels."
            )
        data = self.choices if exog is None else exog
        v = data.centred @ self.to_utility(params)[0]
        v -= np.maximum.reduceat(v, data.starts)[data.task_of_row]
        e = np.exp(v)
        return np.asarray(e / np.add.reduceat(e, data.starts)[data.task_of_row])

    def fit(self, cov_type: CovarianceType = "cluster") -> ConditionalLogitResults:
        """Maximise the likelihood by Newton's method with step halving.

        cov_type: "cluster" (by respondent), "robust" (by choice task) or "nonrobust".
        Raises EstimationError if columns are not identified or the choices separate, naming columns or levels.
        """
        if cov_type not in COVARIANCES:
            raise EstimationError(
                f"cov_type: found {cov_type!r}; allowed: {', '.join(COVARIANCES)}; choose one of them."
            )
        data = self.choices
        if not _identified(data):
            _stop(diagnostics.aliased(data))
        counts = diagnostics.level_counts(data)
        if ((counts["chosen"] == 0) | (counts["chosen"] == counts["shown"])).any():
            _stop(diagnostics.separation(data, counts))
        coefficients, found, steps, converged = self._newton(cov_type)
        if not converged or diagnostics.flat(data, found.information):
            _stop(diagnostics.separation(data, counts))
        if not converged:
            raise EstimationError(
                f"Newton's method did not arrive after {steps} steps; allowed: data that identify every column; "
                "leave out columns that barely vary and fit again."
            )
        covariance = self._covariance(found, cov_type)
        notes = (*diagnostics.condition_note(data), *diagnostics.level_notes(counts))
        params, covariance = self._in_space(coefficients, covariance)
        results = PlainResults(self, params, covariance, cov_type, found.log_likelihood, steps, notes)
        return ConditionalLogitResults(results)

    def _in_space(self, coefficients: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters and covariance in the space that was asked for, by the delta method, from those in preference space."""
        if self.space == "preference":
            return coefficients, covariance
        k = self.choices.names.index(str(self.choices.price))
        if coefficients[k] >= 0:
            raise EstimationError(
                f"The price did not drive the answers (coefficient {coefficients[k]:.4g}, not below 0), so there is no WTP space; "
                'allowed: a negative price coefficient; use space="preference" and check the data.'
            )
        params = -coefficients / coefficients[k]
        params[k] = np.log(-coefficients[k])
        inverse = np.linalg.inv(self.to_utility(params)[1])
        return params, inverse @ covariance @ inverse.T

    def _newton(self, cov_type: str) -> tuple[np.ndarray, Evaluation, int, bool]:
        """Coefficients in utility space, the derivatives there, steps taken, whether it arrived."""
        groups = self._groups(cov_type)
        coefficients = np.zeros(len(self.choices.names))
        found = self._evaluate(coefficients, *groups)
        before = np.inf
        for step in range(1, _MAX_STEPS + 1):
            gradient = found.gradient
            try:
                move = scaled_solve(found.information, gradient)
            except LinAlgError:
                return coefficients, found, step, False
            gain = float(gradient @ move)
            if gain < _TOLERANCE or (gain < _ROUNDING and gain > before / 10):
                return coefficients + move, found, step, True
            before = gain
            size, enough = 1.0, found.log_likelihood - 1e-13 * abs(found.log_likelihood)
            following = self._evaluate(coefficients + move, *groups)
            if following.log_likelihood < enough:
                while size > 1e-8:
                    size /= 2
                    if self._log_likelihood(coefficients + size * move) >= enough:
                        break
                following = self._evaluate(coefficients + size * move, *groups)
            coefficients, found = coefficients + size * move, following
        return coefficients, found, _MAX_STEPS, False

    def _covariance(self, found: Evaluation, cov_type: str) -> np.ndarray:
        data = self.choices
        tasks, k, people = len(data.starts), len(data.names), len(data.respondents)
        bread = scaled_solve(found.information, np.eye(k))
        if cov_type == "nonrobust":
            return bread
        if tasks <= k or (cov_type == "cluster" and people < 2):
            raise EstimationError(
                f"{people} respondent{'s' * (people != 1)} and {tasks} choice tasks for {k} parameters; allowed: two or more "
                "respondents and more tasks than parameters; collect more answers or shorten the formula."
            )
        correction = (tasks - 1) / (tasks - k)
        if cov_type == "cluster":
            correction *= people / (people - 1)
        return np.asarray(correction * bread @ (found.scores.T @ found.scores) @ bread)


def _identified(data: ChoiceData) -> bool:
    """A quick look that clears nearly all data: every column varies, and no combination of them is near to constant."""
    largest, varied = data.extents
    return bool((varied > 1e-12 * largest).all() and eigvalsh(data.gram)[0] > 1e-8)


def scaled_solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix^-1 right for a positive definite (K, K) matrix; scaled to a unit diagonal, so that the unit of a column does not matter.

    Raises scipy's LinAlgError if the matrix is not positive definite.
    """
    if not (np.diag(matrix) > 0).all():
        raise LinAlgError("a diagonal element is not positive")
    scale = 1 / np.sqrt(np.diag(matrix))
    scaled = matrix * scale[:, None] * scale
    right_scaled = right * (scale if right.ndim == 1 else scale[:, None])
    solved = cho_solve(cho_factor(scaled), right_scaled)
    return np.asarray(solved * (scale if right.ndim == 1 else scale[:, None]))


def _stop(notes: tuple[Note, ...]) -> None:
    if notes:
        raise EstimationError(" ".join(map(str, notes)))
