"""The hierarchical Bayes logit: every respondent has part-worths of his own, drawn from a normal population.

y_it ~ logit(X_it b_i), b_i = g(theta_i), theta_i = D'z_i + e_i, e_i ~ N(0, S) (Allenby and Rossi 1999; Rossi, Allenby and McCulloch 2005,
chapter 5). Signed coefficients are sign * exp(theta), so that a price coefficient is negative for everybody and money values exist. The
prior is put on orthonormal contrasts and scaled prices (`coding.prior_coding`), results are on the columns of the data. The moves of
the sampler are described in `sampler`. Notation: N respondents, K coefficients, M columns of z.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wtp.errors import DataError, EstimationError
from wtp.estimation import convergence, diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.coding import prior_coding
from wtp.estimation.covariates import coded_covariates
from wtp.estimation.hierarchical.problem import Problem, differences, pooled_mode
from wtp.estimation.hierarchical.results import FINAL, NOT_CONVERGED, PRELIMINARY, HierarchicalResults, Sampled
from wtp.estimation.hierarchical.run import ChainRun, advance, load, save
from wtp.estimation.hierarchical.watched import Watched
from wtp.estimation.parallel import hands, on_cores

VARIANCE = 0.1
NONE_VARIANCE = 1.0
FREEDOM = 5
RULES = {FINAL: (1.01, 400, 1.1), PRELIMINARY: (1.02, 400, 1.2)}  # R-hat and ESS of what is reported, R-hat of the rest
_BLOCK = 100
_FIRST_WARMUP = 500
_WARM = 1.05
_SAVE_EVERY = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class HierarchicalPrior:
    """What is believed before the answers: D | S ~ N(D0, S x A^-1), S ~ inverse Wishart(nu, V) with mean V / (nu - K - 1).

    mean_precision: A for every column of z; None for 0.01, or 0.1 with signed coefficients. degrees_of_freedom: nu, it weighs like nu
    respondents; None for K + 5. scale: variances v in V = nu diag(v): one number, or by parameter name, or a (K, K) matrix. None: 1 for the none constant and 0.1 t
    for the others, where the answers decide t, one factor for all part-worths and one for each signed coefficient, Gamma(1/2, 1/2) before: a v that is given
    widens narrow tastes, which moves price limits, or holds back wide ones. D0 is 0, for signed coefficients the logarithm of the pooled estimate. All of it holds for the inside
    coding: a level difference has the variance 2 v, a price 2 v over its tested range; a signed coefficient v on the log scale.
    """

    mean_precision: float | None = None
    degrees_of_freedom: float | None = None
    scale: float | Mapping[str, float] | np.ndarray | None = None

    def matrices(self, names: Sequence[str], none: int | None, *, signed: bool) -> tuple[float, float, np.ndarray]:
        """A, nu and V (K, K) for these parameters. Raises EstimationError for a prior that is none."""
        k = len(names)
        precision = self.mean_precision if self.mean_precision is not None else 0.1 if signed else 0.01
        freedom = self.degrees_of_freedom if self.degrees_of_freedom is not None else k + FREEDOM
        if not (0 < precision < np.inf and k - 1 < freedom < np.inf):
            raise EstimationError(
                f"prior: mean_precision {precision:g}, degrees_of_freedom {freedom:g}; allowed: above 0, and above {k - 1} for "
                f"{k} parameters; choose others."
            )
        variances = np.full(k, VARIANCE)
        if none is not None:
            variances[none] = NONE_VARIANCE
        if isinstance(self.scale, Mapping):
            unknown = [name for name in self.scale if name not in names]
            if unknown:
                raise EstimationError(
                    f"prior: scale for {', '.join(unknown)}; allowed: {', '.join(names)}; name these."
                )
            variances = np.array([self.scale.get(name, v) for name, v in zip(names, variances, strict=True)])
        elif self.scale is not None and np.ndim(self.scale) == 0:
            variances = np.full(k, float(np.asarray(self.scale)))
        matrix = np.diag(variances)
        if isinstance(self.scale, np.ndarray) and self.scale.ndim == 2:
            matrix = self.scale
        if matrix.shape != (k, k) or not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix)[0] <= 0:
            raise EstimationError(
                f"prior: scale is no covariance of {k} parameters; allowed: positive variances or a positive definite matrix; mend it."
            )
        return precision, freedom, freedom * matrix


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fit is: sweeps done a chain, the most there may be, seconds passed, and left if its rate stays (NaN before it is known).

    fit: which one of so many `fits`, where several are made in turn; seconds are then those of all. fitted: the fits are done, tables follow. Other models than the hierarchical one count starts or segments for sweeps.
    """

    sweeps: int
    most: int
    warming_up: bool
    seconds: float
    seconds_left: float
    r_hat: float
    ess: float
    fit: int = 1
    fits: int = 1
    fitted: bool = False

    @property
    def share(self) -> float:
        """Part of the work that is done, between 0 and 1; before the rate is known there is only the share of the most sweeps."""
        total = self.seconds + self.seconds_left
        share = self.seconds / total if total > 0 else self.sweeps / self.most
        return min(max(share, 0.0), 1.0) if np.isfinite(share) else 0.0


class HierarchicalLogit:
    """Hierarchical logit of the answered choice tasks.

    signs: +1 or -1 by parameter (numeric columns only), as in {"price": -1}; no sign is constrained unless asked. covariates: names of
    `data.covariates` that move the population mean. coding: "orthonormal" (see `coding.prior_coding`), or "as_given" to put the prior on the columns of the data.
    Raises DataError or EstimationError for columns that are not identified, unknown names, and signs that the answers contradict.
    """

    def __init__(
        self,
        data: ChoiceData,
        signs: Mapping[str, int] | None = None,
        covariates: Sequence[str] | None = None,
        prior: HierarchicalPrior | None = None,
        coding: str = "orthonormal",
    ) -> None:
        if coding not in ("orthonormal", "as_given"):
            raise EstimationError(f"coding: found {coding!r}; allowed: orthonormal, as_given; choose one of them.")
        aliased = diagnostics.aliased(data)
        if aliased:
            raise EstimationError(" ".join(map(str, aliased)))
        self.data, self.prior = data, prior or HierarchicalPrior()
        self.signs = _signs(data, signs or {})
        self.coding = prior_coding(data) if coding == "orthonormal" else np.eye(len(data.names))
        Z, self.covariate_names = coded_covariates(data, covariates)
        k, m = len(data.names), Z.shape[1]
        rows, first_row, first_task = differences(data, self.coding)
        start, _ = pooled_mode(rows, first_row, first_task)
        mean = np.zeros((m, k))
        for j in np.flatnonzero(self.signs):
            if start[j] * self.signs[j] <= 0:
                raise EstimationError(
                    _contradiction(data.names[j], int(self.signs[j]), data.names[j] in data.price_parameters)
                )
            mean[0, j] = np.log(abs(start[j]))
        price = None if data.price is None else data.names.index(data.price)
        self.watched = Watched(data.names, price if price is not None and self.signs[price] else None, data.none)
        precision, freedom, scale = self.prior.matrices(data.names, data.none, signed=bool(self.signs.any()))
        self.problem = Problem(
            rows, first_row, first_task, Z, self.signs, mean, np.full(m, precision), freedom, scale, self._learned()
        )  # fmt: skip

    def _learned(self) -> np.ndarray:
        """(K,) groups of coefficients with a common factor of their prior variances, -1 for those whose variance is given."""
        groups = np.zeros(len(self.data.names), dtype=int)
        groups[self.signs != 0] = 1 + np.arange(np.count_nonzero(self.signs))
        if self.data.none is not None:
            groups[self.data.none] = -1
        if self.prior.scale is not None:
            groups[:] = -1
        found = np.unique(groups[groups >= 0])
        return np.where(groups >= 0, np.searchsorted(found, groups), -1)

    def fit(
        self,
        draws: int = 20_000,
        warmup: int = 10_000,
        chains: int = 2,
        seed: int = 1,
        *,
        stop: str | None = FINAL,
        keep: int = 2_000,
        cores: int | None = None,
        progress: Callable[[Progress], None] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> HierarchicalResults:
        """Sample the posterior; the same seed gives the same draws, whatever the number of cores and wherever the chains run.

        draws, warmup: the most sweeps a chain after and before the warm-up. stop: "final" (R-hat of at most 1.01 and bulk and tail ESS of at least 400 for all that is
        reported, see `watched`; R-hat of at most 1.1 for log variances and the log-likelihood) or "preliminary" (1.02 and 1.2), at which both end sooner; None makes exactly so many. keep: at most so
        many draws of all respondents, evenly spaced. checkpoint: a folder; the draws are kept there instead of in memory, and an interrupted fit with
        the same data, model and arguments goes on from there with the same result.
        """
        _check_amounts(draws, warmup, chains, keep, stop)
        began = time.perf_counter()
        folder = None if checkpoint is None else Path(checkpoint)
        first = warmup if stop is None else min(warmup, _FIRST_WARMUP)
        seeds = np.random.SeedSequence(seed).spawn(chains)
        shape = (len(self.data.respondents), len(self.data.names))
        runs = [
            ChainRun(self.problem, self.coding, self.watched, spawned, first, max(2, keep // chains), _place(folder, c))
            for c, spawned in enumerate(seeds)
        ]
        key = self._key((draws, warmup, chains, seed, stop, keep, self.watched))
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            load(folder, key, runs)
        saved = time.perf_counter()
        resumed = runs[0].chain.sweeps
        with hands(min(chains, cores or os.cpu_count() or 1)) as each:
            while True:
                warming = runs[0].chain.sweeps < runs[0].chain.warmup
                done = runs[0].chain.sweeps - runs[0].chain.warmup
                r_hat, ess, rest = _worst(runs) if not warming or stop else (np.nan, np.nan, np.nan)
                if progress is not None:
                    progress(_progress(runs, draws, resumed, began, r_hat, ess))
                if not warming:
                    if done >= draws or (stop is not None and done >= _BLOCK and _fulfils(r_hat, ess, rest, stop)):
                        break
                    if done == 0 and stop is not None and _still_cold(runs, warmup):
                        continue
                # Judging takes longer the more there is to judge, so it is done after every twentieth more.
                size = _BLOCK * max(1, done // (20 * _BLOCK))
                size = min(size, runs[0].chain.warmup - runs[0].chain.sweeps if warming else draws - done, draws - done)
                for run, made in zip(runs, each(advance, [run.piece(size) for run in runs]), strict=True):
                    run.take(made)
                if folder is not None and time.perf_counter() - saved > _SAVE_EVERY:
                    save(folder, key, runs)
                    saved = time.perf_counter()
        if folder is not None:
            save(folder, key, runs)
        return self._results(runs, shape, seed, time.perf_counter() - began)

    def _key(self, arguments: tuple[object, ...]) -> str:
        problem = self.problem
        digest = hashlib.sha256(repr((arguments, problem.freedom, problem.shape)).encode())
        for array in (
            problem.rows,
            problem.first_row,
            problem.first_task,
            problem.Z,
            problem.signs,
            problem.mean,
            problem.precision,
            problem.scale,
            problem.learned,
            self.coding,
        ):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def _results(
        self, runs: Sequence[ChainRun], shape: tuple[int, int], seed: int, seconds: float
    ) -> HierarchicalResults:
        watched = np.array([run.watched() for run in runs])
        status = next((name for name in RULES if _fulfils(*_worst(runs), name)), NOT_CONVERGED)
        return HierarchicalResults(
            data=self.data,
            sampled=Sampled(
                individual=tuple(run.people.array() for run in runs),
                population=tuple(run.population.array() for run in runs),
                watched=watched,
            ),
            coding=self.coding,
            signs=self.signs,
            Z=self.problem.Z,
            covariate_names=self.covariate_names,
            watched=self.watched,
            prior=self.prior,
            status=status,
            warmup=runs[0].chain.warmup,
            sweeps=runs[0].chain.sweeps - runs[0].chain.warmup,
            seed=seed,
            seconds=seconds,
        )


def _signs(data: ChoiceData, signs: Mapping[str, int]) -> np.ndarray:
    result = np.zeros(len(data.names))
    coded = {name: attribute for attribute in data.attributes for name in (attribute.name,) if not attribute.numeric}
    for name, sign in signs.items():
        if name in coded or name not in data.names:
            numeric = [n for n in data.names if not any(n.startswith(f"{a}[") for a in coded)]
            raise DataError(
                f"signs: {name!r} is no numeric parameter; allowed: {', '.join(numeric)}; name one of these."
            )
        if sign not in (1, -1):
            raise DataError(f"signs: {name!r}: found {sign!r}; allowed: 1 or -1; mend it.")
        result[data.names.index(name)] = sign
    return result


def _contradiction(name: str, sign: int, price: bool) -> str:
    wanted = "negative" if sign < 0 else "positive"
    said = "The price did not drive the answers" if price else "The answers contradict the sign"
    return (
        f"{said}: the coefficient of {name} is not {wanted} for all respondents together, so a sign would only hide it; "
        "allowed: signs that the pooled estimate has; leave the sign out, or check the data."
    )


def _check_amounts(draws: int, warmup: int, chains: int, keep: int, stop: str | None) -> None:
    for name, value, least in (("draws", draws, 4), ("warmup", warmup, 0), ("chains", chains, 1), ("keep", keep, 2)):
        if value < least:
            raise EstimationError(f"{name}: found {value}; allowed: {least} or more; mend it.")
    if stop is not None and stop not in RULES:
        raise EstimationError(f"stop: found {stop!r}; allowed: {', '.join(RULES)} or None; choose one of them.")


def _place(folder: Path | None, chain: int) -> Path | None:
    return None if folder is None else folder / f"chain-{chain}"


def _worst(runs: Sequence[ChainRun]) -> tuple[float, float, float]:
    """Largest R-hat and smallest effective sample size of what is reported, largest R-hat of the rest; two halves of the quantities are judged at once."""
    watched = np.array([run.watched() for run in runs])
    if watched.shape[1] < 8:
        return np.nan, np.nan, np.nan
    split = runs[0].reported
    halves = np.array_split(watched[:, :, :split], min(2, split), axis=2)
    r_hat, ess = (np.concatenate(found) for found in zip(*on_cores(convergence.r_hat_and_ess, halves), strict=True))
    return float(np.max(r_hat)), float(np.min(ess)), float(np.max(convergence.r_hat(watched[:, :, split:])))


def _fulfils(r_hat: float, ess: float, rest: float, rule: str) -> bool:
    largest, smallest, of_rest = RULES[rule]
    return bool(r_hat <= largest and ess >= smallest and rest <= of_rest)


def _still_cold(runs: Sequence[ChainRun], most: int) -> bool:
    """Whether the second half of the warm-up still drifts; then it is doubled, as far as it may be."""
    warmup = runs[0].chain.warmup
    half = np.array([run.warming()[warmup // 2 :] for run in runs])
    if half.shape[1] < 8 or warmup >= most or float(np.max(convergence.r_hat(half))) <= _WARM:
        return False
    for run in runs:
        run.chain.warmup = min(2 * warmup, most)
    return True


def _progress(runs: Sequence[ChainRun], draws: int, resumed: int, began: float, r_hat: float, ess: float) -> Progress:
    chain = runs[0].chain
    most, seconds = chain.warmup + draws, time.perf_counter() - began
    sweeps = chain.sweeps
    # Effective draws come in proportion to sweeps: what is missing to the rule is foreseeable.
    needed = most
    if np.isfinite(ess) and ess > 0 and sweeps > chain.warmup:
        needed = min(most, int(chain.warmup + (sweeps - chain.warmup) * max(1.0, RULES[FINAL][1] / ess)))
    rate = (sweeps - resumed) / seconds if sweeps > resumed else np.nan
    return Progress(sweeps, most, sweeps < chain.warmup, seconds, (needed - sweeps) / rate, r_hat, ess)
