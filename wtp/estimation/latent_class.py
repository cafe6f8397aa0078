"""The latent class logit: a few classes of respondents, each with part-worths of its own (Kamakura and Russell 1989).

P(i chooses j in t | class c) is a conditional logit with b_c; respondent i is in class c with probability pi_ic = softmax(z_i'd)_c, d_1 = 0, constant unless
there are membership covariates (Swait 1994). The search is described in `latent_search`. Covariances come from the joint likelihood, the
membership parameters with it: V = A^-1 (c B + L) A^-1 with the exact Hessian -A, scores summed by respondent in B, c = G/(G-1) (T-1)/(T-P), and the precision L
of the weak prior where one was needed, 0 elsewhere; errors of an M-step alone are too small. Classes are ordered by share, the largest first. Notation: N = G respondents, T choice tasks, A alternative rows,
K coefficients, C classes, M columns of z, P = C K + (C - 1) M parameters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.base.model import LikelihoodModel

from wtp.errors import EstimationError
from wtp.estimation import latent_search
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.coding import prior_coding
from wtp.estimation.conditional_logit import ConditionalLogit
from wtp.estimation.covariates import coded_covariates
from wtp.estimation.hierarchical.problem import differences
from wtp.estimation.latent_results import LatentClassResults, class_labels
from wtp.estimation.latent_search import Mixture, Outcome, Point
from wtp.estimation.parallel import each

SAME = 1e-3  # log-likelihoods closer than this are one optimum
_WHOLE_NUMBERS = "{name}: found {value!r}; allowed: {least} or more, a whole number; mend it."


@dataclass(frozen=True, slots=True)
class StartProgress:
    """How far a fit is: starts done of so many, the best log-likelihood yet, seconds passed, and left if its rate stays."""

    done: int
    starts: int
    log_likelihood: float
    seconds: float
    seconds_left: float


class LatentClassLogit(LikelihoodModel):  # type: ignore[misc]  # statsmodels has no types
    """Latent class logit of the answered choice tasks, on statsmodels' `LikelihoodModel`.

    classes: how many. membership: names of `data.covariates` on which membership depends; numbers count in standard deviations from their mean, text is coded in full rank and centred.
    Parameters (P,) stand by class: its K coefficients, then, from class 2 on, its M membership coefficients against class 1.
    Raises DataError or EstimationError for unknown names, too few respondents, and columns that are not identified.
    """

    def __init__(self, data: ChoiceData, classes: int = 3, membership: Sequence[str] | None = None) -> None:
        _check_whole("classes", classes, 1)
        self.choices, self.classes = data, int(classes)
        # Names what is not identified, what separates, and gives the pooled start.
        self.pooled = ConditionalLogit(data).fit("cluster")
        Z, self.covariate_names = coded_covariates(data, membership)
        self.coding = prior_coding(data)
        # Of its own, for what may be written: else `latent_kernel` is compiled for weights that may not be, too.
        weights = np.ones(len(Z)) if data.weights is None else np.array(data.weights)
        self.mixture = Mixture(*differences(data, self.coding), Z, weights, self.classes)
        k, m = len(data.names), Z.shape[1]
        count = self.classes * k + (self.classes - 1) * m
        if len(Z) <= count and self.classes > 1:
            raise EstimationError(
                f"{len(Z)} respondents for {count} parameters of {self.classes} classes; allowed: more respondents than parameters; "
                "ask for fewer classes or collect more answers."
            )
        # Position in the search's order (all beta, then all delta) of each parameter in the order of the results.
        beta, delta = np.arange(self.classes * k).reshape(self.classes, k), self.classes * k
        self._order = np.concatenate([np.r_[beta[c], delta + np.arange((c - 1) * m, c * m) if c else []] for c in range(self.classes)]).astype(int)  # fmt: skip
        self._back = np.eye(count)
        for c in range(self.classes):
            self._back[np.ix_(beta[c], beta[c])] = self.coding
        super().__init__(pd.Series(np.ones(len(data.starts)), name="chosen"))
        self.labels = class_labels(data.names, self.covariate_names, self.classes)
        self.data.param_names = [f"{c}:{name}" for c, name in self.labels]

    def _point(self, params: np.ndarray) -> Point:
        theta = np.empty(len(self._order))
        theta[self._order] = np.asarray(params, dtype=float)
        return self.mixture.at(*self.mixture.split(np.linalg.solve(self._back, theta)))

    def _params(self, point: Point) -> np.ndarray:
        return np.asarray((self._back @ point.theta)[self._order])

    def loglike(self, params: np.ndarray) -> float:
        """Log-likelihood at params (P,)."""
        return self._point(params).loglike

    def score_obs(self, params: np.ndarray) -> np.ndarray:
        """Score of each respondent with the survey weight, (N, P)."""
        return self._scores(self._point(params))

    def score(self, params: np.ndarray) -> np.ndarray:
        """Gradient of the log-likelihood, (P,)."""
        return np.asarray(self.score_obs(params).sum(axis=0))

    def hessian(self, params: np.ndarray) -> np.ndarray:
        """Exact second derivatives of the log-likelihood, (P, P)."""
        return -self._information(self.mixture, self._point(params))

    def _scores(self, point: Point) -> np.ndarray:
        inside = self.mixture.weights[:, None] * self.mixture.person_scores(point)
        return np.asarray(np.linalg.solve(self._back.T, inside.T).T[:, self._order])

    def _prior_root(self, mixture: Mixture) -> np.ndarray:
        """(P, P) root of the prior's precision, (P, 0) without a prior."""
        if mixture.ridge == 0:
            return np.zeros((len(self._order), 0))
        return np.asarray(np.linalg.solve(self._back.T, np.linalg.cholesky(mixture.prior_precision))[self._order])

    def _information(self, mixture: Mixture, point: Point) -> np.ndarray:
        forward = np.linalg.inv(self._back)
        return np.asarray((forward.T @ mixture.negative_hessian(point) @ forward)[np.ix_(self._order, self._order)])

    def fit(
        self,
        starts: int = 10,
        seed: int = 1,
        progress: Callable[[StartProgress], None] | None = None,
        *,
        cores: int | None = None,
    ) -> LatentClassResults:
        """Maximise the joint likelihood from many starts; the same seed gives the same result, whatever the number of cores.

        starts: each is the best of four short EM runs from random places. progress: called as starts end.
        Where the best optimum lies at infinity (a class is empty or its choices separate), all starts are repeated under a weak normal prior on part-worths
        (standard deviation 3 logits between levels, or over the tested range of a price) and on membership; a note says so.
        """
        _check_whole("starts", starts, 1)
        outcomes = self._run(self.mixture, starts if self.classes > 1 else 1, seed, progress, cores)
        mixture = self.mixture
        if max(outcomes, key=_objective).degenerate:
            mixture = mixture.with_ridge()
            outcomes = self._run(mixture, len(outcomes), seed, progress, cores)
        best = max(outcomes, key=_objective)
        point = mixture.at(*_by_share(mixture, best.point))
        information, scores = self._information(mixture, point), self._scores(point)
        table = pd.DataFrame(
            {
                "log_likelihood": [o.point.loglike for o in outcomes],
                "best": [_objective(o) > _objective(best) - SAME for o in outcomes],
                "converged": [o.converged for o in outcomes],
                "degenerate": [o.degenerate for o in outcomes],
                "steps": [o.steps for o in outcomes],
            },
            index=pd.RangeIndex(1, len(outcomes) + 1, name="start"),
        )
        return LatentClassResults(
            self, self._params(point), information, scores, self._prior_root(mixture), point, table, best.converged, seed=seed
        )  # fmt: skip

    def _run(
        self,
        mixture: Mixture,
        starts: int,
        seed: int,
        progress: Callable[[StartProgress], None] | None,
        cores: int | None,
    ) -> list[Outcome]:
        began = time.perf_counter()
        pooled = np.linalg.solve(self.coding, self.pooled.params.to_numpy())
        steps = latent_search.person_steps(mixture, pooled)
        best = -np.inf

        pieces = [(mixture, pooled, steps, spawned) for spawned in np.random.SeedSequence(seed).spawn(starts)]
        outcomes = []
        for done, outcome in enumerate(each(latent_search.from_random_start, pieces, cores), 1):
            outcomes.append(outcome)
            best = max(best, outcome.point.loglike)
            if progress is not None:
                seconds = time.perf_counter() - began
                progress(StartProgress(done, starts, best, seconds, seconds / done * (starts - done)))
        return outcomes


def _objective(outcome: Outcome) -> float:
    return outcome.point.objective


def _by_share(mixture: Mixture, point: Point) -> tuple[np.ndarray, np.ndarray]:
    """beta and delta with the classes ordered by share, the largest first and the reference of the membership."""
    shares = mixture.weights @ np.exp(point.log_shares)
    order = np.argsort(-shares, kind="stable")
    delta = point.delta[:, order]
    return np.ascontiguousarray(point.beta[order]), delta - delta[:, :1]


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise EstimationError(_WHOLE_NUMBERS.format(name=name, value=value, least=least))
