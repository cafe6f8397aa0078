"""What breaks estimators: huge utilities, separation, collinear or constant columns, one respondent, one task, odd units, few buyers.

Each estimator meets each of them with a note, a clear error or a right figure: never a NaN, never a silent wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, TRUTH, simulate
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit, HierarchicalLogit, LatentClassLogit, MixedLogit
from wtp.pricing import willingness_to_pay


def conditional(data: ChoiceData) -> Any:
    return ConditionalLogit(data).fit()


def in_money(data: ChoiceData) -> Any:
    return ConditionalLogit(data, "wtp").fit()


def mixed(data: ChoiceData) -> Any:
    return MixedLogit(data, {data.names[0]: "normal"}).fit(64)


def latent(data: ChoiceData) -> Any:
    return LatentClassLogit(data, 2).fit(3)


def hierarchical(data: ChoiceData) -> Any:
    return HierarchicalLogit(data).fit(draws=150, warmup=150, stop=None)


ESTIMATORS: dict[str, Callable[[ChoiceData], Any]] = {
    "conditional": conditional,
    "in money": in_money,
    "mixed": mixed,
    "latent": latent,
    "hierarchical": hierarchical,
}
# Estimators without a prior have no finite estimate where choices separate; those with one have.
WITHOUT_PRIOR = {"conditional", "in money", "mixed"}


def figures(fit: Any) -> np.ndarray:
    """Everything that a reader would look at, flat."""
    parts = [np.ravel(np.asarray(fit.params, dtype=float)), [fit.llf], np.ravel(fit.simulate(20).values)]
    worth = willingness_to_pay(fit, draws=20)
    shown = worth[worth["note"] == ""]
    return np.concatenate([*parts, shown[["estimate", "low", "high"]].to_numpy(dtype=float).ravel()])


def survives(name: str, data: ChoiceData) -> Any:
    """The fit, if all of its figures are finite; a clear error is as good, and None."""
    said = ""
    try:
        fit = ESTIMATORS[name](data)
    except (EstimationError, DataError) as error:
        fit, said = None, str(error)
    if fit is None:
        assert ";" in said
        assert "\n" not in said
        assert "nan" not in said.lower()
        return None
    assert np.isfinite(figures(fit)).all()
    assert fit.summary().as_text()
    return fit


@pytest.mark.parametrize("name", ESTIMATORS)
class TestEachEstimator:
    """One method a trouble."""

    def test_utilities_of_a_thousand(self, name: str) -> None:
        # Columns in units so small that the true utilities differ by thousands.
        frame = simulate(60, 6)
        frame = frame.assign(price=frame["price"] * 1e3 + 1e6)
        fit = survives(name, ChoiceData.from_long(frame, FORMULA))
        assert fit is not None
        if name == "conditional":
            assert fit.params["price"] * 1e3 == pytest.approx(
                conditional(ChoiceData.from_long(simulate(60, 6), FORMULA)).params["price"], rel=1e-6
            )

    def test_choices_that_follow_utilities_of_a_thousand(self, name: str) -> None:
        frame = simulate(40, 6)
        certain = (
            1e3 * (frame["brand"] == "leading")
            + 100 * (frame["wifi"] == "yes")
            - 10 * frame["price"]
            - 1e-3 * frame.index
        )
        best = certain.groupby([frame["respondent"], frame["choice_task"]]).transform("max")
        data = ChoiceData.from_long(frame.assign(chosen=(certain == best).astype(int)), FORMULA)
        if name in WITHOUT_PRIOR:
            with pytest.raises(EstimationError, match=r"separate|never|always|arrive|finite"):
                ESTIMATORS[name](data)
        else:
            survives(name, data)

    @pytest.mark.parametrize("unit", [0.01, 1.0, 100.0, 1e6])
    def test_the_unit_of_the_price_changes_money_and_nothing_else(self, name: str, unit: float) -> None:
        frame = simulate(60, 6)
        fit = survives(name, ChoiceData.from_long(frame.assign(price=frame["price"] * unit), FORMULA))
        plain = ESTIMATORS[name](ChoiceData.from_long(frame, FORMULA))
        sampled = name == "hierarchical"  # rounding sends a chain another way to the same posterior
        assert fit.llf == pytest.approx(plain.llf, rel=2e-2 if sampled else 1e-4)
        worths = [
            willingness_to_pay(f, draws=50).query("segment == 'all'")["estimate"].to_numpy() for f in (fit, plain)
        ]
        np.testing.assert_allclose(worths[0] / unit, worths[1], rtol=0.5 if sampled else 2e-2, atol=1e-3)

    def test_a_level_that_was_never_chosen(self, name: str) -> None:
        frame = simulate(60, 6)
        shown = frame.assign(wifi=frame["wifi"].mask(frame["chosen"] == 1, "no"))
        data = ChoiceData.from_long(shown, FORMULA)
        if name in WITHOUT_PRIOR:
            with pytest.raises(EstimationError, match="wifi yes: never chosen"):
                ESTIMATORS[name](data)
        else:
            fit = survives(name, data)
            if fit is not None:  # a prior or ridge holds it finite; it must at least be clearly negative
                assert fit.simulate(20).values[..., data.names.index("wifi[T.yes]")].mean() < -1

    def test_collinear_columns(self, name: str) -> None:
        frame = simulate(40, 6)
        frame = frame.assign(fee=2 * frame["price"] + (frame["wifi"] == "yes"))
        with pytest.raises(EstimationError, match=r"wifi\[T.yes\], price, fee always change together"):
            ESTIMATORS[name](ChoiceData.from_long(frame, f"{FORMULA} + fee"))

    def test_a_constant_column(self, name: str) -> None:
        frame = simulate(40, 6)
        frame = frame.assign(age=20.0 + frame["respondent"])
        with pytest.raises(EstimationError, match="age never differs between the alternatives"):
            ESTIMATORS[name](ChoiceData.from_long(frame, f"{FORMULA} + age"))

    def test_all_prices_equal(self, name: str) -> None:
        with pytest.raises(EstimationError, match="price never differs"):
            ESTIMATORS[name](ChoiceData.from_long(simulate(40, 6).assign(price=9.0), FORMULA))

    def test_one_respondent(self, name: str) -> None:
        frame = simulate(40, 60)
        fit = survives(name, ChoiceData.from_long(frame[frame["respondent"] == 3], FORMULA))
        assert fit is None or fit.notes

    def test_one_task_each(self, name: str) -> None:
        fit = survives(name, ChoiceData.from_long(simulate(300, 1), FORMULA))
        assert fit is None or name in WITHOUT_PRIOR or fit.notes

    def test_one_task_of_one_respondent(self, name: str) -> None:
        frame = simulate(40, 6)
        assert (
            survives(
                name, ChoiceData.from_long(frame[(frame["respondent"] == 1) & (frame["choice_task"] == 2)], FORMULA)
            )
            is None
            or name == "hierarchical"
        )

    def test_forty_per_cent_always_none(self, name: str) -> None:
        frame = with_none(100)
        fit = survives(name, ChoiceData.from_long(frame, f"{FORMULA} + none"))
        assert fit is not None
        none = fit.simulate(50).values[..., -1]
        assert np.isfinite(none).all()

    def test_one_respondent_with_a_thousandth_of_all_weight(self, name: str) -> None:
        frame = simulate(60, 6)
        frame = frame.assign(weight=np.where(frame["respondent"] == 0, 1e-6, 1.0))
        survives(name, ChoiceData.from_long(frame, FORMULA, weights="weight"))


def with_none(respondents: int) -> pd.DataFrame:
    """Tasks with a none row; the first two of five respondents take it always."""
    frame = simulate(respondents, 6).assign(none=0)
    rows = frame.groupby(["respondent", "choice_task"], as_index=False).head(1)
    rng = np.random.default_rng(1)
    takes = (rows["respondent"] % 5 < 2) | (rng.random(len(rows)) < 0.15)
    nothing = rows.assign(brand=None, wifi=None, price=np.nan, none=1, chosen=takes.astype(int))
    both = pd.concat([frame, nothing]).sort_values(["respondent", "choice_task"], kind="stable").reset_index(drop=True)
    gone = both.groupby(["respondent", "choice_task"])["chosen"].transform("sum") > 1
    return both.assign(chosen=both["chosen"].mask(gone & (both["none"] == 0), 0))


def test_the_truth_is_still_found_among_always_none() -> None:
    """40 per cent who never buy say nothing about brand and wifi; the others' tastes come out, somewhat shrunk by the mixture."""
    fit = conditional(ChoiceData.from_long(with_none(600), f"{FORMULA} + none"))
    for parameter in ("brand[T.leading]", "wifi[T.yes]", "price"):
        assert 0.3 < fit.params[parameter] / TRUTH[parameter] < 1.2


@pytest.mark.parametrize("value", [np.inf, 1e120, "12 EUR", None])
def test_what_is_no_number_never_reaches_an_estimator(value: object) -> None:
    frame = simulate(10).astype({"price": object})
    frame.loc[7, "price"] = value
    with pytest.raises(DataError, match="column 'price', row 8"):
        ChoiceData.from_long(frame, FORMULA)
