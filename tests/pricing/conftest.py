"""A simulated choice data set with a none option, and its pooled fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wtp.estimation import ChoiceData, ConditionalLogit, ConditionalLogitResults

TRUTH = {"speed": {"slow": 0.0, "quick": 0.9}, "brand": {"new": 0.0, "known": 0.5, "leading": 0.7}}
PRICE, NONE = -0.05, -4.0
PRICES = (80.0, 100.0, 120.0)


def simulate(*, respondents: int = 300, price: float = PRICE, none: float = NONE, seed: int = 3) -> pd.DataFrame:
    """Three offers and none a task, ten tasks a respondent, tastes as in TRUTH."""
    rng = np.random.default_rng(seed)
    tasks = respondents * 10
    frame = pd.DataFrame(
        {
            "respondent": np.repeat(np.arange(respondents), 40),
            "choice_task": np.tile(np.repeat(np.arange(10), 4), respondents),
            "speed": rng.choice(list(TRUTH["speed"]), tasks * 4),
            "brand": rng.choice(list(TRUTH["brand"]), tasks * 4),
            "price": rng.choice(PRICES, tasks * 4),
            "none": np.tile([0.0, 0.0, 0.0, 1.0], tasks),
        }
    )
    is_none = frame["none"] == 1
    frame.loc[is_none, ["speed", "brand", "price"]] = ["slow", "new", 0.0]
    utility = (
        frame["speed"].map(TRUTH["speed"])
        + frame["brand"].map(TRUTH["brand"])
        + price * frame["price"]
        + none * frame["none"]
    )
    noisy = (utility + rng.gumbel(size=len(frame))).to_numpy().reshape(-1, 4)
    frame["chosen"] = (noisy == noisy.max(axis=1, keepdims=True)).ravel().astype(int)
    for column, levels in TRUTH.items():
        frame[column] = pd.Categorical(frame[column], categories=list(levels))
    return frame


def fit_of(frame: pd.DataFrame, formula: str = "speed + brand + price + none") -> ConditionalLogitResults:
    return ConditionalLogit(ChoiceData.from_long(frame, formula)).fit()


@pytest.fixture(scope="session")
def choices() -> pd.DataFrame:
    return simulate()


@pytest.fixture(scope="session")
def fit(choices: pd.DataFrame) -> ConditionalLogitResults:
    return fit_of(choices)
