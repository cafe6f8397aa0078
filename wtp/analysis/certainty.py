"""How sure today's figures are and how many more answers would settle each: the price upper limit to a chosen precision, every invest / save label by its sign.

Spread falls with the root of the number of respondents, so that a mean m with standard deviation s is n (z s / |m|)^2 respondents away from clearing 0, and a half-width h
is n (h / target)^2 away from its target. Both look at how exact a figure is, not at what it says; the final limit is less exact than the quick one, which is taken into account. Needs the tables of an analysis alone, so it costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd

from wtp.analysis.hierarchical import FEWEST_TASKS
from wtp.analysis.record import CONDITIONAL
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.pricing.investment import (
    DECISION_PROBABILITY,
    DOWN,
    INVEST,
    KEEP,
    OPEN,
    SAVE,
    SMALLEST_RELEVANT,
    UNDECIDED,
    UP,
)
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_prices

LIMIT = "price_limit"
SETTLED, MORE, TOO_FEW, TOO_CLOSE, WITHHELD = "settled", "more", "too_few", "too_close", "withheld"
DEFAULT_PRECISION = 0.05
_HOPELESS = 20
_FINAL_WIDER = 1.15  # half-width of the final price limit over the quick one's: 1.06 to 1.21 in simulated studies (`benchmarks/plan.py`)
_NORMAL = NormalDist()
_TENS = 10
COLUMNS = (
    *("segment", "decision", "label", "probability", "estimate", "half_width", "target", "respondents"),
    *("more_answers", "status", "note"),
)


def target_of(definition: Definition) -> float:
    """Half-width of the price upper limit that is exact enough: the author's, by default 5 per cent of today's price."""
    wanted = definition.stopping.half_width if definition.stopping else None
    return wanted if wanted is not None else DEFAULT_PRECISION * definition.price.current


def certainty(
    definition: Definition,
    tables: Mapping[str, pd.DataFrame],
    *,
    confidence: float,
    half_width: float | None = None,
) -> pd.DataFrame:
    """One row a segment and decision: the price upper limit ("price_limit") and each attribute's label.

    half_width: target for the price upper limit in money, by default `target_of`. Columns: label (the nearest one where it is undecided), probability (that the label is right; of the
    limit, that it lies above today's price), estimate and half_width of the limit (money), target, respondents of the segment, more_answers
    in this segment until the final figure is exact enough (0 if settled, NaN if more will hardly help), status (settled, more, too_few, too_close, withheld), note.
    """
    target = half_width if half_width is not None else target_of(definition)
    rows: list[dict[str, object]] = []
    for segment in tables["segments"].to_dict("records"):
        name, count = str(segment["segment"]), int(segment["respondents"])
        base = {"segment": name, "respondents": count, "target": target}
        if count < FULL_SAMPLE:
            few = {"decision": LIMIT, "status": TOO_FEW, "more_answers": float(FULL_SAMPLE - count)}
            rows.append(base | few)
            continue
        limits = _rows(tables, "price_limit", name)
        if len(limits):
            quick = segment.get("estimator") == CONDITIONAL and definition.choice_tasks.tasks >= FEWEST_TASKS
            wider = _FINAL_WIDER if quick else 1.0
            rows.append(base | _limit(definition, limits.iloc[0], count, target, confidence, wider))
        invested = _rows(tables, "investment", name)
        for attribute, moves in invested.groupby("attribute", sort=False) if len(invested) else ():
            smallest = SMALLEST_RELEVANT * definition.price.current
            rows.append(base | {"decision": attribute, **_label(moves, count, smallest, confidence)})
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ["probability", "estimate", "half_width", "target", "more_answers"]
    found[numbers] = found[numbers].astype(float)
    texts = ["label", "note"]
    found[texts] = found[texts].astype(object).where(found[texts].notna(), "").astype(str)
    return found


def _rows(tables: Mapping[str, pd.DataFrame], name: str, segment: str) -> pd.DataFrame:
    table = tables.get(name, pd.DataFrame(columns=["segment"]))
    return table[table["segment"] == segment]


def _limit(
    definition: Definition, row: pd.Series, respondents: int, target: float, confidence: float, wider: float
) -> dict[str, object]:
    if pd.isna(row["estimate"]):
        return {"decision": LIMIT, "status": WITHHELD, "note": str(row["note"])}
    lowest, highest = todays_prices(definition)
    # An end that is cut off at the tested prices says nothing of the width.
    below = row["estimate"] - row["low"] if row["low"] > lowest else np.nan
    above = row["high"] - row["estimate"] if row["high"] < highest else np.nan
    if np.isnan(below) and np.isnan(above):
        return {"decision": LIMIT, "status": WITHHELD, "note": "", "estimate": row["estimate"]}
    half = float(np.nanmean([below, above]))
    sd = half / _NORMAL.inv_cdf((1 + confidence) / 2)
    return {
        "decision": LIMIT,
        "estimate": float(row["estimate"]),
        "half_width": half,
        "probability": float(_NORMAL.cdf((row["estimate"] - definition.price.current) / sd)) if sd else np.nan,
        **_needed(respondents, wider * half / target),
    }


def _label(moves: pd.DataFrame, respondents: int, smallest: float, confidence: float) -> dict[str, object]:
    first = moves.iloc[0]
    label, note = str(first["label"]), str(first["note"])
    if note == NO_PRICE_EFFECT or moves["worth"].isna().any():
        return {"label": label, "status": WITHHELD, "note": note}
    if label not in (UNDECIDED, OPEN):
        return {"label": label, "probability": 1 - float(first["wrong"]), "status": SETTLED, "more_answers": 0.0}
    if label == OPEN:
        return _open(moves, respondents, smallest, confidence)
    right = dict(zip(moves["direction"], moves["probability"], strict=True))
    sure = {KEEP: 1 - max(right.values())}
    sure |= {name: right[way] for name, way in ((INVEST, UP), (SAVE, DOWN)) if way in right}
    nearest = max(sure, key=sure.__getitem__)
    more = float(first["more_answers"])
    found = {"label": nearest, "probability": sure[nearest], "more_answers": more}
    return found | {"status": TOO_CLOSE if np.isnan(more) else MORE}


def _open(moves: pd.DataFrame, respondents: int, smallest: float, confidence: float) -> dict[str, object]:
    """Without costs: what would show that a step up is honoured, or which way a step down goes, whichever is nearer."""
    nearest: dict[str, object] = {"label": OPEN, "status": TOO_CLOSE, "probability": np.nan}
    best = np.inf
    for move in moves.to_dict("records"):
        sd = (move["worth_high"] - move["worth_low"]) / 2 / _NORMAL.inv_cdf((1 + confidence) / 2)
        z = (move["worth"] - smallest) / sd if sd > 0 else 0.0
        if move["direction"] == UP and z <= 0:
            continue
        ratio = float(_NORMAL.inv_cdf(DECISION_PROBABILITY) / abs(z)) if z else np.inf
        if ratio < best:
            label = "honoured" if move["direction"] == UP else "expected" if z > 0 else "not_honoured"
            needed = _needed(respondents, max(ratio, 1.0 + 1e-9))
            best, nearest = ratio, {"label": label, "probability": float(_NORMAL.cdf(abs(z))), **needed}
            if nearest["status"] == WITHHELD:
                nearest["status"] = TOO_CLOSE
    return nearest


def _needed(respondents: int, ratio: float) -> dict[str, object]:
    """More answers, in tens, until a spread that is `ratio` times too wide is narrow enough."""
    if ratio <= 1:
        return {"more_answers": 0.0, "status": SETTLED}
    more = respondents * (ratio**2 - 1)
    if more > (_HOPELESS - 1) * respondents:
        return {"more_answers": np.nan, "status": TOO_CLOSE}
    return {"more_answers": float(np.ceil(max(more, _TENS) / _TENS) * _TENS), "status": MORE}
