"""Rating-based conjoint: part-worths from ratings of profiles, by statsmodels.

y_it = m_i + x_it'b (+ x_it'b_i) + e_it for respondent i and profile t. "ols": ratings and columns less the respondent's mean, so that how high
somebody rates does not count, errors clustered by respondent. "mixed": random intercept and a few random slopes (Laird and Ware 1982), REML.
"ordered": ratings as ordered categories (McCullagh 1980), logit, errors clustered by respondent.

Ratings contain no purchase: worths in money are trade-offs between levels and price, relative to each other, and no price limit follows from them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.iolib.summary import Summary
from statsmodels.iolib.table import SimpleTable
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from wtp.errors import DataError, EstimationError
from wtp.estimation import diagnostics
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, normal_draws
from wtp.estimation.formulas import AttributeColumns, attribute_columns, code_formula, variables
from wtp.estimation.long_format import check_cells, check_columns, numbers
from wtp.estimation.price_form import LINEAR, PriceForm

Method = Literal["ols", "mixed", "ordered"]
_METHODS = {
    "ols": "least squares within respondents, clustered by respondent",
    "mixed": "linear mixed model, REML",
    "ordered": "ordered logit, clustered by respondent",
}
_MOST_CATEGORIES = 20
RELATIVE = "Relative: ratings contain no purchase, so read it against other changes, not as a price that would be paid."
_DROPPED = "{dropped} of {rows} profiles have no rating and are left out; ask for a rating of every profile, or see who skipped them."
_FLAT = "{count} respondents gave all profiles the same rating, which tells nothing about their tastes; see whether they were careless."
_NO_SPREAD = "The spread of {names} over respondents is estimated as none: they do not differ visibly in it; leave it out of random=."
_NOT_CONVERGED = (
    "The search for the estimates did not quite arrive ({reason}); leave random slopes out, or collect more ratings."
)
_FEW = "Only {respondents} respondents: intervals are rough below 30; collect more answers."


@dataclass(frozen=True, eq=False, slots=True)
class RatingData:
    """What coded ratings have in common with `ChoiceData`: names (K), attributes with their contrasts, the price; there is no none option."""

    names: tuple[str, ...]
    attributes: tuple[AttributeColumns, ...]
    price: str | None
    price_form: PriceForm | None
    none: None = None


@dataclass(frozen=True, eq=False)
class RatingResults:
    """A finished fit of ratings; read-only. `part_worths`, `importance` and `willingness_to_pay` take it as they take choices.

    params (K,), covariance (K, K): labelled; per rating point, or logits ("ordered"). spread: (1 + slopes,) standard deviations over respondents ("mixed"), else
    empty. thresholds: (categories - 1,) ascending cut points ("ordered"), else empty. ratings: used; dropped: left out, without a rating.
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
        form = None
        if price is not None and price in names:
            form = PriceForm.of(price, LINEAR, kept[price].to_numpy(dtype=float))
        attributes = attribute_columns(kept, X, names, spec)
        self.data = RatingData(names, attributes, price if form else None, form)
        self.method, self.dropped, self.rows = method, int((~there).sum()), len(frame)
        self._y, self._X = kept[rating].to_numpy(dtype=float), X
        self._person = pd.factorize(kept[respondent])[0]
        self._within = X - self._means(X)
        self._random = self._places(random)
        self._check()

    def _means(self, values: np.ndarray) -> np.ndarray:
        """The respondent's mean, for each row."""
        return pd.DataFrame(values).groupby(self._person).transform("mean").to_numpy()

    def _places(self, random: Sequence[str]) -> list[int]:
        if random and self.method != "mixed":
            raise EstimationError(
                f'random: found {", ".join(random)} with method {self.method!r}; allowed: method="mixed"; choose it.'
            )
        unknown = [name for name in random if name not in self.data.names]
        if unknown:
            raise EstimationError(
                f"random: no parameter {', '.join(unknown)}; allowed: {', '.join(self.data.names)}; name some of these."
            )
        return [self.data.names.index(name) for name in random]

    def _check(self) -> None:
        """Columns that vary within respondents and are told apart, and ratings that differ."""
        spread = np.abs(self._within).max(axis=0)
        constant = [
            n for n, s, x in zip(self.data.names, spread, np.abs(self._X).max(axis=0), strict=True) if s <= 1e-12 * x
        ]
        if constant:
            raise EstimationError(
                f"{', '.join(constant)} never differs between the profiles of a respondent; allowed: columns that vary; leave it out of the formula."
            )
        if np.linalg.matrix_rank(self._within / spread, tol=1e-7 * np.sqrt(len(self._within))) < len(spread):
            raise EstimationError(
                f"some of {', '.join(self.data.names)} always change together, so their effects cannot be told apart; allowed: columns that vary on "
                "their own; leave one of them out."
            )
        if np.ptp(self._y) == 0:
            raise EstimationError(
                f"all ratings are {self._y[0]:g}; allowed: ratings that differ; check the column, or collect more answers."
            )
        people, needed = len(np.unique(self._person)), len(self.data.names) + 2
        if people < 2 or len(self._y) < people + needed:
            raise EstimationError(
                f"{people} respondent{'s' * (people != 1)} and {len(self._y)} ratings for {len(self.data.names)} parameters; allowed: two or more respondents and "
                "more ratings than respondents and parameters; collect more answers or shorten the formula."
            )

    def fit(self) -> RatingResults:
        """Estimate. Raises EstimationError where statsmodels finds no estimates; what it only warns of becomes a note."""
        scale = np.abs(self._within).max(axis=0)  # units of columns do not matter to the search
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                fit, spread, thresholds = getattr(self, f"_{self.method}")(scale)
            except (np.linalg.LinAlgError, ValueError) as error:
                raise EstimationError(
                    f"{_METHODS[self.method]}: no estimates ({str(error).splitlines()[0]}); allowed: ratings that identify every column; "
                    'shorten the formula, or use method="ols".'
                ) from error
        k, names = len(self.data.names), list(self.data.names)
        first = 1 if self.method == "mixed" else 0
        params = np.asarray(fit.params)[first : first + k] / scale
        covariance = np.asarray(fit.cov_params())[first : first + k, first : first + k] / scale[:, None] / scale
        if not (np.isfinite(params).all() and np.isfinite(covariance).all() and (np.diag(covariance) > 0).all()):
            raise EstimationError(
                f"{_METHODS[self.method]}: the estimates are not finite; allowed: ratings that differ within levels; shorten the formula, "
                'or use method="ols".'
            )
        reasons = [str(w.message).splitlines()[0] for w in caught if issubclass(w.category, ConvergenceWarning)]
        return RatingResults(
            data=self.data,
            method=self.method,
            params=pd.Series(params, index=names),
            covariance=pd.DataFrame(covariance, index=names, columns=names),
            spread=spread,
            thresholds=thresholds,
            llf=float(fit.llf),
            respondents=len(np.unique(self._person)),
            ratings=len(self._y),
            dropped=self.dropped,
            notes=self._notes(reasons, spread, params, np.sqrt(np.diag(covariance))),
        )

    _Found = tuple[Any, pd.Series, pd.Series]

    def _ols(self, scale: np.ndarray) -> _Found:
        # Respondents' means are nested in the clusters, so they cost no degrees of freedom of the correction (Cameron and Miller 2015).
        y = self._y - self._means(self._y[:, None])[:, 0]
        fit = sm.OLS(y, self._within / scale).fit(cov_type="cluster", cov_kwds={"groups": self._person})
        return fit, _empty(), _empty()

    def _mixed(self, scale: np.ndarray) -> _Found:
        X = np.column_stack([np.ones(len(self._y)), self._X / scale])
        slopes = [0, *(place + 1 for place in self._random)]
        try:
            fit = MixedLM(self._y, X, groups=self._person, exog_re=X[:, slopes]).fit(reml=True)
            variances = np.diag(np.atleast_2d(fit.cov_re))
        except np.linalg.LinAlgError:
            if self._random:
                raise
            # A variance of exactly 0 makes statsmodels' matrix singular; the model then is least squares.
            fit, variances = sm.OLS(self._y, X).fit(), np.zeros(1)
        sizes = np.sqrt(np.maximum(variances, 0.0)) / np.r_[1.0, scale[self._random]]
        names = ["intercept", *(self.data.names[place] for place in self._random)]
        return fit, pd.Series(sizes, index=[f"sd of {name}" for name in names]), _empty()

    def _ordered(self, scale: np.ndarray) -> _Found:
        categories = np.unique(self._y)
        if len(categories) > _MOST_CATEGORIES:
            raise EstimationError(
                f'{len(categories)} different ratings; allowed: at most {_MOST_CATEGORIES} ordered categories; use method="ols" or "mixed".'
            )
        model = OrderedModel(
            pd.Categorical(self._y, categories=categories, ordered=True), self._X / scale, distr="logit"
        )
        fit = model.fit(method="bfgs", disp=0, maxiter=500, cov_type="cluster", cov_kwds={"groups": self._person})
        cuts = model.transform_threshold_params(np.asarray(fit.params))[1:-1]
        labels = [f"{low:g}/{high:g}" for low, high in pairwise(categories)]
        return fit, _empty(), pd.Series(cuts, index=labels)

    def _notes(
        self, reasons: Sequence[str], spread: pd.Series, params: np.ndarray, errors: np.ndarray
    ) -> tuple[Note, ...]:
        notes = []
        people = len(np.unique(self._person))
        if self.dropped:
            notes.append(Note("dropped", "warning", _DROPPED, {"dropped": self.dropped, "rows": self.rows}))
        flat = int((pd.Series(self._y).groupby(self._person).agg(np.ptp) == 0).sum())
        if flat:
            notes.append(Note("flat_ratings", "warning", _FLAT, {"count": flat}))
        nothing = [name for name, size in spread.items() if size < 1e-3 * self._y.std()]
        if nothing:
            notes.append(Note("no_spread", "info", _NO_SPREAD, {"names": ", ".join(map(str, nothing))}))
        elif reasons:
            notes.append(Note("not_converged", "warning", _NOT_CONVERGED, {"reason": reasons[0]}))
        if people < diagnostics.SMALLEST_SAMPLE:
            notes.append(Note("few", "warning", _FEW, {"respondents": people}))
        if self.data.price is not None:
            k = self.data.names.index(self.data.price)
            notes += diagnostics.price_note(float(params[k]), float(errors[k]))
        return tuple(notes)


def _empty() -> pd.Series:
    return pd.Series(dtype=float)
