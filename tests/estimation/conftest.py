"""Choice data for the tests of the estimators: simulated with known part-worths, and the golden sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import modechoice

from wtp.estimation import ChoiceData

GOLDEN = Path(__file__).parents[1] / "golden"
FORMULAS = {
    "electricity": "pf + cl + loc + wk + tod + seas",
    "train": "price + time + change + comfort",
    "modechoice": "ttme + gc + air + train + bus",
}
TRUTH = {"brand[T.known]": 0.4, "brand[T.leading]": 0.9, "wifi[T.yes]": 0.6, "price": -0.8}
FORMULA = "brand + wifi + price"


def simulate(respondents: int = 40, tasks: int = 6, *, ragged: bool = False, seed: int = 0) -> pd.DataFrame:
    """Long frame whose choices follow TRUTH; tasks of 3 alternatives, or of 2 to 5."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 6, respondents * tasks) if ragged else np.full(respondents * tasks, 3)
    task = np.repeat(np.arange(respondents * tasks), sizes)
    frame = pd.DataFrame(
        {
            "respondent": task // tasks,
            "choice_task": task % tasks,
            "brand": rng.choice(["known", "leading", "aaa unknown"], len(task)),
            "wifi": rng.choice(["no", "yes"], len(task)),
            "price": rng.choice([1.0, 2.0, 3.0], len(task)),
        }
    )
    utility = (
        TRUTH["brand[T.known]"] * (frame["brand"] == "known")
        + TRUTH["brand[T.leading]"] * (frame["brand"] == "leading")
        + TRUTH["wifi[T.yes]"] * (frame["wifi"] == "yes")
        + TRUTH["price"] * frame["price"]
        + rng.gumbel(size=len(frame))
    )
    return frame.assign(chosen=(utility == utility.groupby(task).transform("max")).astype(int))


def golden(name: str) -> pd.DataFrame:
    """One of the three golden sets as a long frame."""
    if name != "modechoice":
        return pd.read_csv(GOLDEN / f"{name}.csv.gz")
    data = modechoice.load_pandas().data
    constants = {mode: (data["mode"] == code).astype(float) for code, mode in ((1, "air"), (2, "train"), (3, "bus"))}
    return data.assign(respondent=data["individual"], choice_task=1, chosen=data["choice"], **constants)


def golden_choices(name: str) -> ChoiceData:
    """The same, coded."""
    return ChoiceData.from_long(golden(name), FORMULAS[name], price="pf" if name == "electricity" else "price")


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return simulate()


@pytest.fixture(scope="session")
def choices(frame: pd.DataFrame) -> ChoiceData:
    return ChoiceData.from_long(frame, FORMULA)
