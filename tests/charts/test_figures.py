"""Each chart holds exactly its table's figures and intervals, says its finding in words, and bears an empty table."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from wtp.charts import demand, importance, investment, precision, theme, van_westendorp, willingness_to_pay

NAN = float("nan")
LABELS = {
    "speed": "Speed", "range": "Range", "brand": "Brand", "all": "Everybody", "cost": "Cost first",
    "speed.same_day": "The same day", "speed.five_days": "Five days", "range.all": "All of it",
}  # fmt: skip


def words(text: str) -> str:
    """A translation that shows which texts are ours."""
    return f"[{text}]"


def euros(amount: float) -> str:
    return f"{amount:.2f} EUR"


def named(figure: go.Figure, name: str) -> go.Scatter | go.Bar:
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def ends(trace: go.Scatter | go.Bar, axis: str) -> tuple[list[float], list[float]]:
    """Both ends of every interval that is drawn."""
    middle, bars = np.asarray(trace[axis]), trace[f"error_{axis}"]
    return (middle - np.asarray(bars.arrayminus)).tolist(), (middle + np.asarray(bars.array)).tolist()


IMPORTANCE = pd.DataFrame(
    {
        "attribute": ["speed", "range", "brand"],
        "importance": [20.0, 50.0, 30.0],
        "low": [15.0, 44.0, 29.0],
        "high": [27.0, 55.0, 38.0],
        "noise_floor": [4.0, 5.0, 6.0],
    }
)
WORTH = pd.DataFrame(
    {
        "segment": ["all", "all", "cost", "cost"],
        "attribute": ["speed", "range", "speed", "range"],
        "from_level": ["two_days", "some", "two_days", "some"],
        "to_level": ["same_day", "all", "same_day", "all"],
        "estimate": [8.5, -3.0, 2.0, NAN],
        "low": [6.0, -5.0, -1.0, NAN],
        "high": [12.0, -0.5, 4.0, NAN],
        "note": ["", "", "", "withheld"],
    }
)
DEMAND = pd.DataFrame(
    {
        "segment": ["all"] * 3 + ["cost"] * 3,
        "price": [80.0, 100.0, 120.0] * 2,
        "share": [0.9, 0.6, 0.3, 0.8, 0.4, 0.1],
        "low": [0.8, 0.5, 0.2, 0.7, 0.3, 0.05],
        "high": [0.95, 0.7, 0.45, 0.9, 0.5, 0.2],
    }
)
LIMITS = pd.DataFrame(
    {
        "segment": ["all", "cost"],
        "estimate": [106.0, NAN],
        "low": [101.0, NAN],
        "high": [115.0, NAN],
        "note": ["", "Half would still buy at the highest tested price."],
    }
)
CURVES = pd.DataFrame(
    {
        "segment": "all",
        "price": [50.0, 100.0, 150.0],
        "too_cheap": [0.9, 0.3, 0.0],
        "cheap": [1.0, 0.6, 0.1],
        "expensive": [0.0, 0.4, 0.9],
        "too_expensive": [0.0, 0.1, 0.8],
    }
)
POINTS = pd.DataFrame(
    {
        "segment": "all",
        "point": ["PMC", "OPP", "IDP", "PME"],
        "estimate": [75.0, 110.0, 112.0, 160.0],
        "low": [70.0, NAN, 108.0, 140.0],
        "high": [80.0, NAN, 118.0, 180.0],
    }
)
INVESTMENT = pd.DataFrame(
    {
        "segment": "all",
        "attribute": ["speed", "speed", "range", "range", "brand"],
        "direction": ["up", "down", "up", "down", "up"],
        "to_level": ["same_day", "five_days", "all", "core", "leading"],
        "worth": [9.0, 4.0, 2.0, 1.0, NAN],
        "worth_low": [7.0, 2.0, 1.0, 0.5, NAN],
        "worth_high": [12.0, 7.0, 4.0, 2.0, NAN],
        "unit_cost": [3.0, -2.0, 4.0, -1.5, 3.0],
        "label": ["invest", "invest", "save", "save", "undecided"],
    }
)


def test_importance_draws_its_table() -> None:
    figure = importance.figure(IMPORTANCE, labels=LABELS, words=words)
    bars = named(figure, "[Importance]")
    assert (list(bars.y), list(bars.x)) == (["Speed", "Brand", "Range"], [20.0, 30.0, 50.0])
    assert ends(bars, "x") == ([15.0, 29.0, 44.0], [27.0, 38.0, 55.0])
    (floor,) = [trace for trace in figure.data if trace is not bars]
    assert (list(floor.y), list(floor.x)) == (["Speed", "Brand", "Range"], [4.0, 6.0, 5.0])
    assert "per cent" in figure.layout.xaxis.title.text
    assert figure.layout.xaxis.rangemode == "tozero", "a bar is read by its length"


def test_importance_says_what_counts_most() -> None:
    assert importance.title(IMPORTANCE, labels=LABELS, words=str) == "Range counts most in the choices, then Brand"
    assert importance.title(IMPORTANCE[:0], labels=LABELS, words=str) == ""


def test_worth_draws_its_table_and_leaves_withheld_rows_out() -> None:
    figure = willingness_to_pay.figure(WORTH, labels=LABELS, words=words, currency="EUR per month")
    everybody, cost = named(figure, "Everybody"), named(figure, "Cost first")
    assert (list(everybody.x), list(everybody.y)) == ([8.5, -3.0], ["Speed: The same day", "Range: All of it"])
    assert ends(everybody, "x") == ([6.0, -5.0], [12.0, -0.5])
    assert (list(cost.x), list(cost.y), ends(cost, "x")) == ([2.0], ["Speed: The same day"], ([-1.0], [4.0]))
    assert figure.layout.xaxis.title.text == "[Worth against today's level, EUR per month]"
    assert everybody.marker.color != cost.marker.color
    assert everybody.marker.symbol != cost.marker.symbol
    assert figure.layout.showlegend


def test_worth_names_the_best_clear_step_not_the_greatest_guess() -> None:
    title = willingness_to_pay.title(WORTH, labels=LABELS, words=str, money=euros)
    assert title == "The same day (Speed) is worth most: 8.50 EUR against today"
    unclear = WORTH.assign(low=-1.0)
    assert willingness_to_pay.title(unclear, labels=LABELS, words=str, money=euros) == willingness_to_pay.NOTHING


def test_demand_draws_its_table_with_band_and_limit() -> None:
    figure = demand.figure(DEMAND, labels=LABELS, words=words, currency="EUR per month", limits=LIMITS, current=100.0)
    for segment, name in (("all", "Everybody"), ("cost", "Cost first")):
        rows = DEMAND[DEMAND["segment"] == segment]
        line = named(figure, name)
        assert (list(line.x), list(line.y)) == (rows["price"].tolist(), rows["share"].tolist())
        band = figure.data[list(figure.data).index(line) - 1]
        assert list(band.x) == [80.0, 100.0, 120.0, 120.0, 100.0, 80.0]
        assert list(band.y) == [*rows["high"], *rows["low"][::-1]]
        assert (band.mode, band.fill) == ("lines", "toself"), "no dots at its corners"
        assert band.fillcolor == theme.transparent(line.line.color, 0.18)
    rings = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(list(ring.x), list(ring.y)) for ring in rings] == [([106.0], [0.5]), ([], [])]
    assert ends(rings[0], "x") == ([101.0], [115.0])
    lines = [(shape.x0, shape.y0) for shape in figure.layout.shapes]
    assert (100.0, 0) in lines, "today's price"
    assert any(y == 0.5 for _, y in lines), "one half"
    assert figure.layout.xaxis.title.text == "[Price, EUR per month (tested range)]"
    assert figure.layout.yaxis.range == (0, 1)


def test_demand_says_its_limit_or_why_there_is_none() -> None:
    known, unknown = LIMITS[:1], LIMITS[1:]
    assert demand.title(known, words=str, money=euros) == "Half would still buy at 106.00 EUR (preliminary)"
    assert demand.title(unknown, words=words, money=euros) == "[Half would still buy at the highest tested price.]"


def test_van_westendorp_draws_its_curves_and_each_point_on_its_curve() -> None:
    figure = van_westendorp.figure(CURVES, words=words, currency="EUR", points=POINTS)
    for column, name in van_westendorp.CURVES.items():
        line = named(figure, f"[{name}]")
        assert (list(line.x), list(line.y)) == (CURVES["price"].tolist(), CURVES[column].tolist())
    (marks,) = [trace for trace in figure.data if trace.mode == "markers+text"]
    assert (list(marks.text), list(marks.x)) == (POINTS["point"].tolist(), POINTS["estimate"].tolist())
    assert marks.y == pytest.approx([0.6, 0.3 - 0.3 * 0.2, 0.6 - 0.5 * 0.24, 0.8])
    assert len({line.line.color for line in figure.data[:4]}) == len({line.line.dash for line in figure.data[:4]}) == 4
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(75.0, 160.0)]
    assert figure.layout.xaxis.title.text == "[Price, EUR]"


def test_van_westendorp_says_the_range_or_that_there_is_none() -> None:
    assert van_westendorp.title(POINTS, words=str, money=euros) == "Prices from 75.00 EUR to 160.00 EUR seem plausible"
    without = POINTS.assign(estimate=[NAN, 110.0, 112.0, 160.0])
    assert van_westendorp.title(without, words=str, money=euros) == van_westendorp.UNKNOWN
    figure = van_westendorp.figure(CURVES, words=words, currency="EUR", points=without)
    (marks,) = [trace for trace in figure.data if trace.mode == "markers+text"]
    assert list(marks.text) == ["OPP", "IDP", "PME"]
    assert not figure.layout.shapes, "no range without both ends"


def test_investment_draws_the_step_that_its_verdict_is_about() -> None:
    figure = investment.figure(INVESTMENT, labels=LABELS, words=words, currency="EUR per month")
    invest, save = named(figure, "[Invest here]"), named(figure, "[Save here]")
    assert (list(invest.text), list(invest.x), list(invest.y)) == (["Speed"], [3.0], [9.0])
    assert ends(invest, "y") == ([7.0], [12.0])
    assert (list(save.text), list(save.x), list(save.y)) == (["Range"], [1.5], [1.0])
    assert ends(save, "y") == ([0.5], [2.0])
    assert invest.meta == save.meta == {"decisive": True}, "named on a phone too"
    assert invest.marker.symbol != save.marker.symbol
    assert invest.marker.color != save.marker.color
    (line,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert list(line.x) == list(line.y), "worth equals cost"
    assert line.x[0] == 0
    assert line.x[1] > 3.0
    assert "Brand" not in str(figure.to_json()), "withheld"
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.title.text.endswith("EUR per month]")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (("invest", "save"), "Invest in Speed; save on Range"),
        (("invest", "keep"), "Invest in Speed"),
        (("undecided", "save"), "Save on Range"),
        (("keep", "undecided"), "Nothing to change with certainty here"),
        (("invest", "invest"), "Invest in Speed, Range"),
    ],
)
def test_investment_says_where_to_invest_and_where_to_save(labels: tuple[str, str], sentence: str) -> None:
    table = INVESTMENT[:4].assign(label=[labels[0], labels[0], labels[1], labels[1]])
    assert investment.title(table, labels=LABELS, words=str) == sentence


def test_every_verdict_has_a_name_and_a_colour_and_symbol_of_its_own() -> None:
    table = pd.concat([INVESTMENT[:1].assign(attribute=f"a{i}", label=name) for i, name in enumerate(investment.MARKS)])
    figure = investment.figure(table, labels={}, words=words, currency="EUR")
    drawn = [trace for trace in figure.data if trace.mode == "markers+text"]
    assert [trace.name for trace in drawn] == [f"[{investment.NAMES[name]}]" for name in investment.MARKS]
    assert [trace.meta["decisive"] for trace in drawn] == [True, True, False, False]
    assert len({trace.marker.symbol for trace in drawn}) == len({trace.marker.color for trace in drawn}) == len(drawn)


EMPTY: dict[str, Callable[[], go.Figure]] = {
    "importance": lambda: importance.figure(IMPORTANCE[:0], labels=LABELS, words=words),
    "worth": lambda: willingness_to_pay.figure(WORTH[:0], labels=LABELS, words=words, currency="EUR"),
    "worth withheld": lambda: willingness_to_pay.figure(
        WORTH.assign(estimate=NAN, low=NAN, high=NAN), labels=LABELS, words=words, currency="EUR"
    ),
    "demand": lambda: demand.figure(
        DEMAND[:0], labels=LABELS, words=words, currency="EUR", limits=LIMITS[:0], current=100.0
    ),
    "van westendorp": lambda: van_westendorp.figure(
        CURVES[:0], words=words, currency="EUR", points=POINTS.assign(estimate=NAN)
    ),
    "investment": lambda: investment.figure(INVESTMENT[:0], labels=LABELS, words=words, currency="EUR"),
    "investment withheld": lambda: investment.figure(
        INVESTMENT.assign(worth=NAN), labels=LABELS, words=words, currency="EUR"
    ),
    "investment without costs": lambda: investment.figure(
        INVESTMENT.assign(unit_cost=NAN), labels=LABELS, words=words, currency="EUR"
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_or_withheld_table_draws_no_figure(name: str) -> None:
    figure = EMPTY[name]()
    numbers = [
        value
        for trace in figure.data
        if trace.hoverinfo != "skip"
        for value in (*(trace.x if trace.x is not None else ()), *(trace.y if trace.y is not None else ()))
        if isinstance(value, float)
    ]
    assert not numbers, numbers
    assert np.isfinite(figure.layout.xaxis.range or [0, 1]).all()


def test_every_figure_is_transparent_and_in_the_pages_font() -> None:
    for make in EMPTY.values():
        figure = make()
        assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.template.layout.font.family == theme.FONT


def test_segments_differ_by_colour_symbol_and_dash() -> None:
    for looks in (theme.COLOURS, theme.SYMBOLS, theme.DASHES):
        assert len(set(looks)) == len(looks) == 6
    colours = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in theme.COLOURS]
    apart = [float(np.abs(np.subtract(a, b)).sum()) for a, b in itertools.combinations(colours, 2)]
    assert min(apart) > 75
    assert theme.transparent("#0072B2", 0.5) == "rgba(0,114,178,0.5)"


FORECAST = pd.DataFrame(
    {
        "segment": ["all"] * 4 + ["cost"] * 4 + ["all"],
        "quantity": ["wtp"] * 8 + ["limit"],
        "respondents": [100, 100, 400, 400, 100, 100, 400, 400, 100],
        "half_width": [6.0, 4.0, 3.0, 2.0, 2.0, 1.5, 1.0, 0.75, 9.0],
    }
)


def test_the_precision_chart_has_the_widest_figure_and_the_band_down_to_the_narrowest() -> None:
    drawn = precision.figure(FORECAST, quantity="wtp", precision=2.0, labels=LABELS, words=words, currency="EUR")
    line = named(drawn, "Everybody")
    assert (list(line.x), list(line.y)) == ([100, 400], [6.0, 3.0])
    band = drawn.data[0]
    assert list(band.y) == [6.0, 3.0, 2.0, 4.0]
    assert list(named(drawn, "Cost first").y) == [2.0, 1.0]
    assert drawn.layout.shapes[0].y0 == drawn.layout.shapes[0].y1 == 2.0
    assert drawn.layout.yaxis.title.text == "[Half-width of the interval, EUR]"
    limit = precision.figure(FORECAST, quantity="limit", precision=2.0, labels=LABELS, words=words, currency="EUR")
    assert list(named(limit, "Everybody").y) == [9.0]
    empty = precision.figure(FORECAST[:0], quantity="wtp", precision=2.0, labels=LABELS, words=words, currency="EUR")
    assert len(empty.data) == 0


def test_the_precision_chart_says_how_many_are_needed() -> None:
    def told(needed: dict[str, float], power_for: str = "wtp") -> str:
        return precision.title(needed, power_for, "2 EUR", words=words, number=lambda value: f"{value:.0f}")

    assert told({"all": 80.0, "cost": 120.0}) == "[120 respondents in each segment tell every worth to within ±2 EUR]"
    assert "price upper limit" in told({"all": 80.0}, "limit")
    assert told({"all": 80.0, "cost": NAN}) == "[Not every figure can be told as precisely as wanted]"
