"""Charts of the market, of price questions, of groups and of the model: exactly the table's figures and intervals, and the finding in words."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.charts.test_figures import ends, euros, named, words
from wtp.charts import (
    groups,
    part_worths,
    performance,
    price_tests,
    profit,
    sensitivity,
    triangulation,
    waterfall,
    worth_distribution,
)

NAN = float("nan")
LABELS = {"speed": "Speed", "range": "Range", "price": "Price", "speed.fast": "Fast", "speed.slow": "Slow", "range.all": "All", "1": "One", "2": "Two"}  # fmt: skip


def share(value: float) -> str:
    return f"{value:.0%}"


def test_a_price_question_draws_its_curve_with_the_points_on_it() -> None:
    table = pd.DataFrame({"price": [80.0, 100.0, 120.0], "share": [0.9, 0.6, 0.2], "low": [0.8, 0.5, 0.1], "high": [0.95, 0.7, 0.3]})  # fmt: skip
    points = pd.DataFrame({"point": ["limit", "revenue", "profit"], "price": [105.0, 100.0, NAN], "low": [101.0, 95.0, NAN], "high": [109.0, 103.0, NAN]})  # fmt: skip
    drawn = price_tests.figure(
        table, ("share", "low", "high"), points=points, words=words, currency="EUR", current=100.0
    )
    band, curve, limit, revenue = drawn.data
    assert (list(curve.x), list(curve.y)) == ([80, 100, 120], [0.9, 0.6, 0.2])
    assert list(band.y) == [0.95, 0.7, 0.3, 0.1, 0.5, 0.8]
    assert list(limit.y) == [pytest.approx(0.5)], "a quarter of the way from 0.6 to 0.2"
    assert ends(limit, "x") == ([101.0], [109.0])
    assert (limit.name, revenue.name) == ("[Half would buy]", "[Highest revenue]")
    assert list(revenue.y) == [0.6]


def test_profit_and_revenue_have_an_axis_each_and_the_flat_region() -> None:
    table = pd.DataFrame({"price": [80.0, 100.0], "revenue": [9.0, 6.0], "profit": [1.0, 2.0]})
    for name in ("revenue", "profit"):
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.5, table[name] + 0.5
    best = pd.Series({"objective": "profit", "price": 95.0, "low": 93.0, "high": 98.0, "flat_low": 90.0, "flat_high": 99.0, "value": 2.1, "note": ""})  # fmt: skip
    drawn = profit.figure(table, best=best, words=words, currency="EUR", unit="EUR per month", current=100.0)
    earned, sold = named(drawn, "[Profit a year]"), named(drawn, "[Revenue a year]")
    assert (list(earned.y), list(sold.y)) == ([1.0, 2.0], [9.0, 6.0])
    assert earned.yaxis != sold.yaxis
    mark = named(drawn, "[Best price with its interval]")
    assert (list(mark.x), list(mark.y), ends(mark, "x")) == ([95.0], [2.1], ([93.0], [98.0]))
    assert {(shape.x0, shape.x1) for shape in drawn.layout.shapes} >= {(90.0, 99.0), (100.0, 100.0)}
    assert profit.title(best, words=words, money=euros).startswith("[Profit is highest at 95.00 EUR; from 90.00 EUR")
    unknown = best.copy()
    unknown["note"] = "why"
    assert profit.title(unknown, words=words, money=euros) == "[why]"
    alone = profit.figure(
        table.assign(profit=NAN), best=unknown, words=words, currency="EUR", unit="EUR", current=100.0
    )
    assert [trace.name for trace in alone.data if trace.name] == ["[Revenue a year]"]


def test_a_waterfall_starts_each_step_where_the_last_one_ended() -> None:
    table = pd.DataFrame({"limit": [100.0, 104.0, 110.0, NAN], "low": [98.0, 101.0, 105.0, NAN], "high": [102.0, 108.0, 116.0, NAN], "change": [NAN, 4.0, 6.0, NAN]})  # fmt: skip
    drawn = waterfall.figure(table, names=["today", "a", "b", "c"], words=words, currency="EUR")
    bars, dots = drawn.data
    assert list(bars.base) == [100.0, 100.0, 104.0]
    assert list(bars.x) == [0.0, 4.0, 6.0]
    assert list(dots.y) == ["today", "a", "b"], "no limit, no mark"
    assert ends(dots, "x") == ([98.0, 101.0, 105.0], [102.0, 108.0, 116.0])
    assert "beyond the tested prices" in waterfall.title(table, words=words, money=euros)
    assert "100.00 EUR to 110.00 EUR" in waterfall.title(table.iloc[:3], words=words, money=euros)
    assert waterfall.title(table.iloc[3:], words=words, money=euros) == f"[{waterfall.NOTHING}]"


def test_the_spread_of_a_worth_is_its_quantiles_and_the_cost_a_mark() -> None:
    rows = [
        ("speed", "slow", "fast", q, value, value - 1, value + 1)
        for q, value in ((0.05, -2.0), (0.25, 1.0), (0.5, 4.0), (0.75, 6.0), (0.95, 12.0))
    ]
    rows += [("range", "some", "all", q, v, v, v) for q, v in ((0.05, 0.0), (0.25, 1.0), (0.5, 2.0), (0.75, 3.0), (0.95, 4.0))]  # fmt: skip
    table = pd.DataFrame(rows, columns=["attribute", "from_level", "to_level", "quantile", "estimate", "low", "high"])
    drawn = worth_distribution.figure(table, labels=LABELS, words=words, currency="EUR", costs={("speed", "fast"): 3.0})
    wide, half, middle, cost = drawn.data
    assert list(wide.x) == [-2.0, 12.0, None, 0.0, 4.0, None]
    assert list(half.x) == [1.0, 6.0, None, 1.0, 3.0, None]
    assert (list(middle.x), ends(middle, "x")) == ([4.0, 2.0], ([3.0, 2.0], [5.0, 2.0]))
    assert (list(cost.x), list(cost.y)) == ([3.0], ["Speed: Fast"])
    title = worth_distribution.title(table, labels=LABELS, words=words, money=euros)
    assert title == "[Customers differ most about “Fast” (Speed): nine of ten lie from -2.00 EUR to 12.00 EUR]"


def test_methods_stand_side_by_side_with_today() -> None:
    table = pd.DataFrame({"method": ["a", "b", "c"], "estimate": [100.0, NAN, 90.0], "low": [95.0, NAN, 88.0], "high": [104.0, NAN, 93.0], "verdict": "agree", "gap": 0.1})  # fmt: skip
    drawn = triangulation.figure(
        table, names={"a": "A", "b": "B", "c": "C"}, words=words, currency="EUR", current=120.0
    )
    (dots,) = drawn.data
    assert list(dots.y) == ["A", "C"]
    assert ends(dots, "x") == ([95.0, 88.0], [104.0, 93.0])
    low, high = drawn.layout.xaxis.range
    assert low < 88
    assert high > 120
    assert (
        triangulation.title(table, words=words, percent=share)
        == "[The methods agree on the price upper limit within 10%]"
    )
    assert "lower figure" in triangulation.title(table.assign(verdict="differ"), words=words, percent=share)
    assert triangulation.title(table.iloc[:1], words=words, percent=share) == f"[{triangulation.ONE}]"


def test_a_tornado_has_the_widest_attribute_on_top() -> None:
    rows = [
        ("speed", "slow", 0.35, -0.05), ("speed", "fast", 0.48, 0.08), ("price", "80.0", 0.7, 0.3), ("price", "120.0", 0.2, -0.2),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["attribute", "level", "share", "change"]).assign(
        low=lambda t: t["share"] - 0.02, high=lambda t: t["share"] + 0.03
    )
    low, high = sensitivity.figure(table, labels=LABELS, words=words).data
    assert list(low.y) == ["Price", "Speed"]
    assert list(low.base if hasattr(low.base, "__iter__") else [low.base]) == [pytest.approx(0.4)]
    assert list(low.x) == pytest.approx([-0.2, -0.05])
    assert list(high.x) == pytest.approx([0.3, 0.08])
    assert list(high.error_x.array) == pytest.approx([0.03, 0.03])
    assert "Price moves" in sensitivity.title(table, labels=LABELS, words=words, percent=share)


def test_strengths_and_weaknesses_are_told_apart_by_their_intervals() -> None:
    table = pd.DataFrame({"attribute": ["speed", "range", "price"], "gap": [1.0, -0.8, 0.1], "gap_low": [0.5, -1.0, -0.2], "gap_high": [1.5, -0.6, 0.4], "value": [5.0, 3.0, NAN], "value_low": [4.0, 2.0, NAN], "value_high": [6.0, 4.0, NAN]})  # fmt: skip
    drawn = performance.figure(table, labels=LABELS, words=words, currency="EUR")
    better, worse = drawn.data
    assert (better.name, list(better.text), worse.name, list(worse.text)) == ("[Better]", ["Speed"], "[Behind]", ["Range"])  # fmt: skip
    assert ends(better, "x") == ([0.5], [1.5])
    assert ends(worse, "y") == ([2.0], [4.0])
    assert performance.title(table, labels=LABELS, words=words) == "[Better than the rival: Speed. Behind it: Range]"
    assert performance.title(table.iloc[2:], labels=LABELS, words=words) == f"[{performance.ALIKE}]"


def test_groups_stand_beside_each_other_in_one_row_a_step() -> None:
    table = pd.DataFrame({"group": ["1", "1", "2", "2"], "attribute": ["speed", "range"] * 2, "to_level": ["fast", "all"] * 2, "estimate": [4.0, 1.0, 2.0, NAN]})  # fmt: skip
    drawn = groups.figure(table, labels=LABELS, words=words, currency="EUR")
    one, two = drawn.data
    assert (one.name, list(one.x), list(two.x)) == ("One", [4.0, 1.0], [2.0])
    assert one.y[0] != two.y[0]
    assert abs(one.y[0] - two.y[0]) < 0.5
    assert list(drawn.layout.yaxis.ticktext) == ["Speed: Fast", "Range: All"]
    with_ends = groups.figure(
        table.assign(low=table["estimate"] - 1, high=table["estimate"] + 2), labels=LABELS, words=words, currency="EUR"
    )
    assert ends(with_ends.data[0], "x") == ([3.0, 0.0], [6.0, 3.0])


def test_part_worths_name_the_level_that_draws_most() -> None:
    table = pd.DataFrame({"attribute": ["speed", "speed", "range"], "level": ["slow", "fast", "all"], "estimate": [-0.4, 0.4, 0.2], "low": [-0.5, 0.3, 0.1], "high": [-0.3, 0.5, 0.3]})  # fmt: skip
    speed, other = part_worths.figure(table, labels=LABELS, words=words).data
    assert (list(speed.x), list(other.y)) == ([-0.4, 0.4], ["Range: All"])
    assert part_worths.title(table, labels=LABELS, words=words) == "[Of all levels “Fast” (Speed) draws choices most]"
