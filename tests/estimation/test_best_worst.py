"""Best-worst choices: the likelihood of Marley and Louviere, the anchor, the table of items, and every inconsistency named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA
from tests.estimation.conftest import simulate as conjoint
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit, HierarchicalLogit, LatentClassLogit
from wtp.estimation.best_worst import BestWorstLogit, item_table
from wtp.estimation.best_worst_data import BestWorstData, best_worst_choices

# The seven lines of the Fano plane: every pair of items meets once.
FANO = [(0, 1, 2), (0, 3, 4), (0, 5, 6), (1, 3, 5), (1, 4, 6), (2, 3, 6), (2, 4, 5)]
ITEMS = np.array(["brand", "design", "financing", "people", "range", "speed", "trust"])
TRUTH = np.array([0.0, -0.8, 0.3, 0.6, -0.2, 1.2, 0.5])
Change = Callable[[pd.DataFrame], pd.DataFrame]


def simulate(
    respondents: int = 60, *, seed: int = 0, spread: float = 0.0, threshold: float | None = None
) -> pd.DataFrame:
    """Long frame: each respondent answers the complements of the Fano lines, four items each; the answers follow the model."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(respondents):
        tastes = TRUTH + spread * rng.standard_normal(len(TRUTH))
        for number, line in enumerate(FANO):
            shown = rng.permutation([i for i in range(7) if i not in line])
            v = tastes[shown]
            best = int(rng.choice(4, p=np.exp(v) / np.exp(v).sum()))
            left = np.exp(-v)
            left[best] = 0
            worst = int(rng.choice(4, p=left / left.sum()))
            answer = None
            if threshold is not None:
                best, worst, answer = _anchored(v, threshold, rng)
            rows += [(person, number, ITEMS[i], j == best, j == worst, answer) for j, i in enumerate(shown)]
    columns = ["respondent", "choice_task", "item", "best", "worst", "anchor"]
    return pd.DataFrame(rows, columns=columns).astype({"best": int, "worst": int})


def _anchored(v: np.ndarray, threshold: float, rng: np.random.Generator) -> tuple[int, int, str]:
    """Best and worst of the items and the threshold; then of the items alone."""
    every = np.append(v, threshold)
    first = int(rng.choice(5, p=np.exp(every) / np.exp(every).sum()))
    best = first if first < 4 else int(rng.choice(4, p=np.exp(v) / np.exp(v).sum()))
    if first == 4:
        left = np.exp(-v)
        left[best] = 0
        return best, int(rng.choice(4, p=left / left.sum())), "none"
    left = np.exp(-every)
    left[best] = 0
    last = int(rng.choice(5, p=left / left.sum()))
    if last < 4:
        return best, last, "some"
    return best, int(rng.choice(4, p=left[:4] / left[:4].sum())), "all"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulate()


def by_hand(frame: pd.DataFrame, utility: dict[str, float], *, anchored: bool = False) -> float:
    """Log-likelihood straight from the formula, task by task; with the anchor the threshold is at 0."""
    total = 0.0
    for _, task in frame.groupby(["respondent", "choice_task"]):
        v = task["item"].map(utility).to_numpy()
        b, w = int(task["best"].argmax()), int(task["worst"].argmax())
        rest = np.delete(v, b)
        plain_best = v[b] - np.log(np.exp(v).sum())
        plain_worst = -v[w] - np.log(np.exp(-rest).sum())
        if not anchored:
            total += plain_best + plain_worst
            continue
        answer = task["anchor"].iloc[0]
        with_best = np.log(np.exp(v).sum() + 1)
        with_worst = np.log(np.exp(-rest).sum() + 1)
        if answer == "none":
            total += -with_best + plain_best + plain_worst
        elif answer == "some":
            total += v[b] - with_best - v[w] - with_worst
        else:
            total += v[b] - with_best - with_worst + plain_worst
    return total


def test_the_likelihood_is_that_of_the_formula(frame: pd.DataFrame) -> None:
    data = best_worst_choices(frame)
    assert len(data.starts) == 2 * 60 * 7
    assert data.sizes.tolist()[:4] == [4, 3, 4, 3]
    assert data.names == tuple(f"item[T.{name}]" for name in ITEMS[1:])
    params = np.array([-0.5, 0.2, 0.4, -0.1, 0.9, 0.3])
    utility = dict(zip(ITEMS, [0.0, *params], strict=True))
    assert ConditionalLogit(data).loglike(params) == pytest.approx(by_hand(frame, utility), rel=1e-12)


def test_the_anchored_likelihood_is_that_of_the_formula() -> None:
    frame = simulate(30, seed=2, threshold=0.2)
    assert set(frame["anchor"]) == {"all", "some", "none"}
    data = best_worst_choices(frame, anchor="anchor")
    params = np.array([0.3, -0.5, 0.2, 0.4, -0.1, 0.9, 0.3])
    utility = dict(zip(ITEMS, params, strict=True))
    assert ConditionalLogit(data).loglike(params) == pytest.approx(by_hand(frame, utility, anchored=True), rel=1e-12)


def test_all_answers_to_a_task_have_together_probability_one() -> None:
    shown = np.array([0.4, -0.3, 1.1])
    answers = []
    for best in range(3):
        for worst in set(range(3)) - {best}:
            for anchor in ("all", "some", "none"):
                task = pd.DataFrame({"respondent": 1, "choice_task": 1, "item": ["a", "b", "c"], "anchor": anchor})
                task["best"], task["worst"] = np.arange(3) == best, np.arange(3) == worst
                answers.append(task)
    utility = dict(zip("abc", shown, strict=True))
    total = 0.0
    for task in answers:
        total += np.exp(ConditionalLogit(best_worst_choices(task, anchor="anchor")).loglike(shown))
        assert by_hand(task, utility, anchored=True) < 0
    assert total == pytest.approx(1)


def test_the_utilities_come_back_whatever_the_reference() -> None:
    frame = simulate(400, seed=1)
    fit = BestWorstLogit(best_worst_choices(frame)).fit()
    table = fit.items.set_index("item")
    truth = pd.Series(TRUTH - TRUTH.mean(), index=ITEMS)
    z = (table["utility"] - truth.loc[table.index]) / table["std_error"]
    assert (z.abs() < 3.2).all()
    assert table["utility"].sum() == pytest.approx(0, abs=1e-12)
    assert table["share"].sum() == pytest.approx(100)
    assert ((table["share_low"] < table["share"]) & (table["share"] < table["share_high"])).all()
    other = BestWorstLogit(best_worst_choices(frame, reference="speed")).fit()
    assert other.llf == pytest.approx(fit.llf, abs=1e-7)
    again = other.items.set_index("item").loc[table.index]
    for column in ("utility", "std_error", "low", "high", "share"):
        assert again[column].to_numpy() == pytest.approx(table[column].to_numpy(), rel=1e-6, abs=1e-8), column


def test_share_is_the_chance_to_be_best_among_average_items(frame: pd.DataFrame) -> None:
    fit = BestWorstLogit(best_worst_choices(frame)).fit()
    v = fit.items["utility"].to_numpy()
    chance = np.exp(v) / (np.exp(v) + 4 - 1)
    assert fit.items["share"].to_numpy() == pytest.approx(100 * chance / chance.sum())
    assert "Best-worst logit" in fit.summary().as_text()


def test_the_anchor_gives_a_zero_that_means_does_not_matter() -> None:
    frame = simulate(400, seed=3, threshold=0.4)
    fit = BestWorstLogit(best_worst_choices(frame, anchor="anchor")).fit()
    table = fit.items.set_index("item")
    truth = pd.Series(TRUTH - 0.4, index=ITEMS)
    assert ((table["utility"] - truth.loc[table.index]).abs() < 3.2 * table["std_error"]).all()
    assert (table["matters"] > 50).equals(table["utility"] > 0)
    assert ((table["matters_low"] < table["matters"]) & (table["matters"] < table["matters_high"])).all()
    # Some tasks were not asked about: they count as plain best-worst tasks, and a note says so.
    part = frame.assign(anchor=frame["anchor"].where(frame["choice_task"] < 5))
    note = next(
        n for n in BestWorstLogit(best_worst_choices(part, anchor="anchor")).fit().notes if n.code == "anchor_missing"
    )
    assert "800 of 2800 tasks" in str(note)


def test_counts_and_their_score(frame: pd.DataFrame) -> None:
    for data in (best_worst_choices(frame), best_worst_choices(simulate(60, threshold=0.1), anchor="anchor")):
        source = frame if not data.anchored else simulate(60, threshold=0.1)
        expected = source.groupby("item").agg(shown=("best", "size"), best=("best", "sum"), worst=("worst", "sum"))
        counts = data.counts.set_index("item")
        assert counts[["shown", "best", "worst"]].equals(expected.loc[counts.index].astype(counts["shown"].dtype))
        assert counts["score"].to_numpy() == pytest.approx((expected["best"] - expected["worst"]) / expected["shown"])
        assert data.items_per_task == 4


def test_other_estimators_take_the_same_data() -> None:
    frame = simulate(80, seed=4, spread=0.8)
    data = best_worst_choices(frame)
    pooled = BestWorstLogit(data).fit().items
    people = HierarchicalLogit(data).fit(draws=600, warmup=600, seed=1, stop=None)
    classes = LatentClassLogit(data, 2).fit(seed=1)
    for fit in (people, classes):
        table = item_table(fit)
        assert table["share"].sum() == pytest.approx(100)
        assert np.corrcoef(table["utility"], pooled["utility"])[0, 1] > 0.97
        assert (table["low"] < table["high"]).all()


def test_survey_weights_and_covariates_pass_through(frame: pd.DataFrame) -> None:
    heavy = frame.assign(weight=np.where(frame["respondent"] < 30, 2.0, 1.0), branch=frame["respondent"] % 2)
    data = best_worst_choices(heavy, weights="weight", covariates=["branch"])
    assert data.covariates is not None
    assert data.covariates["branch"].tolist() == [i % 2 for i in range(60)]
    twice = pd.concat([frame, frame[frame["respondent"] < 30].assign(respondent=lambda f: f["respondent"] + 1000)])
    a, b = (BestWorstLogit(d).fit().params for d in (data, best_worst_choices(twice)))
    assert a.to_numpy() == pytest.approx(b.to_numpy(), rel=1e-8)


def both(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(worst=np.where(frame.index < 4, frame["best"], frame["worst"]))


BAD: dict[str, tuple[Change, dict[str, Any], str]] = {
    "best is worst": (both, {}, "respondent 0, choice task 0 (row {best}): best and worst are the same item"),
    "no best": (lambda f: f.assign(best=f["best"].where(f.index > 3, 0)), {}, "column 'best': respondent 0, choice task 0 (row 1): none chosen"),
    "two worst": (lambda f: f.assign(worst=f["worst"].where(f.index > 3, 1)), {}, "column 'worst': respondent 0, choice task 0 (row 1): 4 chosen"),
    "two items": (lambda f: f[(f.index > 3) | (f["best"] + f["worst"] > 0)], {}, "fewer than 3 items; allowed: 3 or more items a task"),
    "an item twice": (lambda f: f.assign(item=f["item"].where(f.index != 1, f["item"].iloc[0])), {}, "(row 2): an item is shown twice"),
    "no column": (lambda f: f.drop(columns="item"), {}, "not one column 'item'"),
    "no such reference": (lambda f: f, {"reference": "price"}, "reference 'price' is no item; allowed: brand, design"),
    "reference and anchor": (lambda f: f.assign(anchor="some"), {"reference": "speed", "anchor": "anchor"}, "reference 'speed' with an anchor"),
    "a doubtful anchor": (lambda f: f.assign(anchor="most"), {"anchor": "anchor"}, "'most'; allowed: all, some, none, or empty"),
    "several anchors": (lambda f: f.assign(anchor=np.where(f.index == 0, "all", "some")), {"anchor": "anchor"}, "respondent 0, choice task 0 (row 1): several answers"),
    "an empty anchor": (lambda f: f.assign(anchor=None), {"anchor": "anchor"}, "column 'anchor': empty; allowed: all, some, none"),
    "a reserved name": (lambda f: f.assign(anchor="some", item=f["item"].replace("speed", "threshold of mattering")), {"anchor": "anchor"}, "allowed: any other name"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_every_inconsistency_is_named(name: str, frame: pd.DataFrame) -> None:
    change, arguments, words = BAD[name]
    words = words.format(best=int(frame["best"].to_numpy()[:4].argmax()) + 1)
    with pytest.raises(DataError, match=re.escape(words)):
        best_worst_choices(change(frame), **arguments)


def test_items_that_never_meet_cannot_be_compared(frame: pd.DataFrame) -> None:
    other = frame.assign(item="new " + frame["item"], respondent=frame["respondent"] + 500)
    with pytest.raises(DataError, match=re.escape("items new brand") + ".*never shown together with brand"):
        best_worst_choices(pd.concat([frame, other]))


def test_one_sided_answers_have_no_estimate(frame: pd.DataFrame) -> None:
    rigged = frame.copy()
    for rows in frame.groupby(["respondent", "choice_task"]).groups.values():
        items = frame.loc[rows, "item"]
        if (items == "speed").any():
            rigged.loc[rows, "best"] = (items == "speed").astype(int)
            rest = rows[(items != "speed").to_numpy()]
            rigged.loc[rows, "worst"] = 0
            rigged.loc[rest[0], "worst"] = 1
    with pytest.raises(EstimationError, match="speed: always the best item"):
        BestWorstLogit(best_worst_choices(rigged)).fit()
    for answer in ("all", "none"):
        with pytest.raises(EstimationError, match=f"answers about how many matter are '{answer}'"):
            BestWorstLogit(best_worst_choices(frame.assign(anchor=answer), anchor="anchor")).fit()


def test_only_best_worst_data_make_a_best_worst_logit(frame: pd.DataFrame) -> None:
    choices = ChoiceData.from_long(conjoint(), FORMULA)
    with pytest.raises(EstimationError, match="allowed: BestWorstData"):
        BestWorstLogit(choices)  # type: ignore[arg-type]
    with pytest.raises(EstimationError, match="allowed: a fit to BestWorstData"):
        item_table(ConditionalLogit(choices).fit())
    assert isinstance(best_worst_choices(frame), BestWorstData)


def test_a_rare_item_gets_a_note(frame: pd.DataFrame) -> None:
    few = BestWorstLogit(best_worst_choices(frame[frame["respondent"] < 7])).fit()
    assert any(note.code == "rare_item" and "was shown 28 times" in str(note) for note in few.notes)
