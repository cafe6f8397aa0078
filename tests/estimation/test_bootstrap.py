"""The cluster bootstrap: spread, weights, separation; and the four intervals side by side."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.bootstrap import bootstrap
from wtp.pricing import willingness_to_pay
from wtp.pricing.intervals import DISAGREE, interval_methods
from wtp.pricing.willingness_to_pay import contrast


def test_the_spread_of_the_replicates_is_the_clustered_standard_error() -> None:
    data = ChoiceData.from_long(simulate(300, 6, seed=1), FORMULA)
    fit = ConditionalLogit(data).fit()
    found = bootstrap(fit, 800, seed=1)
    values = found.draws.values[:, 0]
    assert (values.shape, found.draws.method, found.lost, found.notes) == ((800, 4), "bootstrap", 0, ())
    assert values.std(axis=0, ddof=1) == pytest.approx(fit.bse.to_numpy(), rel=0.1)
    assert (np.abs(values.mean(axis=0) - fit.params) < 0.3 * fit.bse).all()


def test_a_replicate_is_the_fit_of_the_respondents_it_drew() -> None:
    data = ChoiceData.from_long(simulate(50, 6, seed=2), FORMULA)
    fit = ConditionalLogit(data).fit()
    value = bootstrap(fit, 2, seed=3).draws.values[0, 0]
    counts = np.random.default_rng(3).multinomial(50, np.full(50, 1 / 50))
    frame = simulate(50, 6, seed=2)
    drawn = frame[counts[frame["respondent"]] > 0].assign(weight=lambda f: counts[f["respondent"]])
    refit = ConditionalLogit(ChoiceData.from_long(drawn, FORMULA, weights="weight")).fit()
    assert value == pytest.approx(refit.params.to_numpy(), abs=1e-4 * float(fit.bse.min()))


def test_survey_weights_stay_with_their_respondents() -> None:
    frame = simulate(80, 6, seed=2)
    # Respondents of weight near 0 hardly count: as if they were not there.
    heavy = frame.assign(weight=np.where(frame["respondent"] < 60, 1.0, 1e-9))
    weighted = bootstrap(ConditionalLogit(ChoiceData.from_long(heavy, FORMULA, weights="weight")).fit(), 300, seed=1)
    alone = ConditionalLogit(ChoiceData.from_long(frame[frame["respondent"] < 60], FORMULA)).fit()
    assert weighted.draws.values[:, 0].std(axis=0) == pytest.approx(alone.bse.to_numpy(), rel=0.25)
    assert np.median(weighted.draws.values[:, 0], axis=0) == pytest.approx(alone.params.to_numpy(), abs=0.1)


def test_the_bootstrap_in_wtp_space_is_in_utility_space() -> None:
    data = ChoiceData.from_long(simulate(100, 6, seed=1), FORMULA)
    plain, money = ConditionalLogit(data).fit(), ConditionalLogit(data, "wtp").fit()
    assert bootstrap(money, 20, 1).draws.values == pytest.approx(bootstrap(plain, 20, 1).draws.values, abs=1e-5)


def test_replicates_that_separate_are_counted_not_hidden() -> None:
    frame = simulate(40, 6, seed=0)
    wifi = (frame["wifi"] == "yes") & (frame["respondent"] > 3)
    # Only respondents 0 to 3 ever see wifi: some replicates never draw one who chose it.
    rare = ChoiceData.from_long(frame.assign(wifi=frame["wifi"].mask(wifi, "no")), FORMULA)
    found = bootstrap(ConditionalLogit(rare).fit(), 400, seed=1)
    assert 0 < found.lost < 20
    assert len(found.draws.values) == 400 - found.lost
    assert f"{found.lost} of 400 bootstrap replicates have no finite estimate" in str(found.notes[0])
    scarce = ChoiceData.from_long(
        frame.assign(wifi=frame["wifi"].mask((frame["wifi"] == "yes") & (frame["respondent"] > 0), "no")), FORMULA
    )
    with pytest.raises(EstimationError, match="replicates have no finite estimate"):
        bootstrap(ConditionalLogit(scarce).fit(), 100, seed=1)
    with pytest.raises(EstimationError, match="1 replicates; allowed: two or more"):
        bootstrap(ConditionalLogit(rare).fit(), 1)


def test_four_methods_agree_where_the_price_is_precise() -> None:
    fit = ConditionalLogit(ChoiceData.from_long(simulate(400, 8, seed=1), FORMULA)).fit()
    vector = contrast(fit.data, "wifi", "no", "yes")
    table = interval_methods(fit, vector, replicates=600, seed=1)
    assert list(table["method"]) == ["delta", "krinsky_robb", "fieller", "bootstrap"]
    assert (table["note"] == "").all()
    assert np.ptp(table["low"]) < 0.05
    assert np.ptp(table["high"]) < 0.05
    row = willingness_to_pay(fit, seed=1).set_index("parameter").loc["wifi[T.yes]"]
    assert table["estimate"].to_list() == pytest.approx([row["estimate"]] * 4)
    assert table.loc[1, ["low", "high"]].to_list() == pytest.approx([row["low"], row["high"]])
    money = ConditionalLogit(fit.data, "wtp").fit()
    again = interval_methods(money, vector, replicates=600, seed=1)
    # Normal draws of log-scale and money are other draws; the rest is the same arithmetic.
    assert again.loc[[0, 2, 3], ["low", "high"]].to_numpy() == pytest.approx(
        table.loc[[0, 2, 3], ["low", "high"]].to_numpy(), rel=1e-3
    )


def test_they_disagree_where_it_is_not_and_say_so() -> None:
    frame = simulate(40, 4, seed=1)
    rng = np.random.default_rng(99)
    vague = frame.assign(
        price=np.where(rng.random(len(frame)) < 0.85, rng.choice([1.0, 2.0, 3.0], len(frame)), frame["price"])
    )
    fit = ConditionalLogit(ChoiceData.from_long(vague, FORMULA)).fit()
    assert abs(fit.tvalues["price"]) < 4
    table = interval_methods(fit, contrast(fit.data, "wifi", "no", "yes"), replicates=300)
    assert (table["note"] == DISAGREE).all()
    assert table["low"].notna().all()
    assert table["high"].notna().all()


def test_a_price_with_a_form_has_no_single_ratio() -> None:
    fit = ConditionalLogit(ChoiceData.from_long(simulate(100), FORMULA, price_form="log")).fit()
    with pytest.raises(DataError, match="is not linear"):
        interval_methods(fit, contrast(fit.data, "wifi", "no", "yes"))
