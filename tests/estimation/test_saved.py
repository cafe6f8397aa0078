"""A fit that `wtp estimate` wrote says the same in money as the fit itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.pricing.conftest import simulate
from wtp.analysis import Specification, analyse_choices
from wtp.cli.estimate import write_estimates
from wtp.errors import DataError
from wtp.estimation import ChoiceData, ConditionalLogit, HierarchicalLogit, LatentClassLogit, load_fit
from wtp.pricing import Market, Step, price_limits, reservation_price, share_above, willingness_to_pay
from wtp.segments import found_segments

FORMULA = "speed + brand + price + none"
STEPS = [Step("speed", "slow", "quick"), Step("brand", "new", "leading")]
OFFERS = {"a": {"speed": "quick", "brand": "known", "price": 100}, "b": {"speed": "slow", "brand": "new", "price": 85}}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulate(respondents=90)


def saved(frame: pd.DataFrame, folder: Path, **specification: object) -> Path:
    write_estimates(analyse_choices(frame, FORMULA, seed=3, specification=Specification(**specification)), folder)
    return folder


def test_a_pooled_fit(frame: pd.DataFrame, tmp_path: Path) -> None:
    again = load_fit(saved(frame, tmp_path))
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit()
    pd.testing.assert_frame_equal(
        willingness_to_pay(again, steps=STEPS), willingness_to_pay(fit, steps=STEPS), check_exact=False, rtol=1e-9
    )
    pd.testing.assert_frame_equal(Market(again, OFFERS).shares(), Market(fit, OFFERS).shares(), rtol=1e-9)
    offer = {"speed": "quick", "brand": "known"}
    assert reservation_price(again, offer)["estimate"].iloc[0] == pytest.approx(
        reservation_price(fit, offer)["estimate"].iloc[0]
    )


def test_a_hierarchical_fit(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "wtp.estimation.hierarchical.logit._WARM", 100.0
    )  # everybody has the same tastes here: no short warm-up would do
    again = load_fit(saved(frame, tmp_path, model="hierarchical", signs={"price": -1}, draws=300))
    fit = HierarchicalLogit(ChoiceData.from_long(frame, FORMULA), signs={"price": -1}).fit(draws=300, seed=3)
    offer = {"speed": "quick", "brand": "known"}
    pd.testing.assert_frame_equal(
        price_limits(again, offer, (80, 120)), price_limits(fit, offer, (80, 120)), check_exact=False, rtol=1e-6
    )
    pd.testing.assert_frame_equal(
        share_above(again, STEPS, [5]), share_above(fit, STEPS, [5]), check_exact=False, atol=1e-6
    )
    some = np.arange(90) < 80
    assert again.segment(some).respondents == 80
    assert len(found_segments(again.segment(some), STEPS, 2, replicates=2).members) == 80


def test_latent_classes(frame: pd.DataFrame, tmp_path: Path) -> None:
    again = load_fit(saved(frame, tmp_path, model="latent", classes=(2, 2)))
    fit = LatentClassLogit(ChoiceData.from_long(frame, FORMULA), 2).fit(seed=3)
    one, other = (willingness_to_pay(f, steps=STEPS, draws=2_000) for f in (again, fit))
    assert one["estimate"].to_numpy() == pytest.approx(other["estimate"].to_numpy(), rel=1e-6, nan_ok=True)
    assert Market(again, OFFERS).shares()["share"].sum() == pytest.approx(1)


def test_a_folder_without_a_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fit\.json"):
        load_fit(tmp_path)
    (tmp_path / "fit.json").write_text('{"format": 99}')
    with pytest.raises(DataError, match="format 99"):
        load_fit(tmp_path)
