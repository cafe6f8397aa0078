"""What a latent class fit says: classes with shares and part-worths, memberships, criteria for the number of classes, draws.

Notation: N respondents, T choice tasks, A alternative rows, K coefficients, C classes, M membership columns, P parameters in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import softmax
from statsmodels.base.model import LikelihoodModelResults
from statsmodels.base.wrapper import ResultsWrapper
from statsmodels.iolib.summary import Summary
from statsmodels.iolib.table import SimpleTable

from wtp.errors import DataError, EstimationError
from wtp.estimation import diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import scaled_solve
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, normal_draws
from wtp.estimation.latent_search import Point

if TYPE_CHECKING:
    from wtp.estimation.latent_class import LatentClassLogit

MEMBERSHIP = "membership"
SMALLEST_SHARE = 0.08
_ALIKE = 0.97
_BLOCK = 2_000_000  # memberships of draws at a time
_KEPT_NOTES = {"condition", "rare_level"}
_RIDGE = (
    "With {classes} classes the part-worths of a class have no bounds (it is empty, or its choices separate), so all classes were held back by "
    "a weak prior (standard deviation 3 logits); ask for fewer classes before you read them."
)
_NOT_CONVERGED = (
    "The search did not arrive at an optimum: no figure here can be trusted; ask for fewer classes or more starts."
)
_ONCE = "Of {starts} starts only one found the best optimum ({log_likelihood:.3f}), so a better one may exist; fit again with more starts."
_SMALL = (
    "Class {label} holds {share:.1%}, about {respondents:.0f} respondents, below {limit:.0f}: too small to act on; "
    "ask for fewer classes or collect more answers."
)
_SCALE = (
    "Classes {one} and {other} want nearly the same things; they differ most in how consistently they choose (part-worths of class {other} "
    "{factor:.2g} times as large), so do not read them as different tastes."
)


def class_labels(names: tuple[str, ...], covariates: tuple[str, ...], classes: int) -> pd.MultiIndex:
    """Labels (class, parameter) of the P parameters: coefficients by class, and membership coefficients from class 2 on."""
    membership = [f"{MEMBERSHIP}:{name}" for name in covariates]
    pairs = [(c, name) for c in range(1, classes + 1) for name in (*names, *(membership if c > 1 else ()))]
    return pd.MultiIndex.from_tuples(pairs, names=["class", "parameter"])


class _Results(LikelihoodModelResults):  # type: ignore[misc]
    """The figures; `LatentClassResults` puts the labels (class, parameter) on."""

    def __init__(
        self,
        model: LatentClassLogit,
        params: np.ndarray,
        information: np.ndarray,
        scores: np.ndarray,
        prior_root: np.ndarray,
        point: Point,
        starts: pd.DataFrame,
        converged: bool,
        *,
        seed: int,
    ) -> None:
        data = model.choices
        people, tasks, count = len(data.respondents), len(data.starts), len(params)
        super().__init__(
            model, params, normalized_cov_params=_sandwich(information, scores, prior_root, tasks), scale=1.0
        )
        self.data, self.number_of_classes, self.covariate_names, self.seed = (
            data,
            model.classes,
            model.covariate_names,
            seed,
        )
        self.respondents, self.choice_tasks, self.alternatives = people, tasks, len(data.X)
        self.nobs, self.df_model, self.df_resid = tasks, count, tasks - count
        self.df_resid_inference, self.use_t = people - 1, people < diagnostics.FEW_CLUSTERS
        self.cov_type = "cluster"
        self.covariance_note = f"joint with the memberships, clustered by respondent, {people} respondents"
        self.converged, self.ridge, self.starts = converged, prior_root.size > 0, starts
        self.iterations = int(starts.loc[starts["best"], "steps"].iloc[0])
        self.best_found = int(starts["best"].sum())
        self.llnull = -float(data.task_weights @ np.log(data.sizes))
        self.mcfadden = 1 - point.loglike / self.llnull
        deviance, log_n = -2 * point.loglike, float(np.log(people))
        self.aic, self.aic3 = deviance + 2 * count, deviance + 3 * count
        self.bic, self.caic = deviance + log_n * count, deviance + (log_n + 1) * count
        self._point, self._weights = point, model.mixture.weights
        self._places = _places(len(data.names), len(model.covariate_names), model.classes)
        classes = pd.RangeIndex(1, model.classes + 1, name="class")
        self.shares = pd.Series(self._weights @ np.exp(point.log_shares) / people, index=classes, name="share")
        self.entropy_r2 = _entropy_r2(point.posterior, self._weights)
        beta = params[self._places[0]]
        self.class_params = pd.DataFrame(beta.T, index=pd.Index(data.names, name="parameter"), columns=classes)
        errors = np.sqrt(np.diag(self.normalized_cov_params))[self._places[0]]
        self.class_errors = pd.DataFrame(errors.T, index=self.class_params.index, columns=classes)
        index = pd.Index(data.respondents, name="respondent")
        self.membership = pd.DataFrame(point.posterior, index=index, columns=classes)
        individual = pd.DataFrame(point.posterior @ beta, index=index, columns=list(data.names))
        self.individual = individual.assign(rlh=self._rlh(beta))
        self.notes = self._notes(model)

    @property
    def classes(self) -> pd.DataFrame:
        """One row a class: share, std_error of it, then one column a coefficient."""
        shares = pd.DataFrame({"share": self.shares, "std_error": self._share_errors()})
        return pd.concat([shares, self.class_params.T], axis=1)

    @property
    def smallest_share(self) -> float:
        """Share of the smallest class."""
        return float(self.shares.min())

    def predict(self, exog: ChoiceData | None = None) -> np.ndarray:
        """Choice probabilities, (A,), of somebody of whom no answer is known, in these tasks or in others with the same columns."""
        data = self.data if exog is None else exog
        if data.names != self.data.names:
            raise DataError(
                f"columns {', '.join(data.names)}; allowed: {', '.join(self.data.names)}; code both with one formula and the same levels."
            )
        return np.asarray(_probabilities(data, self.class_params.to_numpy()) @ self.shares.to_numpy())

    def simulate(self, draws: int = 10_000, seed: int = 0) -> Draws:
        """Draws (R, C, K) with shares (R, C): joint normal draws of part-worths and memberships (Krinsky and Robb 1986)."""
        values = normal_draws(self.params, self.normalized_cov_params, draws, seed)
        beta, delta = self._places
        Z, counts = self._distinct()
        weights = np.empty((draws, self.number_of_classes))
        size = max(1, _BLOCK // (len(Z) * self.number_of_classes))
        for first in range(0, draws, size):
            part = values[first : first + size]
            utilities = np.zeros((len(part), len(Z), self.number_of_classes))
            utilities[:, :, 1:] = np.einsum("nm,rcm->rnc", Z, part[:, delta])
            weights[first : first + size] = np.einsum("n,rnc->rc", counts, softmax(utilities, axis=2))
        return Draws(values[:, beta], weights)

    def _distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct rows of Z, and the share of respondents who have them."""
        Z, place = np.unique(self.model.mixture.Z, axis=0, return_inverse=True)
        return Z, np.bincount(place.ravel(), weights=self._weights) / self._weights.sum()

    def _share_errors(self) -> np.ndarray:
        """(C,) standard errors of the shares by the delta method."""
        delta = self._places[1]
        if not delta.size:
            return np.zeros(1)
        prior, Z, w = np.exp(self._point.log_shares), self.model.mixture.Z, self._weights / self._weights.sum()
        unit = np.eye(self.number_of_classes)
        # d pi_c / d delta_d = pi_c (1[c = d] - pi_d) z, averaged over respondents.
        slopes = np.einsum("n,ncd,nm->cdm", w, prior[:, :, None] * (unit - prior[:, None, :]), Z)[:, 1:]
        flat = slopes.reshape(len(slopes), -1)
        covariance = self.normalized_cov_params[np.ix_(delta.ravel(), delta.ravel())]
        return np.asarray(np.sqrt(np.einsum("ck,kj,cj->c", flat, covariance, flat)))

    def _rlh(self, beta: np.ndarray) -> np.ndarray:
        """(N,) geometric mean over the tasks of the chosen alternatives' probabilities, averaged over the posterior membership."""
        data = self.data
        chosen = _probabilities(data, beta.T)[data.chosen]
        logs = np.log(np.maximum((chosen * self._point.posterior[data.respondent]).sum(axis=1), 1e-300))
        tasks = np.diff(np.r_[data.first_tasks, len(data.starts)])
        return np.asarray(np.exp(np.add.reduceat(logs, data.first_tasks) / tasks))

    def _notes(self, model: LatentClassLogit) -> tuple[Note, ...]:
        data, people = self.data, self.respondents
        notes = [note for note in model.pooled.notes if note.code in _KEPT_NOTES]
        notes += diagnostics.few_clusters(people)
        if not self.converged:
            notes.append(Note("not_converged", "stop", _NOT_CONVERGED))
        several = model.classes > 1
        if several:
            notes += diagnostics.sample_size_notes(people)
        if self.ridge:
            notes.append(Note("class_without_bounds", "warning", _RIDGE, {"classes": model.classes}))
        if several and self.best_found < 2:
            values = {"starts": len(self.starts), "log_likelihood": self._point.loglike}
            notes.append(Note("found_once", "warning", _ONCE, values))
        limit = smallest_class(people)
        for label, share in enumerate(self.shares.tolist() if several else (), 1):
            if share * people < limit:
                values = {"label": label, "share": share, "respondents": share * people, "limit": limit}
                notes.append(Note("small_class", "warning", _SMALL, values, f"class {label}"))
        notes += _scale_notes(self._point.beta)
        for price in data.price_parameters:
            prices, errors = self.class_params.loc[price], self.class_errors.loc[price]
            for label in self.shares.index:
                for note in diagnostics.price_note(float(prices[label]), float(errors[label])):
                    notes.append(note.in_segment(f"class {label}") if several else note)
        return tuple(notes)

    def summary(self, alpha: float = 0.05) -> Summary:
        """Tables in the manner of statsmodels: what was estimated and how well, then the classes side by side with standard errors."""
        head = [
            ["Model:", "Latent class logit", "Log-likelihood:", f"{self.llf:.6f}"],
            ["Classes:", f"{self.number_of_classes}", "LL, equal shares:", f"{self.llnull:.4f}"],
            ["Respondents:", f"{self.respondents:,}", "McFadden R2:", f"{self.mcfadden:.4f}"],
            ["Choice tasks:", f"{self.choice_tasks:,}", "BIC (respondents):", f"{self.bic:.4f}"],
            ["Alternatives:", f"{self.alternatives:,}", "CAIC, AIC3:", f"{self.caic:.4f}, {self.aic3:.4f}"],
            ["Parameters:", f"{self.df_model}", "Entropy R2:", f"{self.entropy_r2:.4f}"],
            ["Covariance:", "clustered by respondent", "Best found in:", f"{self.best_found} of {len(self.starts)} starts"],
        ]  # fmt: skip
        summary = Summary()
        summary.tables.append(SimpleTable(head, title="Latent class logit (Kamakura and Russell 1989)"))
        labels = self.model.labels
        errors = np.sqrt(np.diag(self.normalized_cov_params))
        interval = self.conf_int(alpha=alpha)
        for c in self.shares.index:
            own = np.flatnonzero(labels.get_level_values(0) == c)
            rows = [
                [f"{self.params[p]:.4f}", f"{errors[p]:.4f}", f"{self.params[p] / errors[p]:.2f}", f"{interval[p, 0]:.4f}", f"{interval[p, 1]:.4f}"]
                for p in own
            ]  # fmt: skip
            headers = ["coef", "std err", "z", f"{100 * alpha / 2:g}%", f"{100 - 100 * alpha / 2:g}%"]
            title = f"Class {c}: {self.shares[c]:.1%} of the respondents"
            stubs = [labels[p][1] for p in own]
            summary.tables.append(SimpleTable(rows, headers=headers, stubs=stubs, title=title))
        if self.notes:
            summary.add_extra_txt([f"{note.severity}: {note}" for note in self.notes])
        return summary


class LatentClassResults(ResultsWrapper):  # type: ignore[misc]
    """statsmodels results; params, bse, tvalues, pvalues (P,) and cov_params(), conf_int() labelled (class, parameter).

    `t_test` and `wald_test` know the parameters as "2:price". Besides: class_params and class_errors (K, C), shares (C,), classes (shares with errors and
    coefficients, one row a class), membership (N, C) posterior probabilities, individual (N, K) posterior mean coefficients and rlh, starts, best_found, llf, llnull, mcfadden, aic,
    bic (ln of respondents), caic, aic3, entropy_r2, smallest_share, respondents, choice_tasks, alternatives, converged, iterations, ridge, notes, predict(), simulate(), summary().
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(_Results(*arguments, **options))

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name}: results are read-only; fit again with other data or options.")
        super().__setattr__(name, value)

    def _labelled(self, values: np.ndarray) -> pd.Series:
        return pd.Series(values, index=self._results.model.labels)

    @property
    def params(self) -> pd.Series:
        """Coefficients and membership coefficients, (P,)."""
        return self._labelled(self._results.params)

    @property
    def bse(self) -> pd.Series:
        """Standard errors, (P,)."""
        return self._labelled(self._results.bse)

    @property
    def tvalues(self) -> pd.Series:
        """Estimates over standard errors, (P,)."""
        return self._labelled(self._results.tvalues)

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values, (P,)."""
        return self._labelled(self._results.pvalues)

    def cov_params(self) -> pd.DataFrame:
        """(P, P) covariance of all parameters."""
        labels = self._results.model.labels
        return pd.DataFrame(self._results.cov_params(), index=labels, columns=labels)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """(P, 2) bounds of the intervals that hold the parameter with probability 1 - alpha."""
        return pd.DataFrame(self._results.conf_int(alpha=alpha), index=self._results.model.labels)


def smallest_class(respondents: int) -> float:
    """Respondents that a class needs to be acted on: 30, and 8 per cent of all."""
    return max(float(diagnostics.SMALLEST_SAMPLE), SMALLEST_SHARE * respondents)


def _sandwich(information: np.ndarray, scores: np.ndarray, prior_root: np.ndarray, tasks: int) -> np.ndarray:
    """A^-1 (c B + L) A^-1. Without L a direction in which the prior alone holds would look known for sure, since no score moves along it."""
    people, count = scores.shape
    if people < 2 or tasks <= count:
        raise EstimationError(
            f"{people} respondent{'s' * (people != 1)} and {tasks} choice tasks for {count} parameters; allowed: two or more "
            "respondents and more tasks than parameters; ask for fewer classes or collect more answers."
        )
    correction = (tasks - 1) / (tasks - count) * people / (people - 1)
    # The product of one matrix with itself: variances stay positive where they are tiny.
    root = scaled_solve(information, np.hstack([np.sqrt(correction) * scores.T, prior_root]))
    return np.asarray(root @ root.T)


def _places(k: int, m: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the coefficients (C, K) and of the membership coefficients (C - 1, M) among the parameters."""
    begin = np.r_[0, k + np.arange(classes - 1) * (k + m)].astype(int)
    return begin[:, None] + np.arange(k), (begin[1:, None] + k + np.arange(m)).astype(int)


def _probabilities(data: ChoiceData, beta: np.ndarray) -> np.ndarray:
    """(A, C) choice probabilities in each class, beta (K, C)."""
    v = data.centred @ beta
    v -= np.maximum.reduceat(v, data.starts)[data.task_of_row]
    e = np.exp(v)
    return np.asarray(e / np.add.reduceat(e, data.starts)[data.task_of_row])


def _entropy_r2(posterior: np.ndarray, weights: np.ndarray) -> float:
    """1 - entropy of the memberships over that of a coin with C sides: 1 where everybody is in a class for sure; 1 for one class."""
    classes = posterior.shape[1]
    if classes == 1:
        return 1.0
    h = np.maximum(posterior, 1e-300)
    return float(1 + weights @ (h * np.log(h)).sum(axis=1) / (weights.sum() * np.log(classes)))


def _scale_notes(beta: np.ndarray) -> list[Note]:
    """Pairs of classes whose part-worths are proportional (cosine above 0.97), beta (C, K) on orthonormal columns."""
    if beta.shape[1] < 2:
        return []
    size = np.sqrt((beta**2).sum(axis=1))
    cosine = beta @ beta.T / np.maximum(size[:, None] * size, 1e-300)
    pairs = np.argwhere(np.triu(cosine > _ALIKE, 1))
    return [
        Note("same_tastes", "info", _SCALE, {"one": int(c) + 1, "other": int(d) + 1, "factor": size[d] / size[c]})
        for c, d in pairs
    ]
