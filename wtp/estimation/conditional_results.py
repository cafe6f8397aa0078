"""What a conditional logit found: statsmodels results with labels, draws, a summary; read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.base.model import LikelihoodModelResults
from statsmodels.base.wrapper import ResultsWrapper, populate_wrapper
from statsmodels.iolib.summary import Summary, summary_params

from wtp.errors import DataError
from wtp.estimation import diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, normal_draws

if TYPE_CHECKING:
    from wtp.estimation.conditional_logit import ConditionalLogit

COVARIANCES = {
    "cluster": "clustered by respondent",
    "robust": "robust, choice tasks taken as independent",
    "nonrobust": "inverse Hessian, choice tasks taken as independent",
}


class PlainResults(LikelihoodModelResults):  # type: ignore[misc]
    """The figures; `ConditionalLogitResults` puts the labels on."""

    def __init__(
        self,
        model: ConditionalLogit,
        params: np.ndarray,
        covariance: np.ndarray,
        cov_type: str,
        log_likelihood: float,
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
        self._log_likelihood = log_likelihood
        self.llnull = -float(data.task_weights @ np.log(data.sizes))
        self.mcfadden = 1 - self.llf / self.llnull
        self.adjusted = 1 - (self.llf - len(params)) / self.llnull
        self.rlh = float(np.exp(self.llf / data.task_weights.sum()))
        self.aic = 2 * len(params) - 2 * self.llf
        self.bic = float(np.log(self.respondents)) * len(params) - 2 * self.llf
        self.covariance_note = f"{COVARIANCES[cov_type]}, {self.respondents} respondents"
        self.notes = notes + (diagnostics.few_clusters(self.respondents) if cov_type == "cluster" else ())
        for price in data.price_parameters:
            k = data.names.index(price)
            self.notes += diagnostics.price_note(float(self.utility_params[k]), float(self.utility_errors[k]))

    @property
    def llf(self) -> float:
        """Log-likelihood at the estimate."""
        return self._log_likelihood

    def predict(self, exog: ChoiceData | None = None) -> np.ndarray:
        """Choice probabilities, (A,)."""
        return np.asarray(self.model.predict(self.params, exog))

    @property
    def utility_params(self) -> np.ndarray:
        """(K,) coefficients in utility space."""
        return np.asarray(self.model.to_utility(np.asarray(self.params))[0])

    @property
    def utility_covariance(self) -> np.ndarray:
        """(K, K) their covariance, in WTP space by the delta method."""
        jacobian = self.model.to_utility(np.asarray(self.params))[1]
        return np.asarray(jacobian @ self.normalized_cov_params @ jacobian.T)

    @property
    def utility_errors(self) -> np.ndarray:
        """(K,) their standard errors."""
        return np.asarray(np.sqrt(np.diag(self.utility_covariance)))

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
            ("Covariance:", [COVARIANCES[self.cov_type]]),
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


populate_wrapper(ConditionalLogitResults, PlainResults)


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


def quantile(fit: Any, confidence: float) -> float:
    """Two-sided critical value of a pooled fit, also of ratings: t with few clusters, else normal."""
    tail = (1 - confidence) / 2
    return float(stats.t.isf(tail, fit.df_resid_inference) if fit.use_t else stats.norm.isf(tail))


def price_linearity(fit: ConditionalLogitResults) -> tuple[float, int, float]:
    """Wald statistic, degrees of freedom and p-value of the hypothesis that part-worths of the tested prices lie on a straight line.

    fit: to data coded with price_form="part-worth"; its (clustered) covariance is used. Raises DataError for another form, or fewer than three prices.
    """
    data: ChoiceData = fit.data
    if data.price_form is None:
        raise DataError(
            "the fit has no price; allowed: a price coded as part-worths; name it with price= and price_form=."
        )
    restrictions = data.price_form.straight()
    places = [data.names.index(name) for name in data.price_form.names]
    matrix = np.zeros((len(restrictions), len(data.names)))
    matrix[:, places] = restrictions
    found = fit.wald_test(matrix, use_f=False, scalar=True)
    return float(found.statistic), len(restrictions), float(found.pvalue)
