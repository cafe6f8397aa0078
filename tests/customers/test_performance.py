"""Keep, tell or fix: who stands where, verdicts with their probability, and nothing claimed where there is nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wtp.customers.performance import BEHIND, FIX, KEEP, LEAVE, OVER, TELL, UNDECIDED, standing, strengths
from wtp.survey import load_survey
from wtp.survey.definition import Definition

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"
NAN = float("nan")
ATTRIBUTES = list("abcdef")


def table(rows: list[tuple[float, float, float, float, str]]) -> pd.DataFrame:
    """gap, its error, worth, half of the interval of the worth, standing."""
    made = pd.DataFrame(rows, columns=["gap", "std_error", "value", "half", "standing"])
    return made.assign(value_low=made["value"] - made["half"], value_high=made["value"] + made["half"], gap_correlation=NAN, respondents=50)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ((0.8, 0.1, 5.0, 1.0, "lower"), KEEP),
        ((-0.8, 0.1, 5.0, 1.0, "equal"), TELL),
        ((-0.8, 0.1, 5.0, 1.0, "ahead"), TELL),
        ((-0.8, 0.1, 5.0, 1.0, "lower"), FIX),
        ((-0.8, 0.1, 5.0, 1.0, "unknown"), BEHIND),
        ((0.8, 0.1, 0.1, 0.4, "equal"), OVER),
        ((-0.8, 0.1, 0.1, 0.4, "lower"), LEAVE),
        ((-0.8, 0.1, 1.0, 3.0, "lower"), UNDECIDED),  # whether it is valued is not known
        ((-0.05, 0.1, 5.0, 1.0, "lower"), UNDECIDED),  # whether it is seen as worse is not known
        ((-0.8, 0.1, NAN, NAN, "ahead"), ""),  # the price has no worth of its own
    ],
)
def test_verdicts(row: tuple[float, float, float, float, str], verdict: str) -> None:
    found = strengths(table([row, (0.9, 0.1, 5.0, 1.0, "equal")]), smallest=1.0).iloc[0]
    assert found["verdict"] == verdict
    assert pd.isna(found["probability"]) == (verdict == "")
    assert (found["probability"] >= 0.9) == (verdict not in ("", UNDECIDED))


def test_what_is_drawn_together_is_judged_together() -> None:
    """A gap and a worth that both are doubtful: together they hold more often if they move together."""
    rows = table([(0.1, 0.1, 1.5, 1.2, "equal"), (1.0, 0.1, 5.0, 1.0, "equal")])
    chances = [strengths(rows.assign(gap_correlation=r), smallest=1.0)["probability"][0] for r in (-0.9, 0.0, 0.9)]
    assert chances[0] < chances[1] < chances[2]


def test_where_today_stands_against_the_rival() -> None:
    raw = load_survey(SUPPLIER).definition.model_dump()
    page, rating = next((page, q) for page in raw["pages"] for q in page.get("questions", []) if q.get("measures") == "importance")  # fmt: skip

    def found(**more: object) -> dict[str, str]:
        rival = rating | {"id": "rival", "measures": "rival_performance", **more}
        pages = [{**p, "questions": [*p["questions"], rival]} if p is page else p for p in raw["pages"]]
        definition = Definition.model_validate({**raw, "pages": pages})
        return {name: standing(definition, name) for name in ("range", "speed", "brand", "price")}

    assert found(competitor="leader") == {"range": "lower", "speed": "equal", "brand": "lower", "price": "ahead"}
    assert found(competitor="discounter") == {"range": "ahead", "speed": "ahead", "brand": "ahead", "price": "lower"}
    assert found() == {"range": "lower", "speed": "equal", "brand": "lower", "price": "lower"}, "the best of all rivals"
    raw["competitors"] = []
    raw["attributes"][0]["current"] = "one_source"
    assert found(rival={"en": "Other", "de": "Andere"}) == {"range": "equal", "speed": "unknown", "brand": "unknown", "price": "unknown"}  # fmt: skip
    raw["attributes"][0]["ordered"] = False
    assert found()["range"] == "unknown"


def study(true: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Gaps of everybody and three segments of 50, whose persons are inclined to one of the two companies."""
    inclined = 0.7 * rng.standard_normal((150, 1))
    gaps = true + inclined + 1.4 * rng.standard_normal((150, len(true)))
    parts = [gaps, gaps[:50], gaps[50:100], gaps[100:]]
    rows = [(g, e, 5.0, 1.0, "equal") for part in parts for g, e in zip(part.mean(axis=0), part.std(axis=0, ddof=1) / len(part) ** 0.5, strict=True)]  # fmt: skip
    return table(rows)


def test_without_any_difference_nothing_is_claimed() -> None:
    rng = np.random.default_rng(4)
    claimed = [(strengths(study(np.zeros(6), rng), smallest=1.0)["verdict"] != UNDECIDED).any() for _ in range(150)]
    assert np.mean(claimed) <= 0.12


def test_known_gaps_are_found_within_their_intervals() -> None:
    rng, true = np.random.default_rng(5), np.array([0.8, 0.4, 0, 0, -0.4, -0.8])
    found = pd.concat([strengths(study(true, rng), smallest=1.0) for _ in range(60)])
    truth = np.tile(true, len(found) // len(true))
    held = (found["pooled_gap_low"] <= truth) & (truth <= found["pooled_gap_high"])
    assert 0.85 <= held.mean() <= 0.95
    decided = found["verdict"] != UNDECIDED
    wrong = np.where(found["verdict"] == KEEP, truth <= 0, truth >= 0)
    assert wrong[decided].mean() <= 0.13, "verdicts at 90 % are wrong in about a tenth"
    assert decided[np.abs(truth) == 0.8].mean() > 0.95
