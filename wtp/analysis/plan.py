"""How many respondents are needed for a stated precision: a forecast by simulation, before anybody is asked.

Simulated respondents with assumed tastes answer the study's own design; the pooled logit of every segment gives the half-widths of the intervals
that the results pages will show, of each WTP step and of the price upper limit (P50). A few studies of one size say how wide they are there, and
half-width falls with 1/sqrt(n); studies of another size, fresh ones, say how far that rule can be trusted here. Beside it stands the rule of thumb
n = 500 c / (t a) (Orme 2010), which knows nothing of tastes, prices or what is to be found out. This is the quick forecast; `plan_final` carries it over to the
figures of the final model.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.choice_frame import formula
from wtp.analysis.money import steps_from_current
from wtp.analysis.record import ALL, pack, unpack
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.coding import design_levels
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE, SMALLEST_SAMPLE
from wtp.estimation.parallel import each
from wtp.estimation.synthetic_study import Assumption, answered_design, assumed_tastes
from wtp.pricing import price_limit_pooled, willingness_to_pay
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer, todays_prices
from wtp.survey.tasks import Design

WTP, LIMIT = "wtp", "limit"
SIZES = (50, 75, 100, 150, 200, 300, 400, 500)
REFERENCE, STUDIES = 300, 4
CHECKED, CHECKS = 100, 8  # smaller fresh studies: is the half-width there what the rule says?
_LARGEST_GAP = 0.15
_DRAWS = 2_000
_ORME = 500
_DEFAULT_PRECISION = 0.1  # of the span of the tested prices
_COLUMNS = ["quantity", "attribute", "from_level", "to_level"]
_FINAL = ["segment", "quantity", "respondents", "studies", "ratio", "error"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Forecast half-widths, in money, of the intervals at `confidence`; one row a segment ("all" is everybody) and quantity.

    needed: segment, quantity ("wtp" or "limit"), attribute, from_level, to_level, estimate, half_width (at `reference` respondents of the segment), needed
    (respondents for `precision`; NaN where there is no figure, and `note` says why). check: segment, quantity,
    respondents, forecast, simulated, ratio (median over the quantities, fresh studies). final: segment, quantity, respondents, studies, ratio of the final model's half-widths
    to the quick ones, in which `needed` already is, and its standard error; empty in a quick forecast. basis: survey, design and version it was made for.
    """

    basis: str
    seed: int
    precision: float
    power_for: str
    confidence: float
    currency: str
    tastes: str
    shares: Mapping[str, float]
    reference: int
    rule_of_thumb: int
    needed: pd.DataFrame
    check: pd.DataFrame
    final: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_FINAL))

    @property
    def forecast(self) -> pd.DataFrame:
        """segment, quantity, attribute, from_level, to_level, respondents, half_width: 50 to 500 respondents of each segment."""
        segments = self.needed["segment"].unique()
        table = pd.concat([self.half_widths(s, n) for s in segments for n in SIZES], ignore_index=True)
        return table[["segment", *_COLUMNS, "respondents", "half_width"]]

    def recommended(self, segment: str) -> float:
        """Respondents of this segment for `precision` in every quantity of `power_for`; NaN where one of them has no figure."""
        rows = self.needed[(self.needed["segment"] == segment) & (self.needed["quantity"] == self.power_for)]
        return float(rows["needed"].max(skipna=False)) if len(rows) else math.nan

    def half_widths(self, segment: str, respondents: int) -> pd.DataFrame:
        """The rows of `needed` of a segment with the half-width at so many of its respondents; below the smallest sample: NaN."""
        rows = self.needed[self.needed["segment"] == segment]
        least = rows["quantity"].map(_least)
        width = rows["half_width"] * math.sqrt(self.reference / respondents)
        return rows.assign(respondents=respondents, half_width=width.where(respondents >= least))

    @property
    def trusted(self) -> bool:
        """Whether the fresh studies came within 15 per cent of the forecast everywhere."""
        return bool(((self.check["ratio"] - 1).abs() <= _LARGEST_GAP).all())

    def to_json(self) -> str:
        """The record as JSON text; `from_json` gives it back."""
        record = {name: getattr(self, name) for name in _SCALARS} | {"shares": dict(self.shares)}
        record |= {name: pack(getattr(self, name)) for name in _TABLES}
        return json.dumps(record, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The record that `to_json` wrote."""
        record: dict[str, Any] = json.loads(text)
        return cls(**record | {name: unpack(record[name]) for name in _TABLES if name in record})


_SCALARS = (
    *("basis", "seed", "precision", "power_for", "confidence", "currency", "tastes", "reference", "rule_of_thumb"),
)
_TABLES = ("needed", "check", "final")


def plan_study(
    definition: Definition,
    design: Design,
    *,
    precision: float | None = None,
    power_for: str = WTP,
    confidence: float = 0.90,
    seed: int = 1,
    basis: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Forecast the precision of a study with this design, quickly, by the pooled logit; same arguments, same figures.

    precision: the wanted half-width, in the survey's currency; by default a tenth of the span of the tested prices. power_for: "wtp" or "limit".
    progress: called with studies done and studies in all. Raises DataError for a precision that is no amount, EstimationError if no simulated study can
    be estimated, as with a design that cannot tell the part-worths apart.
    """
    span = definition.price.levels[-1] - definition.price.levels[0]
    wanted = _DEFAULT_PRECISION * span if precision is None else precision
    if not 0 < wanted < math.inf:
        raise DataError(
            f"precision: found {precision}; allowed: an amount above 0; state a half-width in {definition.currency}."
        )
    if power_for not in (WTP, LIMIT):
        raise DataError(f"power_for: found {power_for!r}; allowed: {WTP}, {LIMIT}; choose one of them.")
    assumption, profiles = assumed_tastes(definition), design_levels(design, definition)
    segments = [ALL, *(assumption.shares if len(assumption.shares) > 1 else ())]
    jobs = [(s, n, i) for s in segments for n, count in ((REFERENCE, STUDIES), (CHECKED, CHECKS)) for i in range(count)]
    found: dict[tuple[str, int], list[pd.DataFrame]] = {}
    pieces = (
        (definition, profiles, assumption, s, n, np.random.default_rng([seed, segments.index(s), n, i]), confidence)
        for s, n, i in jobs
    )
    if progress:
        progress(0, len(jobs))
    for done, ((s, n, _), widths) in enumerate(
        zip(jobs, each(study_half_widths, pieces, threads=False), strict=True), 1
    ):
        found.setdefault((s, n), []).append(widths)
        if progress:
            progress(done, len(jobs))
    needed, checks = [], []
    for segment in segments:
        reference, smaller = (_averaged(found[segment, n]) for n in (REFERENCE, CHECKED))
        needed.append(needed_for(reference, wanted).assign(segment=segment))
        ratio = smaller["half_width"] / (reference["half_width"] * math.sqrt(REFERENCE / CHECKED))
        for quantity, rows in reference.groupby("quantity", sort=False):
            there = ratio[rows.index].dropna()
            if len(there):
                expected = float(rows["half_width"].median() * math.sqrt(REFERENCE / CHECKED))
                checks.append(
                    (segment, quantity, CHECKED, expected, expected * float(there.median()), float(there.median()))
                )
    table = pd.concat(needed, ignore_index=True)
    if table["half_width"].isna().all():
        raise EstimationError(
            "no simulated study of this design gave a figure in money; allowed: a design and assumed tastes under which the price drives the "
            "choices; look at the design's diagnostics and at [simulation]."
        )
    return Plan(
        basis=basis,
        seed=seed,
        precision=wanted,
        power_for=power_for,
        confidence=confidence,
        currency=definition.currency,
        tastes=assumption.source,
        shares=assumption.shares,
        reference=REFERENCE,
        rule_of_thumb=rule_of_thumb(definition),
        needed=table[["segment", *_COLUMNS, "estimate", "half_width", "needed", "note"]],
        check=pd.DataFrame(checks, columns=["segment", "quantity", "respondents", "forecast", "simulated", "ratio"]),
    )


def plan_basis(definition: Definition, design: Design, version: str) -> str:
    """Identifies what a plan was made for: the survey, its design, the version of the program."""
    return hashlib.sha256(json.dumps([definition.fingerprint, design.hash, version]).encode()).hexdigest()


def rule_of_thumb(definition: Definition) -> int:
    """n = 500 c / (t a) (Orme 2010): c the most levels of an attribute or the price, t estimation tasks, a alternatives without none."""
    most = max(len(definition.price.levels), *(len(attribute.levels) for attribute in definition.attributes))
    return math.ceil(_ORME * most / (definition.choice_tasks.tasks * definition.choice_tasks.alternatives))


def study_half_widths(
    definition: Definition,
    profiles: np.ndarray,
    assumption: Assumption,
    segment: str,
    respondents: int,
    rng: np.random.Generator,
    confidence: float,
) -> pd.DataFrame:
    """One simulated study of so many respondents of a segment: quantity, attribute, from_level, to_level, estimate, half_width, note.

    profiles: level numbers of the design, see `design_levels`.
    A figure that the results pages would withhold is NaN; a study that cannot be estimated has only such figures.
    """
    counts = {segment: respondents} if segment != ALL else split(assumption.shares, respondents)
    frame = answered_design(definition, profiles, assumption, counts, rng)
    steps, with_none = steps_from_current(definition), "buys" in frame
    terms = formula(definition).removesuffix(" + none")
    try:
        fit = ConditionalLogit(
            ChoiceData.from_long(
                frame, terms, buys="buys" if with_none else None, labels=definition.choice_tasks.labels
            )
        ).fit()
    except (DataError, EstimationError) as error:
        rows = [(WTP, step.attribute, step.from_level, step.to_level) for step in steps]
        rows += [(LIMIT, "", "", "")] if with_none else []
        nothing = pd.DataFrame(rows, columns=_COLUMNS)
        return nothing.assign(estimate=math.nan, half_width=math.nan, note=str(error))
    chance: dict[str, Any] = {"draws": _DRAWS, "confidence": confidence}
    worth = willingness_to_pay(fit, steps=steps, **chance).assign(quantity=WTP)
    found = worth.drop(columns=["segment", "note"]).assign(note=worth["note"].where(worth["estimate"].isna(), ""))
    found["half_width"] = (found["high"] - found["low"]) / 2
    if with_none:
        found = pd.concat([found, _limit(fit, definition, chance)], ignore_index=True)
    return found[[*_COLUMNS, "estimate", "half_width", "note"]]


def _limit(fit: ConditionalLogitResults, definition: Definition, chance: Mapping[str, Any]) -> pd.DataFrame:
    tested = todays_prices(definition)
    row = price_limit_pooled(fit, todays_offer(definition), tested, **chance)
    return row[["estimate", "note"]].assign(
        quantity=LIMIT, attribute="", from_level="", to_level="", half_width=half_width_of_limit(row, tested)
    )


def half_width_of_limit(row: pd.DataFrame, tested: tuple[float, float]) -> pd.Series:
    """Half-width of a price limit; where an end is cut off at the tested prices, which says nothing of the width, that of the other side."""
    below = (row["estimate"] - row["low"]).where(row["low"] > tested[0])
    above = (row["high"] - row["estimate"]).where(row["high"] < tested[1])
    return pd.concat([below, above], axis=1).mean(axis=1)


def split(shares: Mapping[str, float], respondents: int) -> dict[str, int]:
    """Whole respondents by segment, as near to the shares as can be, together all of them."""
    exact = {segment: share * respondents for segment, share in shares.items()}
    counts = {segment: int(count) for segment, count in exact.items()}
    for segment in sorted(exact, key=lambda s: counts[s] - exact[s])[: respondents - sum(counts.values())]:
        counts[segment] += 1
    return counts


def _averaged(studies: list[pd.DataFrame]) -> pd.DataFrame:
    """Mean estimate and half-width of every quantity; NaN, with a note, where half of the studies or more would withhold it."""
    stacked = pd.concat(studies, keys=range(len(studies)))
    grouped = stacked.groupby(level=1, sort=True)
    first = studies[0][_COLUMNS]
    figures = grouped[["estimate", "half_width"]].mean()
    rare = grouped["half_width"].count() * 2 <= len(studies)
    notes = grouped["note"].agg(lambda texts: next((text for text in texts if text), ""))
    figures[rare] = math.nan
    return first.assign(**figures, note=notes.where(rare, ""))


def needed_for(reference: pd.DataFrame, precision: float) -> pd.DataFrame:
    """The table with `needed`: respondents for the precision, from the half-widths at the reference."""
    counts = np.ceil(REFERENCE * (reference["half_width"] / precision) ** 2)
    return reference.assign(needed=np.maximum(counts, reference["quantity"].map(_least)))


def _least(quantity: str) -> int:
    """Fewest respondents for which the results pages show the quantity."""
    return FULL_SAMPLE if quantity == LIMIT else SMALLEST_SAMPLE
