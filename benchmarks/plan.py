"""Does `wtp plan` promise what a study then gives? Forecast half-widths against those of fresh simulated studies of other sizes.

python benchmarks/plan.py [studies] [--final N]

The quick forecast comes from studies of 300 respondents a segment and the square root of n. Fresh studies (20 of each size, other seeds) say what the
pooled logit's 90 per cent intervals come to, and how far the estimates themselves scatter (1.645 standard deviations), which the intervals should
tell. With --final N the forecast of the final figures is set against N fresh studies of 300 and of 600 respondents in all, each fitted by the hierarchical
logit; price limits where the segment has the 75 respondents that the pages ask for.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd

from wtp.analysis import Plan, final_plan, plan_study
from wtp.analysis.plan import study_half_widths
from wtp.analysis.plan_final import SWEEPS, WARMUP, final_fit, final_half_widths, simulated_study
from wtp.estimation.coding import design_levels
from wtp.estimation.synthetic_study import assumed_tastes
from wtp.survey import Survey, load_survey

SIZES = (75, 150, 600)
FINAL_SIZES = (300, 600)
_NORMAL = 1.6449


def main() -> None:
    """Print one line a study, segment, quantity and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", type=int, nargs="?", default=20)
    parser.add_argument("--final", type=int, default=0, metavar="N")
    options = parser.parse_args()
    worst = final = 0.0
    for name in ("workshop", "supplier"):
        survey = load_survey(Path(__file__).parents[1] / "surveys" / name)
        assert survey.design is not None
        began = time.perf_counter()
        made = plan_study(survey.definition, survey.design)
        print(f"{name}: planned in {time.perf_counter() - began:.1f} s; rule of thumb {made.rule_of_thumb} respondents")
        for segment in made.shares:
            for size in SIZES:
                worst = max(worst, _compared(survey, made, segment, size, options.studies))
        if options.final:
            final = max(final, _final(survey, made, options.final))
    print(
        f"largest gap between forecast and achieved median half-width, quick figures: {worst:.1%}; asked for: within 15 %"
    )
    if options.final:
        print(f"final figures: {final:.1%}; asked for: within 15 %")


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


def _final(survey: Survey, quick: Plan, studies: int) -> float:
    """The largest gap between the forecast of the final figures and the mean of fresh studies, over segments, quantities and sizes."""
    definition, design = survey.definition, survey.design
    assert design is not None
    began = time.perf_counter()
    made, worst = final_plan(quick, definition, design), 0.0
    print(f"  final: planned in {time.perf_counter() - began:.0f} s more")
    print(made.final.round(3).to_string(index=False), flush=True)
    for size in FINAL_SIZES:
        found = []
        for number in range(studies):
            rng = np.random.default_rng([773, size, number])
            data, member = simulated_study(definition, design, assumed_tastes(definition), size, rng)
            fit = final_fit(data, 500 + number, warmup=WARMUP, sweeps=SWEEPS)
            found.append(final_half_widths(fit, definition, member, made.confidence))
        for (segment, quantity), rows in pd.concat(found, keys=range(studies)).groupby(
            ["segment", "quantity"], sort=False
        ):
            each = rows["half_width"].groupby(level=0).median()
            count = int(rows["respondents"].iloc[0])
            forecast = made.half_widths(str(segment), count)
            expected = forecast.loc[forecast["quantity"] == quantity, "half_width"].median()
            gap = each.mean() / expected - 1
            if math.isfinite(gap):
                worst = max(worst, abs(gap))
                print(
                    f"  final, {segment:<13} {quantity:<6} {count:>4} of {size} respondents: forecast {expected:6.2f}, achieved {each.mean():6.2f} "
                    f"({gap:+.1%}, se {each.sem() / expected:.1%})",
                    flush=True,
                )
    return worst


if __name__ == "__main__":
    main()
