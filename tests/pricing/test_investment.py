"""Invest here, save there: gains by hand, labels on studies whose answer is known, and what is withheld."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.pricing.conftest import fit_of, simulate
from wtp.estimation import ConditionalLogitResults, krinsky_robb
from wtp.pricing import investment
from wtp.pricing.investment import INCOMPLETE, INDICATION, annuity_factor
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT
from wtp.survey import Definition

TEXT = {"en": "x"}


def study(
    *, quick_cost: float = 5.0, known_cost: float = 2.0, leading_cost: float = 30.0, economics: bool = True
) -> Definition:
    """speed: today slow, a step up is worth 18; brand: today known, a step down loses 10, a step up is worth 4."""

    def level(name: str, cost: float, once: float) -> dict[str, object]:
        return {"id": name, "label": TEXT} | ({"unit_cost": cost, "investment": once} if economics else {})

    raw = {
        "format": 1, "title": TEXT, "offer": TEXT, "languages": ["en"], "currency": "EUR", "minutes": 5,
        "attributes": [
            {"id": "speed", "label": TEXT, "current": "slow", "by_segment": True,
             "levels": [level("slow", 0, 0), level("quick", quick_cost, 30_000)]},
            {"id": "brand", "label": TEXT, "current": "known",
             "levels": [level("new", 0, 0), level("known", known_cost, 10_000), level("leading", leading_cost, 50_000)]},
        ],
        "price": {"label": TEXT, "unit": TEXT, "current": 100, "levels": [80, 100, 120]},
        "choice_tasks": {},
        "pages": [
            {"type": "consent", "id": "consent", "title": TEXT, "text": TEXT, "agree": TEXT},
            {"type": "choice_tasks", "id": "choice", "title": TEXT, "question": TEXT, "purchase_question": TEXT},
            {"type": "thanks", "id": "thanks", "title": TEXT, "text": TEXT},
        ],
        "segments": [
            {"id": "a", "label": TEXT, "customers": 1000, "when": {"q": ["x"]}},
            {"id": "b", "label": TEXT, "customers": 3000, "when": {"q": ["y"]}},
        ],
    }  # fmt: skip
    if economics:
        raw["economics"] = {"unit_cost": 60, "purchases_per_year": 12, "planning_years": 3, "interest_rate": 0.08}
    return Definition.model_validate(raw)


def rows(table: pd.DataFrame, segment: str) -> pd.DataFrame:
    return table[table["segment"] == segment].set_index(["attribute", "direction"])


def labels(table: pd.DataFrame, segment: str) -> dict[str, str]:
    return table[table["segment"] == segment].drop_duplicates("attribute").set_index("attribute")["label"].to_dict()


@pytest.fixture(scope="module")
def other() -> ConditionalLogitResults:
    return fit_of(simulate(seed=11))


def test_the_annuity_by_hand() -> None:
    economics = study().economics
    assert economics is not None
    assert annuity_factor(economics) == pytest.approx(0.08 / (1 - 1.08**-3))
    assert 1_000 * annuity_factor(economics) == pytest.approx(388.03, abs=0.01)
    assert annuity_factor(economics.model_copy(update={"interest_rate": 0.0})) == pytest.approx(1 / 3)


def test_the_gain_of_a_step_up_by_hand(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    definition = study()
    table = rows(investment({"all": fit, "a": fit, "b": other}, definition, draws=4_000, seed=5), "a")
    seed = int(np.random.SeedSequence([5, 0]).generate_state(1)[0])
    draws = krinsky_robb(fit, 4_000, seed)[:, 0, :]
    names = fit.data.names
    b = {name: draws[:, names.index(name)] for name in names}
    worth = b["speed[T.quick]"] / -b["price"]
    share = 1 / (1 + np.exp(b["none"] - b["brand[T.known]"] - 100 * b["price"]))
    gain = 1000 * 12 * share * (worth - 5) - 30_000 * 0.08 / (1 - 1.08**-3)
    row = table.loc[("speed", "up")]
    assert row["gain"] == pytest.approx(np.median(gain), rel=1e-9)
    assert (row["gain_low"], row["gain_high"]) == pytest.approx(tuple(np.quantile(gain, [0.05, 0.95])), rel=1e-9)
    assert row["probability"] == (gain > 0).mean()
    assert row["break_even"] == pytest.approx(np.quantile(worth, 0.10))


def test_the_gain_of_a_step_down_by_hand(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    table = rows(investment({"all": fit, "a": fit, "b": other}, study(known_cost=3.0), draws=4_000, seed=5), "a")
    seed = int(np.random.SeedSequence([5, 0]).generate_state(1)[0])
    draws = krinsky_robb(fit, 4_000, seed)[:, 0, :]
    names = fit.data.names
    b = {name: draws[:, names.index(name)] for name in names}
    share = 1 / (1 + np.exp(b["none"] - b["brand[T.known]"] - 100 * b["price"]))
    gain = 1000 * 12 * share * (3 - b["brand[T.known]"] / -b["price"])
    row = table.loc[("brand", "down")]
    assert row["gain"] == pytest.approx(np.median(gain), rel=1e-9)
    assert row["unit_cost"] == -3
    assert row["investment"] == 0  # sunk money does not come back


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({}, {"speed": "invest", "brand": "keep"}),
        ({"known_cost": 25.0, "leading_cost": 60.0}, {"brand": "save"}),
        ({"quick_cost": 18.0}, {"speed": "undecided"}),
        ({"leading_cost": 2.5}, {"brand": "invest"}),
        ({"leading_cost": 5.2}, {"brand": "undecided"}),  # stepping down clearly loses, but the step up is open
    ],
)
def test_labels_follow_from_worth_and_cost(
    fit: ConditionalLogitResults, other: ConditionalLogitResults, costs: dict[str, float], expected: dict[str, str]
) -> None:
    table = investment({"all": fit, "a": fit, "b": other}, study(**costs), seed=1)
    assert expected.items() <= labels(table, "all").items()
    undecided = table[(table["label"] == "undecided") & (table["note"] == "")]
    assert undecided["more_answers"].notna().all()
    assert table.loc[table["label"] != "undecided", "more_answers"].isna().all()


def test_everybody_is_the_sum_of_the_segments_with_one_investment(
    fit: ConditionalLogitResults, other: ConditionalLogitResults
) -> None:
    table = investment({"all": fit, "a": fit, "b": other}, study(), draws=20_000, seed=2)
    a, b, everybody = (rows(table, name) for name in ("a", "b", "all"))
    down = ("brand", "down")
    assert everybody.loc[down, "gain"] == pytest.approx(a.loc[down, "gain"] + b.loc[down, "gain"], rel=0.02)
    up = ("brand", "up")  # one brand for all: the segments share its investment by their customers
    assert (a.loc[up, "investment"], b.loc[up, "investment"], everybody.loc[up, "investment"]) == (
        10_000,
        30_000,
        40_000,
    )
    speed = ("speed", "up")  # may differ by segment: each bears it whole
    assert (a.loc[speed, "investment"], b.loc[speed, "investment"], everybody.loc[speed, "investment"]) == (30_000,) * 3
    expected = (1000 * a.loc[up, "worth"] + 3000 * b.loc[up, "worth"]) / 4000
    assert everybody.loc[up, "worth"] == pytest.approx(expected, rel=0.03)


def test_a_missing_segment_is_said(fit: ConditionalLogitResults) -> None:
    table = investment({"all": fit, "a": fit}, study(), seed=1)
    assert set(table["segment"]) == {"all", "a"}
    assert INCOMPLETE in set(table.loc[table["segment"] == "all", "note"])


def test_without_costs_no_label_promises_a_profit(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    table = investment({"all": fit, "a": fit, "b": other}, study(economics=False), seed=1)
    assert labels(table, "all") == {"speed": "honoured", "brand": "honoured"}
    assert table[["gain", "probability", "unit_cost"]].isna().all().all()
    assert table["break_even"].notna().all()


def test_without_a_price_effect_nothing_is_decided() -> None:
    fit = fit_of(simulate(respondents=60, price=0.01, none=0.5))
    table = investment({"all": fit, "a": fit, "b": fit}, study(), seed=1)
    assert set(table["label"]) == {"undecided"}
    assert table[["worth", "gain", "probability"]].isna().all().all()
    assert table["note"].str.startswith(NO_PRICE_EFFECT).all()


def test_few_respondents_carry_no_verdict() -> None:
    few = fit_of(simulate(respondents=60))
    table = investment({"all": few, "a": few, "b": few}, study(), seed=1)
    assert set(table.loc[table["segment"] != "all", "label"]) == {"undecided"}
    assert (table.loc[table["segment"] != "all", "note"] == INDICATION).all()
    assert table["worth"].notna().all()


def test_the_seed_decides_everything(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    fits = {"all": fit, "a": fit, "b": other}
    pd.testing.assert_frame_equal(investment(fits, study(), seed=4), investment(fits, study(), seed=4))
    assert not investment(fits, study(), seed=4).equals(investment(fits, study(), seed=5))
