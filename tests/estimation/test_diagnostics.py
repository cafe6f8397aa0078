"""No number from data that cannot give one: aliased columns, separation, a price that did not drive the answers, few respondents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.errors import EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.diagnostics import (
    Note,
    aliased,
    condition_note,
    few_clusters,
    flat,
    level_counts,
    level_notes,
    price_note,
    sample_size_notes,
    separation,
)


def fit_error(frame: pd.DataFrame, formula: str = FORMULA) -> str:
    with pytest.raises(EstimationError) as caught:
        ConditionalLogit(ChoiceData.from_long(frame, formula)).fit()
    return str(caught.value)


def without_choices(frame: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Drop the tasks in which one of these rows was chosen."""
    hit = (rows & frame["chosen"].eq(1)).groupby([frame["respondent"], frame["choice_task"]]).transform("any")
    return frame[~hit]


def test_columns_that_change_together_are_named(frame: pd.DataFrame) -> None:
    together = frame.assign(fee=2 * frame["price"] + 1)
    assert fit_error(together, f"{FORMULA} + fee").startswith("price, fee always change together")
    copied = frame.assign(lan=frame["wifi"])
    assert fit_error(copied, f"{FORMULA} + lan").startswith("wifi[T.yes], lan[T.yes] always change together")


def test_a_sum_of_columns_is_found(frame: pd.DataFrame) -> None:
    total = frame.assign(total=frame["price"] + (frame["wifi"] == "yes") * 3.0)
    error = fit_error(total, "brand + wifi + price + total")
    assert error.startswith("wifi[T.yes], price, total always change together")


def test_what_never_differs_within_a_task_is_named(frame: pd.DataFrame) -> None:
    income = frame.assign(income=1000.0 + frame["respondent"])
    assert fit_error(income, f"{FORMULA} + income").startswith("income never differs between the alternatives")
    # Small numbers that do differ are no constants.
    assert aliased(ChoiceData.from_long(frame.assign(price=frame["price"] * 1e-14), FORMULA)) == ()


def test_nearly_aliased_columns_get_a_warning(frame: pd.DataFrame) -> None:
    noise = np.random.default_rng(0).normal(size=len(frame))
    near = ChoiceData.from_long(frame.assign(fee=frame["price"] + 0.01 * noise), f"{FORMULA} + fee")
    (note,) = condition_note(near)
    assert (note.code, note.severity) == ("condition", "warning")
    differences = near.centred / np.sqrt((near.centred**2).sum(axis=0))
    assert note.values["condition"] == pytest.approx(np.linalg.cond(differences), rel=1e-6)
    assert condition_note(ChoiceData.from_long(frame, FORMULA)) == ()
    nearer = ChoiceData.from_long(frame.assign(fee=frame["price"] + 1e-4 * noise), f"{FORMULA} + fee")
    assert aliased(nearer) == ()
    assert "condition" in [note.code for note in ConditionalLogit(nearer).fit().notes]


def test_a_level_never_chosen_is_named_with_its_count(frame: pd.DataFrame) -> None:
    never = without_choices(frame, frame["brand"] == "leading")
    shown = (never["brand"] == "leading").sum()
    assert f"brand leading: never chosen (0 of {shown} times shown)" in fit_error(never)


def test_a_base_level_never_chosen_is_named_too(frame: pd.DataFrame) -> None:
    never = without_choices(frame, frame["brand"] == "aaa unknown")
    assert "brand aaa unknown: never chosen" in fit_error(never)


def test_a_level_always_chosen(frame: pd.DataFrame) -> None:
    """Where "gold" is shown it is taken."""
    once = frame["choice_task"] == 0
    gold = frame.assign(brand=frame["brand"].mask(once & frame["chosen"].eq(1), "gold"))
    assert "brand gold: always chosen (40 of 40 times shown)" in fit_error(gold)


def test_a_combination_never_chosen_gives_no_number(frame: pd.DataFrame) -> None:
    """Each level is chosen somewhere, the likelihood rises for ever all the same."""
    never = without_choices(frame, (frame["brand"] == "leading") & (frame["wifi"] == "yes"))
    error = fit_error(never, "brand * wifi + price")
    assert "separate perfectly along brand[T.leading]:wifi[T.yes]" in error


def test_choices_that_follow_the_price_alone(frame: pd.DataFrame) -> None:
    price = pd.Series(np.random.default_rng(1).permutation(len(frame)).astype(float))
    best = price == price.groupby([frame["respondent"], frame["choice_task"]]).transform("min")
    strict = frame.assign(price=price, chosen=best.astype(int))
    assert "separate perfectly along price" in fit_error(strict, "price")
    assert "separate perfectly" in fit_error(strict)


@pytest.mark.parametrize("seed", range(5))
def test_strong_tastes_are_not_separation(seed: int) -> None:
    """Estimates of some hundred logits are large and finite: the hint fires, the linear program clears them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(8000, 3))
    noisy = (X @ np.array([300.0, -200.0, 100.0]) + rng.gumbel(size=8000)).reshape(-1, 4)
    starts = np.arange(0, 8000, 4)
    data = ChoiceData(
        X=X, starts=starts, chosen=starts + noisy.argmax(axis=1), respondent=np.arange(2000) // 10,
        respondents=np.arange(200), names=("a", "b", "c"),
    )  # fmt: skip
    fit = ConditionalLogit(data).fit()
    assert (fit.params / fit.params["a"]).tolist() == pytest.approx([1, -2 / 3, 1 / 3], rel=0.02)
    assert 150 < fit.params["a"] < 600
    assert flat(data, -fit.model.hessian(fit.params.to_numpy()))
    assert separation(data, level_counts(data)) == ()


def test_the_hint_of_separation_does_not_depend_on_units(frame: pd.DataFrame) -> None:
    never = without_choices(frame, (frame["brand"] == "leading") & (frame["wifi"] == "yes"))
    for unit in (1e-9, 1.0, 1e9):
        scaled = ChoiceData.from_long(never.assign(price=never["price"] * unit), "brand * wifi + price")
        model = ConditionalLogit(scaled)
        params = np.array([0.0, 0, 0, 0, 0, 0])
        assert not flat(scaled, -model.hessian(params))
        params[scaled.names.index("brand[T.leading]:wifi[T.yes]")] = -30
        assert flat(scaled, -model.hessian(params))


def test_counts_of_levels(frame: pd.DataFrame, choices: ChoiceData) -> None:
    counts = level_counts(choices).set_index(["attribute", "level"])
    assert len(counts) == 5
    for (attribute, level), row in counts.iterrows():
        here = frame[attribute] == level
        assert row["shown"] == here.sum()
        assert row["chosen"] == (here & frame["chosen"].eq(1)).sum()


def test_rows_of_the_none_option_show_no_level() -> None:
    none = np.tile([0.0, 0.0, 1.0], 240)
    frame = simulate().assign(none=none)
    frame.loc[none == 1, ["brand", "wifi", "price"]] = ["aaa unknown", "no", 0.0]
    counts = level_counts(ChoiceData.from_long(frame, f"{FORMULA} + none"))
    assert counts.groupby("attribute")["shown"].sum().tolist() == [480, 480]


def test_seldom_chosen_levels_get_a_warning() -> None:
    counts = pd.DataFrame(
        [("a", "x", 100, 4), ("a", "y", 29, 20), ("a", "z", 100, 5), ("a", "never", 100, 0)],
        columns=["attribute", "level", "shown", "chosen"],
    )
    notes = level_notes(counts)
    assert [note.values["level"] for note in notes] == ["x", "y"]
    assert str(notes[0]).startswith("a x was chosen 4 of 100 times shown")


def test_a_seldom_shown_level_is_noted_with_the_fit(frame: pd.DataFrame) -> None:
    gold = frame.assign(brand=frame["brand"].mask(frame["choice_task"].eq(0) & (frame.index % 3 == 0), "gold"))
    few = gold[(gold["respondent"] < 25) | (gold["choice_task"] > 0)]
    (note,) = (n for n in ConditionalLogit(ChoiceData.from_long(few, FORMULA)).fit().notes if n.code == "rare_level")
    assert (note.values["level"], note.values["shown"]) == ("gold", 25)


@pytest.mark.parametrize(
    ("estimate", "error", "withheld"),
    [(-1.0, 0.5, False), (-1.0, 0.52, True), (0.0, 0.1, True), (0.4, 0.1, True), (-1e-9, 1e-10, False)],
)
def test_a_price_that_is_not_clearly_negative(estimate: float, error: float, withheld: bool) -> None:
    notes = price_note(estimate, error)
    assert bool(notes) == withheld
    if withheld:
        assert notes[0].severity == "stop"


def test_prices_that_did_not_matter_are_noted_with_the_fit() -> None:
    frame = simulate(60).assign(price=lambda f: np.random.default_rng(2).choice([1.0, 2.0, 3.0], len(f)))
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit()
    assert "price_not_negative" in [note.code for note in fit.notes]


@pytest.mark.parametrize(
    ("respondents", "code"), [(29, "too_small"), (30, "indication"), (74, "indication"), (75, None)]
)
def test_small_samples(respondents: int, code: str | None) -> None:
    assert [note.code for note in sample_size_notes(respondents)] == ([code] if code else [])


def test_few_clusters() -> None:
    (note,) = few_clusters(49)
    assert "Only 49 respondents" in str(note)
    assert "48 degrees of freedom" in str(note)
    assert few_clusters(50) == ()


def test_a_note_is_a_template_and_its_values() -> None:
    note = Note("code", "info", "{n} of {total:.1f}", {"n": 3, "total": 4})
    assert str(note) == "3 of 4.0"
    assert note.in_segment("s") == Note("code", "info", "{n} of {total:.1f}", {"n": 3, "total": 4}, "s")
