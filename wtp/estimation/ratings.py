"""Rating-based conjoint: part-worths from ratings of profiles, by statsmodels.

y_it = m_i + x_it'b (+ x_it'b_i) + e_it for respondent i and profile t. "ols": ratings and columns less the respondent's mean, so that how high
somebody rates does not count, errors clustered by respondent. "mixed": random intercept and a few random slopes (Laird and Ware 1982), REML.
"components": the same with a random intercept and random effects of every attribute, independent, one variance an attribute and one of the price's slope: a few
numbers, which eight ratings a respondent carry, where a covariance of all slopes would not be found. "ordered": ratings as ordered categories (McCullagh 1980), logit, errors clustered by respondent.
Columns are centred and scaled inside, so neither the unit nor the zero of a price matters; every result is in the units of the data.

Ratings contain no purchase: worths in money are trade-offs between levels and price, relative to each other, and no price limit follows from them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from statsmodels.iolib.summary import Summary
from statsmodels.iolib.table import SimpleTable
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.regression.linear_model import OLS
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from wtp.errors import DataError, EstimationError
from wtp.estimation import diagnostics
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, normal_draws
from wtp.estimation.formulas import AttributeColumns, attribute_columns, code_formula, variables
from wtp.estimation.long_format import check_cells, check_columns, numbers
from wtp.estimation.price_form import LINEAR, PriceForm
from wtp.estimation.restricted import restricted

Method = Literal["ols", "mixed", "components", "ordered"]
_METHODS = {
    "ols": "least squares within respondents, clustered by respondent",
    "mixed": "linear mixed model, REML",
    "components": "linear mixed model, one variance an attribute, REML",
    "ordered": "ordered logit, clustered by respondent",
}
_MOST_CATEGORIES = 20
_MOST_STEPS = 500
RELATIVE = "Relative: ratings contain no purchase, so read it against other changes, not as a price that would be paid."
_DROPPED = "{dropped} of {rows} profiles have no rating and are left out; ask for a rating of every profile, or see who skipped them."
_FLAT = "{count} respondents gave all profiles the same rating, which tells nothing about their tastes; see whether they were careless."
_NO_SPREAD = "The spread of {names} over respondents is estimated as none: they do not differ visibly in it; leave it out of random=."
_NOT_CONVERGED = "The search for the estimates did not quite arrive ({reason}); shorten the formula, leave random slopes out, or collect more ratings."
_FEW = "Only {respondents} respondents: intervals are rough below 30; collect more answers."


@dataclass(frozen=True, eq=False, slots=True)
class RatingData:
    """What coded ratings have in common with `ChoiceData`: names (K), attributes with their contrasts, the price; there is no none option, and no label."""

    names: tuple[str, ...]
    attributes: tuple[AttributeColumns, ...]
    price: str | None
    price_form: PriceForm | None
    none: None = None
    labels: None = None


@dataclass(frozen=True, eq=False)
class RatingResults:
    """A finished fit of ratings; read-only. `part_worths`, `importance` and `willingness_to_pay` take it as they take choices.

    params (K,), covariance (K, K): labelled; rating points, or logits ("ordered"). spread: (1 + slopes,) standard deviations over respondents ("mixed", and by attribute "components"), else
    empty; that of the intercept is of the average profile. thresholds: (categories - 1,) ascending cut points ("ordered"), else empty. ratings: used;
    dropped: left out, without a rating. converged: whether the search arrived.
    """

    data: RatingData
    method: Method
    params: pd.Series
    covariance: pd.DataFrame
    spread: pd.Series
    thresholds: pd.Series
    llf: float
    respondents: int
    ratings: int
    dropped: int
    converged: bool
    notes: tuple[Note, ...]
    caveat: str = field(default=RELATIVE)

    @property
    def bse(self) -> pd.Series:
        """Standard errors (K,)."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.params.index)

    def cov_params(self) -> pd.DataFrame:
        """(K, K) labelled covariance."""
        return self.covariance

    @property
    def utility_params(self) -> np.ndarray:
        """(K,) coefficients."""
        return self.params.to_numpy()

    @property
    def utility_errors(self) -> np.ndarray:
        """(K,) their standard errors."""
        return self.bse.to_numpy()

    @property
    def use_t(self) -> bool:
        """Whether intervals take t, as with few clusters."""
        return self.respondents < diagnostics.FEW_CLUSTERS

    @property
    def df_resid_inference(self) -> int:
        """Its degrees of freedom."""
        return self.respondents - 1

    def simulate(self, draws: int = 10_000, seed: int = 0) -> Draws:
        """Draws (R, 1, K) by Krinsky and Robb (1986)."""
        values = normal_draws(self.params.to_numpy(), self.covariance.to_numpy(), draws, seed)
        return Draws(values[:, None, :], np.ones((1, 1)))

    def summary(self) -> Summary:
        """Parameter table in the manner of statsmodels."""
        table = pd.DataFrame({"coef": self.params, "std err": self.bse, "z": self.params / self.bse})
        head = [
            ["Method:", _METHODS[self.method], "Respondents:", f"{self.respondents:,}"],
            ["Log-likelihood:", f"{self.llf:.4f}", "Ratings:", f"{self.ratings:,}"],
        ]
        rows = [[f"{value:.4f}" for value in row] for row in table.to_numpy()]
        summary = Summary()
        summary.tables.append(SimpleTable(head, title="Rating-based conjoint"))
        summary.tables.append(SimpleTable(rows, headers=list(table.columns), stubs=list(self.data.names)))
        extra = [f"{label}: {value:.4f}" for label, value in [*self.spread.items(), *self.thresholds.items()]]
        summary.add_extra_txt([*extra, *(f"{note.severity}: {note}" for note in self.notes)])
        return summary


class RatingConjoint:
    """Ratings of profiles in a long frame, one row a profile.

    formula: as in `ChoiceData.from_long`. rating: a number, higher is better. random: parameters with random slopes ("mixed" only; the intercept
    always is random). Raises DataError naming column, row and respondent.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        formula: str,
        *,
        rating: str = "rating",
        respondent: str = "respondent",
        price: str | None = "price",
        method: Method = "ols",
        random: Sequence[str] = (),
    ) -> None:
        if method not in _METHODS:
            raise EstimationError(f"method: found {method!r}; allowed: {', '.join(_METHODS)}; choose one of them.")
        used = variables(formula)
        check_columns(frame, used, [rating, respondent], formula)
        if {rating, respondent} & set(used):
            raise DataError(
                f"formula {formula!r}: the rating or the respondent in it; allowed: attributes of the profiles; leave {rating!r} and {respondent!r} out."
            )
        every = np.arange(1, len(frame) + 1)
        check_cells(frame, [respondent], every)
        there = frame[rating].notna().to_numpy()
        if not there.any():
            raise DataError(f"column {rating!r}: no rating at all; allowed: numbers such as 1 to 10; fill it in.")
        kept, rows = frame[there], every[there]
        check_cells(kept, used, rows)
        kept = numbers(kept, [*used, rating], {price, rating}, rows)
        matrix, spec = code_formula(kept, formula)
        X = np.ascontiguousarray(matrix.to_numpy(dtype=float))
        names = tuple(map(str, matrix.columns))
        known = price is not None and price in names
        form = PriceForm.of(str(price), LINEAR, kept[price].to_numpy(dtype=float)) if known else None
        attributes = attribute_columns(kept, X, names, spec)
        self.data = RatingData(names, attributes, price if form else None, form)
        self.method, self.dropped, self.rows = method, int((~there).sum()), len(frame)
        self._y, self._X = kept[rating].to_numpy(dtype=float), X
        self._person = pd.factorize(kept[respondent])[0]
        self._within = X - self._means(X)
        self._random = self._places([random] if isinstance(random, str) else list(random))
        self._check()

    def _means(self, values: np.ndarray) -> np.ndarray:
        """The respondent's mean, for each row."""
        return pd.DataFrame(values).groupby(self._person).transform("mean").to_numpy().reshape(values.shape)

    def _places(self, random: Sequence[str]) -> list[int]:
        if random and self.method != "mixed":
            found = f"random: found {', '.join(random)} with method {self.method!r}"
            raise EstimationError(f'{found}; allowed: method="mixed"; choose it.')
        unknown = ", ".join(name for name in random if name not in self.data.names)
        if unknown:
            allowed = ", ".join(self.data.names)
            raise EstimationError(f"random: no parameter {unknown}; allowed: {allowed}; name some of these.")
        return [self.data.names.index(name) for name in dict.fromkeys(random)]

    def _check(self) -> None:
        """Columns that vary within respondents and are told apart, and ratings that differ."""
        spread, names = np.abs(self._within).max(axis=0), np.array(self.data.names)
        constant = spread <= 1e-12 * np.abs(self._X).max(axis=0)
        scaled = self._within / np.where(constant, 1.0, spread)
        rank = np.linalg.matrix_rank(scaled, tol=1e-7 * np.sqrt(len(scaled)))
        people, count, k = len(np.unique(self._person)), len(self._y), len(names)
        for wrong, words in (
            (
                constant.any(),
                f"{', '.join(names[constant])} never differs between the profiles of a respondent; allowed: columns that vary; leave it out of the formula.",
            ),
            (
                rank < k,
                f"some of {', '.join(names)} always change together, so their effects cannot be told apart; allowed: columns that vary on their own; leave one of them out.",
            ),
            (
                np.ptp(self._y - self._means(self._y)) <= 1e-12 * np.abs(self._y).max(),
                "every respondent rated all profiles alike; allowed: ratings that differ; check the column, or collect more answers.",
            ),
            (
                people < 2 or count < people + k + 2,
                f"{people} respondent{'s' * (people != 1)} and {count} ratings for {k} parameters; allowed: two or more respondents and more ratings than "
                "respondents and parameters; collect more answers or shorten the formula.",
            ),
        ):
            if wrong:
                raise EstimationError(words)

    def fit(self) -> RatingResults:
        """Estimate. Raises EstimationError where there are no estimates; what statsmodels only warns of becomes a note."""
        scale = np.abs(self._within).max(axis=0)
        X = (self._X - self._X.mean(axis=0)) / scale
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                params, covariance, llf, converged, spread, cuts = getattr(self, f"_{self.method}")(X)
                if not np.isfinite([params, *covariance]).all() or np.diag(covariance).min() <= 0:
                    raise ValueError("they are not finite")
            except (np.linalg.LinAlgError, ValueError) as error:
                raise EstimationError(
                    f"{_METHODS[self.method]}: no estimates ({str(error).splitlines()[0]}); allowed: ratings that identify every column; "
                    'shorten the formula, or use method="ols".'
                ) from error
        names, average = list(self.data.names), self._X.mean(axis=0)
        params, covariance = params / scale, covariance / scale[:, None] / scale
        notes = self._notes(spread, params, np.sqrt(np.diag(covariance)))
        if not converged:
            reasons = (str(w.message).splitlines()[0] for w in caught if issubclass(w.category, ConvergenceWarning))
            notes.append(Note("not_converged", "warning", _NOT_CONVERGED, {"reason": next(reasons, "no reason given")}))
        sizes = spread / self._units(scale) if len(spread) else spread
        levels = [f"{low:g}/{high:g}" for low, high in pairwise(np.unique(self._y))] if len(cuts) else []
        return RatingResults(
            data=self.data,
            method=self.method,
            params=pd.Series(params, index=names),
            covariance=pd.DataFrame(covariance, index=names, columns=names),
            spread=pd.Series(sizes, index=self._effects if len(spread) else []),
            thresholds=pd.Series(cuts + average @ params, index=levels),
            # The restricted likelihood depends on the units of the columns.
            llf=llf - float(np.log(scale).sum()) * (self.method in ("mixed", "components")),
            respondents=len(np.unique(self._person)),
            ratings=len(self._y),
            dropped=self.dropped,
            converged=converged,
            notes=tuple(notes),
        )

    @property
    def _effects(self) -> list[str]:
        effects = (self.data.names[place] for place in self._random)
        if self.method == "components":
            effects = (attribute.name for attribute in self.data.attributes)
        return [f"sd of {name}" for name in ("intercept", *effects)]

    def _units(self, scale: np.ndarray) -> np.ndarray:
        """What the spread of each effect is to be divided by, from the scale of the columns (K,)."""
        if self.method == "components":
            numeric = [self.data.names.index(a.name) if a.numeric else None for a in self.data.attributes]
            return np.array([1.0, *(1.0 if place is None else scale[place] for place in numeric)])
        return np.array([1.0, *scale[self._random]])

    # Parameters and covariance of X (rows, K), log-likelihood, whether the search arrived, spread, cut points.
    _Found = tuple[np.ndarray, np.ndarray, float, bool, np.ndarray, np.ndarray]

    def _ols(self, X: np.ndarray) -> _Found:
        # Respondents' means are nested in the clusters, so they cost no degrees of freedom of the correction (Cameron and Miller 2015).
        y, within = self._y - self._means(self._y), X - self._means(X)
        fit = OLS(y, within).fit(cov_type="cluster", cov_kwds={"groups": self._person})
        return fit.params, fit.cov_params(), float(fit.llf), True, np.empty(0), np.empty(0)

    def _mixed(self, X: np.ndarray) -> _Found:
        X, y = np.column_stack([np.ones(len(X)), X]), self._y - self._y.mean()
        Z = X[:, [0, *(place + 1 for place in self._random)]]
        at, q = restricted(y, X, Z, self._person), Z.shape[1]

        def relative(root: np.ndarray) -> np.ndarray:
            return np.asarray(root.reshape(q, q) @ root.reshape(q, q).T)

        def worse(root: np.ndarray) -> tuple[float, np.ndarray]:
            found = at(relative(root))
            return -found.llf, np.asarray(-2 * found.gradient @ root.reshape(q, q)).ravel()

        # From its own start MixedLM often stops far from the optimum and says that it converged; from the best of these it does not.
        tries = [minimize(worse, size * np.eye(q).ravel(), jac=True, method="L-BFGS-B") for size in (0.1, 1)]
        best = min(tries, key=lambda found: found.fun)
        near, converged = relative(best.x), bool(best.success)
        start = MixedLMParams.from_components(np.zeros(X.shape[1]), cov_re=near + 1e-8 * np.eye(q))
        try:
            fit = MixedLM(y, X, groups=self._person, exog_re=Z).fit(reml=True, method=["lbfgs"], start_params=start)
            near = max(near, np.asarray(fit.cov_re) / fit.scale, key=lambda C: at(C).llf)
            converged |= bool(fit.converged)
        except np.linalg.LinAlgError:
            pass  # a variance of exactly 0 makes its matrix singular
        # Given C, params have the covariance of generalised least squares; MixedLM's own is not finite where a variance is 0.
        return *at(near).slopes(converged), np.sqrt(at(near).error * np.diag(near)), np.empty(0)

    def _components(self, X: np.ndarray) -> _Found:
        effects = [np.ones((len(X), 1))]
        for attribute in self.data.attributes:
            if attribute.numeric:
                effects.append(X[:, [self.data.names.index(attribute.name)]])
                continue
            # Effects of all levels, also the first: which one the columns leave out must not matter.
            away = np.abs(self._X[:, None, :] - attribute.contrasts)[:, :, (attribute.contrasts != 0).any(axis=0)]
            effects.append(np.eye(len(attribute.levels))[away.sum(axis=2).argmin(axis=1)])
        group = np.repeat(np.arange(len(effects)), [effect.shape[1] for effect in effects])
        X, y = np.column_stack([np.ones(len(X)), X]), self._y - self._y.mean()
        at = restricted(y, X, np.column_stack(effects), self._person)

        def worse(spread: np.ndarray) -> tuple[float, np.ndarray]:
            found = at(np.diag(spread[group] ** 2))
            return -found.llf, np.asarray(-2 * spread * np.bincount(group, np.diag(found.gradient)))

        tries = [minimize(worse, np.full(len(effects), size), jac=True, method="L-BFGS-B") for size in (0.1, 1)]
        best = min(tries, key=lambda found: found.fun)
        found = at(np.diag(best.x[group] ** 2))
        return *found.slopes(bool(best.success)), np.sqrt(found.error) * np.abs(best.x), np.empty(0)

    def _ordered(self, X: np.ndarray) -> _Found:
        categories, codes = np.unique(self._y, return_inverse=True)
        if len(categories) > _MOST_CATEGORIES:
            allowed = f"at most {_MOST_CATEGORIES} ordered categories"
            raise EstimationError(
                f'{len(categories)} different ratings; allowed: {allowed}; use method="ols" or "mixed".'
            )
        along = diagnostics.ordered_separation(X, codes)
        if along.any():
            raise EstimationError(
                f"{', '.join(np.array(self.data.names)[along])}: some combination predicts ratings perfectly, so no estimate is finite; allowed: "
                'ratings that overlap; merge levels or categories, or use method="ols".'
            )
        model = OrderedModel(pd.Categorical(self._y, categories=categories, ordered=True), X, distr="logit")
        grouped = {"groups": self._person}
        fit = model.fit(method="bfgs", disp=0, maxiter=_MOST_STEPS, cov_type="cluster", cov_kwds=grouped)
        k, params = X.shape[1], np.asarray(fit.params)
        cuts = model.transform_threshold_params(params)[1:-1]
        found = params[:k], np.asarray(fit.cov_params())[:k, :k], float(fit.llf), bool(fit.mle_retvals["converged"])
        return *found, np.empty(0), cuts

    def _notes(self, spread: np.ndarray, params: np.ndarray, errors: np.ndarray) -> list[Note]:
        """spread: of the scaled columns."""
        notes = []
        ratings = pd.Series(self._y).groupby(self._person)
        if self.dropped:
            notes.append(Note("dropped", "warning", _DROPPED, {"dropped": self.dropped, "rows": self.rows}))
        flat = int(((ratings.agg(np.ptp) == 0) & (ratings.size() > 1)).sum())  # one rating alone is no carelessness
        if flat:
            notes.append(Note("flat_ratings", "warning", _FLAT, {"count": flat}))
        nothing = [self._effects[k] for k in np.flatnonzero(spread < 1e-3 * self._y.std())]
        if nothing:
            notes.append(Note("no_spread", "info", _NO_SPREAD, {"names": ", ".join(nothing)}))
        if ratings.ngroups < diagnostics.SMALLEST_SAMPLE:
            notes.append(Note("few", "warning", _FEW, {"respondents": ratings.ngroups}))
        if self.data.price is not None:
            k = self.data.names.index(self.data.price)
            notes += diagnostics.price_note(float(params[k]), float(errors[k]))
        return notes
