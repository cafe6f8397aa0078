"""Which grouping explains choices: the true one is found, a meaningless one never, and groupings are judged on people who were not in the fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wtp.errors import DataError
from wtp.estimation import ChoiceData
from wtp.segments import Explained, explained

PEOPLE, TASKS = 180, 8
TASTES = np.array([(2.0, 0.2, 0.3, -0.05, -3.0), (0.2, 0.8, 1.6, -0.05, -5.5)])


def choices(apart: bool, seed: int = 1) -> tuple[ChoiceData, pd.Series]:
    """Two groups with tastes of their own, or one taste for everybody, choosing of three offers and then to buy or not; and the group of each respondent."""
    rng = np.random.default_rng(seed)
    group = np.arange(PEOPLE) % 2
    rows = PEOPLE * TASKS * 3
    frame = pd.DataFrame(
        {
            "respondent": np.repeat(np.arange(PEOPLE), TASKS * 3),
            "choice_task": np.tile(np.repeat(np.arange(TASKS), 3), PEOPLE),
            "speed": pd.Categorical(rng.choice(["slow", "quick"], rows), ["slow", "quick"]),
            "brand": pd.Categorical(rng.choice(["new", "known", "leading"], rows), ["new", "known", "leading"]),
            "price": rng.choice([80.0, 100.0, 120.0], rows),
        }
    )
    taste = TASTES[group if apart else np.zeros(PEOPLE, int)][frame["respondent"]]
    shown = np.column_stack([frame["speed"] == "quick", frame["brand"] == "known", frame["brand"] == "leading", frame["price"]])  # fmt: skip
    utility = (taste[:, :4] * shown).sum(axis=1).reshape(-1, 3)
    picked = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1)
    gain = np.take_along_axis(utility, picked[:, None], 1)[:, 0] - taste[::3, 4]
    frame["chosen"] = (picked[:, None] == np.arange(3)).astype(int).ravel()
    frame["buys"] = np.repeat((rng.random(len(gain)) < 1 / (1 + np.exp(-gain))).astype(int), 3)
    data = ChoiceData.from_long(frame, "speed + brand + price", buys="buys")
    return data, pd.Series(group, index=np.arange(PEOPLE))


@pytest.fixture(scope="module")
def judged() -> Explained:
    data, group = choices(apart=True)
    rng = np.random.default_rng(3)
    half_right = group.where(rng.random(PEOPLE) < 0.6, rng.integers(0, 2, PEOPLE))
    noise = pd.Series(rng.integers(0, 3, PEOPLE), index=group.index)
    return explained(data, {"question": group, "contacts": half_right, "noise": noise}, classes=2)


def row(judged: Explained, grouping: str, part: str = "offers") -> pd.Series:
    table = judged.scores
    return table[(table["part"] == part) & (table["grouping"] == grouping)].iloc[0]


def test_the_true_grouping_explains_choices_best(judged: Explained) -> None:
    assert row(judged, "question")["explains_best"]
    assert row(judged, "contacts")["explains"]
    assert not row(judged, "contacts")["explains_best"]
    assert row(judged, "question")["gained"] > row(judged, "contacts")["gained"] > 0
    assert row(judged, "question")["hit"] > row(judged, "none")["hit"]


def test_a_meaningless_grouping_loses(judged: Explained) -> None:
    assert row(judged, "noise")["gained"] < 0
    assert not row(judged, "noise")["explains"]
    assert row(judged, "noise", "purchase")["gained"] < 0


def test_price_limits_have_a_figure_of_their_own(judged: Explained) -> None:
    assert row(judged, "question", "purchase")["explains"]
    assert row(judged, "question", "purchase")["gained"] > row(judged, "contacts", "purchase")["gained"] > 0
    assert judged.scores.groupby("part")["explains_best"].sum().max() <= 1


def test_latent_classes_know_of_a_person_what_half_of_his_choices_tell(judged: Explained) -> None:
    found = row(judged, "classes")
    assert found["explains"]
    assert found["groups"] == 2
    assert found["gained"] < row(judged, "question")["gained"]


def test_agreement_is_told_with_its_interval(judged: Explained) -> None:
    table = judged.agreement.set_index(["one", "other"])
    close, chance = table.loc[("question", "classes")], table.loc[("question", "noise")]
    assert close["low"] < close["adjusted_rand"] < close["high"]
    assert close["adjusted_rand"] > 0.5
    assert chance["low"] < 0.01
    assert chance["high"] < 0.1
    assert len(table) == 6


def test_without_difference_nothing_is_claimed() -> None:
    """Twenty studies in which everybody has one taste: at 90 per cent at most a few seem clear."""
    found = []
    for seed in range(20):
        data, group = choices(apart=False, seed=seed)
        found.append(bool(row(explained(data, {"question": group}), "question")["explains"]))
    assert sum(found) <= 1


def test_only_who_is_in_every_grouping_counts() -> None:
    data, group = choices(apart=True)
    some = group.astype(float).where(group.index >= 20)
    assert row(explained(data, {"question": group, "contacts": some}), "question")["respondents"] == PEOPLE - 20
    with pytest.raises(DataError, match="150 or more"):
        explained(data, {"question": group.iloc[:100]})
    with pytest.raises(DataError, match="none"):
        explained(data, {})
