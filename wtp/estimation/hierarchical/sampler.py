"""One chain of the hierarchical logit: the four moves of a sweep, and what it learns during the warm-up.

theta_i = D'z_i + L e_i, e_i ~ N(0, I), S = LL'; coefficients b_i = theta_i, or sign * exp(theta_i) for signed ones. Prior: S ~ IW(nu, V),
vec(D) | S ~ N(vec D0, S x A^-1) (Rossi, Allenby and McCulloch 2005, section 5.4). V may be known up to factors (`Problem.learned`). A sweep is

1. a Hamiltonian move of every respondent's theta given D and S (Neal 2011), whitened by his own rough posterior covariance;
2. D and S given all theta, exactly (conjugate): fast where answers say much about each person; then the factors of V given S;
3. a Hamiltonian move of D and L given all e_i, through the likelihood of all answers: fast where answers say little about each
   person. Alternating 2 and 3 is the interweaving strategy of Yu and Meng (2011);
4. random steps of D and L along the few directions in which both were slow during the warm-up, with every respondent carried along to the
   same place of his own conditional distribution, taken for normal. The common scale of the coefficients is such a direction: 2 is
   held back by all theta, 3 by all answers, 4 by neither.

Notation: N respondents, K coefficients, M columns of z (the first is 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import eigh

from wtp.estimation.hierarchical import kernel, population_kernel
from wtp.estimation.hierarchical.problem import Problem

LEARNED = (
    0.5  # shape and rate of the factors of V that are learned: mean 1, and anything from a hundredth to five is likely
)
_PERSON_STEPS = 2
_POPULATION_STEPS = (3, 8)  # at least, and less than
_SLOW_DIRECTIONS = 4
_SLOW_MOVES = 1
_TARGET, _SLOW_TARGET = 0.75, 0.4  # acceptance of Hamiltonian moves (Beskos et al. 2013) and of random steps
_LARGEST_STEP = 1.4
_LEARN = (10, 20, 50, 100, 200)  # sweeps after which the warm-up learns anew, besides these parts of it:
_LEARN_PARTS = (0.5, 0.7, 0.85)
_LOOK_EVERY = 4  # sweeps between looks at the information of all respondents
_LEAST_HISTORY = 40
_LAG = 5


class Chain:
    """State of one chain. `advance` makes sweeps; `snapshot` and `restore` carry the state over an interruption."""

    def __init__(self, problem: Problem, seed: np.random.SeedSequence, warmup: int) -> None:
        n, k, m = problem.shape
        self.problem, self.warmup, self.sweeps = problem, warmup, 0
        self.rng = np.random.default_rng(seed)
        self.theta = problem.mean[0] + 0.5 * self.rng.standard_normal((n, k))
        self.delta = problem.mean + np.zeros((m, k))
        self.root = np.linalg.cholesky(problem.scale / problem.freedom)
        self.scale = problem.scale
        self.loglike = np.zeros(n)
        self.person_step, self.population_step = np.full(n, 0.5), 0.3
        self.slow, self.slow_step = np.empty((0, m * k + k * (k + 1) // 2)), np.ones(_SLOW_DIRECTIONS)
        self.history = np.empty((0, self.slow.shape[1]))
        self._gradients, self._work = np.empty((n, k)), problem.workspace()
        # Exponents of L_kk in p(D, log L_kk, L_kl): those of the prior, of |dS / dL| = 2^K prod L_kk^(K - k + 1), and one for the logarithm.
        self._power = k - np.arange(k) + 1.0 - (m + problem.freedom + k + 1)
        self._lower, self._below = np.tril_indices(k), np.tril_indices(k, -1)
        self._gibbs_covariance = np.linalg.inv(problem.Z.T @ problem.Z + np.diag(problem.precision))
        self._gibbs_root = np.linalg.cholesky(self._gibbs_covariance)
        self._look_afresh()
        self._look()
        self._learn()

    _STATE = (
        "theta", "delta", "root", "scale", "loglike", "person_step", "population_step", "slow", "slow_step", "sweeps", "history",
        "information", "pulls", "person_roots", "delta_roots", "column_roots", "diagonal",
        "looks", "information_sum", "theta_sum", "means_sum", "precision_sum",
    )  # fmt: skip

    def snapshot(self) -> dict[str, Any]:
        """Everything that the next sweep depends on."""
        return {name: np.array(getattr(self, name)) for name in self._STATE} | {"rng": self.rng.bit_generator.state}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a snapshot."""
        for name in self._STATE:
            value = np.array(state[name])
            setattr(self, name, value if value.ndim else value.item())
        self.rng.bit_generator.state = state["rng"]

    def __getstate__(self) -> dict[str, Any]:
        """All but the scratch memory: a chain may go on in another process."""
        return {name: value for name, value in vars(self).items() if name not in ("_gradients", "_work")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The chain with scratch memory of its own."""
        vars(self).update(state)
        self._gradients, self._work = np.empty(self.problem.shape[:2]), self.problem.workspace()

    def sweep(self) -> None:
        """One sweep; during the warm-up step sizes follow the acceptance rates."""
        warming = self.sweeps < self.warmup
        rate = 1 / (1 + self.sweeps / 20) if warming else 0.0
        acceptances = self._move_people()
        self.person_step = np.clip(self.person_step * np.exp(rate * (acceptances - _TARGET)), 0.01, _LARGEST_STEP)
        self._draw_population()
        self._draw_scale()
        acceptance = self._move_population()
        self.population_step *= float(np.exp(rate * (acceptance - _TARGET)))
        self.population_step = float(np.clip(self.population_step, 0.005, _LARGEST_STEP))
        for _ in range(_SLOW_MOVES if len(self.slow) else 0):
            direction, acceptance = self._move_slowly()
            self.slow_step[direction] *= np.exp(max(rate, 0.05 * warming) * (acceptance - _SLOW_TARGET))
        self.sweeps += 1
        if warming:
            self._remember()

    @property
    def covariance(self) -> np.ndarray:
        """(K, K) population covariance S."""
        return np.asarray(self.root @ self.root.T)

    def _move_people(self) -> np.ndarray:
        problem, rng = self.problem, self.rng
        n, k, _ = problem.shape
        acceptances = np.empty(n)
        kernel.move_people(
            *problem.choices, problem.signs, self.theta, problem.Z @ self.delta, _inverse(self.root)[1], self.person_roots,
            self.person_step * rng.uniform(0.5, 1.1), _PERSON_STEPS, rng.standard_normal((n, k)), -rng.standard_exponential(n),
            self._work, acceptances, self.loglike,
        )  # fmt: skip
        return acceptances

    def _draw_population(self) -> None:
        """S ~ IW(nu + N, V + R), then D | S, by Bartlett's decomposition (Rossi, Allenby and McCulloch 2005, section 2.12)."""
        problem, rng = self.problem, self.rng
        n, k, m = problem.shape
        centre = self._gibbs_covariance @ (problem.Z.T @ self.theta + problem.precision[:, None] * problem.mean)
        residuals = self.theta - problem.Z @ centre
        scatter = residuals.T @ residuals + self._prior_scatter(centre)
        bartlett = np.diag(np.sqrt(rng.chisquare(problem.freedom + n - np.arange(k))))
        bartlett[self._below] = rng.standard_normal(len(self._below[0]))
        # With scatter = CC' and Bartlett's B, S = (C B^-T)(C B^-T)'.
        half = _inverse(bartlett)[0] @ np.linalg.cholesky(scatter).T
        self.root = _lower_root(half)
        self.delta = centre + self._gibbs_root @ rng.standard_normal((m, k)) @ self.root.T

    def _draw_scale(self) -> None:
        """The factors t of V | S: V = t V0 within a group, t ~ Gamma(1/2, rate 1/2), so that t | S is Gamma too."""
        problem = self.problem
        if (problem.learned < 0).all():
            return
        precision, scale = np.diag(_inverse(self.root)[1]), self.scale.copy()
        for group in range(problem.learned.max() + 1):
            own = np.flatnonzero(problem.learned == group)
            base = problem.scale[own, own]
            shape, rate = LEARNED + problem.freedom * len(own) / 2, LEARNED + float(base @ precision[own]) / 2
            scale[own, own] = base * self.rng.gamma(shape, 1 / rate)
        self.scale = scale

    def _move_population(self) -> float:
        """Hamiltonian move of D and of L (logarithms on its diagonal) given e = L^-1 (theta - Z D); returns the acceptance probability."""
        problem, rng = self.problem, self.rng
        n, k, m = problem.shape
        momentum, root_momentum = rng.standard_normal((m, k)), rng.standard_normal((k, k))
        size, steps = self.population_step * rng.uniform(0.8, 1.2), int(rng.integers(*_POPULATION_STEPS))
        prior = (problem.mean, problem.precision, self.scale, self._power)
        whitening = (self.delta_roots, self.column_roots, self.diagonal)
        delta, root, theta, loglike = self.delta.copy(), self.root.copy(), self.theta.copy(), np.empty(n)
        ratio = population_kernel.move_population(
            problem.choices, problem.signs, problem.Z, prior, whitening, size, steps, momentum, root_momentum, delta, root, theta, loglike,
            self._work,
        )  # fmt: skip
        return self._accept(ratio, delta, root, theta, loglike)

    def _move_slowly(self) -> tuple[int, float]:
        """A random step along one slow direction, respondents following; the direction and the acceptance probability."""
        problem, rng = self.problem, self.rng
        n, k, m = problem.shape
        direction = int(rng.integers(len(self.slow)))
        step = self.slow_step[direction] * float(rng.standard_normal()) * self.slow[direction]
        delta = self.delta + step[: m * k].reshape(m, k)
        log_root = _with_log_diagonal(self.root)
        log_root[self._lower] += step[m * k :]
        if not _possible(log_root):
            return direction, 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            root = _without_log_diagonal(log_root)
            (_, precision), (_, new_precision) = _inverse(self.root), _inverse(root)
            means, new_means = problem.Z @ self.delta, problem.Z @ delta
            theta = np.empty((n, k))
            ratio = kernel.follow(
                self.theta, self.information, self.pulls, means, precision, new_means, new_precision, theta
            )
            loglike = self._loglikes(theta)
            before, after = self.theta - means, theta - new_means
            scatters = before.T @ before + self._prior_scatter(self.delta), after.T @ after + self._prior_scatter(delta)
            ratio += float(loglike.sum() - self.loglike.sum())
            ratio += 0.5 * float(np.sum(scatters[0] * precision) - np.sum(scatters[1] * new_precision))
            ratio += float((self._power - n) @ (log_root.diagonal() - np.log(self.root.diagonal())))
        return direction, self._accept(ratio, delta, root, theta, loglike)

    def _accept(
        self, ratio: float, delta: np.ndarray, root: np.ndarray, theta: np.ndarray, loglike: np.ndarray
    ) -> float:
        """Take the proposal or stay, by the logarithm of the ratio of the densities; returns the acceptance probability."""
        chance = -self.rng.standard_exponential()
        if not np.isfinite(ratio):
            return 0.0
        if chance < ratio:
            self.delta, self.root, self.theta, self.loglike = delta, root, theta, loglike
        return float(np.exp(min(0.0, ratio)))

    def _loglikes(self, theta: np.ndarray) -> np.ndarray:
        """(N,) log-likelihoods; their gradients in `_gradients`."""
        loglike = np.empty(len(theta))
        kernel.loglikes(*self.problem.choices, theta, self.problem.signs, self._gradients, self._work, loglike)
        return loglike

    def _prior_scatter(self, delta: np.ndarray) -> np.ndarray:
        """V + (D - D0)' A (D - D0)."""
        problem = self.problem
        away = delta - problem.mean
        return np.asarray(self.scale + (away * problem.precision[:, None]).T @ away)

    def _remember(self) -> None:
        log_root = _with_log_diagonal(self.root)
        if self.sweeps > len(self.history):  # doubled, since a copy for every sweep would take longer and longer
            self.history = np.vstack([self.history, np.zeros((max(len(self.history), 256), self.slow.shape[1]))])
        self.history[self.sweeps - 1] = np.r_[self.delta.ravel(), log_root[self._lower]]
        if self.sweeps % _LOOK_EVERY == 0:
            self._look()
        if self.sweeps in (*_LEARN, *(int(part * self.warmup) for part in _LEARN_PARTS)) and self.looks:
            self._learn()

    def _look_afresh(self) -> None:
        n, k, _ = self.problem.shape
        self.looks = 0
        self.information_sum, self.precision_sum = np.zeros((n, k, k)), np.zeros((k, k))
        self.theta_sum, self.means_sum = np.zeros((n, k)), np.zeros((n, k))

    def _look(self) -> None:
        """One more look at how much each respondent's answers say, and where he is."""
        problem = self.problem
        n, k, _ = problem.shape
        information = np.empty((n, k, k))
        kernel.information(*problem.choices, self.theta, problem.signs, self._work, information)
        self.looks += 1
        self.information_sum = self.information_sum + information
        self.theta_sum = self.theta_sum + self.theta
        self.means_sum = self.means_sum + problem.Z @ self.delta
        self.precision_sum = self.precision_sum + _inverse(self.root)[1]

    def _learn(self) -> None:
        """Whitening and normal approximations from the looks so far, slow directions from the later half of the history."""
        problem = self.problem
        n, k, _ = problem.shape
        self.information, precision = self.information_sum / self.looks, self.precision_sum / self.looks
        theta, means = self.theta_sum / self.looks, self.means_sum / self.looks
        self._look_afresh()
        total = self.information.sum(axis=0)
        mixed = 0.98 * self.information + 0.02 * total / n + precision
        self.person_roots = np.ascontiguousarray(np.linalg.cholesky(np.linalg.inv(mixed)))
        # Such pulls that the normal approximation of a respondent has its centre where he was found.
        self.pulls = np.einsum("nkl,nl->nk", self.information + precision, theta) - means @ precision
        weak = 1e-6 * np.trace(total) / k + 1e-6
        squares = np.einsum("nm,nm->m", problem.Z, problem.Z) / n
        self.delta_roots = np.array([_inverse_root(total * square + weak * np.eye(k)) for square in squares])
        self.column_roots = np.zeros((k, k, k))
        for column in range(k):
            below = total[column:, column:] + (weak + 2 * problem.freedom) * np.eye(k - column)
            self.column_roots[column, column:, column:] = _inverse_root(below)
        self.diagonal = np.diag(self.root).copy()
        recent = self.history[self.sweeps // 2 : self.sweeps]
        if len(recent) >= _LEAST_HISTORY:
            self.slow = _slow_directions(recent)


def _slow_directions(history: np.ndarray) -> np.ndarray:
    """The slowest movements (directions, Q) of a history (n, Q), each with the length of its standard deviation.

    Time-lagged independent components (Molgedey and Schuster 1994): of all linear combinations those with the largest autocorrelation; the covariance is
    shrunk to its diagonal, or noise would be found where Q is not small beside n.
    """
    n, q = history.shape
    away = history - history.mean(axis=0)
    covariance, lagged = away.T @ away / n, away[:-_LAG].T @ away[_LAG:] / (n - _LAG)
    covariance = (n * covariance + q * np.diag(np.diag(covariance))) / (n + q) + 1e-12 * np.eye(q)
    vectors = eigh(lagged + lagged.T, covariance, subset_by_index=(q - _SLOW_DIRECTIONS, q - 1))[1]
    return np.asarray((covariance @ vectors[:, ::-1]).T)


def _inverse(root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L^-1 and (LL')^-1 of a lower triangular L."""
    inverse, precision = np.empty(root.shape), np.empty(root.shape)
    population_kernel.inverses(np.ascontiguousarray(root), inverse, precision)
    return inverse, precision


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """C with CC' = matrix^-1."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(matrix)).T)


def _lower_root(half: np.ndarray) -> np.ndarray:
    """Lower triangular L with positive diagonal and LL' = half' half."""
    triangle = np.asarray(np.linalg.qr(half, mode="r"))
    return np.asarray(triangle.T * np.sign(triangle.diagonal()))


def _possible(log_root: np.ndarray) -> bool:
    """Whether a root is finite and far from singular; a Hamiltonian path that went astray is not."""
    return bool(np.isfinite(log_root).all() and (np.abs(log_root.diagonal()) < population_kernel.LARGEST_LOG).all())


def _with_log_diagonal(root: np.ndarray) -> np.ndarray:
    changed = root.copy()
    np.fill_diagonal(changed, np.log(root.diagonal()))
    return changed


def _without_log_diagonal(log_root: np.ndarray) -> np.ndarray:
    root = log_root.copy()
    np.fill_diagonal(root, np.exp(log_root.diagonal()))
    return root
