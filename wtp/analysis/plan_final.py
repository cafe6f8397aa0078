"""The forecast of the final figures: how much wider or narrower the hierarchical model's intervals are than those of the pooled logit, in this study.

A few simulated studies of the study's own design and tastes are fitted as the answers will be: one model for everybody, segments as covariates, figures about the
customers (the Bayesian bootstrap over respondents is part of every interval). The ratio of its half-widths to the quick forecast, one a segment and quantity,
carries the quick forecast over: both fall with 1/sqrt(n) (see `benchmarks/plan.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from wtp.analysis.choice_frame import formula
from wtp.analysis.hierarchical import FEWEST_TASKS, customers_each
from wtp.analysis.money import steps_from_current
from wtp.analysis.plan import LIMIT, WTP, Plan, half_width_of_limit, needed_for, split
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData
from wtp.estimation.coding import design_levels
from wtp.estimation.hierarchical import HierarchicalLogit, HierarchicalResults, Progress
from wtp.estimation.parallel import each, elsewhere
from wtp.estimation.synthetic_study import Assumption, answered_design, assumed_tastes
from wtp.pricing import price_limits, willingness_to_pay
from wtp.survey.definition import Definition
from wtp.survey.tasks import Design

STUDIES = 3
SMALLEST_SEGMENT, FEWEST, MOST = 100, 300, 600  # respondents: of the smallest segment; of all
WARMUP, SWEEPS = 500, 1_000  # half-widths are within some 3 per cent of those of a run until it says "final"
_STEP = ["attribute", "from_level", "to_level"]


def final_plan(
    plan: Plan,
    definition: Definition,
    design: Design,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """The plan for the figures of the final model, with its table `final`; the plan as it is where the results will come from the pooled model (too few tasks).

    A segment whose interval the final model withholds keeps the quick forecast and has no row in `final`. progress: called with sweeps done and sweeps in all. It takes a
    minute or two.
    """
    if definition.choice_tasks.tasks < FEWEST_TASKS:
        return plan
    assumption = assumed_tastes(definition)
    respondents = min(max(math.ceil(SMALLEST_SEGMENT / min(assumption.shares.values())), FEWEST), MOST)
    sweeps = WARMUP + SWEEPS

    def show(before: int, own: Progress) -> None:
        if progress:
            progress(before + min(own.sweeps, sweeps), STUDIES * sweeps)

    # Somewhere else nobody sees sweep by sweep how far a study is.
    shown = [None if elsewhere() else partial(show, number * sweeps) for number in range(STUDIES)]
    pieces = [(plan, definition, design, assumption, respondents, number, shown[number]) for number in range(STUDIES)]
    found = []
    for done, own in enumerate(each(_study, pieces, threads=False), 1):
        found += [] if own is None else [own]
        if progress:
            progress(done * sweeps, STUDIES * sweeps)
    if not found:
        return plan
    ratios = pd.concat(found).groupby(["segment", "quantity"], sort=False)
    final = ratios.agg(
        respondents=("respondents", "first"), studies=("ratio", "count"), ratio=("ratio", "mean"), error=("ratio", "sem")
    ).reset_index()  # fmt: skip
    final = final[2 * final["studies"] > STUDIES].reset_index(drop=True)
    factor = plan.needed[["segment", "quantity"]].merge(final, how="left", on=["segment", "quantity"])["ratio"]
    needed = plan.needed.assign(half_width=plan.needed["half_width"] * factor.fillna(1.0).to_numpy())
    return replace(plan, needed=needed_for(needed, plan.precision), final=final)


def simulated_study(
    definition: Definition, design: Design, assumption: Assumption, respondents: int, rng: np.random.Generator
) -> tuple[ChoiceData, np.ndarray]:
    """Answers of so many respondents in all, segments in their shares, and the segment of each (N,)."""
    counts = split(assumption.shares, respondents)
    frame = answered_design(definition, design_levels(design, definition), assumption, counts, rng)
    names = [segment.segment for segment in assumption.simulation.segments]
    member = np.repeat(names, [counts[name] for name in names])
    frame["segment"] = member[frame["respondent"].to_numpy()]
    several = (np.array(list(counts.values())) > 0).sum() > 1
    data = ChoiceData.from_long(
        frame,
        formula(definition).removesuffix(" + none"),
        buys="buys" if "buys" in frame else None,
        covariates=["segment"] if several else None,
    )
    return data, member


def final_fit(
    data: ChoiceData, seed: int, *, warmup: int, sweeps: int, progress: Callable[[Progress], None] | None = None
) -> HierarchicalResults:
    """The model of the final figures, for exactly so many sweeps."""
    covariates = None if data.covariates is None else [str(name) for name in data.covariates]
    model = HierarchicalLogit(data, signs={"price": -1}, covariates=covariates)
    return model.fit(draws=sweeps, warmup=warmup, seed=seed, stop=None, progress=progress)


def final_half_widths(
    fit: HierarchicalResults, definition: Definition, member: np.ndarray, confidence: float
) -> pd.DataFrame:
    """segment, respondents, quantity, attribute, from_level, to_level, half_width, of everybody and, where there are several, of each segment; NaN where the pages withhold it."""
    names = list(dict.fromkeys(member))
    members: Mapping[str, np.ndarray] = {ALL: np.ones(len(member), dtype=bool)} | {n: member == n for n in names}
    offer = {attribute.id: attribute.current for attribute in definition.attributes}
    tested = (definition.price.levels[0], definition.price.levels[-1])
    frames = []
    for name in [ALL, *(names if len(names) > 1 else ())]:
        own = fit.segment(members[name], customers_each(definition, members) if name == ALL else None)
        worth = willingness_to_pay(own, steps=steps_from_current(definition), confidence=confidence)
        tables = [worth[worth["segment"] == ALL].assign(quantity=WTP, half_width=(worth["high"] - worth["low"]) / 2)]
        if fit.data.none is not None:
            limit = price_limits(own, offer, tested, confidence=confidence)
            width = half_width_of_limit(limit, tested)
            tables.append(limit.assign(quantity=LIMIT, **dict.fromkeys(_STEP, ""), half_width=width))
        table = pd.concat(tables)[["quantity", *_STEP, "half_width"]]
        frames.append(table.assign(segment=name, respondents=own.respondents))
    return pd.concat(frames, ignore_index=True)


def _study(
    plan: Plan,
    definition: Definition,
    design: Design,
    assumption: Assumption,
    respondents: int,
    number: int,
    progress: Callable[[Progress], None] | None,
) -> pd.DataFrame | None:
    """The ratios of one simulated study, None if it cannot be estimated."""
    rng = np.random.default_rng([plan.seed, respondents, number, 13])
    data, member = simulated_study(definition, design, assumption, respondents, rng)
    try:
        fit = final_fit(data, plan.seed + number, warmup=WARMUP, sweeps=SWEEPS, progress=progress)
    except (DataError, EstimationError):
        return None
    return _ratios(plan, final_half_widths(fit, definition, member, plan.confidence))


def _ratios(plan: Plan, widths: pd.DataFrame) -> pd.DataFrame:
    """segment, quantity, respondents, ratio of one study: the median over the steps."""
    rows = []
    for segment, own in widths.groupby("segment", sort=False):
        respondents = int(own["respondents"].iloc[0])
        quick = plan.half_widths(str(segment), respondents)
        both = own.merge(quick, on=["segment", "quantity", *_STEP], suffixes=("", "_quick"))
        ratio = both["half_width"] / both["half_width_quick"]
        for quantity, here in ratio.dropna().groupby(both["quantity"], sort=False):
            rows.append((segment, quantity, respondents, float(here.median())))
    return pd.DataFrame(rows, columns=["segment", "quantity", "respondents", "ratio"])
