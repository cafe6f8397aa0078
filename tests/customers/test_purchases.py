"""Cross- and up-selling with intervals, what is known of a customer, and known purchases found again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wtp.customers.purchases import by_customer, families, known_of, selling
from wtp.estimation.synthetic import draw_respondents
from wtp.estimation.synthetic_purchases import breadth, simulated_purchases
from wtp.survey import load_survey

SURVEY = load_survey(Path(__file__).parents[2] / "surveys" / "supplier")


def purchase(customer: int | None, family: str, **more: object) -> dict[str, object]:
    usual = {"amount": 90.0, "list_price": 100.0, "attribute": None, "offered_up": None, "stepped_up": None}
    return {"customer": customer, "family": family, "surcharge": None, **usual, **more}


def test_each_customer_counts_once() -> None:
    frame = pd.DataFrame(
        [
            purchase(1, "tools"), purchase(1, "tools"), purchase(1, "service", list_price=None),
            purchase(2, "tools", offered_up=True, stepped_up=False), purchase(2, "tools", stepped_up=True, list_price=0.0), purchase(None, "tools"),
        ]
    )  # fmt: skip
    each = by_customer(frame)
    assert list(each.index) == [1, 2]
    assert each.loc[1, ["purchases", "families", "offered", "taken"]].tolist() == [3, 2, 0, 0]
    assert each.loc[2, ["purchases", "families", "offered", "taken"]].tolist() == [
        2,
        1,
        2,
        1,
    ]  # who took it was offered it
    unknown = pd.DataFrame(
        [purchase(1, "tools", offered_up=True), purchase(1, "tools", offered_up=True, stepped_up=True)]
    )
    assert by_customer(unknown).loc[1, ["offered", "taken"]].tolist() == [1, 1], "what came of an offer is not known"
    assert each["discount"].tolist() == pytest.approx([0.1, 0.1])


def test_a_group_below_ten_customers_has_no_row() -> None:
    frame = pd.DataFrame([purchase(n, f"family {n % 2}") for n in range(19)] + [purchase(0, "family 1")])
    segments = pd.Series(["small"] * 9 + ["large"] * 10)
    found = selling(frame, segments)
    assert set(found["segment"]) == {"all", "large"}
    assert set(families(frame, segments)["segment"]) == {"all"}  # of no family did ten of the large one buy
    cross = found[(found["figure"] == "cross_selling") & (found["segment"] == "all")].iloc[0]
    assert cross["estimate"] == pytest.approx(1 / 19)
    assert cross["low"] < 1 / 19 < cross["high"]
    assert "up_selling" not in set(found["figure"])  # nothing was offered


def test_simulated_purchases_are_found_again() -> None:
    """Intervals at 90 per cent of what a very large crowd would show, in 60 crowds: between 80 and 98 per cent hold."""
    definition = SURVEY.definition
    crowd = draw_respondents(definition, 6_000, 5)
    everything = simulated_purchases(definition, crowd, date(2026, 11, 1), 5)
    segment = pd.Series([person.segment for person in crowd])
    true = selling(everything, segment).set_index(["segment", "figure"])["estimate"]
    held = []
    for n in range(60):
        own = np.arange(n * 100, n * 100 + 100)
        some = everything[everything["customer"].isin(own)]
        found = selling(some, segment[own]).set_index(["segment", "figure"])
        held.append((found["low"] <= true[found.index]) & (true[found.index] <= found["high"]))
    rates = pd.concat(held).groupby(level="figure").mean()
    assert rates.between(0.80, 0.98).all(), rates
    broad = [breadth(definition, name) for name in ("uptime", "cost", "growth")]
    assert broad == sorted(broad)
    rates_of = [true[(name, "cross_selling")] for name in ("uptime", "cost", "growth")]
    assert rates_of == sorted(rates_of)


def test_what_is_known_of_a_customer_is_plain() -> None:
    frame = pd.DataFrame(
        [
            purchase("a", "tools", attribute="speed", offered_up=True, stepped_up=True, surcharge=2.5),
            purchase("a", "service"),
            purchase("a", "service", attribute="brand", offered_up=False, stepped_up=False, surcharge=1.0),
            purchase("b", "tools", list_price=None),
            purchase(None, "tools", attribute="speed", offered_up=True, stepped_up=True, surcharge=2.5),
        ]
    )
    known = known_of(frame, {"a": "downtime", "c": "cost"})
    assert known["a"] == {
        "core_problem": "downtime", "purchases": 3, "families": 2, "offered": 1, "taken": 1, "discount": 0.1, "steps": [["speed", 2.5, True]],
    }  # fmt: skip
    assert known["b"] == {"purchases": 1, "families": 1, "offered": 0, "taken": 0}
    assert known["c"] == {"core_problem": "cost"}
    assert None not in known
