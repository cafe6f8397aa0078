"""Joint regions of rating and worth hold the stated share of the joint draws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.web.figures import with_ratings
from wtp.analysis import Request, analyse
from wtp.analysis import joint as module
from wtp.analysis.joint import region
from wtp.survey import Answers, Survey


@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_an_ellipse_holds_the_stated_share_of_joint_draws(confidence: float) -> None:
    covariance = [[0.04, 0.12], [0.12, 0.9]]
    x, y = np.random.default_rng(3).multivariate_normal([4.0, 6.0], covariance, 20_000).T
    reach_x, reach_y, correlation = region(x, y, confidence)
    a, b = (x - x.mean()) / reach_x, (y - y.mean()) / reach_y
    inside = (a**2 - 2 * correlation * a * b + b**2) / (1 - correlation**2) <= 1
    assert inside.mean() == pytest.approx(confidence, abs=0.01)
    assert correlation == pytest.approx(0.12 / np.sqrt(0.04 * 0.9), abs=0.02)
    assert all(np.isnan(region(x, y * np.nan, confidence)))


@pytest.mark.slow
def test_worth_and_rating_are_joined_draw_by_draw(survey: Survey, answers: Answers, monkeypatch: Any) -> None:
    """Who chooses the faster solution more often rates today's speed lower, so the worth of today's level and its rating move together."""
    for name, value in (("_MOST_SWEEPS", 300), ("_MOST_WARMUP", 300), ("_MOST_SWEEPS_OF_OTHERS", 100)):
        monkeypatch.setattr(f"wtp.analysis.hierarchical.{name}", value)
    monkeypatch.setattr("wtp.estimation.hierarchical.logit._FIRST_WARMUP", 200)
    monkeypatch.setattr("wtp.analysis.study.difference_tables", lambda *_, **__: ({}, ()))  # segments are no part of it
    drawn: list[tuple[np.ndarray, np.ndarray]] = []
    plain = region

    def watched(x: np.ndarray, y: np.ndarray, confidence: float) -> tuple[float, float, float]:
        drawn.append((x, y))
        return plain(x, y, confidence)

    monkeypatch.setattr(module, "region", watched)
    rng = np.random.default_rng(2)
    people = []
    for respondent in answers.respondents:
        own = {a.id: int(rng.integers(2, 6)) for a in survey.definition.attributes}
        rated = {"performance": own, "rival_performance": dict.fromkeys(own, 3)}
        people.append(replace(respondent, answers={**respondent.answers, **rated}))
    found = analyse(with_ratings(survey), replace(answers, respondents=tuple(people), hash="rated"), Request())
    table = found.table("importance_performance", "all").set_index("attribute")
    assert table[["own_reach", "own_value_reach", "own_correlation", "gap_correlation"]].notna().all(axis=None)
    # the rival is rated alike by all, so the gap is the own rating less a constant
    assert table["gap_correlation"].to_numpy() == pytest.approx(table["own_correlation"].to_numpy())
    half = (table["own_high"] - table["own_low"]) / 2
    assert (table["own_reach"] / half).between(1.1, 1.5).all(), "2.15 standard errors against 1.65"
    x, y = drawn[0]
    a, b = (x - x.mean()) / table["own_reach"].iloc[0], (y - y.mean()) / table["own_value_reach"].iloc[0]
    r = table["own_correlation"].iloc[0]
    assert ((a**2 - 2 * r * a * b + b**2) / (1 - r**2) <= 1).mean() == pytest.approx(0.9, abs=0.04)
