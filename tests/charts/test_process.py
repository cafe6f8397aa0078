"""Charts of the customer's process: their findings, and what is drawn."""

from __future__ import annotations

import pandas as pd
import pytest

from wtp.charts import process, time_windows
from wtp.charts.theme import COLOURS, GREY

LABELS = {"book": "Book", "wait": "Wait", "pay": "Pay"}
STEPS = pd.DataFrame(
    {"item": list(LABELS), "share": [0.2, 0.6, 0.5], "low": [0.1, 0.5, 0.4], "high": [0.3, 0.7, 0.6], "even": 0.43,
     "moment": [False, True, True], "mend": [False, True, False], "satisfaction": [5.0, 3.0, 5.5], "satisfaction_low": [4.8, 2.8, 5.3],
     "satisfaction_high": [5.2, 3.2, 5.7], "gap_p": [1.0, 0.001, 1.0]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, "Matters and disappoints: Wait"),
        ({"mend": [False, True, True]}, "Matter and disappoint: Wait, Pay"),
        ({"mend": False}, "What decides: Wait, Pay; none of them clearly disappoints"),
        ({"mend": False, "moment": [False, False, True]}, "What decides: Pay; it does not clearly disappoint"),
        ({"mend": False, "moment": False}, "No step clearly matters more often than the others"),
        ({"share": float("nan"), "mend": False, "moment": False}, "Clearly less satisfied with: Wait"),
        ({"share": float("nan"), "mend": False, "moment": False, "gap_p": 0.3}, "No step clearly satisfies less than the others"),
    ],
)  # fmt: skip
def test_the_finding_of_the_steps(changes: dict[str, object], finding: str) -> None:
    assert process.title(STEPS.assign(**changes), labels=LABELS, words=str) == finding


def test_steps_are_drawn_in_their_order_with_marks_and_the_even_line() -> None:
    drawn = process.figure(STEPS, labels=LABELS, words=str, scale=(1, 7))
    (bars,) = drawn.data
    assert list(bars.y) == ["★ Pay", "▼ Wait", "Book"], "the axis counts upwards"
    assert list(bars.x) == [0.5, 0.6, 0.2]
    assert list(bars.marker.color) == [COLOURS[0], COLOURS[1], GREY]
    assert drawn.layout.shapes[0].x0 == 0.43
    alone = process.figure(STEPS.assign(share=float("nan"), mend=False, moment=False), labels=LABELS, words=str, scale=(1, 7))  # fmt: skip
    assert list(alone.data[0].x) == [5.5, 3.0, 5.0]
    assert tuple(alone.layout.xaxis.range) == (0.8, 7.2)


def test_the_coverage_curve_has_its_band_and_what_flatters() -> None:
    table = pd.DataFrame({"windows": [1, 2], "share": [0.4, 0.6], "low": [0.3, 0.5], "high": [0.5, 0.7], "seen": [0.45, 0.68]})  # fmt: skip
    band, served, seen = process.coverage_figure(table, names=["A", "B"], words=str).data
    assert list(band.y) == [0.5, 0.7, 0.5, 0.3]
    assert (list(served.y), list(served.customdata)) == ([0.4, 0.6], ["A", "B"])
    assert list(seen.y) == [0.45, 0.68]
    told = process.coverage_title(table.iloc[1], words=str, share="60%", interval="50% to 70%")
    assert told == "The best 2 windows serve 60% of respondents (50% to 70%)"


def test_a_star_stands_where_a_time_is_clearly_asked_for() -> None:
    table = pd.DataFrame(
        {"item": ["mon", "mon", "sat", "sat"], "answer": ["am", "pm"] * 2, "share": [0.1, 0.2, 0.6, 0.1], "low": 0.0, "high": 0.7}
    )  # fmt: skip
    starred = time_windows.figure(table.assign(leads=[False, False, True, False]), labels={}, words=str, share="{:.0%}".format)  # fmt: skip
    assert sorted(note.text for note in starred.layout.annotations) == ["10%", "10%", "20%", "★ 60%"]
    plain = time_windows.figure(table, labels={}, words=str, share="{:.0%}".format)
    assert "★ 60%" not in {note.text for note in plain.layout.annotations}
    said = time_windows.title(table.assign(leads=False), labels={}, words=str, share="{:.0%}".format)
    assert said == "No time is asked for clearly more often than the others"
