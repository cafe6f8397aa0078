"""What a mixed logit says: locations and spreads with their covariance, respondents, draws, and how far the number of draws matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import qmc
from statsmodels.base.model import LikelihoodModelResults
from statsmodels.base.wrapper import ResultsWrapper, populate_wrapper
from statsmodels.iolib.summary import Summary, summary_params

from wtp.estimation import diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, normal_draws
from wtp.estimation.holdout import chosen_probabilities, probabilities

if TYPE_CHECKING:
    from wtp.estimation.mixed_logit import MixedLogit

_COVARIANCES = {
    "cluster": "clustered by respondent",
    "nonrobust": "inverse Hessian",
    "opg": "outer product of the respondents' scores",
}
_POPULATION = 256
_PREDICTED = 1024
_DOUBLED = "With twice as many draws the log-likelihood changes by {change:.2f}: the figures still depend on the draws; use more than {draws}."
_LARGEST_CHANGE = 2.0
_FLAT = (
    "The likelihood is flat in {parameters}: their standard errors are not available; make fewer coefficients random."
)
_NOT_ARRIVED = "The search did not arrive at an optimum; read no figure from it; make fewer coefficients random, or use more draws."
_TINY = "The spread of {parameters} is practically 0: respondents do not differ in it, or the answers cannot show it."


class _Results(LikelihoodModelResults):  # type: ignore[misc]
    """The figures; `MixedLogitResults` puts the labels on."""

    def __init__(
        self, model: MixedLogit, inside: np.ndarray, jacobian: np.ndarray, offset: np.ndarray, information: np.ndarray, values: np.ndarray,
        scores: np.ndarray, means: np.ndarray, doubled: float, draws: int, rule: str, seed: int, cov_type: str, iterations: int, arrived: bool,
    ) -> None:  # fmt: skip
        data, layout = model.choices, model.layout
        people, tasks, count = len(data.respondents), len(data.starts), len(inside)
        weights = np.ones(people) if data.weights is None else data.weights
        covariance, flat = _covariance(information, scores * weights[:, None], cov_type)
        super().__init__(
            model, jacobian @ inside + offset, normalized_cov_params=jacobian @ covariance @ jacobian, scale=1.0
        )
        self.data, self.layout, self.names = data, layout, layout.names
        self.llf_simulated = float(weights @ values)
        self.cov_type, self.iterations, self.converged = cov_type, iterations, arrived and not len(flat)
        self.draws, self.rule, self.seed = draws, rule, seed
        self.draws_check = doubled - self.llf_simulated
        self.respondents, self.choice_tasks, self.alternatives = people, tasks, len(data.X)
        self.nobs, self.df_model, self.df_resid, self.df_resid_inference = tasks, count, tasks - count, people - 1
        self.use_t = people < diagnostics.FEW_CLUSTERS
        self.llnull = -float(data.task_weights @ np.log(data.sizes))
        self.mcfadden = 1 - self.llf_simulated / self.llnull
        self.aic = 2 * count - 2 * self.llf_simulated
        self.bic = float(np.log(people)) * count - 2 * self.llf_simulated
        self.covariance_note = f"{_COVARIANCES[cov_type]}, {people} respondents"
        index = pd.Index(data.respondents, name="respondent")
        logs = np.log(chosen_probabilities(data, means[None]))
        count_of = np.bincount(data.respondent, minlength=people)
        rlh = np.exp(np.add.reduceat(logs, data.first_tasks) / count_of)
        self.individual = pd.DataFrame(means, index=index, columns=list(data.names)).assign(rlh=rlh)
        self.notes = self._notes(flat, arrived)

    @property
    def llf(self) -> float:
        """Simulated log-likelihood."""
        return self.llf_simulated

    def _notes(self, flat: np.ndarray, arrived: bool) -> tuple[Note, ...]:
        notes = list(diagnostics.few_clusters(self.respondents) if self.cov_type == "cluster" else ())
        if not arrived:
            notes.append(Note("not_converged", "stop", _NOT_ARRIVED, {}))
        if len(flat):
            notes.append(Note("flat", "warning", _FLAT, {"parameters": ", ".join(self.names[q] for q in flat)}))
        if abs(self.draws_check) > _LARGEST_CHANGE:
            notes.append(Note("draws", "warning", _DOUBLED, {"change": self.draws_check, "draws": self.draws}))
        k = len(self.layout.place)
        rows, columns = self.layout.loadings
        tiny = [self.names[k + q] for q in np.flatnonzero(rows == columns) if abs(self.params[k + q]) < 1e-4]
        if tiny:
            notes.append(Note("no_spread", "info", _TINY, {"parameters": ", ".join(tiny)}))
        return tuple(notes)

    @property
    def population(self) -> pd.DataFrame:
        """Coefficients in utility space over the population: one column a parameter, rows mean, sd, median."""
        drawn = self.simulate_population(self.params, _PREDICTED)
        rows = {"mean": drawn.mean(axis=0), "sd": drawn.std(axis=0), "median": np.median(drawn, axis=0)}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.data.names))

    def simulate_population(self, params: np.ndarray, respondents: int = _POPULATION, seed: int = 0) -> np.ndarray:
        """Coefficients in utility space (G, K) of simulated respondents at outside parameters (Q,)."""
        uniform = qmc.Sobol(len(self.layout.distributions), scramble=True, rng=seed).random(respondents)
        points = self.layout.points(np.clip(uniform, 1e-12, 1 - 1e-12)[None])[0]
        return self.layout.coefficients(np.asarray(params), points)

    def simulate(self, draws: int = 1_000, seed: int = 0) -> Draws:
        """Draws (R, 256, K): parameters by Krinsky and Robb (1986), in each the same 256 evenly spread respondents."""
        params = normal_draws(self.params, self.normalized_cov_params, draws, seed)
        uniform = qmc.Sobol(len(self.layout.distributions), scramble=True, rng=seed).random(_POPULATION)
        points = self.layout.points(np.clip(uniform, 1e-12, 1 - 1e-12)[None])[0]
        values = np.stack([self.layout.coefficients(one, points) for one in params])
        return Draws(values, np.full((1, _POPULATION), 1 / _POPULATION))

    def predict(self, exog: ChoiceData | None = None) -> np.ndarray:
        """Choice probabilities (A,), averaged over the population."""
        data = self.data if exog is None else exog
        drawn = self.simulate_population(self.params, _PREDICTED)
        everybody = np.broadcast_to(drawn[:, None, :], (len(drawn), len(data.respondents), drawn.shape[1]))
        return probabilities(data, everybody)

    def summary(self, alpha: float = 0.05) -> Summary:
        """statsmodels summary: what was estimated, on what, with which draws and covariance."""
        space = "WTP space" if self.layout.price >= 0 else "preference space"
        left = [
            ("Model:", [f"Mixed logit, {space}"]),
            ("Method:", ["Simulated maximum likelihood"]),
            ("Draws:", [f"{self.draws:,} {self.rule} a respondent"]),
            ("LL, twice the draws:", [f"{self.draws_check:+.4f}"]),
            ("Respondents:", [f"{self.respondents:,}"]),
            ("Choice tasks:", [f"{self.choice_tasks:,}"]),
            ("Covariance:", [_COVARIANCES[self.cov_type]]),
        ]
        right = [
            ("Log-likelihood:", [f"{self.llf:.6f}"]),
            ("LL, equal shares:", [f"{self.llnull:.4f}"]),
            ("McFadden R2:", [f"{self.mcfadden:.4f}"]),
            ("AIC:", [f"{self.aic:.4f}"]),
            ("BIC (respondents):", [f"{self.bic:.4f}"]),
            ("Converged:", [str(self.converged)]),
            ("Seed:", [str(self.seed)]),
        ]
        summary = Summary()
        names = list(self.names)
        summary.add_table_2cols(
            self, gleft=left, gright=right, title="Mixed logit (McFadden and Train 2000)", yname="chosen", xname=names
        )
        summary.tables.append(summary_params(self, yname="chosen", xname=names, alpha=alpha, use_t=self.use_t))
        if self.notes:
            summary.add_extra_txt([f"{note.severity}: {note}" for note in self.notes])
        return summary


def _covariance(information: np.ndarray, scores: np.ndarray, cov_type: str) -> tuple[np.ndarray, np.ndarray]:
    """(Q, Q) covariance, and the parameters that the likelihood is flat in; theirs are NaN."""
    outer = scores.T @ scores
    used = outer if cov_type == "opg" else information
    size = np.sqrt(np.maximum(np.abs(np.diag(used)), 1e-300))
    values, vectors = np.linalg.eigh(used / size[:, None] / size)
    good = values > 1e-7
    inverse = (vectors[:, good] / values[good]) @ vectors[:, good].T / size[:, None] / size
    flat = np.flatnonzero((np.abs(vectors[:, ~good]) > 0.3).any(axis=1)) if not good.all() else np.empty(0, dtype=int)
    if cov_type == "cluster":
        people = len(scores)
        inverse = people / (people - 1) * inverse @ outer @ inverse
    inverse[flat, :] = inverse[:, flat] = 0.0
    return np.asarray(inverse), flat


class MixedLogitResults(ResultsWrapper):  # type: ignore[misc]
    """statsmodels results with labels: params (Q,), bse, tvalues, pvalues, cov_params(), conf_int(); read-only.

    Besides: data, individual (posterior means by Bayes' rule, and rlh), population, draws_check (change of the log-likelihood with twice the
    draws), simulate, predict, notes, llnull, mcfadden, aic, bic (ln of respondents), converged.
    """

    _attrs = {"params": "columns", "bse": "columns", "tvalues": "columns", "pvalues": "columns"}  # noqa: RUF012
    _wrap_attrs = _attrs
    _methods = {"cov_params": "cov", "conf_int": "columns"}  # noqa: RUF012
    _wrap_methods = _methods

    def __init__(self, **figures: Any) -> None:
        super().__init__(_Results(**figures))

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name}: results are read-only; fit again with other data or options.")
        super().__setattr__(name, value)


populate_wrapper(MixedLogitResults, _Results)
