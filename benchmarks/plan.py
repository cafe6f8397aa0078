"""Does `wtp plan` promise what a study then gives? Forecast half-widths against those of fresh simulated studies of other sizes.

python benchmarks/plan.py [studies] [--hierarchical]

The forecast comes from studies of 300 respondents a segment and the square root of n. Fresh studies (20 of each size, other seeds) say what the
pooled logit's 90 per cent intervals come to, and how far the estimates themselves scatter (1.645 standard deviations), which the intervals should
tell. With --hierarchical one study of 150 respondents a segment is also analysed by the hierarchical logit, whose intervals the results pages show from
75 respondents on: how much wider or narrower they are than the forecast.
"""

from __future__ import annotations

import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from wtp.analysis import Plan, Request, analyse, plan_study
from wtp.analysis.plan import study_half_widths
from wtp.design import assign
from wtp.estimation.coding import design_levels
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.estimation.synthetic_study import assumed_tastes
from wtp.survey import Answers, Choice, Respondent, Survey, load_survey

SIZES = (75, 150, 600)
_NORMAL = 1.6449
_NOW = datetime(2026, 11, 1, tzinfo=UTC)


def main() -> None:
    """Print one line a study, segment, quantity and size."""
    numbers = [argument for argument in sys.argv[1:] if argument.isdecimal()]
    studies = int(numbers[0]) if numbers else 20
    worst = 0.0
    for name in ("supplier", "workshop"):
        survey = load_survey(Path(__file__).parents[1] / "surveys" / name)
        assert survey.design is not None
        began = time.perf_counter()
        made = plan_study(survey.definition, survey.design)
        print(f"{name}: planned in {time.perf_counter() - began:.1f} s; rule of thumb {made.rule_of_thumb} respondents")
        for segment in made.shares:
            for size in SIZES:
                worst = max(worst, _compared(survey, made, segment, size, studies))
        if "--hierarchical" in sys.argv:
            _hierarchical(survey, made)
    print(f"largest gap between forecast and achieved median half-width: {worst:.1%}; asked for: within 15 %")


def _compared(survey: Survey, made: Plan, segment: str, size: int, studies: int) -> float:
    """The largest gap of a segment's quantities at one size."""
    assert survey.design is not None
    profiles, tastes = design_levels(survey.design, survey.definition), assumed_tastes(survey.definition)
    found = pd.concat(
        [
            study_half_widths(
                survey.definition,
                profiles,
                tastes,
                segment,
                size,
                np.random.default_rng([991, size, number]),
                made.confidence,
            )
            for number in range(studies)
        ],
        keys=range(studies),
    )
    forecast, gap = made.half_widths(segment, size), 0.0
    for quantity, rows in forecast.groupby("quantity"):
        here = found[found["quantity"] == quantity]
        achieved = here["half_width"].groupby(level=1).mean().median()
        scatter = _NORMAL * here["estimate"].groupby(level=1).std().median()
        expected = rows["half_width"].median()
        gap = max(gap, abs(achieved / expected - 1))
        print(
            f"  {segment:<13} {quantity:<6} {size:>4} respondents: forecast {expected:6.2f}, achieved {achieved:6.2f} "
            f"({achieved / expected - 1:+.1%}), scatter of the estimates {scatter:6.2f}"
        )
    return gap


def _hierarchical(survey: Survey, made: Plan) -> None:
    """One full analysis of 150 respondents a segment on average."""
    assert survey.design is not None
    people, versions = [], tuple(survey.design.versions)
    for number, person in enumerate(draw_respondents(survey.definition, 150 * len(made.shares), 17), 1):
        rng = np.random.default_rng(number)
        version = versions[number % len(versions)]
        choices = tuple(
            Choice(task, order, *choose(person, task, rng), version, survey.definition_hash, _NOW)
            for order, task in enumerate(assign(survey.design.versions[version], rng), 1)
        )
        people.append(Respondent(number, True, "en", version, _NOW, _NOW, person.answers, choices))
    analysis = analyse(survey, Answers(survey.slug, tuple(people), "benchmark"), Request())
    sizes = analysis.tables["segments"].set_index("segment")["respondents"]
    for quantity, table in (("wtp", "willingness_to_pay"), ("limit", "price_limit")):
        for segment, rows in analysis.tables[table].groupby("segment"):
            forecast = made.half_widths(str(segment), int(sizes[segment]))
            expected = forecast.loc[forecast["quantity"] == quantity, "half_width"].median()
            achieved = float(((rows["high"] - rows["low"]) / 2).median())
            ratio = achieved / expected if math.isfinite(achieved) else math.nan
            print(
                f"  hierarchical, {segment:<13} {quantity:<6} {sizes[segment]:>4} respondents: {achieved:6.2f}, {ratio:.2f} of the forecast"
            )


if __name__ == "__main__":
    main()
