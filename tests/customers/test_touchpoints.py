"""Contacts with known structure are found again within their intervals; where there is no structure nothing is claimed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from tests.conftest import SURVEYS
from tests.customers.conftest import Calls
from wtp.customers.simulated_contacts import REPORTED, ContactTruth, flat_truth, simulated_contacts, truth_of
from wtp.customers.touchpoints import (
    TREND_ERROR,
    Window,
    _holm,
    _rate,
    differs,
    effort,
    monthly,
    poisson_interval,
    reason_rates,
    remedies,
    what_mattered,
    window_of,
)
from wtp.survey import Survey, load_survey
from wtp.survey.contacts import CODED, contact_codes

SURE = 0.9
YEAR = Window(pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-12-31 23:59", tz="UTC"))


@pytest.fixture(scope="module")
def truth(survey: Survey) -> ContactTruth:
    return truth_of(survey.definition)


@pytest.fixture(scope="module")
def flat(survey: Survey) -> ContactTruth:
    return flat_truth(survey.definition)


@pytest.fixture(scope="module")
def names(survey: Survey) -> dict[str, list[str]]:
    codes = contact_codes(survey.definition)
    assert codes is not None
    return {field: list(codes[field]) for field in codes.by_field}


def rates(frame: pd.DataFrame, names: dict[str, list[str]], customers: float = 2400) -> pd.DataFrame:
    return reason_rates(frame, names["reason"], window=window_of(frame["happened_at"]), customers=customers, confidence=SURE)  # fmt: skip


def held(low: pd.Series, true: pd.Series, high: pd.Series) -> float:
    """Share of intervals that hold the truth."""
    return float(((low <= true) & (true <= high)).mean())


# Rates and trends


def test_rates_by_reason_and_segment_are_found_again(
    calls: Calls, truth: ContactTruth, names: dict[str, list[str]]
) -> None:
    inside = []
    for seed in range(8):
        frame = calls(replace(truth, trends=dict.fromkeys(names["reason"], 0.0)), seed, per_segment=500)
        for segment, expected in truth.rates.items():
            found = rates(frame[frame["segment"] == segment], names, 500).set_index("reason")
            true = pd.Series(expected)
            inside.append(held(found["low"][true.index], true, found["high"][true.index]))
    assert 0.84 <= np.mean(inside) <= 0.97, "of 144 intervals of 90 per cent; reasons share their months"


def test_intervals_of_rates_hold_the_truth_as_often_as_they_say() -> None:
    """Poisson counts, and counts that vary three times as much: both are covered by what they are told to be."""
    rng, exposure = np.random.default_rng(1), YEAR.months["exposure"].to_numpy()
    for variance in (0.0, 0.1):
        inside, runs = 0, 400
        factors = rng.gamma(1 / variance, variance, (runs, 12)) if variance else np.ones((runs, 12))
        for counts in rng.poisson(20 * exposure * factors):
            found = _rate(counts, exposure, 100, SURE)
            inside += found["low"] <= 20 <= found["high"]
        assert 0.87 <= inside / runs <= 0.97, (variance, inside / runs)
    naive = np.mean(
        [poisson_interval(c, 1, 0, SURE)[0] <= 240 <= poisson_interval(c, 1, 0, SURE)[1] for c in rng.poisson(20 * rng.gamma(10, 0.1, (400, 12))).sum(1)]
    )  # fmt: skip
    assert naive < 0.78, "plain Poisson intervals are too narrow, which is why they are widened"


def test_a_trend_is_found_again_and_only_where_it_is(
    calls: Calls, truth: ContactTruth, names: dict[str, list[str]]
) -> None:
    rising = replace(truth, trends=truth.trends | {"fault": 0.10, "order": -0.10}, spread=0.01)
    tables = [rates(calls(rising, seed, per_segment=3000), names, 9000).set_index("reason") for seed in range(10)]
    for reason, clear in (("fault", "rising"), ("order", "falling")):
        assert sum(table["clear"][reason] == clear for table in tables) >= 9
        inside = [t["trend_low"][reason] <= rising.trends[reason] <= t["trend_high"][reason] for t in tables]
        assert sum(inside) >= 7
    wrong = [table["clear"][["question", "invoice", "complaint", "advice"]].ne("").sum() for table in tables]
    assert sum(wrong) <= 3


def test_without_a_trend_hardly_any_is_claimed() -> None:
    """Of 200 studies with six reasons, months that vary twice as much as Poisson counts: false alarms of any reason, and of all contacts together."""
    rng = np.random.default_rng(2)
    exposure = YEAR.months["exposure"].to_numpy()
    alarms = 0
    for _ in range(200):
        days = []
        for reason in range(6):
            counts = rng.poisson(10 * exposure * rng.gamma(10, 0.1, 12))
            start = YEAR.start + pd.to_timedelta(np.repeat(np.r_[0, np.cumsum(exposure)[:-1]], counts) * 30.4375 + rng.uniform(0, 27, counts.sum()), unit="D")  # fmt: skip
            days.append(pd.DataFrame({"happened_at": start, "reason": f"r{reason}", "person": range(len(start))}))
        found = reason_rates(pd.concat(days), [f"r{n}" for n in range(6)], window=YEAR, customers=100, confidence=SURE)
        alarms += bool(found["clear"].iloc[1:].ne("").any())
    assert alarms / 200 <= 2 * TREND_ERROR, alarms


def test_the_test_of_all_reasons_is_holms() -> None:
    rng = np.random.default_rng(4)
    for p in (rng.uniform(0, 0.04, (8, 5)) ** np.array([1, 1.5, 2, 1, 1])).tolist():
        assert _holm(np.array(p)).tolist() == multipletests(p, alpha=TREND_ERROR, method="holm")[0].tolist()


def test_few_months_or_contacts_have_no_trend_and_none_is_claimed(calls: Calls, flat: ContactTruth, names: dict[str, list[str]]) -> None:  # fmt: skip
    short = rates(calls(flat, 1, months=4), names)
    assert short["trend"].isna().all()
    assert short["clear"].eq("").all()
    assert short["rate"].gt(0).all()
    few = rates(calls(flat, 1, per_segment=5), names).set_index("reason")
    assert few["trend"].isna()[few["contacts"] < 20].all()
    nothing = rates(calls(flat, 1)[lambda f: f["reason"] != "fault"], names).set_index("reason").loc["fault"]
    assert (nothing["rate"], nothing["low"], nothing["contacts"]) == (0, 0, 0)
    assert nothing["high"] > 0


def test_short_months_count_for_what_they_are() -> None:
    window = Window(pd.Timestamp("2026-01-16", tz="UTC"), pd.Timestamp("2026-03-10", tz="UTC"))
    assert window.months["month"].tolist() == ["2026-01", "2026-02", "2026-03"]
    assert window.months["exposure"].to_numpy() * 30.4375 == pytest.approx([16, 28, 9])
    times = pd.Series(
        pd.to_datetime(["2026-01-31 23:30", "2026-02-01 00:30", "2026-03-01"], utc=True, format="ISO8601")
    )
    frame = pd.DataFrame({"happened_at": times, "reason": "r", "person": [1, 2, 2]})
    row = reason_rates(frame, ["r"], window=window, customers=200, confidence=SURE).iloc[0]
    assert row["rate"] == pytest.approx(3 / (2 * 53 / 30.4375))
    assert row["customers"] == 2
    months = monthly(frame, row, window=window, customers=200, confidence=SURE)
    assert months["contacts"].tolist() == [1, 1, 1]
    assert (months["course"] * window.months["exposure"]).sum() * 2 == pytest.approx(3), "the course gives all contacts"


def test_a_month_that_has_hardly_begun_is_not_told() -> None:
    window = Window(YEAR.start, pd.Timestamp("2026-04-03", tz="UTC"))
    frame = pd.DataFrame({"happened_at": pd.to_datetime(["2026-01-05", "2026-04-02"], utc=True), "reason": "r", "person": [1, 2]})  # fmt: skip
    row = reason_rates(frame, ["r"], window=window, customers=200, confidence=SURE).iloc[0]
    told = monthly(frame, row, window=window, customers=200, confidence=SURE)
    assert told["month"].tolist() == ["2026-01", "2026-02", "2026-03"]


def test_the_interval_of_a_count_is_garwoods() -> None:
    assert poisson_interval(0, 1, 0, 0.9) == pytest.approx((0, 2.995732), abs=1e-5)
    assert poisson_interval(10, 1, 0, 0.95) == pytest.approx((4.795389, 18.390356), abs=1e-5)
    low, high = poisson_interval(40, 4, 0, 0.95)
    assert (low, high) == pytest.approx((4 * 4.795389, 4 * 18.390356), abs=1e-4)
    wider = poisson_interval(40, 4, 5, 0.95)
    assert wider[0] < low < high < wider[1]


# What mattered most


def test_what_mattered_is_found_again_by_segment(calls: Calls, truth: ContactTruth, names: dict[str, list[str]]) -> None:  # fmt: skip
    inside = []
    for seed in range(10):
        frame = calls(truth, seed, per_segment=300, months=6)
        for segment, expected in truth.mattered.items():
            found = what_mattered(frame[frame["segment"] == segment], names["mattered_most"], confidence=SURE)
            inside.append(held(found["low"], found["item"].map(expected), found["high"]))
    assert 0.86 <= np.mean(inside) <= 0.96, "of 240 intervals of 90 per cent"


def test_who_calls_often_counts_once() -> None:
    frame = pd.DataFrame({"person": [1] * 50 + [2, 3, 4], "mattered_most": ["a"] * 50 + ["b", "b", None]})
    found = what_mattered(frame, ["a", "b"], confidence=SURE).set_index("item")
    assert found["share"].to_dict() == pytest.approx({"a": 1.5 / 4, "b": 2.5 / 4})
    assert found["customers"].to_dict() == {"a": 1, "b": 2}


def test_segments_differ_only_where_they_do(
    calls: Calls, truth: ContactTruth, flat: ContactTruth, names: dict[str, list[str]]
) -> None:
    items = names["mattered_most"]
    true = calls(truth, 1, per_segment=150, months=6)
    assert differs(true, items, seed=1) < 0.01
    alarms = sum(
        differs(calls(replace(flat, frailty=2.0), seed, per_segment=40, months=6), items, seed=seed, permutations=99) < 0.05
        for seed in range(60)
    )  # fmt: skip
    assert alarms <= 8, "three are expected by chance"
    assert np.isnan(differs(true[true["segment"] == "cost"], items, seed=1))


# Measures and effort


def test_what_measures_solve_is_found_again(calls: Calls, truth: ContactTruth, names: dict[str, list[str]]) -> None:
    inside = []
    for seed in range(10):
        frame = calls(truth, seed, per_segment=200)
        found = remedies(frame, names["remedy"], window=window_of(frame["happened_at"]), confidence=SURE)
        inside.append(held(found["low"], found["remedy"].map(truth.solved), found["high"]))
    assert 0.8 <= np.mean(inside) <= 1, "of 50 intervals of 90 per cent"


def test_a_repeat_is_the_same_customer_within_thirty_days() -> None:
    days = ["2026-01-01", "2026-01-30", "2026-03-15", "2026-01-01", "2026-01-31", "2026-05-20", "2026-01-02", "2026-01-03"]  # fmt: skip
    frame = pd.DataFrame(
        {
            "happened_at": pd.to_datetime(days, utc=True),
            "person": [1, 1, 1, 2, 2, 3, -4, -5],
            "customer_id": pd.array([1, 1, 1, 2, 2, 3, None, None], dtype="Int64"),
            "remedy": ["x"] * 8,
            "solved": pd.array([True, False, None, True, None, True, True, None], dtype="boolean"),
        }
    )
    window = Window(frame["happened_at"].min(), pd.Timestamp("2026-06-01", tz="UTC"))
    row = remedies(frame, ["x", "y"], window=window, confidence=SURE).set_index("remedy").loc["x"]
    # 1 January was followed after 29 and after 30 days; the call of 20 May is too late to be followed, and of nobody nothing is known.
    assert (row["followed"], row["repeated"]) == (5, 2 / 5)
    assert (row["known"], row["solved"]) == (5, 4 / 5)
    assert (row["low"], row["high"]) == pytest.approx((0.378, 0.953), abs=0.02), "five contacts of four people"
    empty = remedies(frame, ["x", "y"], window=window, confidence=SURE).set_index("remedy").loc["y"]
    assert (empty["contacts"], empty["known"]) == (0, 0)
    assert np.isnan(empty["solved"])


def test_minutes_and_impressions_are_those_of_people() -> None:
    frame = pd.DataFrame(
        {
            "reason": "r",
            "person": [1, 1, 2, 3],
            "minutes": pd.array([5, 15, 10, None], dtype="Int64"),
            "impression": pd.array([1, 3, 4, None], dtype="Int64"),
        }
    )
    row = effort(frame, ["r", "s"], confidence=SURE).set_index("reason").loc["r"]
    assert (row["minutes"], row["lower_quartile"], row["upper_quartile"]) == (10, 7.5, 12.5)
    assert (row["judged"], row["impression"]) == (2, 3)
    assert row["low"] == pytest.approx(3 - 6.313752, abs=1e-4), (
        "t with one degree of freedom, and a standard error of 1"
    )
    assert effort(frame, ["s"], confidence=SURE)["contacts"].tolist() == [0]


# Simulated contacts


def test_simulated_contacts_fit_the_form_of_every_shipped_study() -> None:
    """What the demo shows: codes of the study alone, plain values that the store takes, the same for the same seed, and said to be simulated."""
    for slug in ("supplier", "workshop"):
        definition = load_survey(SURVEYS / slug).definition
        codes = contact_codes(definition)
        assert codes is not None
        people = {f"{s.id} {n}": s.id for s in definition.segments for n in range(50)}
        frame = simulated_contacts(definition, people, months=6, seed=1)
        pd.testing.assert_frame_equal(frame, simulated_contacts(definition, people, months=6, seed=1))
        assert frame["happened_at"].is_monotonic_increasing
        assert set(frame["customer"]) <= set(people)
        assert frame["reported"].str.startswith(REPORTED).all()
        for field in CODED:
            assert set(frame[field].dropna()) <= set(codes[field]), (slug, field)
        problems = {s.id: set(next(iter(s.when.values()))) for s in definition.segments}
        assert all(problem in problems[people[customer]] for customer, problem in zip(frame["customer"], frame["core_problem"], strict=True))  # fmt: skip
        row = frame.to_dict("records")[0]
        assert isinstance(row["happened_at"], datetime)
        assert {type(row[name]) for name in ("impression", "minutes")} == {int}
        assert type(row["solved"]) is bool
