"""From a long frame to arrays: what is coded how, and one clear sentence for everything that cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.errors import DataError
from wtp.estimation import ChoiceData

Change = Callable[[pd.DataFrame], pd.DataFrame]


def test_shapes_and_names(choices: ChoiceData) -> None:
    assert choices.X.shape == (720, 4)
    assert choices.names == ("brand[T.known]", "brand[T.leading]", "wifi[T.yes]", "price")
    assert choices.starts.tolist() == list(range(0, 720, 3))
    assert choices.respondent.tolist() == [i // 6 for i in range(240)]
    assert choices.respondents.tolist() == list(range(40))
    assert choices.price == "price"
    assert choices.weights is None
    assert choices.none is None


def test_attributes_carry_their_levels_and_contrasts(choices: ChoiceData) -> None:
    brand, wifi, price = choices.attributes
    assert (brand.name, brand.levels, brand.numeric) == ("brand", ("aaa unknown", "known", "leading"), False)
    assert brand.contrasts.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
    assert wifi.contrasts.tolist() == [[0, 0, 0, 0], [0, 0, 1, 0]]
    assert (price.levels, price.numeric) == ((1.0, 2.0, 3.0), True)
    assert price.contrasts[:, 3].tolist() == [1, 2, 3]


def test_a_number_of_many_values_has_two_levels(frame: pd.DataFrame) -> None:
    many = frame.assign(price=np.linspace(5, 9, len(frame)))
    price = ChoiceData.from_long(many, FORMULA).attributes[-1]
    assert price.levels == (5.0, 9.0)
    assert price.contrasts[:, 3].tolist() == [5.0, 9.0]


def test_categories_keep_their_order(frame: pd.DataFrame) -> None:
    ordered = frame.assign(brand=pd.Categorical(frame["brand"], categories=["leading", "known", "aaa unknown"]))
    data = ChoiceData.from_long(ordered, FORMULA)
    assert data.attributes[0].levels == ("leading", "known", "aaa unknown")
    assert data.names[:2] == ("brand[T.known]", "brand[T.aaa unknown]")


def test_the_none_option_is_no_attribute_and_shows_no_level() -> None:
    frame = simulate()
    none = np.tile([0.0, 0.0, 1.0], 240)
    frame = frame.assign(none=none, price=frame["price"].where(none == 0, 0.0))
    data = ChoiceData.from_long(frame, f"{FORMULA} + none")
    assert data.names[-1] == "none"
    assert data.none == 4
    assert [attribute.name for attribute in data.attributes] == ["brand", "wifi", "price"]
    assert data.attributes[2].levels == (1.0, 2.0, 3.0)


def test_a_transformed_number_is_an_attribute_of_levels(frame: pd.DataFrame) -> None:
    data = ChoiceData.from_long(frame, "brand + np.log(price)")
    assert data.price is None
    price = data.attributes[1]
    assert (price.name, price.levels, price.numeric) == ("price", (1.0, 2.0, 3.0), False)
    assert price.contrasts[:, 2] == pytest.approx(np.log([1, 2, 3]))


def test_an_interaction_belongs_to_no_attribute(frame: pd.DataFrame) -> None:
    # The first row of each level other than the base shows a level of the other attribute that is not its base either.
    first = frame.copy()
    first.loc[[0, 1], ["brand", "wifi"]] = [["known", "yes"], ["leading", "yes"]]
    data = ChoiceData.from_long(first, "brand * wifi + price")
    assert len(data.names) == 6
    assert [attribute.name for attribute in data.attributes] == ["brand", "wifi", "price"]
    interactions = [k for k, name in enumerate(data.names) if ":" in name]
    assert len(interactions) == 2
    for attribute in data.attributes:
        assert not attribute.contrasts[:, interactions].any(), attribute.name


def test_rows_need_no_order_and_numbers_may_repeat(frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1, random_state=3)
    data = ChoiceData.from_long(shuffled, FORMULA)
    assert data.respondents.tolist() == shuffled["respondent"].drop_duplicates().tolist()
    assert (data.sizes == 3).all()
    assert len(data.starts) == 240
    chosen = shuffled[shuffled["chosen"] == 1]
    assert np.sort(data.X[data.chosen][:, 3]).tolist() == np.sort(chosen["price"]).tolist()


@pytest.mark.parametrize("say", [bool, float, str, lambda v: "Yes" if v else "no", lambda v: " TRUE" if v else "False"])
def test_every_way_to_say_chosen(say: Callable[[int], Any], frame: pd.DataFrame, choices: ChoiceData) -> None:
    said = frame.assign(chosen=[say(v) for v in frame["chosen"]])
    assert ChoiceData.from_long(said, FORMULA).chosen.tolist() == choices.chosen.tolist()


def test_numbers_as_text_are_numbers_where_they_must_be(frame: pd.DataFrame, choices: ChoiceData) -> None:
    for kind in (str, "category", object):
        data = ChoiceData.from_long(frame.assign(price=frame["price"].astype(str).astype(kind)), FORMULA)
        assert data.names == choices.names
        assert np.array_equal(data.X, choices.X)


def test_a_subset_is_what_these_respondents_alone_give(frame: pd.DataFrame) -> None:
    weighted = frame.assign(weight=1.0 + frame["respondent"] % 4, age=20 + frame["respondent"])
    data = ChoiceData.from_long(weighted, FORMULA, weights="weight", covariates=["age"])
    mask = data.respondents % 3 == 1
    part = data.subset(mask)
    alone = ChoiceData.from_long(
        weighted[weighted["respondent"] % 3 == 1], FORMULA, weights="weight", covariates=["age"]
    )
    for name in ("X", "starts", "chosen", "respondent", "respondents"):
        assert np.array_equal(getattr(part, name), getattr(alone, name)), name
    assert part.weights == pytest.approx(alone.weights, rel=1e-12)
    assert part.covariates is not None
    assert part.covariates["age"].tolist() == [20 + r for r in part.respondents]
    with pytest.raises(DataError, match="no respondent"):
        data.subset(np.zeros(40, dtype=bool))


def test_the_callers_frame_is_left_alone(frame: pd.DataFrame) -> None:
    text = frame.assign(price=frame["price"].astype(str))
    before = text.copy()
    ChoiceData.from_long(text, FORMULA)
    pd.testing.assert_frame_equal(text, before)


def test_a_price_outside_the_formula_is_no_price(frame: pd.DataFrame) -> None:
    assert ChoiceData.from_long(frame, "brand + wifi").price is None


def put(row: int, column: str, value: object) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{column: [value if i == row else v for i, v in enumerate(frame[column])]})

    return change


def task(chosen: int) -> Change:
    """Respondent 3 chooses every or no alternative of choice task 5 (rows 70 to 72)."""
    return lambda frame: frame.assign(
        chosen=frame["chosen"].mask((frame["respondent"] == 3) & (frame["choice_task"] == 5), chosen)
    )


def several_tasks(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(chosen=frame["chosen"].mask(frame["respondent"] < 2, 0))


def lonely(frame: pd.DataFrame) -> pd.DataFrame:
    first = (frame["respondent"] == 3) & (frame["choice_task"] == 5)
    return frame[~first | (frame["chosen"] == 1)]


BAD: dict[str, tuple[Change, dict[str, Any], str]] = {
    "a missing column": (
        lambda f: f.drop(columns="wifi"),
        {},
        "no column 'wifi'; found: respondent, choice_task, brand",
    ),
    "a missing key": (lambda f: f.drop(columns="respondent"), {}, "no column 'respondent'; found: choice_task"),
    "a missing weight": (lambda f: f, {"weights": "w"}, "no column 'w'; found:"),
    "a column twice": (lambda f: pd.concat([f, f[["price"]]], axis=1), {}, "'price' stands there twice"),
    "text as price": (put(10, "price", "cheap"), {}, "column 'price', row 11: 'cheap' is not a number"),
    "a price of nothing": (put(10, "price", None), {}, "column 'price', row 11: empty"),
    "many empty cells": (lambda f: f.assign(price=np.nan), {}, "rows 1, 2, 3, 4, 5 and 715 more: empty"),
    "a none option without a mark": (
        lambda f: f.assign(**{c: f[c].mask(f.index % 3 == 2) for c in ("brand", "wifi", "price")}),
        {},
        "rows 3, 6, 9, 12, 15 and 235 more: empty in every column of the formula; allowed: a value in every row, but of the none option. If these are the "
        "none option, mark them in a column 'none' (1, all others 0) and add it to the formula, as in '+ none'",
    ),
    "an empty respondent": (put(4, "respondent", None), {}, "column 'respondent', row 5: empty"),
    "an infinite price": (put(10, "price", np.inf), {}, "column 'price', row 11: infinite"),
    "a price beyond sense": (put(10, "price", 1e200), {}, "column 'price', row 11: not a finite number"),
    "text as chosen": (put(10, "chosen", "perhaps"), {}, "column 'chosen', row 11: 'perhaps'; allowed: 1 or 0"),
    "a number as chosen": (put(10, "chosen", 2), {}, "column 'chosen', row 11: '2'"),
    "two chosen": (task(1), {}, "respondent 3, choice task 5 (row 70): 3 chosen; allowed: exactly one"),
    "none chosen": (task(0), {}, "respondent 3, choice task 5 (row 70): none chosen; allowed: exactly one"),
    "none chosen in many": (several_tasks, {}, "respondent 0, choice task 4 (row 13) and 7 more: none chosen"),
    "a single alternative": (lonely, {}, "respondent 3, choice task 5 (row 70): a single alternative"),
    "no row": (lambda f: f.iloc[:0], {}, "a header and no row"),
    "a weight of 0": (lambda f: f.assign(w=f["respondent"]), {"weights": "w"}, "column 'w', respondent 0: 0; allowed"),
    "a text as weight": (lambda f: f.assign(w="much"), {"weights": "w"}, "'much' is not a number"),
    "weights that differ": (lambda f: f.assign(w=range(1, 721)), {"weights": "w"}, "respondent 0: several values"),
    "a covariate that differs": (
        lambda f: f,
        {"covariates": ["price"]},
        "column 'price', respondent 0: several values",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_coded_is_named_in_one_sentence(name: str, frame: pd.DataFrame) -> None:
    change, arguments, words = BAD[name]
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        ChoiceData.from_long(change(frame), FORMULA, **arguments)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


def test_a_column_that_is_mostly_numbers_is_meant_as_numbers(frame: pd.DataFrame) -> None:
    fee = frame.assign(fee=["n/a" if i in (4, 9) else str(i % 7) for i in range(len(frame))])
    with pytest.raises(DataError, match=re.escape("column 'fee', rows 5, 10: 'n/a' is not a number")):
        ChoiceData.from_long(fee, f"{FORMULA} + fee")
    names = frame.assign(fee=["7" if i in (4, 9) else "none" if i % 2 else "some" for i in range(len(frame))])
    assert ChoiceData.from_long(names, f"{FORMULA} + fee").attributes[-1].levels == ("7", "none", "some")


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("brand +", "Wilkinson notation"),
        ("brand + colour", "no column 'colour'"),
        ("chosen ~ brand", "drop the left side"),
        ("brand | price", "drop the left side"),
        ("", "Wilkinson notation"),
        ("1", "no column in it"),
        ("brand[", "mend it"),
        ("foo(price)", "no column 'foo'"),
        ("import os", "mend it"),
        ("np.log(price - 1)", "mend it"),
    ],
)
def test_a_formula_that_cannot_be_used(formula: str, words: str, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        ChoiceData.from_long(frame, formula)
    assert repr(formula) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("quoted", ["`{}`", 'Q("{}")', "Q( '{}' )"])
def test_names_of_columns_may_be_anything(quoted: str, frame: pd.DataFrame, choices: ChoiceData) -> None:
    named = frame.rename(columns={"brand": "Marke des Anbieters", "price": "Preis (€)"})
    formula = f"{quoted.format('Marke des Anbieters')} + wifi + {quoted.format('Preis (€)')}"
    data = ChoiceData.from_long(named, formula, price="Preis (€)")
    old = [name.replace("brand", "Marke des Anbieters").replace("price", "Preis (€)") for name in choices.names]
    assert list(data.names) == old
    assert data.price == "Preis (€)"
    np.testing.assert_array_equal(data.X, choices.X)


@pytest.mark.parametrize("formula", ["0 + brand + price", "brand + price - 1", "1 + brand + price"])
def test_the_intercept_is_no_column_however_it_is_asked_for(formula: str, frame: pd.DataFrame) -> None:
    assert ChoiceData.from_long(frame, formula).names == ("brand[T.known]", "brand[T.leading]", "price")
