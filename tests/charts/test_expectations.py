"""Charts of expectations, scripts and verdicts: exactly the table's figures and intervals, and findings that say when nothing is clear."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.charts.test_figures import ends, named, words
from wtp.charts import expectations, script, verdicts
from wtp.export.native_chart import native_charts

NAN = float("nan")
LABELS = {"a": "First", "b": "Second", "c": "Third", "price": "Price"}
GAPS = pd.DataFrame(
    {
        "attribute": ["a", "b", "c"],
        "expected": [6.0, 5.0, 4.0], "expected_low": [5.8, 4.7, 3.9], "expected_high": [6.1, 5.2, 4.2],
        "met": [4.5, 5.0, 4.9], "met_low": [4.2, 4.8, 4.6], "met_high": [4.9, 5.3, 5.0],
        "gap": [-1.5, 0.0, 0.9],
        "verdict": ["missed", "", "exceeded"],
    }
)  # fmt: skip
ORDER = pd.DataFrame({"item": ["b", "a", "c"], "place": [1.2, 2.1, 2.7], "place_low": [1.1, 2.0, 2.4], "place_high": [1.4, 2.3, 2.8]})  # fmt: skip
RIVAL = pd.DataFrame(
    {
        "attribute": ["a", "b", "c", "price"],
        "pooled_gap": [0.5, -0.9, 0.1, 1.2], "pooled_gap_low": [0.2, -1.0, -0.1, 1.0], "pooled_gap_high": [0.7, -0.6, 0.2, 1.3],
        "impact": [2.0, -7.0, 0.5, NAN],
        "verdict": ["keep_tell", "tell", "undecided", ""],
    }
)  # fmt: skip


def test_each_attribute_is_a_slope_from_expectation_to_experience() -> None:
    drawn = expectations.figure(GAPS, labels=LABELS, words=words, scale=(1, 7))
    assert list(drawn.layout.yaxis.ticktext) == ["First", "Second", "Third"]
    assert drawn.layout.yaxis.range[0] > drawn.layout.yaxis.range[1], "the most missed on top"
    slopes, before, *after = drawn.data
    assert list(slopes.x) == [6.0, 4.5, None, 5.0, 5.0, None, 4.0, 4.9, None]
    assert list(before.x) == [6.0, 5.0, 4.0]
    assert ends(before, "x") == (pytest.approx([5.8, 4.7, 3.9]), pytest.approx([6.1, 5.2, 4.2]))
    assert [(trace.name, list(trace.x)) for trace in after] == [
        ("[Met with less]", [4.5]), ("[Met with more]", [4.9]), ("[Met with, no clear difference]", [5.0]),
    ]  # fmt: skip
    assert len({trace.marker.symbol for trace in (before, *after)}) == 4, "told apart without colour"
    (native,) = native_charts(drawn.to_plotly_json())
    assert native.categories == ("First", "Second", "Third")
    assert native.series[1].values == (6.0, 5.0, 4.0)


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([0, 1, 2], "[Expectations missed: First. Exceeded: Third]"),
        ([0, 1], "[Expectations missed: First]"),
        ([1, 2], "[Expectations exceeded: Third]"),
        ([1], "[No expectation is clearly missed or exceeded]"),
    ],
)
def test_the_title_says_what_was_missed(rows: list[int], finding: str) -> None:
    assert expectations.title(GAPS.iloc[rows], labels=LABELS, words=words) == finding


def test_events_stand_in_their_order_with_the_agreement() -> None:
    drawn = script.figure(ORDER, labels=LABELS, words=words, badge="Strong: 0.7")
    (trace,) = drawn.data
    assert list(trace.y) == ["Third", "First", "Second"], "drawn from below"
    assert ends(trace, "x") == (pytest.approx([2.4, 2.0, 1.1]), pytest.approx([2.8, 2.3, 1.4]))
    assert [note.text for note in drawn.layout.annotations] == ["Strong: 0.7"]


@pytest.mark.parametrize(
    ("differs", "low", "strength"),
    [(True, 0.61, script.STRONG), (True, 0.4, script.SOME), (True, 0.1, script.WEAK), (False, 0.4, script.NONE)],
)
def test_agreement_has_a_name(differs: bool, low: float, strength: str) -> None:
    assert script.strength(pd.Series({"differs": differs, "tau_low": low})) == strength
    title = script.title(ORDER, strength, labels=LABELS, words=words)
    assert ("Second → First → Third" in title) == (strength != script.NONE)


def test_what_is_at_stake_most_stands_on_top_with_its_verdict() -> None:
    drawn = verdicts.figure(RIVAL, labels=LABELS, words=words, rival="Other")
    assert list(drawn.layout.yaxis.ticktext) == ["◆ Second", "● First", "○ Third", "Price"]
    assert drawn.layout.yaxis.range[0] > drawn.layout.yaxis.range[1]
    trace = named(drawn, "◆ [Tell it]")
    assert (list(trace.x), list(trace.y)) == ([-0.9], [0])
    assert ends(trace, "x") == (pytest.approx([-1.0]), pytest.approx([-0.6]))
    assert drawn.layout.xaxis.range[0] == -drawn.layout.xaxis.range[1]
    assert drawn.layout.xaxis.title.text == "[Seen better than Other, points]"
    (native,) = native_charts(drawn.to_plotly_json())
    assert native.categories == ("◆ Second", "● First", "○ Third", "Price")


def test_the_title_says_what_to_do() -> None:
    assert verdicts.title(RIVAL, labels=LABELS, words=words) == "[Tell it: Second]. [Keep it and tell it: First]"
    assert verdicts.title(RIVAL.iloc[2:], labels=LABELS, words=words) == f"[{verdicts.NOTHING}]"
    assert verdicts.NAMES.keys() == verdicts.MARKS.keys()
