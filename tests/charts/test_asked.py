"""Charts of what was asked: exactly the table's figures and intervals, findings that say when nothing is clear."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.charts.test_figures import ends, named, words
from wtp.charts import items, kano, methods, numbers, theme, time_windows

NAN = float("nan")
LABELS = {"a": "First", "b": "Second", "c": "Third", "all": "Everybody", "cost": "Cost first", "mon": "Monday", "sat": "Saturday", "early": "before 8", "late": "after 17"}  # fmt: skip
COLUMNS = ("share", "low", "high")
SHARES = pd.DataFrame(
    {"item": ["a", "b", "c"], "share": [0.2, 0.5, NAN], "low": [0.1, 0.4, NAN], "high": [0.35, 0.65, NAN]}
)
KANO = pd.DataFrame(
    {
        "question": ["a", "b", "c"],
        "category": ["attractive", "must_be", "indifferent"],
        "decided": [True, True, False],
        "better": [0.7, 0.2, NAN], "better_low": [0.6, 0.1, NAN], "better_high": [0.75, 0.35, NAN],
        "worse": [-0.3, -0.8, NAN], "worse_low": [-0.45, -0.9, NAN], "worse_high": [-0.2, -0.6, NAN],
    }
)  # fmt: skip
RANKS = pd.DataFrame(
    {
        "method": ["choices"] * 3 + ["ratings"] * 3 + ["points"] * 2,
        "attribute": ["b", "a", "c", "a", "b", "c", "a", "b"],
        "rank": [1, 2, 3, 1, 3, 2, 2, 1],
        "rank_low": [1, 2, 2, 1, 2, 1, 1, 1],
        "rank_high": [2, 3, 3, 2, 3, 3, 2, 2],
        "verdict": [""] * 3 + ["said_more", "chosen_more", "agree", "agree", "agree"],
    }
)  # fmt: skip


def share(value: float) -> str:
    return f"{value:.0%}"


@pytest.mark.parametrize("bars", [True, False])
def test_items_stand_with_their_intervals_the_strongest_on_top(bars: bool) -> None:
    drawn = items.figure(SHARES, COLUMNS, labels=LABELS, x_title="x", bars=bars, per_cent=True)
    (trace,) = drawn.data
    assert list(trace.y) == ["First", "Second"], "drawn from below; without a figure nothing is drawn"
    low, high = ends(trace, "x")
    assert (low, high) == (pytest.approx([0.1, 0.4]), pytest.approx([0.35, 0.65]))
    assert drawn.layout.xaxis.tickformat == ".0%"
    author = items.figure(SHARES, COLUMNS, labels=LABELS, x_title="x", in_order=True)
    assert list(author.data[0].y) == ["Second", "First"]


def test_a_threshold_is_a_line_with_its_name() -> None:
    drawn = items.figure(SHARES, COLUMNS, labels=LABELS, x_title="x", line=items.Line(0.0, "threshold"))
    assert [shape.x0 for shape in drawn.layout.shapes] == [0.0]
    assert drawn.layout.annotations[0].text == "threshold"


def test_what_leads_is_only_said_if_the_intervals_are_apart() -> None:
    def say(table: pd.DataFrame) -> str:
        return items.title(table, COLUMNS, labels=LABELS, words=words, amount=share)

    assert say(SHARES) == "[First comes “Second”: 50%]"
    close = SHARES.assign(high=[0.45, 0.65, NAN])
    assert say(close) == "[Too close to tell which comes first: “Second” or “First”]"
    assert say(SHARES.iloc[:1]) == "[First comes “First”: 20%]"
    assert say(SHARES.iloc[2:]) == ""


def test_times_are_a_field_each_with_its_share_written_in() -> None:
    table = pd.DataFrame(
        {"item": ["mon", "mon", "sat", "sat"], "answer": ["early", "late"] * 2, "share": [0.1, 0.4, 0.9, 0.2],
         "low": [0.05, 0.3, 0.8, 0.1], "high": [0.2, 0.5, 0.95, 0.3]}
    )  # fmt: skip
    drawn = time_windows.figure(table, labels=LABELS, words=words, share=share)
    (field,) = drawn.data
    np.testing.assert_array_equal(np.asarray(field.z), [[0.1, 0.4], [0.9, 0.2]])
    assert (list(field.y), list(field.x)) == (["Monday", "Saturday"], ["before 8", "after 17"])
    written = {(note.y, note.x): (note.text, note.font.color) for note in drawn.layout.annotations}
    assert written["Saturday", "before 8"] == ("90%", "#ffffff")
    assert written["Monday", "before 8"] == ("10%", "#1a1a1a")
    said = {"labels": LABELS, "words": words, "share": share}
    assert time_windows.title(table, **said) == "[Most often suits: Saturday, before 8 (90%)]"  # type: ignore[arg-type]
    close = table.assign(high=[0.2, 0.85, 0.95, 0.3])
    assert (
        time_windows.title(close, **said) == "[Most often suit, about alike: Saturday, before 8 and Monday, after 17]"
    )  # type: ignore[arg-type]


def test_numbers_show_every_segment_with_median_interval_and_middle_half() -> None:
    table = pd.DataFrame(
        {"segment": ["all", "cost"], "middle": [30.0, 12.0], "low": [25.0, 10.0], "high": [40.0, 15.0], "lower_quartile": [10.0, 5.0], "upper_quartile": [60.0, 20.0]}
    )  # fmt: skip
    drawn = numbers.figure(table, labels=LABELS, words=words, x_title="years")
    medians = named(drawn, "[Median with its interval]")
    assert list(medians.y) == ["Everybody", "Cost first"]
    assert ends(medians, "x") == ([25.0, 10.0], [40.0, 15.0])
    assert list(named(drawn, "[Middle half of the answers]").x) == [10.0, 60.0, None, 5.0, 20.0, None]
    low, high = drawn.layout.xaxis.range
    assert low < 5
    assert high > 60
    text = numbers.title(table, words=words, one=lambda x: f"{x:.0f} y", interval=lambda a, b: f"{a:.0f} to {b:.0f} y")
    assert text == "[The median is 30 y (25 to 40 y)]"


def test_kano_shows_both_sides_and_names_only_what_is_decided() -> None:
    drawn = kano.figure(KANO, labels=LABELS, words=words)
    better, worse = named(drawn, "[Having it satisfies]"), named(drawn, "[Lacking it dissatisfies]")
    assert list(better.y) == list(worse.y) == ["Second", "First"]
    assert ends(better, "x") == (pytest.approx([0.1, 0.6]), pytest.approx([0.35, 0.75]))
    assert ends(worse, "x") == (pytest.approx([-0.9, -0.45]), pytest.approx([-0.6, -0.2]))
    assert kano.title(KANO, labels=LABELS, words=words) == "[Delights]: First; [Expected]: Second"
    assert kano.title(KANO.assign(decided=False), labels=LABELS, words=words) == f"[{kano.NOTHING}]"


def test_methods_show_each_rank_with_its_interval_and_what_lies_apart() -> None:
    drawn = methods.figure(RANKS, labels=LABELS, words=words)
    choices, points = named(drawn, "[Choices]"), named(drawn, "[Points] (1–2)")
    assert list(choices.x) == [1, 2, 3]
    assert ends(choices, "x") == ([1, 2, 2], [2, 3, 3])
    assert list(drawn.layout.yaxis.ticktext) == ["Second", "First", "Third"], "in the order of the choices"
    assert np.round(np.asarray(points.y)).tolist() == [1, 0]
    assert len({trace.marker.symbol for trace in drawn.data}) == 3
    assert len({trace.marker.color for trace in drawn.data}) == 3

    def say(table: pd.DataFrame) -> str:
        return methods.title(table, stated=("ratings", "points"), labels=LABELS, words=words)

    assert say(RANKS) == "[Said important, does not pay: {said}. Pays, though not said: {chosen}]".format(said="First", chosen="Second")  # fmt: skip
    against = RANKS.copy()
    against.loc[[6, 7], "verdict"] = ["chosen_more", "agree"]
    assert say(against) == "[Pays, though not said: Second]", "methods that contradict each other say nothing about it"
    agreed = RANKS.assign(verdict=["", "", "", *["agree"] * 5])
    assert say(agreed) == f"[{methods.ALIKE}]"
    assert say(RANKS.assign(verdict="")) == f"[{methods.UNKNOWN}]"


def test_empty_tables_are_borne() -> None:
    assert items.figure(SHARES[:0], COLUMNS, labels=LABELS, x_title="x").data
    assert kano.figure(KANO[:0], labels=LABELS, words=words).data
    assert theme.COLOURS
