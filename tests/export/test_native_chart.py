"""What a native chart gets from a chart of the pages: the same numbers, in the same order, with the same ends of intervals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from wtp.charts import demand, groups, importance, items, sensitivity, time_windows, waterfall
from wtp.export.native_chart import BARS, LINE, POINTS, RANGE, NativeChart, native_charts

LABELS = {"speed": "Speed &amp; <b>", "price": "Price", "a": "A", "b": "B"}


def words(text: str) -> str:
    return text


def native(figure: go.Figure) -> NativeChart:
    (chart,) = native_charts(json.loads(figure.to_json()))
    return chart


def test_bars_stand_in_the_order_of_the_page_with_texts_as_they_were_written() -> None:
    table = pd.DataFrame(
        {"attribute": ["speed", "price"], "importance": [21.9, 48.9], "low": [21.0, 48.0], "high": [24.0, 51.0], "noise_floor": [1.3, 1.4]}
    )  # fmt: skip
    chart = native(importance.figure(table, labels={"speed": "Speed &amp; &lt;b&gt;", "price": "Price"}, words=words))
    assert (chart.kind, chart.categories) == (BARS, ("Price", "Speed & <b>"))
    bars, floor = chart.series
    assert bars.values == (48.9, 21.9)
    np.testing.assert_allclose(bars.low, (48.0, 21.0))
    np.testing.assert_allclose(bars.high, (51.0, 24.0))
    assert floor.values == (1.4, 1.3)
    assert floor.low == ()
    assert chart.x_title == "Importance in the choices, per cent"


def test_a_band_becomes_the_interval_of_its_line_and_today_a_line() -> None:
    table = pd.DataFrame({"segment": "all", "price": [80.0, 100.0, 130.0], "share": [0.92, 0.57, 0.05], "low": [0.9, 0.51, 0.04], "high": [0.94, 0.64, 0.07]})  # fmt: skip
    limits = pd.DataFrame({"segment": ["all"], "estimate": [102.7], "low": [100.2], "high": [105.3]})
    chart = native(demand.figure(table, labels={}, words=words, currency="EUR", limits=limits, current=100.0))
    line, limit, today = chart.series
    assert (chart.kind, chart.y_percent, chart.y_range) == (POINTS, True, (0.0, 1.0))
    assert (line.drawn, line.x, line.values) == (LINE, (80.0, 100.0, 130.0), (0.92, 0.57, 0.05))
    assert (line.low, line.high) == ((0.9, 0.51, 0.04), (0.94, 0.64, 0.07))
    np.testing.assert_allclose((*limit.x_low, *limit.x, *limit.x_high), (100.2, 102.7, 105.3))
    assert (today.name, today.x) == ("today", (100.0, 100.0))


def test_bars_that_begin_at_today_keep_their_shares() -> None:
    table = pd.DataFrame(
        [("speed", "slow", 0.35, 0.33, 0.37, -0.08), ("speed", "fast", 0.5, 0.48, 0.52, 0.07)],
        columns=["attribute", "level", "share", "low", "high", "change"],
    )
    chart = native(sensitivity.figure(table, labels=LABELS, words=words))
    assert chart.start == pytest.approx(0.43)
    assert [series.values[0] for series in chart.series] == pytest.approx([0.35, 0.5])
    assert [series.low[0] for series in chart.series] == pytest.approx([0.33, 0.48])


@pytest.mark.parametrize("rows", [1, 2])
def test_steps_in_the_air_become_what_they_reach(rows: int) -> None:
    table = pd.DataFrame({"limit": [102.7, 107.9], "low": [100.0, 104.0], "high": [105.0, 111.0], "change": [np.nan, 5.2]})[:rows]  # fmt: skip
    chart = native(waterfall.figure(table, names=["Today", "+ Speed"][:rows], words=words, currency="EUR"))
    (reached,) = chart.series
    assert reached.values == (102.7, 107.9)[:rows]
    assert (chart.start, chart.x_range) == (0.0, None), "bars begin at zero, whatever the page's axis shows"


def test_groups_beside_each_other_and_what_is_missing() -> None:
    table = pd.DataFrame(
        [("a", "speed", "fast", 9.5, 8.0, 11.0), ("b", "speed", "fast", 2.1, 1.0, 3.0), ("a", "speed", "slow", -3.0, -4.0, -2.0)],
        columns=["group", "attribute", "to_level", "estimate", "low", "high"],
    )  # fmt: skip
    chart = native(groups.figure(table, labels=LABELS, words=words, currency="EUR"))
    assert chart.categories == ("Speed & <b>: fast", "Speed & <b>: slow")
    assert [(series.name, series.values) for series in chart.series] == [("A", (9.5, -3.0)), ("B", (2.1, None))]


def test_a_heat_map_becomes_a_series_a_column() -> None:
    table = pd.DataFrame({"item": ["mo", "mo", "tu", "tu"], "answer": ["am", "pm"] * 2, "share": [0.1, 0.2, 0.3, 0.4], "low": 0.0, "high": 1.0})  # fmt: skip
    chart = native(time_windows.figure(table, labels={}, words=words, share=str))
    assert chart.categories == ("mo", "tu")
    assert [(series.name, series.values) for series in chart.series] == [("am", (0.1, 0.3)), ("pm", (0.2, 0.4))]


def test_lines_between_two_ends_of_a_name_become_ranges() -> None:
    half: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": [1, 3, None, 2, 5, None], "y": ["A", "A", None, "B", "B", None], "line": {"color": "#0072B2"}, "name": "half"}  # fmt: skip
    (chart,) = native_charts({"data": [half], "layout": {"yaxis": {"autorange": "reversed"}, "xaxis": {}}})
    (series,) = chart.series
    assert (series.drawn, series.low, series.high) == (RANGE, (1.0, 2.0), (3.0, 5.0))


def test_figures_that_are_not_known_are_left_out() -> None:
    rows = pd.DataFrame({"item": ["a", "b"], "share": [0.4, np.nan], "low": [0.3, np.nan], "high": [0.5, np.nan]})
    chart = native(items.figure(rows, ("share", "low", "high"), labels=LABELS, x_title="Share", bars=True))
    assert chart.categories == ("A",)
    assert native_charts({"data": [], "layout": {}}) == ()
