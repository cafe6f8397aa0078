"""The search for latent classes: mixture likelihood with all derivatives, starts, EM, and Newton's method on the joint likelihood.

LL = sum_i w_i ln sum_c pi_ic L_ic, L_ic = prod_t p_ity(b_c), pi_i = softmax(z_i'd) with d_1 = 0. With the posterior h_ic = pi_ic L_ic / sum, f_ic =
ln pi_ic L_ic: gradient sum_i w_i sum_c h_ic f'_ic, Hessian sum_i w_i { sum_c h_ic (f''_ic + f'_ic f'_ic') - s_i s_i' } with s_i = sum_c h_ic f'_ic (Louis 1982).
Many short runs of generalised EM (one weighted Newton step a class, Bhat 1997) find the region; Newton's method with the exact Hessian, its
eigenvalues made positive, arrives. All on the inside coding of `coding.prior_coding`. Notation: N respondents, C classes, K coefficients, M columns of z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import log_softmax

from wtp.estimation import latent_kernel

RIDGE = 1 / 9  # prior precision of a part-worth in logits where a ridge is needed: standard deviation 3
SHARE_RIDGE = 1 / 25  # and of the centred membership coefficients: no class is empty
LARGEST = 15.0  # standard error of a part-worth in logits; the estimate then has no bound in practice
_TRIES = 4
_SHORT_STEPS = 20
_NEWTON_STEPS = 200
_TOLERANCE = 1e-10  # of the squared length of the last step, in standard errors
_LARGEST_MOVE = 2.0
_FEWEST = 1.0  # expected respondents in a class
_FLAT = 1e-9
_FAR = 100.0


@dataclass(frozen=True, eq=False, slots=True)
class Point:
    """A place of the search with what was found there.

    beta: (C, K). delta: (M, C), its first column 0. objective: log-likelihood less penalty. posterior: (N, C). scores: (N, C, K) of ln L_ic.
    information: (C, K, K) of the weighted classes; scores and information are empty unless asked for.
    """

    beta: np.ndarray
    delta: np.ndarray
    loglike: float
    objective: float
    log_shares: np.ndarray
    posterior: np.ndarray
    scores: np.ndarray
    information: np.ndarray

    @property
    def theta(self) -> np.ndarray:
        """(P,) parameters: beta by class, then delta of the classes 2.. by class."""
        return joined(self.beta, self.delta)


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """Where one start ended. degenerate: there is no finite optimum there. steps: of Newton's method.

    converged: the last step was negligible and the Hessian negative definite.
    """

    point: Point
    converged: bool
    degenerate: bool
    steps: int


@dataclass(frozen=True, eq=False)
class Mixture:
    """Differences of `hierarchical.problem.differences`, Z (N, M), weights (N,), number of classes, and prior precisions (0: none)."""

    rows: np.ndarray
    first_row: np.ndarray
    first_task: np.ndarray
    Z: np.ndarray
    weights: np.ndarray
    classes: int
    ridge: float = 0.0
    share_ridge: float = 0.0

    def with_ridge(self) -> Mixture:
        """The same with a weak normal prior on part-worths and membership."""
        return replace(self, ridge=RIDGE, share_ridge=SHARE_RIDGE if self.classes > 1 else 0.0)

    def at(self, beta: np.ndarray, delta: np.ndarray, *, derivatives: bool = True) -> Point:
        """Likelihood, posterior and, if asked, what the derivatives are made of, at beta (C, K) and delta (M, C)."""
        people, (classes, k) = len(self.Z), beta.shape
        log_shares = log_softmax(self.Z @ delta, axis=1)
        loglikes, posterior = np.empty(people), np.empty((people, classes))
        scores = np.empty((people, classes, k) if derivatives else (0, classes, k))
        information = np.zeros((classes if derivatives else 0, k, k))
        latent_kernel.evaluate(
            self.rows, self.first_row, self.first_task, self.weights, log_shares, beta, loglikes, posterior, scores, information
        )  # fmt: skip
        loglike = float(self.weights @ loglikes)
        theta = joined(beta, delta)
        objective = loglike - 0.5 * float(theta @ self.prior_precision @ theta)
        return Point(beta, delta, loglike, objective, log_shares, posterior, scores, information)

    @cached_property
    def prior_precision(self) -> np.ndarray:
        """(P, P) of the normal prior: independent part-worths; membership coefficients less their mean over the classes, so that no class is special."""
        parts, others = self.classes * len(self.rows), self.classes - 1
        result = np.zeros((parts + others * self.Z.shape[1],) * 2)
        result[:parts, :parts] = self.ridge * np.eye(parts)
        result[parts:, parts:] = self.share_ridge * np.kron(np.eye(others) - 1 / self.classes, np.eye(self.Z.shape[1]))
        return result

    def person_scores(self, point: Point) -> np.ndarray:
        """(N, P) scores of ln sum_c pi L, not weighted: beta by class, then delta of the classes 2.. by class."""
        people = len(self.Z)
        inside = (point.posterior[:, :, None] * point.scores).reshape(people, -1)
        surprise = (point.posterior - np.exp(point.log_shares))[:, 1:]
        return np.hstack([inside, (surprise[:, :, None] * self.Z[:, None, :]).reshape(people, -1)])

    def gradient(self, point: Point) -> np.ndarray:
        """(P,) gradient of the objective."""
        return np.asarray(self.weights @ self.person_scores(point) - self.prior_precision @ point.theta)

    def negative_hessian(self, point: Point) -> np.ndarray:
        """(P, P) exact negative second derivatives of the objective."""
        h, s, Z, w = point.posterior, point.scores, self.Z, self.weights
        (people, classes, k), m = s.shape, Z.shape[1]
        size = classes * k
        weighted = (h[:, :, None] * s).reshape(people, size)
        result = np.zeros((size + (classes - 1) * m,) * 2)
        result[:size, :size] = (weighted * w[:, None]).T @ weighted
        for c in range(classes):
            own = slice(c * k, (c + 1) * k)
            result[own, own] += point.information[c] - (s[:, c] * (w * h[:, c])[:, None]).T @ s[:, c]
        prior = np.exp(point.log_shares)
        for d in range(1, classes):
            place = slice(size + (d - 1) * m, size + d * m)
            for c in range(classes):
                factor = w * h[:, c] * (h[:, d] - (c == d))
                result[c * k : (c + 1) * k, place] = (s[:, c] * factor[:, None]).T @ Z
            for e in range(1, classes):
                factor = w * (prior[:, d] * ((d == e) - prior[:, e]) - h[:, d] * ((d == e) - h[:, e]))
                result[place, size + (e - 1) * m : size + e * m] = (Z * factor[:, None]).T @ Z
        result[size:, :size] = result[:size, size:].T
        return np.asarray(result + self.prior_precision)

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """beta (C, K) and delta (M, C) of parameters (P,)."""
        classes, k, m = self.classes, len(self.rows), self.Z.shape[1]
        beta, delta = theta[: classes * k].reshape(classes, k), np.zeros((m, classes))
        delta[:, 1:] = theta[classes * k :].reshape(classes - 1, m).T
        return np.ascontiguousarray(beta), delta


def joined(beta: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """(P,) parameters of beta (C, K) and delta (M, C)."""
    return np.concatenate([beta.ravel(), delta[:, 1:].T.ravel()])


def random_start(mixture: Mixture, pooled: np.ndarray, steps: np.ndarray, rng: np.random.Generator) -> Point:
    """The best of four short runs: two from the pooled coefficients (K,) with noise, two from respondents picked at random.

    steps: (N, K) what each respondent's own answers add to the pooled coefficients, of `person_steps`.
    """
    weak, shape = mixture.with_ridge(), (mixture.classes, len(pooled))
    points = []
    for number in range(_TRIES):
        away = _far_apart(steps, mixture.classes, rng) if number % 2 else np.zeros(shape)
        beta = pooled + away + (0.1 if number % 2 else 1.0) * rng.standard_normal(shape)
        points.append(em(weak, weak.at(beta, np.zeros((mixture.Z.shape[1], mixture.classes))), _SHORT_STEPS // 2))
    return max(points, key=lambda point: point.objective)


def from_random_start(mixture: Mixture, pooled: np.ndarray, steps: np.ndarray, seed: np.random.SeedSequence) -> Outcome:
    """Where the search ends from a start of its own; one class begins at the pooled coefficients. See `random_start`."""
    if mixture.classes == 1:
        return run(mixture, mixture.at(pooled[None, :], np.zeros((mixture.Z.shape[1], 1))))
    return run(mixture, random_start(mixture, pooled, steps, np.random.default_rng(seed)))


def _far_apart(steps: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    """(C, K) the steps of respondents picked at random, the later ones far from the earlier ones (as k-means++ does)."""
    centres = np.empty((classes, steps.shape[1]))
    distance = np.ones(len(steps))
    for c in range(classes):
        total = distance.sum()
        centres[c] = steps[rng.choice(len(steps), p=distance / total if total > 0 else None)]
        away = ((steps - centres[c]) ** 2).sum(axis=1)
        distance = away if c == 0 else np.minimum(distance, away)
    return centres


def person_steps(mixture: Mixture, pooled: np.ndarray, precision: float = 1.0) -> np.ndarray:
    """(N, K) one Newton step of each respondent away from the pooled coefficients, held back by a prior on orthonormal columns."""
    one = replace(mixture, classes=1)
    point = one.at(pooled[None, :], np.zeros((mixture.Z.shape[1], 1)))
    information = point.information[0] / mixture.weights.sum()
    return np.asarray(np.linalg.solve(information + precision * np.eye(len(pooled)), point.scores[:, 0].T).T)


def em(mixture: Mixture, point: Point, steps: int) -> Point:
    """So many steps of generalised EM: one weighted Newton step of each class, memberships from the posterior. The objective never falls."""
    k, ridge = len(mixture.rows), max(mixture.ridge, 1e-10)
    for _ in range(steps):
        slope = np.einsum("n,nc,nck->ck", mixture.weights, point.posterior, point.scores) - mixture.ridge * point.beta
        move = np.linalg.solve(point.information + ridge * np.eye(k), slope[:, :, None])[:, :, 0]
        move *= np.minimum(1.0, _LARGEST_MOVE / np.maximum(np.abs(move).max(axis=1, keepdims=True), 1e-300))
        delta = _memberships(mixture, point)
        new = mixture.at(point.beta + move, delta)
        size = 1.0
        while new.objective < point.objective - 1e-9 and size > 1e-3:
            size /= 2
            new = mixture.at(point.beta + size * move, point.delta + size * (delta - point.delta))
        if new.objective < point.objective:
            return point
        point = new
    return point


def _memberships(mixture: Mixture, point: Point) -> np.ndarray:
    """delta (M, C) that fits the posterior: closed form for a constant, else one Newton step of the multinomial logit."""
    w, Z, h = mixture.weights, mixture.Z, point.posterior
    classes, m = mixture.classes, Z.shape[1]
    if m == 1:
        shares = np.log(np.maximum(w @ h, 1e-3))
        return np.asarray((shares - shares[0])[None, :])
    prior = np.exp(point.log_shares)
    slope = ((h - prior)[:, 1:] * w[:, None]).T @ Z
    prior_precision = mixture.prior_precision[classes * len(mixture.rows) :, classes * len(mixture.rows) :]
    curvature = prior_precision + 1e-8 * np.eye((classes - 1) * m)
    for d in range(1, classes):
        for e in range(1, classes):
            block = (Z * (w * prior[:, d] * ((d == e) - prior[:, e]))[:, None]).T @ Z
            curvature[(d - 1) * m : d * m, (e - 1) * m : e * m] += block
    slope = slope.ravel() - prior_precision @ point.delta[:, 1:].T.ravel()
    move = np.linalg.solve(curvature, slope)
    move *= min(1.0, _LARGEST_MOVE / max(np.abs(move).max(), 1e-300))
    delta = point.delta.copy()
    delta[:, 1:] += move.reshape(classes - 1, m).T
    return delta


def newton(mixture: Mixture, point: Point) -> tuple[Point, bool, int]:
    """Climbs from a point to the nearest optimum of the objective: the point, whether it is one, and the steps taken."""
    for step in range(1, _NEWTON_STEPS + 1):
        gradient, curvature = mixture.gradient(point), mixture.negative_hessian(point)
        scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), 1e-12))
        values, vectors = np.linalg.eigh(curvature * scale[:, None] * scale)
        curved = np.maximum(np.abs(values), 1e-8 * max(np.abs(values).max(), 1e-300))
        move = scale * (vectors @ ((vectors.T @ (scale * gradient)) / curved))
        gain = float(gradient @ move)
        if gain < _TOLERANCE:
            certain = bool(values[0] > _FLAT)
            last = mixture.at(*mixture.split(point.theta + move)) if certain else point
            return (last if last.objective >= point.objective - 1e-9 else point), certain, step
        move *= min(1.0, _LARGEST_MOVE / np.abs(move).max())
        size, theta = 1.0, point.theta
        while True:
            new = mixture.at(*mixture.split(theta + size * move), derivatives=False)
            if new.objective >= point.objective + 1e-4 * size * min(gain, 1e3) or size < 1e-6:
                break
            size /= 2
        if new.objective <= point.objective:
            # No step climbs: either rounding stops it here, or nothing is to be gained.
            return point, bool(values[0] > _FLAT and gain < 1e-6), step
        if np.abs(new.beta).max() > _FAR:
            return mixture.at(new.beta, new.delta), False, step
        point = mixture.at(new.beta, new.delta)
    return point, False, _NEWTON_STEPS


def is_degenerate(mixture: Mixture, point: Point) -> bool:
    """A class that is empty, or whose choices separate, so that its part-worths have no bounds."""
    if mixture.classes == 1 or mixture.ridge > 0:
        return False
    if (mixture.weights @ point.posterior).min() < _FEWEST or np.abs(point.beta).max() > _FAR:
        return True
    variances = np.diag(np.linalg.pinv(mixture.negative_hessian(point), hermitian=True))[: point.beta.size]
    return bool(variances.max() > LARGEST**2)


def run(mixture: Mixture, start: Point) -> Outcome:
    """One start to its end: EM under a weak ridge, then Newton's method on the likelihood itself."""
    near = em(mixture.with_ridge(), start, _SHORT_STEPS // 2 if mixture.classes > 1 else 2)
    return finish(mixture, near)


def finish(mixture: Mixture, near: Point) -> Outcome:
    """Newton's method from a point near the optimum; what it finds is degenerate where no finite optimum exists."""
    point, converged, steps = newton(mixture, mixture.at(near.beta, near.delta))
    degenerate = is_degenerate(mixture, point) or (not converged and mixture.classes > 1 and mixture.ridge == 0)
    return Outcome(point, converged and not degenerate, degenerate, steps)
