"""Room on slides: texts are reckoned, columns keep their words, long tables go on without losing a row."""

from __future__ import annotations

import pytest

from wtp.export.slide_table import column_widths, lines_of, parts_of, row_heights, width_of


def test_widths_follow_letters_and_size() -> None:
    assert width_of("iiii", 10) < width_of("nnnn", 10) < width_of("WWWW", 10)
    assert width_of("nnnn", 20) == pytest.approx(2 * width_of("nnnn", 10))
    assert width_of("nnnn", 10, bold=True) > width_of("nnnn", 10)


def test_lines_break_between_words_alone() -> None:
    one = width_of("word", 10)
    assert lines_of("word word", 2.6 * one, 10) == 1
    assert lines_of("word word", 1.5 * one, 10) == 2
    assert lines_of("word\nword", 9 * one, 10) == 2
    assert lines_of("word\u00a0word", 1.5 * one, 10) == 2, "a word longer than the line is broken by the program"


def test_columns_use_the_whole_width_and_break_no_word() -> None:
    head, rows = ("Attribute", "Note"), [("Speed", "a very long note " * 12), ("Design", "")]
    widths = column_widths(head, rows, 300, 11)
    assert widths is not None
    assert sum(widths) == pytest.approx(300)
    assert widths[0] > width_of("Attribute", 11, bold=True)
    assert column_widths(("Donaudampfschifffahrtsgesellschaft",), [], 60, 11) is None


def test_a_long_table_goes_on_with_every_row_once() -> None:
    rows = [(str(number), "text " * (number % 7)) for number in range(60)]
    widths = [40.0, 100.0]
    heights = row_heights(("#", "Text"), rows, widths, 11)
    parts = parts_of(heights, 150, 300)
    assert [row for part in parts for row in rows[part]] == rows
    for number, part in enumerate(parts):
        assert heights[0] + sum(heights[1:][part]) <= (300 if number else 150)
    assert parts_of(heights[:2], 5, 5) == [slice(0, 1)], "a row higher than the slide still comes"
