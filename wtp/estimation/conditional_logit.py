"""The conditional logit of McFadden (1974): one vector of part-worths for all respondents.

LL(b) = sum_t w_t [v_ty - log sum_j exp(v_tj)], v_tj = x_tj'b; score w_t (x_ty - xbar_t), Hessian
-sum_t w_t [sum_j p_tj x_tj x_tj' - xbar_t xbar_t']. It is globally concave, so Newton from zero arrives in a few steps. Answers of one
respondent are not independent: covariances are clustered by respondent, V = c A^-1 B A^-1 with
c = G/(G-1) (T-1)/(T-K), unless told otherwise. Notation: N = G respondents, T choice tasks, A alternative rows, K parameters.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array
from statsmodels.base.model import LikelihoodModel, LikelihoodModelResults
from statsmodels.base.wrapper import ResultsWrapper, populate_wrapper
from statsmodels.iolib.summary import Summary, summary_params

from wtp.errors import DataError, EstimationError
from wtp.estimation import diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, normal_draws

CovarianceType = Literal["cluster", "robust", "nonrobust"]
_COVARIANCES = {
    "cluster": "clustered by respondent",
    "robust": "robust, choice tasks taken as independent",
    "nonrobust": "inverse Hessian, choice tasks taken as independent",
}
LOG_SCALE = "log_scale"
_TOLERANCE = 1e-10
_MAX_STEPS = 60
_BLOCK = 8192  # rows whose products stay in the processor's cache


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
        self._tasks = data.task_of_row
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

    def _probabilities(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(A,) choice probabilities and (T,) log-probabilities of the chosen alternatives."""
        data = self.choices
        v = self._Z @ np.asarray(params, dtype=float)
        v -= np.maximum.reduceat(v, data.starts)[self._tasks]
        e = np.exp(v)
        total = np.add.reduceat(e, data.starts)
        return e / total[self._tasks], v[data.chosen] - np.log(total)

    def loglike(self, params: np.ndarray) -> float:
        """Log-likelihood at params (K,)."""
        return float(self.choices.task_weights @ self._probabilities(self.to_utility(params)[0])[1])

    def score_obs(self, params: np.ndarray) -> np.ndarray:
        """Score of each choice task, (T, K)."""
        coefficients, jacobian = self.to_utility(params)
        return np.asarray(self._score_and_mean(self._probabilities(coefficients)[0])[0] @ jacobian)

    def score(self, params: np.ndarray) -> np.ndarray:
        """Gradient of the log-likelihood, (K,)."""
        return np.asarray(self.score_obs(params).sum(axis=0))

    def hessian(self, params: np.ndarray) -> np.ndarray:
        """Second derivatives of the log-likelihood, (K, K)."""
        coefficients, jacobian = self.to_utility(params)
        p = self._probabilities(coefficients)[0]
        scores, mean = self._score_and_mean(p)
        hessian = jacobian.T @ self._hessian(p, mean) @ jacobian
        if self.space == "wtp":
            # d2 b_j / dw_j dlog_scale = scale, and every coefficient is its own second derivative in log_scale.
            k = self.choices.names.index(str(self.choices.price))
            slope, others = scores.sum(axis=0), np.arange(len(coefficients)) != k
            hessian[others, k] += slope[others] * -coefficients[k]
            hessian[k, others] += slope[others] * -coefficients[k]
            hessian[k, k] += slope @ coefficients
        return np.asarray(hessian)

    def _score_and_mean(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        data = self.choices
        averaging = csr_array((p, np.arange(len(p)), np.r_[data.starts, len(p)]), shape=(len(data.starts), len(p)))
        mean = averaging @ self._Z
        return data.task_weights[:, None] * (self._Z[data.chosen] - mean), mean

    def _hessian(self, p: np.ndarray, mean: np.ndarray) -> np.ndarray:
        w = self.choices.task_weights
        hessian = (mean * w[:, None]).T @ mean
        wp = p * w[self._tasks]
        for start in range(0, len(wp), _BLOCK):
            block = slice(start, start + _BLOCK)
            hessian -= (self._Z[block] * wp[block, None]).T @ self._Z[block]
        return np.asarray(hessian)

    def predict(self, params: np.ndarray, exog: ChoiceData | None = None) -> np.ndarray:
        """Choice probabilities, (A,), of the estimation tasks or of other `ChoiceData` with the same columns."""
        if exog is not None and exog.names != self.choices.names:
            raise DataError(
                f"columns {', '.join(exog.names)}; allowed: {', '.join(self.choices.names)}; code both with one formula and the same levels."
            )
        model = self if exog is None else ConditionalLogit(exog)
        return model._probabilities(self.to_utility(params)[0])[0]

    def fit(self, cov_type: CovarianceType = "cluster") -> ConditionalLogitResults:
        """Maximise the likelihood by Newton's method with step halving.

        cov_type: "cluster" (by respondent), "robust" (by choice task) or "nonrobust".
        Raises EstimationError if columns are not identified or the choices separate, naming columns or levels.
        """
        if cov_type not in _COVARIANCES:
            raise EstimationError(
                f"cov_type: found {cov_type!r}; allowed: {', '.join(_COVARIANCES)}; choose one of them."
            )
        data = self.choices
        _stop(diagnostics.aliased(data))
        counts = diagnostics.level_counts(data)
        if ((counts["chosen"] == 0) | (counts["chosen"] == counts["shown"])).any():
            _stop(diagnostics.separation(data, counts))
        params, steps, converged = self._newton()
        p = self._probabilities(params)[0]
        information = -self._hessian(p, self._score_and_mean(p)[1])
        if not converged or diagnostics.flat(data, information):
            _stop(diagnostics.separation(data, counts))
        if not converged:
            raise EstimationError(
                f"Newton's method did not arrive after {steps} steps; allowed: data that identify every column; "
                "leave out columns that barely vary and fit again."
            )
        covariance = self._covariance(params, information, cov_type)
        notes = (*diagnostics.condition_note(data), *diagnostics.level_notes(counts))
        params, covariance = self._in_space(params, covariance)
        results = _Results(self, params, covariance, cov_type, steps, notes)
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

    def _newton(self) -> tuple[np.ndarray, int, bool]:
        w = self.choices.task_weights
        params = np.zeros(len(self.choices.names))
        p, log_p = self._probabilities(params)
        for step in range(1, _MAX_STEPS + 1):
            scores, mean = self._score_and_mean(p)
            gradient = scores.sum(axis=0)
            try:
                move = scaled_solve(-self._hessian(p, mean), gradient)
            except LinAlgError:
                return params, step, False
            loglike = float(w @ log_p)
            if float(gradient @ move) < _TOLERANCE * max(1.0, abs(loglike) * 1e-6):
                return params + move, step, True
            size = 1.0
            p, log_p = self._probabilities(params + move)
            while float(w @ log_p) < loglike and size > 1e-8:
                size /= 2
                p, log_p = self._probabilities(params + size * move)
            params = params + size * move
        return params, _MAX_STEPS, False

    def _covariance(self, params: np.ndarray, information: np.ndarray, cov_type: str) -> np.ndarray:
        data = self.choices
        bread = scaled_solve(information, np.eye(len(params)))
        if cov_type == "nonrobust":
            return bread
        scores = self._score_and_mean(self._probabilities(params)[0])[0]
        tasks, k = scores.shape
        people = len(data.respondents)
        if tasks <= k or (cov_type == "cluster" and people < 2):
            raise EstimationError(
                f"{people} respondent{'s' * (people != 1)} and {tasks} choice tasks for {k} parameters; allowed: two or more "
                "respondents and more tasks than parameters; collect more answers or shorten the formula."
            )
        correction = (tasks - 1) / (tasks - k)
        if cov_type == "cluster":
            scores = np.add.reduceat(scores, data.first_tasks, axis=0)
            correction *= people / (people - 1)
        return np.asarray(correction * bread @ (scores.T @ scores) @ bread)


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


class _Results(LikelihoodModelResults):  # type: ignore[misc]
    """The figures; `ConditionalLogitResults` puts the labels on."""

    def __init__(
        self,
        model: ConditionalLogit,
        params: np.ndarray,
        covariance: np.ndarray,
        cov_type: str,
        steps: int,
        notes: tuple[Note, ...],
    ) -> None:
        super().__init__(model, params, normalized_cov_params=covariance, scale=1.0)
        data = model.choices
        self.data = data
        self.cov_type = cov_type
        self.iterations = steps
        self.converged = True
        self.respondents, self.choice_tasks, self.alternatives = len(data.respondents), len(data.starts), len(data.X)
        self.nobs = self.choice_tasks
        self.df_model = len(params)
        self.df_resid = self.nobs - len(params)
        self.df_resid_inference = self.respondents - 1 if cov_type == "cluster" else self.df_resid
        self.use_t = cov_type == "cluster" and self.respondents < diagnostics.FEW_CLUSTERS
        # statsmodels supplies llf, which asks the model's loglike at params.
        self.llnull = -float(data.task_weights @ np.log(data.sizes))
        self.mcfadden = 1 - self.llf / self.llnull
        self.adjusted = 1 - (self.llf - len(params)) / self.llnull
        self.rlh = float(np.exp(self.llf / data.task_weights.sum()))
        self.aic = 2 * len(params) - 2 * self.llf
        self.bic = float(np.log(self.respondents)) * len(params) - 2 * self.llf
        self.covariance_note = f"{_COVARIANCES[cov_type]}, {self.respondents} respondents"
        self.notes = notes + (diagnostics.few_clusters(self.respondents) if cov_type == "cluster" else ())
        if data.price is not None:
            k = data.names.index(data.price)
            self.notes += diagnostics.price_note(float(self.utility_params[k]), float(self.utility_errors[k]))

    def predict(self, exog: ChoiceData | None = None) -> np.ndarray:
        """Choice probabilities, (A,)."""
        return np.asarray(self.model.predict(self.params, exog))

    @property
    def utility_params(self) -> np.ndarray:
        """(K,) coefficients in utility space."""
        return np.asarray(self.model.to_utility(np.asarray(self.params))[0])

    @property
    def utility_errors(self) -> np.ndarray:
        """(K,) their standard errors, in WTP space by the delta method."""
        jacobian = self.model.to_utility(np.asarray(self.params))[1]
        return np.asarray(np.sqrt(np.einsum("kj,jl,kl->k", jacobian, self.normalized_cov_params, jacobian)))

    def simulate(self, draws: int = 10_000, seed: int = 0) -> Draws:
        """Draws (R, 1, K) by Krinsky and Robb (1986)."""
        values = normal_draws(self.params, self.cov_params(), draws, seed)
        if self.model.space == "wtp":
            k = self.data.names.index(self.data.price)
            scale = np.exp(values[:, [k]])
            values = scale * values
            values[:, [k]] = -scale
        return Draws(values[:, None, :], np.ones((1, 1)))

    def summary(self, alpha: float = 0.05) -> Summary:
        """statsmodels summary: what was estimated, on what, with which covariance."""
        left = [
            ("Model:", ["Conditional logit" + (", WTP space" if self.model.space == "wtp" else "")]),
            ("Method:", ["Maximum likelihood, Newton"]),
            ("Respondents:", [f"{self.respondents:,}"]),
            ("Choice tasks:", [f"{self.choice_tasks:,}"]),
            ("Alternatives:", [f"{self.alternatives:,}"]),
            ("Covariance:", [_COVARIANCES[self.cov_type]]),
            ("Weights:", [_weights_text(self.data.weights)]),
        ]
        right = [
            ("Log-likelihood:", [f"{self.llf:.6f}"]),
            ("LL, equal shares:", [f"{self.llnull:.4f}"]),
            ("McFadden R2:", [f"{self.mcfadden:.4f}"]),
            ("adjusted:", [f"{self.adjusted:.4f}"]),
            ("RLH:", [f"{self.rlh:.4f}"]),
            ("AIC:", [f"{self.aic:.4f}"]),
            ("BIC (respondents):", [f"{self.bic:.4f}"]),
        ]
        summary = Summary()
        summary.add_table_2cols(
            self,
            gleft=left,
            gright=right,
            title="Conditional logit (McFadden 1974)",
            yname="chosen",
            xname=list(self.model.exog_names),
        )
        table = summary_params(self, yname="chosen", xname=list(self.model.exog_names), alpha=alpha, use_t=self.use_t)
        summary.tables.append(table)
        if self.notes:
            summary.add_extra_txt([f"{note.severity}: {note}" for note in self.notes])
        return summary


def _weights_text(weights: np.ndarray | None) -> str:
    """Survey weights cost precision: Kish's effective number of respondents, (sum w)^2 / sum w^2."""
    return "none" if weights is None else f"worth {weights.sum() ** 2 / (weights @ weights):,.1f} respondents"


class ConditionalLogitResults(ResultsWrapper):  # type: ignore[misc]
    """statsmodels results with labels: params (K,), bse, tvalues, pvalues, cov_params() (K, K), conf_int().

    Besides statsmodels' own: data, llf, llnull, mcfadden, adjusted, rlh, aic, bic (ln of respondents), respondents, choice_tasks,
    alternatives, converged, iterations, cov_type, covariance_note, notes, predict().
    """

    _attrs = {"params": "columns", "bse": "columns", "tvalues": "columns", "pvalues": "columns"}  # noqa: RUF012
    _wrap_attrs = _attrs
    _methods = {"cov_params": "cov", "conf_int": "columns"}  # noqa: RUF012
    _wrap_methods = _methods

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name}: results are read-only; fit again with other data or options.")
        super().__setattr__(name, value)


populate_wrapper(ConditionalLogitResults, _Results)


def parameter_table(fit: Any, *, confidence: float = 0.95) -> pd.DataFrame:
    """parameter, estimate, std_error, low, high: one row a parameter of a fit in statsmodels' manner."""
    interval = fit.conf_int(alpha=1 - confidence)
    return pd.DataFrame(
        {
            "parameter": list(fit.params.index),
            "estimate": fit.params.to_numpy(),
            "std_error": fit.bse.to_numpy(),
            "low": interval.iloc[:, 0].to_numpy(),
            "high": interval.iloc[:, 1].to_numpy(),
        }
    )


def quantile(fit: ConditionalLogitResults, confidence: float) -> float:
    """Two-sided critical value: t with few clusters, else normal."""
    tail = (1 - confidence) / 2
    return float(stats.t.isf(tail, fit.df_resid_inference) if fit.use_t else stats.norm.isf(tail))
