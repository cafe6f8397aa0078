"""The none option, dual-response none and alternatives that were not available: coding, likelihood, and every inconsistency named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.errors import DataError
from wtp.estimation import ChoiceData, ConditionalLogit

WITH_NONE = f"{FORMULA} + none"
Change = Callable[[pd.DataFrame], pd.DataFrame]


def with_none(respondents: int = 40, seed: int = 0) -> pd.DataFrame:
    """Tasks of three offers and a none row with empty cells; whoever's number is divisible by 3 takes none in the even tasks."""
    frame = simulate(respondents, seed=seed).assign(none=0)
    rows = frame.groupby(["respondent", "choice_task"], as_index=False).head(1)
    takes = (rows["respondent"] % 3 == 0) & (rows["choice_task"] % 2 == 0)
    nothing = rows.assign(brand=None, wifi=None, price=np.nan, none=1, chosen=takes.astype(int))
    both = pd.concat([frame, nothing]).sort_values(["respondent", "choice_task"], kind="stable")
    gone = (both["respondent"] % 3 == 0) & (both["choice_task"] % 2 == 0) & (both["none"] == 0)
    return both.assign(chosen=both["chosen"].mask(gone, 0)).reset_index(drop=True)


def dual(respondents: int = 60, seed: int = 1) -> pd.DataFrame:
    """Tasks of three offers and an answer whether the chosen one would be bought."""
    frame = simulate(respondents, seed=seed)
    rng = np.random.default_rng(seed + 100)
    task = frame["respondent"] * 6 + frame["choice_task"]
    return frame.assign(buys=rng.integers(0, 2, task.max() + 1)[task])


def test_none_rows_are_zero_but_for_their_constant_and_show_no_level() -> None:
    frame = with_none()
    data = ChoiceData.from_long(frame, WITH_NONE)
    assert data.names == ("brand[T.known]", "brand[T.leading]", "wifi[T.yes]", "price", "none")
    nothing = data.X[:, 4] == 1
    assert nothing.sum() == 240
    assert not data.X[nothing, :4].any()
    assert data.attributes[0].levels == ("aaa unknown", "known", "leading")
    assert data.attributes[2].levels == (1.0, 2.0, 3.0)
    # What stands in the cells of a none row does not matter.
    filled = frame.assign(
        brand=frame["brand"].fillna("leading"), wifi=frame["wifi"].fillna("yes"), price=frame["price"].fillna(9.0)
    )
    other = ChoiceData.from_long(filled, WITH_NONE)
    assert np.array_equal(other.X, data.X)
    assert other.attributes[2].levels == (1.0, 2.0, 3.0)


def test_a_none_row_in_a_function_or_a_model_of_its_own_column_name() -> None:
    frame = with_none()
    logarithm = ChoiceData.from_long(frame, "brand + np.log(price) + none")
    assert np.isfinite(logarithm.X).all()
    renamed = ChoiceData.from_long(frame.rename(columns={"none": "opt out"}), f"{FORMULA} + `opt out`", none="opt out")
    assert renamed.names[-1] == "none"
    assert renamed.none == 4
    assert np.array_equal(renamed.X, ChoiceData.from_long(frame, WITH_NONE).X)
    alone = ConditionalLogit(ChoiceData.from_long(frame, "none")).fit()
    share = frame.loc[frame["none"] == 1, "chosen"].mean()
    # Three offers that are all alike against none: P(none) = e^c / (3 + e^c).
    assert float(alone.params["none"]) == pytest.approx(np.log(3 * share / (1 - share)))


def test_unavailable_alternatives_are_as_if_they_had_not_been_there() -> None:
    frame = simulate(40, ragged=True, seed=3)
    rng = np.random.default_rng(3)
    task = frame["respondent"] * 6 + frame["choice_task"]
    extra = (
        frame[frame["chosen"] == 0]
        .sample(frac=0.4, random_state=1)
        .assign(there="no", price=lambda f: rng.uniform(50, 90, len(f)), brand=None)
    )
    both = pd.concat([frame.assign(there="yes"), extra]).sample(frac=1, random_state=2)
    data = ChoiceData.from_long(both, FORMULA, available="there")
    assert len(data.X) == len(frame)
    assert len(data.starts) == task.nunique()
    plain = ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit()
    assert ConditionalLogit(data).fit().params.to_numpy() == pytest.approx(plain.params.to_numpy(), rel=1e-9)
    assert data.attributes[2].levels == (1.0, 2.0, 3.0)


def test_dual_response_is_two_blocks_of_one_likelihood() -> None:
    frame = dual()
    data = ChoiceData.from_long(frame, FORMULA, buys="buys")
    assert data.names[-1] == "none"
    assert len(data.starts) == 720
    assert data.sizes.tolist() == [3, 2] * 360
    assert [a.contrasts.shape[1] for a in data.attributes] == [5, 5, 5]
    params = np.array([0.3, 0.7, -0.4, -0.6, 0.2])
    by_hand = 0.0
    for _, task in frame.groupby(["respondent", "choice_task"]):
        v = (
            0.3 * (task["brand"] == "known")
            + 0.7 * (task["brand"] == "leading")
            - 0.4 * (task["wifi"] == "yes")
            - 0.6 * task["price"]
        )
        best = float(v[task["chosen"] == 1].iloc[0])
        answer = best if task["buys"].iloc[0] else 0.2
        by_hand += best - np.log(np.exp(v).sum()) + answer - np.log(np.exp(best) + np.exp(0.2))
    assert ConditionalLogit(data).loglike(params) == pytest.approx(by_hand, rel=1e-12)
    assert ConditionalLogit(data).fit().respondents == 60


def test_what_was_not_asked_has_no_second_block_and_rows_need_no_order() -> None:
    frame = dual().assign(buys=lambda f: f["buys"].where(f["choice_task"] < 4).map({1.0: "yes", 0.0: "no"}))
    data = ChoiceData.from_long(frame, FORMULA, buys="buys")
    assert len(data.starts) == 360 + 240
    weighted = frame.assign(weight=1.0 + frame["respondent"] % 2)
    a = ConditionalLogit(ChoiceData.from_long(weighted, FORMULA, buys="buys", weights="weight")).fit()
    b = ConditionalLogit(
        ChoiceData.from_long(weighted.sample(frac=1, random_state=1), FORMULA, buys="buys", weights="weight")
    ).fit()
    assert a.params.to_numpy() == pytest.approx(b.params.to_numpy(), rel=1e-9)
    assert a.bse.to_numpy() == pytest.approx(b.bse.to_numpy(), rel=1e-9)


def put(rows: slice | int, column: str, value: object) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.assign(**{column: frame[column].astype(object)})
        frame.loc[rows, column] = value
        return frame

    return change


# Respondent 0, choice task 0 are rows 1 to 3 of `dual`, rows 1 to 4 of `with_none`; its row 4 is none.
BAD: dict[str, tuple[pd.DataFrame, Change, str, dict[str, Any], str]] = {
    "two none rows": (with_none(), put(1, "none", 1), WITH_NONE, {}, "respondent 0, choice task 0 (row 1): two none options"),
    "a doubtful none": (with_none(), put(1, "none", 2), WITH_NONE, {}, "column 'none', row 2: '2'; allowed: 1 or 0"),
    "an empty none": (with_none(), put(1, "none", None), WITH_NONE, {}, "column 'none', row 2: empty"),
    "an empty price of an offer": (with_none(), put(5, "price", None), WITH_NONE, {}, "column 'price', row 6: empty"),
    "text as price of an offer": (with_none(), put(5, "price", "?"), WITH_NONE, {}, "column 'price', row 6: '?' is not a number"),
    "none in an interaction": (with_none(), lambda f: f, f"{FORMULA} * none", {}, "'none' in an interaction"),
    "none and buys": (with_none(), lambda f: f.assign(buys=1), WITH_NONE, {"buys": "buys"}, "buys='buys' and a none option"),
    "several answers": (dual(), lambda f: put(0, "buys", 1 - f["buys"].iloc[0])(f), FORMULA, {"buys": "buys"}, "respondent 0, choice task 0 (row 1): several values of 'buys'"),
    "half an answer": (dual(), put(1, "buys", None), FORMULA, {"buys": "buys"}, "respondent 0, choice task 0 (row 1): several values of 'buys'"),
    "a doubtful answer": (dual(), put(slice(0, 2), "buys", "maybe"), FORMULA, {"buys": "buys"}, "column 'buys', rows 1, 2, 3: 'maybe'"),
    "no such answer": (dual(), lambda f: f, FORMULA, {"buys": "bought"}, "no column 'bought'"),
    "an empty availability": (dual(), lambda f: put(4, "there", None)(f.assign(there=1)), FORMULA, {"available": "there"}, "column 'there', row 5: empty"),
    "nothing left": (dual(), lambda f: put(slice(0, 2), "there", 0)(f.assign(there=1, chosen=f["chosen"].where(f.index > 2, 0))), FORMULA, {"available": "there"}, "respondent 0, choice task 0 (row 1): fewer than two available"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_every_inconsistency_is_named(name: str) -> None:
    frame, change, formula, arguments, words = BAD[name]
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        ChoiceData.from_long(change(frame), formula, **arguments)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


def test_a_choice_that_was_not_available_is_named_with_its_row() -> None:
    frame = simulate(10).assign(there=1)
    row = int(np.flatnonzero(frame["chosen"])[7])
    words = f"respondent 1, choice task 1 (row {row + 1}): chosen, yet not available"
    with pytest.raises(DataError, match=re.escape(words)):
        ChoiceData.from_long(put(row, "there", 0)(frame), FORMULA, available="there")


def test_rows_are_numbered_as_in_the_file_after_others_were_left_out() -> None:
    frame = simulate(10).assign(there=1)
    first = int(np.flatnonzero(frame["chosen"] == 0)[0])
    spoilt = put(20, "price", "?")(put(first, "there", 0)(frame))
    with pytest.raises(DataError, match=re.escape("column 'price', row 21: '?'")):
        ChoiceData.from_long(spoilt.sample(frac=1, random_state=1).sort_index(), FORMULA, available="there")
