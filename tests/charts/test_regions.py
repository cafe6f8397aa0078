"""The four fields of importance and performance, and regions instead of crosses: what is drawn, and what the title says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.charts.test_figures import LABELS, words
from wtp.charts import importance_performance as four
from wtp.charts import performance, regions

NAN = float("nan")
LINES = {"rated": 4.0, "worth": 1.0}


def rated(**changed: list[float]) -> pd.DataFrame:
    table = pd.DataFrame({"attribute": ["speed", "range", "price"], "own": [3.0, 4.6, 4.1], "value": [5.0, 3.0, 2.0]})
    table = table.assign(own_low=table["own"] - 0.2, own_high=table["own"] + 0.2, value_low=table["value"] - 0.5, value_high=table["value"] + 0.5)  # fmt: skip
    return table.assign(own_reach=[0.3, NAN, 0.3], own_value_reach=[0.7, NAN, 0.7], own_correlation=[0.5, NAN, 0.0], **changed)  # fmt: skip


def test_an_attribute_stands_in_a_field_if_both_intervals_do() -> None:
    table = rated()
    assert list(four.fields(table, **LINES)) == [four.IMPROVE, four.KEEP, four.UNCLEAR]
    cheap = table.assign(value_low=0.1, value_high=0.9)
    assert list(four.fields(cheap, **LINES)) == [four.LEAVE, four.BEYOND, four.UNCLEAR]
    named = table.assign(field=four.fields(table, **LINES))
    assert four.title(named, labels=LABELS, words=words) == "[Improve: Speed. Keep up: Range]"
    assert four.title(named.iloc[2:], labels=LABELS, words=words) == f"[{four.NEITHER}]"
    drawn = four.figure(named, labels=LABELS, words=words, currency="EUR", scale=(1, 5), **LINES)
    marks = {line.name: line for line in drawn.data if line.name}
    assert list(marks) == ["[Improve]", "[Keep it up]", "[No field clearly]"]
    assert marks["[Improve]"].error_x.array is None, "its region is drawn"
    assert list(marks["[Keep it up]"].error_x.array) == pytest.approx([0.2])
    assert len({line.marker.symbol for line in marks.values()}) == 3
    assert {(shape.x0, shape.y0) for shape in drawn.layout.shapes} == {(4.0, 0), (0, 1.0)}
    low, high = drawn.layout.xaxis.range
    assert low < 2.7
    assert high > 4.8


def test_an_ellipse_has_its_reach_on_both_axes_and_leans_with_the_correlation() -> None:
    x, y = np.array(regions.ellipse(4.0, 6.0, 0.5, 2.0, 0.6)).T
    assert (x.min(), x.max()) == pytest.approx((3.5, 4.5), abs=0.01)
    assert (y.min(), y.max()) == pytest.approx((4.0, 8.0), abs=0.02)
    a, b = (x - 4) / 0.5, (y - 6) / 2
    assert (a**2 - 2 * 0.6 * a * b + b**2) / (1 - 0.6**2) == pytest.approx(np.ones(61))


def test_strengths_are_drawn_as_regions_where_draws_are_joint() -> None:
    table = pd.DataFrame({"attribute": ["speed", "range"], "gap": [1.0, 0.8], "gap_low": [0.5, 0.6], "gap_high": [1.5, 1.0], "value": [5.0, 3.0], "value_low": [4.0, 2.0], "value_high": [6.0, 4.0], "gap_reach": [0.7, NAN], "gap_value_reach": [1.3, NAN], "gap_correlation": [0.3, NAN]})  # fmt: skip
    region, marks = performance.figure(table, labels=LABELS, words=words, currency="EUR").data
    assert region.fill == "toself"
    assert max(value for value in region.x if value is not None) == pytest.approx(1.7)
    assert list(marks.error_x.array) == pytest.approx([0.0, 0.2])
