"""Rating-based conjoint against plain statsmodels and the truth; direct ratings and constant sums against figures by hand."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from wtp.errors import DataError, EstimationError
from wtp.estimation import importance, part_worths, ratings
from wtp.estimation.ratings import RELATIVE, RatingConjoint
from wtp.estimation.stated_importance import constant_sum, direct_importance
from wtp.pricing import Step, price_limit_pooled, willingness_to_pay
from wtp.pricing.reservation_price import NO_NONE
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT

FORMULA = "brand + wifi + price"
TRUTH = {"brand[T.known]": 0.8, "brand[T.leading]": 1.6, "wifi[T.yes]": 1.0, "price": -0.04}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def simulate(
    respondents: int = 80, profiles: int = 12, *, seed: int = 0, spread: float = 0.3, rounded: bool = True
) -> pd.DataFrame:
    """Ratings from 1 to 10 of profiles; respondents differ in level and, a little, in tastes."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(respondents), profiles)
    frame = pd.DataFrame(
        {
            "respondent": person,
            "brand": rng.choice(["aaa new", "known", "leading"], len(person)),
            "wifi": rng.choice(["no", "yes"], len(person)),
            "price": rng.choice([80.0, 100.0, 120.0], len(person)),
        }
    )
    tastes = 1 + spread * rng.standard_normal((respondents, 4))
    columns = np.column_stack(
        [frame["brand"] == "known", frame["brand"] == "leading", frame["wifi"] == "yes", frame["price"] - 100]
    )
    level = 5.0 + rng.standard_normal(respondents)
    rating = (
        level[person]
        + (columns * np.array(list(TRUTH.values())) * tastes[person]).sum(axis=1)
        + rng.standard_normal(len(person))
    )
    return frame.assign(rating=np.clip(rating.round(), 1, 10) if rounded else rating)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulate()


def test_least_squares_is_that_of_dummies_of_respondents(frame: pd.DataFrame) -> None:
    fit = RatingConjoint(frame, FORMULA).fit()
    dummies = smf.ols("rating ~ brand + wifi + price + C(respondent)", frame).fit()
    assert fit.params.to_numpy() == pytest.approx(dummies.params[list(fit.params.index)].to_numpy(), rel=1e-9)
    within = frame.copy()
    X = pd.get_dummies(within[["brand", "wifi"]], drop_first=True).assign(price=within["price"]).astype(float)
    X, y = (part - part.groupby(within["respondent"]).transform("mean") for part in (X, within["rating"]))
    bread = np.linalg.inv(X.T @ X)
    scores = (X.mul(y - X @ fit.params.to_numpy(), axis=0)).groupby(within["respondent"]).sum()
    n, g, k = len(X), 80, 4
    covariance = g / (g - 1) * (n - 1) / (n - k) * bread @ (scores.T @ scores).to_numpy() @ bread
    assert fit.cov_params().to_numpy() == pytest.approx(covariance, rel=1e-8)


@pytest.mark.parametrize("method", ["ols", "mixed"])
def test_the_truth_comes_back(method: Any) -> None:
    frame = simulate(200, rounded=False, seed=3)
    fit = RatingConjoint(frame, FORMULA, method=method, random=["wifi[T.yes]"] if method == "mixed" else ()).fit()
    z = (fit.params - pd.Series(TRUTH)) / fit.bse
    assert (z.abs() < 3.3).all()
    if method == "mixed":
        assert fit.spread["sd of intercept"] == pytest.approx(1.0, rel=0.25)
        assert fit.spread["sd of wifi[T.yes]"] == pytest.approx(0.3, rel=0.5)


def test_mixed_is_statsmodels_own(frame: pd.DataFrame) -> None:
    fit = RatingConjoint(frame, FORMULA, method="mixed").fit()
    own = smf.mixedlm("rating ~ brand + wifi + price", frame, groups=frame["respondent"]).fit(reml=True)
    assert fit.params.to_numpy() == pytest.approx(own.fe_params[list(fit.params.index)].to_numpy(), rel=1e-5)
    # statsmodels adds what params and variances share in the sample's Hessian, which is 0 on average.
    assert fit.bse.to_numpy() == pytest.approx(own.bse_fe[list(fit.params.index)].to_numpy(), rel=5e-4)
    assert fit.llf == pytest.approx(own.llf, rel=1e-8)
    assert fit.spread["sd of intercept"] ** 2 == pytest.approx(own.cov_re.iloc[0, 0], rel=1e-3)
    assert fit.converged


SLOPES = ["wifi[T.yes]", "price"]


def test_mixed_is_generalised_least_squares_given_its_variances() -> None:
    """By hand: V = ZCZ' + s^2 I of every respondent, in full; random slopes, in the columns' own units."""
    frame = simulate(60, 12, seed=2, spread=1.0)
    fit = RatingConjoint(frame, "wifi + price", method="mixed", random=["wifi[T.yes]"]).fit()
    X = np.column_stack([np.ones(len(frame)), frame["wifi"] == "yes", frame["price"]]).astype(float)
    own = smf.mixedlm("rating ~ wifi + price", frame, groups=frame["respondent"], re_formula="~ wifi").fit(
        reml=True, method=["lbfgs"]
    )
    V = np.zeros((len(frame), len(frame)))
    for rows in frame.groupby("respondent").indices.values():
        Z = X[rows][:, :2]
        V[np.ix_(rows, rows)] = Z @ own.cov_re.to_numpy() @ Z.T + own.scale * np.eye(len(rows))
    inverse = np.linalg.inv(V)
    covariance = np.linalg.inv(X.T @ inverse @ X)
    params = covariance @ X.T @ inverse @ frame["rating"].to_numpy()
    assert fit.llf == pytest.approx(own.llf, abs=1e-3)
    assert fit.params.to_numpy() == pytest.approx(params[1:], rel=1e-3)
    assert fit.cov_params().to_numpy() == pytest.approx(covariance[1:, 1:], rel=1e-2, abs=1e-8)
    assert fit.spread["sd of wifi[T.yes]"] == pytest.approx(np.sqrt(own.cov_re.iloc[1, 1]), rel=1e-2)


def test_components_are_statsmodels_own() -> None:
    """Independent effects of all levels, one variance an attribute, one of the price's slope."""
    frame = simulate(30, 6, seed=1, spread=1.0)
    fit = RatingConjoint(frame, "wifi + price", method="components").fit()
    centred = frame.assign(price=frame["price"] - frame["price"].mean())
    parts = {"wifi": "0 + C(wifi)", "price": "0 + price"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = smf.mixedlm(
            "rating ~ wifi + price", centred, groups=centred["respondent"], re_formula="1", vc_formula=parts
        ).fit(reml=True, method=["lbfgs"])
    assert fit.llf == pytest.approx(own.llf, abs=1e-4)
    assert fit.params.to_numpy() == pytest.approx(own.fe_params[list(fit.params.index)].to_numpy(), rel=1e-3)
    assert fit.bse.to_numpy() == pytest.approx(own.bse_fe[list(fit.params.index)].to_numpy(), rel=0.02)
    spread = dict(zip(own.model.exog_vc.names, np.sqrt(own.vcomp), strict=True))
    assert fit.spread["sd of intercept"] == pytest.approx(np.sqrt(own.cov_re.iloc[0, 0]), rel=1e-2)
    assert fit.spread["sd of wifi"] == pytest.approx(spread["wifi"], rel=1e-2)
    assert fit.spread["sd of price"] == pytest.approx(spread["price"], rel=1e-2)


def test_components_find_how_people_differ_and_cover_the_truth() -> None:
    """25 studies of 50 respondents and 8 profiles whose tastes scatter by as much as they are: 95 per cent intervals hold 95 per cent of 100 truths, give or take 2 standard errors."""
    held, spread = [], []
    for seed in range(25):
        fit = RatingConjoint(simulate(50, 8, seed=seed, spread=1.0, rounded=False), FORMULA, method="components").fit()
        assert fit.converged
        held.append(np.abs(fit.params - pd.Series(TRUTH)) <= 2.0096 * fit.bse)
        spread.append(fit.spread)
    assert np.mean(held) == pytest.approx(0.95, abs=2 * np.sqrt(0.95 * 0.05 / 100))
    found = pd.DataFrame(spread).mean()
    assert found["sd of intercept"] == pytest.approx(1.0, rel=0.1)
    assert found["sd of price"] == pytest.approx(0.04, rel=0.1)
    # A binary attribute's two levels have the effects u and v with Var(u - v) = 1.
    assert found["sd of wifi"] == pytest.approx(np.sqrt(0.5), rel=0.15)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_other_search_finds_a_better_optimum(seed: int) -> None:
    """Plain statsmodels stops up to 14 log-likelihood units short here, and often says that it converged."""
    frame = simulate(40, 8, seed=seed, spread=0)
    fit = RatingConjoint(frame, FORMULA, method="mixed", random=SLOPES).fit()
    centred = frame.assign(price=frame["price"] - 100)
    for method in (["lbfgs"], ["powell", "lbfgs"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = smf.mixedlm(
                "rating ~ brand + wifi + price", centred, groups=centred["respondent"], re_formula="~ wifi + price"
            ).fit(reml=True, method=method)
        assert fit.llf > own.llf - 1e-3
    assert fit.converged
    assert np.isfinite(fit.bse).all()


def test_where_statsmodels_has_no_errors_there_are_some() -> None:
    """Variances on the boundary: the Hessian of statsmodels is not definite, generalised least squares does not need it."""
    for seed in (2, 6, 9):
        fit = RatingConjoint(simulate(12, 6, seed=seed, spread=0), FORMULA, method="mixed", random=SLOPES).fit()
        assert (fit.bse > 0).all()
        assert fit.bse["wifi[T.yes]"] < 1


def test_ordered_is_statsmodels_own_with_cut_points_in_order(frame: pd.DataFrame) -> None:
    fit = RatingConjoint(frame, FORMULA, method="ordered").fit()
    X = (
        pd.get_dummies(frame[["brand", "wifi"]], drop_first=True)
        .assign(price=(frame["price"] - 100) / 20)
        .astype(float)
    )
    model = OrderedModel(frame["rating"], X, distr="logit")
    own = model.fit(method="bfgs", disp=0, maxiter=500, cov_type="cluster", cov_kwds={"groups": frame["respondent"]})
    assert fit.llf == pytest.approx(own.llf, rel=1e-7)
    assert fit.params.to_numpy()[:3] == pytest.approx(own.params.to_numpy()[:3], rel=1e-3)
    assert fit.params["price"] == pytest.approx(own.params["price"] / 20, rel=1e-3)
    assert fit.bse.to_numpy()[:3] == pytest.approx(own.bse.to_numpy()[:3], rel=1e-2)
    assert fit.thresholds.is_monotonic_increasing
    assert len(fit.thresholds) == frame["rating"].nunique() - 1


@pytest.mark.parametrize("method", ["ols", "mixed", "components", "ordered"])
def test_money_does_not_depend_on_unit_level_of_rating_or_reference(method: Any, frame: pd.DataFrame) -> None:
    steps = [Step("wifi", "no", "yes"), Step("brand", "aaa new", "leading")]
    plain = willingness_to_pay(RatingConjoint(frame, FORMULA, method=method).fit(), steps=steps)
    cents = willingness_to_pay(
        RatingConjoint(frame.assign(price=frame["price"] * 100), FORMULA, method=method).fit(), steps=steps
    )
    assert cents["estimate"].to_numpy() / 100 == pytest.approx(plain["estimate"].to_numpy(), rel=1e-3)
    turned = frame.assign(brand=pd.Categorical(frame["brand"], categories=["leading", "known", "aaa new"]))
    other = willingness_to_pay(RatingConjoint(turned, FORMULA, method=method).fit(), steps=steps)
    assert other["estimate"].to_numpy() == pytest.approx(plain["estimate"].to_numpy(), rel=1e-3)
    assert (plain["note"] == RELATIVE).all()
    # Where prices start does not matter either.
    for start in (1e3, 1e7):
        far = RatingConjoint(frame.assign(price=frame["price"] + start), FORMULA, method=method).fit()
        moved = willingness_to_pay(far, steps=steps)
        assert far.converged
        assert moved["estimate"].to_numpy() == pytest.approx(plain["estimate"].to_numpy(), rel=1e-3)
        assert moved["high"].to_numpy() == pytest.approx(plain["high"].to_numpy(), rel=2e-3)
    if method == "ols":
        generous = frame.assign(rating=frame["rating"] + 3 * (frame["respondent"] % 4))
        shifted = willingness_to_pay(RatingConjoint(generous, FORMULA).fit(), steps=steps)
        assert shifted["estimate"].to_numpy() == pytest.approx(plain["estimate"].to_numpy(), rel=1e-9)


def test_part_worths_and_importance_come_as_from_choices_and_there_is_no_price_limit(frame: pd.DataFrame) -> None:
    fit = RatingConjoint(frame, FORMULA).fit()
    table = part_worths(fit).set_index(["attribute", "level"])  # type: ignore[arg-type]
    assert table.loc["brand", "estimate"].sum() == pytest.approx(0, abs=1e-12)
    assert table.loc[("wifi", "yes"), "estimate"] == pytest.approx(fit.params["wifi[T.yes]"] / 2)
    shares = importance(fit).set_index("attribute")["importance"]
    assert shares.sum() == pytest.approx(100)
    assert shares.idxmax() in ("brand", "price")
    limit = price_limit_pooled(fit, {"brand": "known", "wifi": "yes"}, (80.0, 120.0))  # type: ignore[arg-type]
    assert limit["note"].iloc[0] == NO_NONE
    assert "Rating-based conjoint" in fit.summary().as_text()


def test_random_slopes_do_not_depend_on_unit_or_start_of_the_price() -> None:
    frame = simulate(150, seed=4)
    plain = RatingConjoint(frame, FORMULA, method="mixed", random=["price"]).fit()
    assert not plain.notes
    for factor, start in ((100, 0), (0.01, 0), (1, 1e3), (1, 1e5)):
        moved = frame.assign(price=frame["price"] * factor + start)
        fit = RatingConjoint(moved, FORMULA, method="mixed", random=["price"]).fit()
        assert not fit.notes
        assert fit.spread["sd of price"] * factor == pytest.approx(plain.spread["sd of price"], rel=1e-2)
        assert fit.spread["sd of intercept"] == pytest.approx(plain.spread["sd of intercept"], rel=1e-3)
        assert fit.params["price"] * factor == pytest.approx(plain.params["price"], rel=1e-4)
    for same in ("price", ["price", "price"]):
        again = RatingConjoint(frame, FORMULA, method="mixed", random=same).fit()
        assert again.spread.to_dict() == pytest.approx(plain.spread.to_dict())


def test_cut_points_are_those_of_the_columns_as_they_are(frame: pd.DataFrame) -> None:
    """The share of ratings up to each cut point is the mean of the model's probabilities (the likelihood's own equation)."""
    fit = RatingConjoint(frame, FORMULA, method="ordered").fit()
    columns = [frame["brand"] == "known", frame["brand"] == "leading", frame["wifi"] == "yes", frame["price"]]
    utility = np.column_stack(columns).astype(float) @ fit.params.to_numpy()
    modelled = [expit(cut - utility).mean() for cut in fit.thresholds]
    actual = [(frame["rating"] <= rating).mean() for rating in sorted(frame["rating"].unique())[:-1]]
    assert modelled == pytest.approx(actual, abs=0.01)
    assert fit.thresholds.index[0] == "1/2"


def test_missing_ratings_are_left_out_and_counted(frame: pd.DataFrame) -> None:
    holes = frame.assign(rating=frame["rating"].where(frame.index % 10 != 3))
    fit = RatingConjoint(holes, FORMULA).fit()
    assert (fit.ratings, fit.dropped) == (864, 96)
    assert "96 of 960 profiles have no rating" in str(next(n for n in fit.notes if n.code == "dropped"))
    same = RatingConjoint(holes.dropna().sample(frac=1, random_state=1), FORMULA).fit()
    assert same.params.to_numpy() == pytest.approx(fit.params.to_numpy(), rel=1e-9)


def test_what_is_doubtful_is_noted(frame: pd.DataFrame) -> None:
    few = RatingConjoint(frame[frame["respondent"] < 12], FORMULA).fit()
    assert {n.code for n in few.notes} == {"few"}
    flat = RatingConjoint(frame.assign(rating=frame["rating"].where(frame["respondent"] > 4, 7)), FORMULA).fit()
    assert "5 respondents gave all profiles the same rating" in str(flat.notes[0])
    left = smf.ols("rating ~ brand + wifi + price + C(respondent)", frame).fit()
    level = left.params.filter(like="C(respondent)").reindex([f"C(respondent)[T.{r}]" for r in frame["respondent"]])
    even = frame.assign(rating=frame["rating"] - level.fillna(0).to_numpy())
    alike = RatingConjoint(even, FORMULA, method="mixed").fit()
    assert alike.params.to_numpy() == pytest.approx(
        smf.ols("rating ~ brand + wifi + price", even).fit().params.to_numpy()[1:]
    )
    note = next(n for n in alike.notes if n.code == "no_spread")
    assert "The spread of sd of intercept" in str(note)
    once = pd.concat([frame, frame.head(1).assign(respondent=999)])
    assert not RatingConjoint(once, FORMULA).fit().notes
    blind = frame.assign(price=np.random.default_rng(3).permutation(frame["price"]))
    fit = RatingConjoint(blind, FORMULA).fit()
    assert any(n.code == "price_not_negative" for n in fit.notes)
    assert (willingness_to_pay(fit)["note"] == NO_PRICE_EFFECT).all()


def test_a_search_that_does_not_arrive_is_noted(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "_MOST_STEPS", 3)
    fit = RatingConjoint(frame, FORMULA, method="ordered").fit()
    assert not fit.converged
    note = next(n for n in fit.notes if n.code == "not_converged")
    assert "did not quite arrive (Maximum Likelihood optimization failed" in str(note)


@pytest.mark.parametrize("fault", [np.linalg.LinAlgError("Singular matrix"), None])
def test_no_estimates_are_an_error(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    def ols(self: RatingConjoint, X: np.ndarray) -> Any:
        if fault:
            raise fault
        k = X.shape[1]
        return np.full(k, np.nan), np.eye(k), 0.0, True, np.empty(0), np.empty(0)

    monkeypatch.setattr(RatingConjoint, "_ols", ols)
    with pytest.raises(
        EstimationError, match=r"no estimates .(Singular matrix|they are not finite).; allowed: ratings that"
    ):
        RatingConjoint(frame, FORMULA).fit()


def test_overlapping_ratings_do_not_separate() -> None:
    """One respondent against the rule is enough, also where a level is rated high by nearly all."""
    frame = simulate(30, 8, seed=5)
    best = frame.assign(rating=frame["rating"].clip(1, 9).where(frame["wifi"] == "no", 10))
    with pytest.raises(EstimationError, match=re.escape("wifi[T.yes]: some combination predicts ratings perfectly")):
        RatingConjoint(best, FORMULA, method="ordered").fit()
    place = best.index[best["wifi"] == "yes"][0]
    best.loc[place, "rating"] = 5.0
    fit = RatingConjoint(best, FORMULA, method="ordered").fit()
    assert fit.converged
    assert 3 < fit.params["wifi[T.yes]"] < 15


BAD: dict[str, tuple[Change, str, dict[str, Any], type[Exception], str]] = {
    "method": (lambda f: f, FORMULA, {"method": "probit"}, EstimationError, "method: found 'probit'; allowed: ols, mixed, components, ordered"),
    "random": (lambda f: f, FORMULA, {"random": ["price"]}, EstimationError, "random: found price with method 'ols'"),
    "random name": (lambda f: f, FORMULA, {"method": "mixed", "random": ["cost"]}, EstimationError, "no parameter cost; allowed: brand[T.known]"),
    "text": (lambda f: f.astype({"rating": object}).assign(rating=lambda g: g["rating"].where(g.index != 4, "good")), FORMULA, {}, DataError, "column 'rating', row 5: 'good'"),
    "no rating": (lambda f: f.assign(rating=np.nan), FORMULA, {}, DataError, "no rating at all"),
    "no column": (lambda f: f.drop(columns="wifi"), FORMULA, {}, DataError, "no column 'wifi'"),
    "empty cell": (lambda f: f.assign(price=f["price"].where(f.index != 7)), FORMULA, {}, DataError, "column 'price', row 8: empty"),
    "constant": (lambda f: f.assign(age=f["respondent"]), f"{FORMULA} + age", {}, EstimationError, "age never differs"),
    "collinear": (lambda f: f.assign(fee=2 * f["price"]), f"{FORMULA} + fee", {}, EstimationError, "always change together"),
    "all alike": (lambda f: f.assign(rating=7), FORMULA, {}, EstimationError, "every respondent rated all profiles alike"),
    "alike within": (lambda f: f.assign(rating=f["respondent"] % 7), FORMULA, {"method": "ordered"}, EstimationError, "every respondent rated all profiles alike"),
    "separated": (lambda f: f.assign(rating=(f["wifi"] == "yes") * 1), FORMULA, {"method": "ordered"}, EstimationError, "some combination predicts ratings perfectly"),
    "rating in formula": (lambda f: f, f"{FORMULA} + rating", {}, DataError, "the rating or the respondent in it"),
    "respondent in formula": (lambda f: f, f"{FORMULA} + C(respondent)", {}, DataError, "leave 'rating' and 'respondent' out"),
    "too few": (lambda f: f.iloc[:6], FORMULA, {}, EstimationError, "1 respondent and 6 ratings for 4 parameters"),
    "too many categories": (lambda f: f.assign(rating=f["rating"] + f.index % 30 / 100), FORMULA, {"method": "ordered"}, EstimationError, "different ratings; allowed: at most 20"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_estimated_is_named(name: str, frame: pd.DataFrame) -> None:
    change, formula, arguments, error, words = BAD[name]
    with pytest.raises(error, match=re.escape(words)):
        RatingConjoint(change(frame), formula, **arguments).fit()


def stated(values: list[list[float]], column: str) -> pd.DataFrame:
    rows = [(i, item, v) for i, row in enumerate(values) for item, v in zip("abc", row, strict=False)]
    return pd.DataFrame(rows, columns=["respondent", "item", column])


def test_direct_ratings_count_the_same_whoever_gives_them() -> None:
    found = direct_importance(stated([[7, 5, 3], [10, 8, 6], [3, 1, 1]], "rating"), confidence=0.90)
    table = found.table.set_index("item")
    assert table["mean"].tolist() == pytest.approx([20 / 3, 14 / 3, 10 / 3])
    assert table["centred"].tolist() == pytest.approx([(2 + 2 + 4 / 3) / 3, (0 + 0 - 2 / 3) / 3, (-2 - 2 - 2 / 3) / 3])
    half = 2.919986 * np.std([2, 2, 4 / 3], ddof=1) / np.sqrt(3)
    assert table.loc["a", "high"] - table.loc["a", "centred"] == pytest.approx(half, rel=1e-5)
    assert table["rank"].tolist() == [1, 2, 3]
    assert table.loc["a", ["rank_low", "rank_high"]].tolist() == [1, 1]
    assert "Only 3 respondents" in str(found.notes[0])


def test_a_generous_rater_changes_means_but_not_what_matters() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(1, 8, (40, 3)).astype(float)
    plain = direct_importance(stated(values.tolist(), "rating")).table
    generous = direct_importance(stated((values + rng.integers(0, 4, (40, 1))).tolist(), "rating")).table
    same = ["centred", "low", "high", "rank", "rank_low", "rank_high"]
    assert generous[same].to_numpy() == pytest.approx(plain[same].to_numpy(), rel=1e-9)
    assert (generous["mean"] > plain["mean"]).all()
    assert direct_importance(stated(values.tolist(), "rating")).notes == ()


def test_ties_share_their_rank() -> None:
    found = direct_importance(stated([[5, 5, 1], [6, 6, 2]], "rating"))
    assert found.table["rank"].tolist() == [1.5, 1.5, 3]


def test_a_respondent_without_an_item_is_left_out_and_counted() -> None:
    found = direct_importance(stated([[7, 5, 3], [10, 8, 6], [3, 1, np.nan], [3, 1]], "rating"))
    assert (found.respondents, found.dropped) == (2, 2)
    assert "2 of 4 respondents did not answer for every item" in str(found.notes[0])


def test_a_constant_sum_is_a_composition() -> None:
    found = constant_sum(stated([[60, 40, 0], [20, 60, 20]], "points"), replicates=500)
    table = found.table.set_index("item")
    one, two = np.array([60, 40, 0.5]) / 100.5, np.array([20, 60, 20]) / 100
    centre = np.sqrt(one * two)
    assert table["centre"].to_numpy() == pytest.approx(100 * centre / centre.sum())
    assert table["mean"].tolist() == [40, 50, 10]
    assert table["zeros"].tolist() == [0, 0, 0.5]
    assert (table["low"] <= table["centre"]).all()
    assert (table["centre"] <= table["high"]).all()
    assert table["rank"].tolist() == [2, 1, 3]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[60, 40, 10], [20, 60, 20]], "respondent 0: 110; allowed: points that add up to 100"),
        ([[60, 50, -10], [20, 60, 20]], "respondent 0: -10; allowed: points from 0 on"),
        ([[60, 40, 0]], "1 respondent answered for every item; allowed: two or more"),
    ],
)
def test_points_that_are_no_constant_sum(values: list[list[float]], words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        constant_sum(stated(values, "points"))


def test_an_item_answered_twice_or_alone_is_named() -> None:
    frame = stated([[60, 40, 0], [20, 60, 20]], "points")
    with pytest.raises(DataError, match=re.escape("respondent 0, item a (row 7): answered twice")):
        constant_sum(pd.concat([frame, frame.head(1)]))
    with pytest.raises(DataError, match="1 item; allowed: two or more"):
        constant_sum(frame[frame["item"] == "a"])
