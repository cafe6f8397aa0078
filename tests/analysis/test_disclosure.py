"""Whose answers may be told: segments of 30, no rest of fewer than ten, no cell of fewer than ten."""

from __future__ import annotations

import pandas as pd
import pytest

from wtp.analysis.disclosure import told, without_small_cells
from wtp.analysis.record import pack, unpack


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"all": 29, "a": 29}, []),
        ({"all": 100, "a": 60, "b": 40}, ["all", "a", "b"]),
        ({"all": 100, "a": 60, "b": 35}, ["all", "a"]),
        ({"all": 100, "a": 60, "b": 30, "c": 10}, ["all", "a", "b"]),
        ({"all": 100, "a": 71, "b": 29}, ["all", "a"]),
    ],
)
def test_no_small_group_is_told_nor_left_over(sizes: dict[str, int], shown: list[str]) -> None:
    assert told(sizes) == shown


def test_small_cells_are_missing_with_their_number() -> None:
    table = pd.DataFrame({"group": ["a", "b", "c", "d"], "respondents": [9, 10, 0, 1], "share": [0.1, 0.2, 0.0, 0.3], "low": 0.0})  # fmt: skip
    hidden = without_small_cells(table)
    assert hidden["share"].isna().tolist() == [True, False, False, True]
    assert hidden["low"].isna().tolist() == [True, False, False, True]
    assert hidden["respondents"].isna().tolist() == [True, False, False, True]
    assert hidden["respondents"].dropna().tolist() == [10, 0]
    assert hidden["group"].tolist() == ["a", "b", "c", "d"]
    pd.testing.assert_frame_equal(unpack(pack(hidden)), hidden)
    assert hidden.to_csv(index=False).splitlines()[1:3] == ["a,,,", "b,10,0.2,0.0"]
