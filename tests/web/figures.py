"""An analysis of the supplier study made by hand: everybody and one segment with clear figures, one whose price did not drive the
choices, and one with too few respondents for figures of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from wtp.analysis import Analysis, Plan, Request
from wtp.estimation.diagnostics import Note
from wtp.survey import Survey

WITHHELD = "The price did not clearly drive the answers, so no amount is shown."
NAN = float("nan")
# attribute -> level: (worth against today's level, low, high), as the full segments have it
WORTHS = {
    "range": {"core": (-4.77, -6.03, -3.54), "one_source": (3.17, 2.04, 4.36)},
    "speed": {"five_days": (-6.96, -8.15, -5.78), "same_day": (6.42, 4.11, 8.87)},
    "financing": {"invoice": (-4.70, -5.85, -3.58), "pay_per_use": (1.97, 0.84, 3.06)},
    "competence": {"hotline": (-3.25, -4.40, -2.12), "expert": (3.62, 2.42, 4.82)},
    "brand": {"new": (-2.92, -4.16, -1.68), "leading": (2.00, 0.85, 3.15)},
    "design": {"functional": (-0.55, -1.68, 0.54), "state_of_the_art": (1.94, 0.90, 3.03)},
}
LABELS = dict(zip(WORTHS, ("keep", "invest", "keep", "undecided", "keep", "save"), strict=True))


def handmade(survey: Survey, *, simulated: int = 0, notes: Sequence[Note] = ()) -> Analysis:
    """400 respondents: 200 uptime, 180 cost (withheld), 20 growth (too few); `all` has the figures of uptime."""
    full = ("all", "uptime")
    worth = pd.concat([_worth(survey, "all"), _worth(survey, "uptime"), _withheld(_worth(survey, "cost"))])
    investment = pd.concat(
        [_investment(survey, "all"), _investment(survey, "uptime"), _withheld(_investment(survey, "cost"))]
    )
    tables = {
        "segments": _segments(),
        "part_worths": _each(full, {"attribute": ["speed"], "level": ["same_day"], "estimate": [0.5], "std_error": [0.1], "low": [0.3], "high": [0.7]}),
        "importance": _each(full, _importance()),
        "stated_importance": _each(full, _stated(survey)),
        "willingness_to_pay": worth,
        "investment": investment,
        "demand": _each(full, {"price": [80.0, 100.0, 130.0], "share": [0.92, 0.57, 0.05], "low": [0.9, 0.51, 0.04], "high": [0.94, 0.64, 0.07]}),
        "price_limit": pd.concat(
            [
                _each(full, {"estimate": [102.7], "low": [100.2], "high": [105.3], "status": ["preliminary"], "note": [""]}),
                _each(("cost",), {"estimate": [NAN], "low": [NAN], "high": [NAN], "status": ["withheld"], "note": [WITHHELD]}),
            ]
        ),
        "van_westendorp_points": _each(full, {"point": ["PMC", "OPP", "IDP", "PME"], "estimate": [74.0, 89.0, 96.0, 115.0], "low": [72.0, 87.0, 93.0, 111.0], "high": [76.0, 96.0, 98.0, 117.0], "note": [""] * 4, "excluded": [7] * 4, "respondents": [193] * 4}),
        "van_westendorp_curves": _each(full, {"price": [60.0, 100.0, 180.0], "too_cheap": [0.6, 0.05, 0.0], "cheap": [1.0, 0.2, 0.0], "expensive": [0.0, 0.6, 1.0], "too_expensive": [0.0, 0.1, 1.0]}),
    }  # fmt: skip
    return Analysis(
        study=survey.slug,
        definition_hash=survey.definition_hash,
        answers_hash="made by hand",
        request=Request(),
        respondents=400,
        completed=390,
        simulated=simulated,
        currency=survey.definition.currency,
        tables={name: table.reset_index(drop=True) for name, table in tables.items()},
        notes=tuple(notes),
        summaries={"all": "Conditional logit\n  price  -0.09"},
    )


def _each(segments: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    frames = [pd.DataFrame(columns).assign(segment=segment) for segment in segments]
    return pd.concat(frames, ignore_index=True)


def _segments() -> pd.DataFrame:
    rows = [
        ("all", 400, "full", 30.0),
        ("uptime", 200, "full", 20.0),
        ("cost", 180, "full", 1.1),
        ("growth", 20, "none", NAN),
    ]
    table = pd.DataFrame(rows, columns=["segment", "respondents", "weight_of_evidence", "price_z"])
    fitted = table["weight_of_evidence"] == "full"
    return table.assign(
        choice_tasks=table["respondents"] * 10,
        hit_rate=pd.Series([0.64] * 4).where(fitted),
        chance=pd.Series([1 / 3] * 4).where(fitted),
        retest=0.61,
        log_likelihood=-1000.0,
        mcfadden=pd.Series([0.353] * 4).where(fitted),
        estimator=pd.Series(["conditional"] * 4).where(fitted, "none"),
    )  # fmt: skip


def _importance() -> dict[str, Any]:
    attributes = ["price", "speed", "competence", "brand", "range", "financing", "design"]
    values = [48.9, 21.9, 11.3, 7.4, 6.3, 3.1, 1.1]
    return {
        "attribute": attributes,
        "importance": values,
        "low": [value - 0.7 for value in values],
        "high": [value + 2.1 for value in values],
        "noise_floor": [1.3] * 7,
    }


def _stated(survey: Survey) -> dict[str, Any]:
    rating = survey.definition.importance_rating
    assert rating is not None
    means = {"price": 6.2, "design": 6.1, "speed": 5.9, "competence": 5.0, "brand": 4.1, "range": 3.8, "financing": 3.3}
    values = [means[item.id] for item in rating.items]
    return {"attribute": [item.id for item in rating.items], "mean": values, "low": values, "high": values}


def _worth(survey: Survey, segment: str) -> pd.DataFrame:
    rows = [
        (segment, attribute, survey.definition.attribute(attribute).current, level, *figures)
        for attribute, levels in WORTHS.items()
        for level, figures in levels.items()
    ]
    names = ["segment", "attribute", "from_level", "to_level", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=names).assign(
        method="krinsky_robb", currency=survey.definition.currency, respondents=200, note=""
    )


def _investment(survey: Survey, segment: str) -> pd.DataFrame:
    rows = []
    for attribute, (down, up) in ((name, tuple(levels)) for name, levels in WORTHS.items()):
        today = survey.definition.attribute(attribute)
        costs = {level.id: level.unit_cost or 0.0 for level in today.levels}
        for direction, level in (("up", up), ("down", down)):
            worth, low, high = WORTHS[attribute][level]
            if direction == "down":
                worth, low, high = -worth, -high, -low
            sure = {("invest", "up"): 0.996, ("save", "down"): 0.93}.get((LABELS[attribute], direction), 0.4)
            rows.append(
                {
                    "segment": segment,
                    "attribute": attribute,
                    "direction": direction,
                    "from_level": today.current,
                    "to_level": level,
                    "worth": worth,
                    "worth_low": low,
                    "worth_high": high,
                    "unit_cost": costs[level] - costs[today.current],
                    "investment": 0.0,
                    "gain": 228_538.0,
                    "gain_low": 117_227.0,
                    "gain_high": 339_032.0,
                    "probability": sure,
                    "label": LABELS[attribute],
                    "wrong": 1 - sure if LABELS[attribute] in ("invest", "save") else 0.05,
                    "break_even": low,
                    "more_answers": 130.0 if LABELS[attribute] == "undecided" else NAN,
                    "note": "",
                }
            )
    return pd.DataFrame(rows)


def _withheld(table: pd.DataFrame) -> pd.DataFrame:
    figures = [
        "estimate", "low", "high", "worth", "worth_low", "worth_high", "gain", "gain_low", "gain_high", "probability",
        "break_even", "more_answers",
    ]  # fmt: skip
    blank = table.assign(note=WITHHELD, **{name: NAN for name in figures if name in table})
    return blank.assign(label="undecided") if "label" in table else blank


def planned(basis: str = "of another survey", *, ratio: float = 1.02, withheld: bool = False) -> Plan:
    """A forecast made by hand for two segments: half-widths of 3 and 2 (WTP) and 4 (limit) with 300 respondents, 2 wanted."""
    rows = [
        (
            segment,
            quantity,
            attribute,
            "two_days" if attribute else "",
            "same_day" if attribute else "",
            5.0,
            width,
            needed,
        )
        for segment in ("all", "uptime", "cost")
        for quantity, attribute, width, needed in (
            ("wtp", "speed", 3.0, 675.0),
            ("wtp", "range", 2.0, 300.0),
            ("limit", "", 4.0, 1200.0),
        )
    ]
    names = ["segment", "quantity", "attribute", "from_level", "to_level", "estimate", "half_width", "needed"]
    needed = pd.DataFrame(rows, columns=names).assign(note="")
    if withheld:
        gone = needed["quantity"] == "limit"
        needed.loc[gone, ["estimate", "half_width", "needed"]] = NAN
        needed.loc[gone, "note"] = "Half would still buy at the highest tested price."
    check = pd.DataFrame(
        {
            "segment": ["uptime"],
            "quantity": ["wtp"],
            "respondents": [100],
            "forecast": [5.2],
            "simulated": [5.2 * ratio],
            "ratio": [ratio],
        }
    )
    return Plan(
        basis=basis, seed=1, precision=2.0, power_for="wtp", confidence=0.9, currency="EUR", tastes="simulation",
        shares={"uptime": 0.6, "cost": 0.4}, reference=300, rule_of_thumb=84, needed=needed, check=check,
    )  # fmt: skip
