"""The mixed logit by simulated maximum likelihood (McFadden and Train 2000; Train 2009, chapters 6 and 10).

LL = sum_i w_i log (1/R) sum_r prod_t p_ity(b_i^r), one set of R draws a respondent, held fixed; b^r = g(location + L point^r). Score: the shares q_ir of the
draws in the likelihood of a respondent weight their slopes. WTP space (Train and Weeks 2005): v = lambda (w'x - p), lambda = exp(.).
Notation: N respondents, R draws, K coefficients, D of them random, Q parameters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.base.model import LikelihoodModel
from threadpoolctl import threadpool_limits

from wtp.errors import DataError, EstimationError
from wtp.estimation import diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogit
from wtp.estimation.hierarchical.problem import differences
from wtp.estimation.mixed_kernel import simulate_people
from wtp.estimation.mixed_results import MixedLogitResults
from wtp.estimation.parallel import on_cores
from wtp.estimation.quasi_random import uniform_draws

NORMAL, TRIANGULAR, UNIFORM = "normal", "triangular", "uniform"
DISTRIBUTIONS = {NORMAL: 0, "lognormal": 1, "-lognormal": -1, TRIANGULAR: 0, UNIFORM: 0}
_START_SPREAD = 0.1
_TOLERANCE = 1e-8
_NEWTON_STEPS = 8


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the parameters (Q,) stand: K locations, then D spreads, or the lower triangle (row by row) of a Cholesky root.

    place: (K,) number of the random coefficient or -1. kind: (K,) 0, 1 or -1, see `mixed_kernel`. distributions: of the D random ones. names: (Q,).
    price: number of the price coefficient in WTP space, else -1.
    """

    place: np.ndarray
    kind: np.ndarray
    distributions: tuple[str, ...]
    correlated: bool
    names: tuple[str, ...]
    price: int

    @property
    def loadings(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column in the loading (D, D) of each parameter after the locations."""
        d = len(self.distributions)
        return np.tril_indices(d) if self.correlated else (np.arange(d), np.arange(d))

    def split(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Locations (K,) and loading (D, D)."""
        k, d = len(self.place), len(self.distributions)
        loading = np.zeros((d, d))
        loading[self.loadings] = params[k:]
        return np.ascontiguousarray(params[:k], dtype=float), loading

    def points(self, uniform: np.ndarray) -> np.ndarray:
        """Standardised draws (N, D, R) of uniform ones (N, R, D)."""
        columns = []
        for d, distribution in enumerate(self.distributions):
            u = uniform[:, :, d]
            if distribution == UNIFORM:
                columns.append(2 * u - 1)
            elif distribution == TRIANGULAR:
                columns.append(np.where(u < 0.5, np.sqrt(2 * u) - 1, 1 - np.sqrt(2 * (1 - u))))
            else:
                columns.append(stats.norm.ppf(u))
        return np.ascontiguousarray(np.stack(columns, axis=1))

    def coefficients(self, params: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Coefficients in utility space (G, K) at standardised draws (D, G)."""
        location, loading = self.split(params)
        zeta = np.tile(location[:, None], (1, points.shape[1]))
        random = self.place >= 0
        zeta[random] += (loading @ points)[self.place[random]]
        signed = self.kind != 0
        zeta[signed] = self.kind[signed, None] * np.exp(zeta[signed])
        if self.price >= 0:
            scale = np.exp(zeta[self.price])
            zeta *= scale
            zeta[self.price] = -scale
        return np.asarray(zeta.T)


class MixedLogit(LikelihoodModel):  # type: ignore[misc]  # statsmodels has no types
    """Mixed logit of the answered choice tasks.

    random: distribution by parameter or by attribute (all its columns): normal, lognormal, -lognormal (minus a log-normal), triangular, uniform; location and
    spread of a log-normal are those of its logarithm. space: "preference", or "wtp" with coefficients in money and the price's
    exp(normal) scale. correlated: full covariance of the (log-)normals. Raises EstimationError for columns not identified and unknown names or distributions.
    """

    def __init__(
        self,
        data: ChoiceData,
        random: Mapping[str, str],
        space: Literal["preference", "wtp"] = "preference",
        correlated: bool = False,
    ) -> None:
        aliased = diagnostics.aliased(data)
        if aliased:
            raise EstimationError(" ".join(map(str, aliased)))
        self.choices, self.space = data, space
        self.layout = _layout(data, random, space, correlated)
        rows, self._first_row, self._first_task = differences(data, np.eye(len(data.names)))
        self._size = np.abs(rows).max(axis=1)
        self._rows = np.ascontiguousarray((rows / self._size[:, None]).T)
        self._most = int(np.diff(self._first_row).max())
        self._weights = np.ones(len(data.respondents)) if data.weights is None else data.weights
        self._points = np.empty(0)
        self._cores = os.cpu_count() or 1
        # statsmodels takes the labels of parameters from the columns of a design.
        design = pd.DataFrame(np.zeros((2, len(self.layout.names))), columns=list(self.layout.names))
        super().__init__(pd.Series(np.zeros(2), name="chosen"), design, hasconst=False)

    def simulated(self, params: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Simulated log-likelihoods (N,), scores (N, Q) and posterior mean coefficients (N, K) at inside parameters and draws (N, D, R)."""
        layout = self.layout
        n, k, d = len(self.choices.respondents), len(layout.place), len(layout.distributions)
        location, loading = layout.split(params)
        values, means = np.empty(n), np.empty((n, k))
        location_scores, loading_scores = np.empty((n, k)), np.zeros((n, d, d))
        bounds = np.linspace(0, n, self._cores + 1).astype(int)

        def part(c: int) -> None:
            simulate_people(
                (int(bounds[c]), int(bounds[c + 1])), self._rows, self._first_row, self._first_task, points, location, loading,
                layout.place, layout.kind, layout.price, self._most, values, location_scores, loading_scores, means,
            )  # fmt: skip

        on_cores(part, range(self._cores), self._cores)
        rows, columns = layout.loadings
        return values, np.hstack([location_scores, loading_scores[:, rows, columns]]), means

    def loglike(self, params: np.ndarray) -> float:
        """Simulated log-likelihood at inside parameters (Q,), with the draws of the last `fit`."""
        return float(self._weights @ self.simulated(params, self._points)[0])

    def score(self, params: np.ndarray) -> np.ndarray:
        """Its gradient (Q,)."""
        return np.asarray(self._weights @ self.simulated(params, self._points)[1])

    def fit(
        self,
        draws: int = 512,
        seed: int = 1,
        cov_type: Literal["cluster", "nonrobust", "opg"] = "cluster",
        *,
        rule: str = "sobol",
        start: np.ndarray | None = None,
        cores: int | None = None,
    ) -> MixedLogitResults:
        """Maximise the simulated likelihood: BFGS from the pooled logit, finished by Newton steps.

        cov_type: "cluster" (by respondent, the sandwich of the respondents' scores), "nonrobust" (inverse Hessian) or "opg" (outer product of scores; no
        Hessian is computed). start: (Q,) in the units of the results. cores: threads; the figures do not depend on it.
        Raises EstimationError where the search does not arrive.
        """
        if cov_type not in ("cluster", "nonrobust", "opg"):
            raise EstimationError(
                f"cov_type: found {cov_type!r}; allowed: cluster, nonrobust, opg; choose one of them."
            )
        if draws < 2:
            raise EstimationError(f"draws: found {draws}; allowed: 2 or more, 512 for figures to rely on; mend it.")
        n = len(self.choices.respondents)
        if n < 2:
            raise EstimationError(
                "1 respondent, whose tastes cannot differ from others'; allowed: two or more; collect more answers, or use ConditionalLogit."
            )
        self._cores = max(1, min(n, cores or os.cpu_count() or 1))
        # Sums of several threads of the algebra end in other digits than those of one, and the search with them.
        with threadpool_limits(1):
            return self._fitted(draws, seed, cov_type, rule, start)

    def _fitted(
        self,
        draws: int,
        seed: int,
        cov_type: Literal["cluster", "nonrobust", "opg"],
        rule: str,
        start: np.ndarray | None,
    ) -> MixedLogitResults:
        n, d = len(self.choices.respondents), len(self.layout.distributions)
        self._points = self.layout.points(uniform_draws(rule, n, draws, d, seed))
        inside = self._start() if start is None else self._scaled(np.asarray(start, dtype=float), inward=True)
        inside, steps = self._search(inside)
        information = np.empty(0)
        arrived = False
        for newton in range(_NEWTON_STEPS if cov_type != "opg" else 0):
            information = self._information(inside)
            gradient = self.score(inside)
            try:
                move = np.linalg.solve(information, gradient)
            except np.linalg.LinAlgError:
                break
            arrived = bool(0 <= gradient @ move < _TOLERANCE * max(1.0, abs(self.loglike(inside)) * 1e-4))
            if arrived or self.loglike(inside + move) < self.loglike(inside):
                break
            inside, steps = inside + move, steps + newton + 1
        inside = self._positive(inside)
        values, scores, means = self.simulated(inside, self._points)
        if cov_type != "opg":
            information = self._information(inside)
        twice = self.layout.points(uniform_draws(rule, n, 2 * draws, d, seed))
        doubled = float(self._weights @ self.simulated(inside, twice)[0])
        return MixedLogitResults(
            model=self, inside=inside, jacobian=self._jacobian(), offset=self._scaled(np.zeros(len(inside)), inward=False), information=information,
            values=values, scores=scores, means=means / self._size, doubled=doubled, draws=draws, rule=rule, seed=seed, cov_type=cov_type,
            iterations=steps, arrived=arrived or cov_type == "opg",
        )  # fmt: skip

    def _search(self, inside: np.ndarray) -> tuple[np.ndarray, int]:
        total = float(self._weights.sum())

        def objective(params: np.ndarray) -> tuple[float, np.ndarray]:
            values, scores, _ = self.simulated(params, self._points)
            return -float(self._weights @ values) / total, -(self._weights @ scores) / total

        scores = self.simulated(inside, self._points)[1] * self._weights[:, None]
        outer = scores.T @ scores
        outer += 1e-3 * np.diag(np.diag(outer)) + 1e-6 * np.eye(len(outer))
        inverse = np.linalg.inv(outer) * total
        found = optimize.minimize(
            objective, inside, jac=True, method="BFGS", options={"hess_inv0": (inverse + inverse.T) / 2, "gtol": 1e-5, "maxiter": 500}
        )  # fmt: skip
        if not np.isfinite(found.x).all() or not np.isfinite(found.fun):
            raise EstimationError(
                "The search for the mixed logit left the range of numbers; allowed: data that identify every spread; "
                "make fewer coefficients random."
            )
        return np.asarray(found.x), int(found.nit)

    def _information(self, inside: np.ndarray) -> np.ndarray:
        """(Q, Q) negative Hessian, central differences of the analytic score."""
        steps = 1e-4 * np.maximum(1.0, np.abs(inside))
        q = len(inside)
        hessian = np.array(
            [
                (self.score(inside + h * e) - self.score(inside - h * e)) / (2 * h)
                for h, e in zip(steps, np.eye(q), strict=True)
            ]
        )
        return np.asarray(-(hessian + hessian.T) / 2)

    def _positive(self, inside: np.ndarray) -> np.ndarray:
        """Spreads and Cholesky diagonals made positive, the draws mirrored, so that the likelihood stays the same."""
        k = len(self.layout.place)
        rows, columns = self.layout.loadings
        signs = np.ones(len(self.layout.distributions))
        diagonal = rows == columns
        signs[rows[diagonal]] = np.where(inside[k:][diagonal] < 0, -1.0, 1.0)
        self._points = np.ascontiguousarray(self._points * signs[None, :, None])
        return np.asarray(np.r_[inside[:k], inside[k:] * signs[columns]])

    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        """(Q,) factors from inside to outside parameters, and (Q,) amounts to add after it."""
        layout = self.layout
        factor, shift = 1 / self._size, np.zeros(len(self._size))
        if layout.price >= 0:
            factor = factor * self._size[layout.price]
            shift[layout.price], factor[layout.price] = -np.log(self._size[layout.price]), 1.0
        signed = (layout.kind != 0) & (np.arange(len(factor)) != layout.price)
        shift[signed], factor[signed] = np.log(factor[signed]), 1.0
        coefficient = np.flatnonzero(layout.place >= 0)[np.argsort(layout.place[layout.place >= 0])]
        rows, _ = layout.loadings
        return np.r_[factor, factor[coefficient[rows]]], np.r_[shift, np.zeros(len(rows))]

    def _jacobian(self) -> np.ndarray:
        return np.diag(self._units()[0])

    def _scaled(self, params: np.ndarray, *, inward: bool) -> np.ndarray:
        factor, shift = self._units()
        return np.asarray((params - shift) / factor if inward else params * factor + shift)

    def _start(self) -> np.ndarray:
        """Inside parameters at the pooled logit, spreads 0.1."""
        layout, size = self.layout, self._size
        pooled = ConditionalLogit(self.choices).fit(cov_type="nonrobust").params.to_numpy() * size
        location = pooled.copy()
        if layout.price >= 0:
            if pooled[layout.price] >= 0:
                raise EstimationError(
                    f"The price did not drive the answers (pooled coefficient {pooled[layout.price] / size[layout.price]:.4g}, not below 0), so "
                    'there is no WTP space; allowed: a negative price coefficient; use space="preference" and check the data.'
                )
            location = -pooled / pooled[layout.price]
            location[layout.price] = np.log(-pooled[layout.price])
        for k in np.flatnonzero(layout.kind):
            if k != layout.price:
                location[k] = np.log(max(location[k] * layout.kind[k], 0.05))
        rows, columns = layout.loadings
        return np.asarray(np.r_[location, np.where(rows == columns, _START_SPREAD, 0.0)])


def _layout(data: ChoiceData, random: Mapping[str, str], space: str, correlated: bool) -> Layout:
    if space not in ("preference", "wtp"):
        raise EstimationError(f"space: found {space!r}; allowed: preference, wtp; choose one of them.")
    if space == "wtp" and data.price is None:
        raise DataError(
            "WTP space needs a price: the data have no price column; allowed: a price in the formula; name it with price=."
        )
    columns = {
        a.name: [data.names[k] for k in np.flatnonzero(np.abs(a.contrasts).sum(axis=0))] for a in data.attributes
    }
    chosen: dict[str, str] = {}
    for name, distribution in random.items():
        if distribution not in DISTRIBUTIONS:
            raise EstimationError(
                f"random: {name!r}: found {distribution!r}; allowed: {', '.join(DISTRIBUTIONS)}; choose one of them."
            )
        if name not in data.names and name not in columns:
            raise DataError(
                f"random: no parameter {name!r}; allowed: {', '.join([*data.names, *columns])}; name one of these."
            )
        chosen |= dict.fromkeys([name] if name in data.names else columns[name], distribution)
    if not chosen:
        raise EstimationError(
            "random: no coefficient; allowed: at least one; use ConditionalLogit for fixed coefficients."
        )
    price = data.names.index(str(data.price)) if space == "wtp" else -1
    if price >= 0 and str(data.price) in chosen:
        if chosen[str(data.price)] not in ("lognormal", "-lognormal"):
            raise EstimationError(
                f"random: the price scale is log-normal in WTP space, found {chosen[str(data.price)]!r}; allowed: lognormal; mend it."
            )
        chosen[str(data.price)] = NORMAL  # of the logarithm of the scale
    if correlated and not set(chosen.values()) <= {NORMAL, "lognormal", "-lognormal"}:
        raise EstimationError(
            "correlated: found triangular or uniform coefficients; allowed: normal and log-normal ones; mend one of both."
        )
    drawn = [name for name in data.names if name in chosen]
    place = np.array([drawn.index(name) if name in chosen else -1 for name in data.names])
    kind = np.array([DISTRIBUTIONS[chosen.get(name, NORMAL)] for name in data.names])
    shown = ["log_scale" if price >= 0 and name == data.price else name for name in data.names]
    random_shown = [shown[data.names.index(name)] for name in drawn]
    if correlated:
        spreads = [
            f"chol.{random_shown[r]}.{random_shown[c]}" for r, c in zip(*np.tril_indices(len(drawn)), strict=True)
        ]
    else:
        spreads = [
            f"{'spread' if chosen[name] in (TRIANGULAR, UNIFORM) else 'sd'}.{label}"
            for name, label in zip(drawn, random_shown, strict=True)
        ]
    return Layout(place, kind, tuple(chosen[name] for name in drawn), correlated, (*shown, *spreads), price)
