"""An analysis of the supplier study made by hand: everybody and one segment with clear figures, one whose price did not drive the
choices, and one with too few respondents for figures of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from wtp.analysis import Analysis, Plan, Request
from wtp.estimation.diagnostics import Note
from wtp.survey import Definition, Survey

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


def full(survey: Survey, **changes: Any) -> Analysis:
    """The same with everything that a full analysis adds: the market, the price questions, the rival, groups of respondents."""
    analysis = handmade(survey, **changes)
    more = {**_market(survey), **_price_questions(), **_rated(survey), **_groups(survey), **_spread(survey)}
    tables = {**analysis.tables, **{name: table.reset_index(drop=True) for name, table in more.items()}}
    named = pd.DataFrame(
        [
            (attribute.id, level, value, 0.05, value - 0.1, value + 0.1)
            for attribute in survey.definition.attributes
            for level, value in zip(attribute.level_ids, (-0.3, 0.1, 0.2), strict=True)
        ]
        + [("price", "per unit", -0.09, 0.004, -0.098, -0.082)],
        columns=["attribute", "level", "estimate", "std_error", "low", "high"],
    )
    segments = analysis.tables["segments"].assign(estimator="hierarchical", r_hat=1.0042, ess=812.0)
    tables["budget"] = pd.DataFrame([
        {"rank": 1, "segment": "uptime", "attribute": "speed", "from_level": "two_days", "to_level": "same_day", "investment": 90_000.0, "cumulative": 90_000.0, "gain": 145_780.0, "gain_low": 84_000.0, "gain_high": 217_000.0, "gain_per_money": 1.62, "probability": 0.996}
    ])  # fmt: skip
    tables |= {"part_worths": named.assign(segment="all"), "segments": segments, **_chains()}
    return replace(analysis, tables=tables)


def _chains() -> dict[str, pd.DataFrame]:
    """20 watched quantities, of which one has not settled, and the way of two chains."""
    quantities = ["speed[T.same_day]", "limit.50", "segment[T.growth]:price", *(f"worth.speed[T.{n}]" for n in range(15)), "log_variance.none", "log_likelihood"]  # fmt: skip
    convergence = pd.DataFrame({"quantity": quantities, "reported": [True] * 18 + [False] * 2, "r_hat": [1.0312, *[1.0042] * 19], "ess_bulk": 812.4, "ess_tail": 655.0, "settled": [False, *[True] * 19]})  # fmt: skip
    sweeps = list(range(1, 41, 4))
    trace = pd.DataFrame([(q, chain, sweep, 100.0 + chain + sweep / 10) for q in quantities[:2] for chain in (1, 2) for sweep in sweeps], columns=["quantity", "chain", "sweep", "watched"])  # fmt: skip
    return {"convergence": convergence.assign(segment="all"), "trace": trace.assign(segment="all")}


def _market(survey: Survey) -> dict[str, pd.DataFrame]:
    offers = ["own", *(rival.id for rival in survey.definition.competitors), "none"]
    shares = {
        "preference": (0.43, 0.28, 0.09, 0.2),
        "first_choice": (0.65, 0.18, 0.0, 0.17),
        "randomized_first_choice": (0.41, 0.3, 0.06, 0.23),
    }
    rows = [
        (offer, share, share * 0.9, min(1.0, share * 1.1), rule, "")
        for rule, values in shares.items()
        for offer, share in zip(offers, values, strict=True)
    ]
    levels = [
        (attribute.id, level, 0.43 + change, 0.4 + change, 0.46 + change, change, change - 0.01, change + 0.01)
        for attribute in survey.definition.attributes
        for level, change in zip(attribute.level_ids, (-0.08, 0.0, 0.05), strict=True)
    ]
    prices = [("price", str(price), 0.43 + c, 0.4 + c, 0.46 + c, c, c - 0.01, c + 0.01) for price, c in zip(survey.definition.price.levels, (0.37, 0.2, 0.0, -0.24, -0.35), strict=True)]  # fmt: skip
    own = {attribute.id: attribute.current for attribute in survey.definition.attributes}
    offer = {f"level.{name}": level for name, level in own.items()} | {"level.speed": "same_day"}
    grid = [80.0, 90.0, 100.0, 115.0, 130.0]
    curve = {
        "price": grid,
        "share": [0.8, 0.63, 0.43, 0.18, 0.07],
        "low": [0.77, 0.59, 0.38, 0.16, 0.06],
        "high": [0.83, 0.68, 0.47, 0.21, 0.09],
    }
    for name, values in (
        ("revenue", [9.2e6, 8.2e6, 6.1e6, 3.1e6, 1.3e6]),
        ("profit", [1.0e6, 1.7e6, 1.8e6, 1.2e6, 0.6e6]),
    ):
        curve |= {
            name: values,
            f"{name}_low": [0.9 * v for v in values],
            f"{name}_high": [1.1 * v for v in values],
        }
    best = {"objective": "profit", "price": 95.5, "low": 94.2, "high": 96.8, "flat_low": 92.1, "flat_high": 99.1, "value": 1.83e6, "value_low": 1.7e6, "value_high": 2.0e6, "share": 0.52, "note": ""}  # fmt: skip
    steps = [("", "", "", 102.7, 100.2, 105.3, NAN, NAN, NAN, ""), ("speed", "two_days", "same_day", 107.9, 104.0, 111.0, 5.2, 3.0, 7.1, "")]  # fmt: skip
    names = [
        "attribute",
        "from_level",
        "to_level",
        "limit",
        "low",
        "high",
        "change",
        "change_low",
        "change_high",
        "note",
    ]
    return {
        "shares": pd.DataFrame(rows, columns=["offer", "share", "low", "high", "rule", "note"]).assign(segment="all"),
        "sensitivity": pd.DataFrame(
            levels + prices,
            columns=["attribute", "level", "share", "low", "high", "change", "change_low", "change_high"],
        ).assign(segment="all"),
        "elasticities": pd.DataFrame(
            [("own", "own", -4.81, -5.27, -4.37, ""), ("discounter", "own", 3.88, 3.29, 4.44, "")],
            columns=["offer", "price_of", "elasticity", "low", "high", "note"],
        ).assign(segment="all"),
        "equilibrium": pd.DataFrame(
            [("own", 90.26, 0.41, 1_134_772.0, 100.0), ("discounter", 73.3, 0.26, 565_142.0, 82.0)],
            columns=["offer", "price", "share", "profit", "today"],
        ).assign(segment="all", note=""),
        "best_offers": pd.DataFrame(
            [{**offer, "rank": 1, "price": 100.0, "share": 0.52, "objective": "profit", "value": 2_071_083.0}]
        ).assign(low=1_893_999.0, high=2_239_098.0, segment="all"),
        "profit_curve": pd.DataFrame(curve).assign(segment="all", note=""),
        "best_price": pd.DataFrame([best]).assign(segment="all"),
        "limit_waterfall": pd.DataFrame(steps, columns=names).assign(segment="all"),
    }


def _price_questions() -> dict[str, pd.DataFrame]:
    points = [("limit", 104.4, 101.0, 108.2, 0.5, ""), ("revenue", 95.0, 92.0, 97.0, 70.3, "")]
    open_points = [
        ("safe", 90.0, 89.0, 95.0, 0.75),
        ("limit", 110.0, 105.0, 112.0, 0.5),
        ("stretch", 125.0, 120.0, 130.0, 0.25),
    ]
    methods = [("conjoint", 102.7, 100.2, 105.3), ("van_westendorp", 115.0, 111.0, 117.0)]
    reach = {
        "price": [60.0, 95.0, 140.0],
        "reach": [0.2, 0.5, 0.1],
        "reach_low": [0.15, 0.45, 0.05],
        "reach_high": [0.25, 0.55, 0.15],
        "revenue": [12.0, 47.5, 14.0],
    }
    best = [("reach", 92.0, 90.0, 94.0, 88.0, 97.0, 0.52), ("revenue", 98.0, 95.0, 101.0, 91.0, 106.0, 48.0)]
    named = ["point", "price", "low", "high", "value"]
    demand = {"price": [80.0, 95.0, 110.0], "share": [0.9, 0.74, 0.4], "low": [0.86, 0.7, 0.35], "high": [0.94, 0.79, 0.46]}  # fmt: skip
    return {
        "gabor_granger_demand": pd.DataFrame(demand).assign(asked=[120, 180, 90], raw=[0.9, 0.75, 0.4], segment="all"),
        "gabor_granger_points": pd.DataFrame(points, columns=[*named, "note"]).assign(segment="all"),
        "newton_miller_smith_points": pd.DataFrame(
            best, columns=["best", "price", "low", "high", "near_low", "near_high", "value"]
        ).assign(segment="all"),
        "newton_miller_smith_curve": pd.DataFrame(reach).assign(segment="all"),
        "open_price_points": pd.DataFrame(open_points, columns=named).assign(
            label="open question, hypothetical", segment="all"
        ),
        "open_price_demand": pd.DataFrame(demand).assign(segment="all"),
        "triangulation": pd.DataFrame(methods, columns=["method", "estimate", "low", "high"]).assign(
            verdict="differ", gap=0.12, segment="all"
        ),
    }


def _rated(survey: Survey) -> dict[str, pd.DataFrame]:
    names = [attribute.id for attribute in survey.definition.attributes][:3]
    gaps = [(-1.2, -1.5, -0.9), (0.8, 0.5, 1.1), (0.1, -0.2, 0.4)]
    rated = pd.DataFrame(gaps, columns=["gap", "gap_low", "gap_high"]).assign(
        attribute=names, own=[3.1, 4.4, 4.0], rival=[4.3, 3.6, 3.9], respondents=180, segment="all"
    )
    worth = pd.DataFrame({
        "attribute": names, "value": [4.8, 7.0, 4.7], "value_low": [3.5, 5.8, 3.6], "value_high": [6.0, 8.2, 5.9],
        "own": [3.1, 4.4, 4.0], "own_low": [2.9, 4.2, 3.7], "own_high": [3.3, 4.6, 4.3], "rival": [4.3, 3.6, 3.9], "stated": [3.8, 5.9, 3.3],
        "agreement": ["agree", "agree", "paid more than said"], "own_reach": [0.26, 0.26, NAN], "own_value_reach": [1.6, 1.5, NAN], "own_correlation": [0.3, -0.5, NAN],
        "gap_reach": [0.4, 0.4, NAN], "gap_value_reach": [1.6, 1.5, NAN], "gap_correlation": [0.2, -0.1, NAN],
    })  # fmt: skip
    return {"performance": rated, "importance_performance": worth.assign(segment="all")}


def with_ratings(survey: Survey) -> Survey:
    """The survey with ratings of this company and of its rival on the scale of importance."""
    raw = survey.definition.model_dump()
    page, rating = next((page, q) for page in raw["pages"] for q in page.get("questions", []) if q.get("measures") == "importance")  # fmt: skip
    more = (rating | {"id": name, "measures": name} for name in ("performance", "rival_performance"))
    page["questions"] = [*page["questions"], *more]
    return replace(survey, definition=Definition.model_validate(raw))


def wave(survey: Survey, *, estimator: str = "hierarchical", speed: float = 4.0, simulated: int = 0) -> Analysis:
    """The analysis made by hand with ratings in every segment; speed is rated so in the first one."""
    made = full(survey, simulated=simulated)
    rows = [
        (segment, attribute, own, own - 0.2, own + 0.2, 4.0, own - 4.0, own - 4.3, own - 3.7, 180)
        for segment in ("uptime", "cost", "growth")
        for attribute, own in (("speed", speed if segment == "uptime" else 4.0), ("brand", 4.5))
    ]
    columns = ["segment", "attribute", "own", "own_low", "own_high", "rival", "gap", "gap_low", "gap_high", "respondents"]  # fmt: skip
    tables = {**made.tables, "performance": pd.DataFrame(rows, columns=columns)}
    tables["segments"] = tables["segments"].assign(estimator=estimator)
    return replace(made, tables=tables)


def _groups(survey: Survey) -> dict[str, pd.DataFrame]:
    found = {"group": [1, 2], "respondents": [240, 160], "share": [0.6, 0.4], "speed[two_days -> same_day]": [9.5, 2.1], "range[broad -> core]": [-6.0, -2.0]}  # fmt: skip
    overlap = [("uptime", 1, 190, 0.95), ("uptime", 2, 10, 0.05), ("cost", 1, NAN, NAN), ("cost", 2, 174, 0.97)]
    profile = [("employees", "category", 0.2, 0.004, True), ("role", "category", 0.06, 0.6, False)]
    tested = pd.DataFrame(profile, columns=["variable", "kind", "effect", "p_adjusted", "differs"])
    answers = [
        ("uptime", "employees", "to_9", 200, 0.3, 0.25, 0.36), ("cost", "employees", "to_9", 180, 0.1, 0.07, 0.14),
        ("uptime", "role", "decide", 200, 0.5, 0.44, 0.56), ("cost", "role", "decide", NAN, NAN, NAN, NAN),
    ]  # fmt: skip
    columns = ["segment", "variable", "answer", "respondents", "share", "low", "high"]
    told = pd.DataFrame(answers, columns=columns)
    classes = [
        ("class 1", "speed", "two_days", "same_day", 8.0, 6.0, 10.0, "", 0.7),
        ("class 2", "speed", "two_days", "same_day", NAN, NAN, NAN, WITHHELD, 0.3),
    ]
    class_columns = ["group", "attribute", "from_level", "to_level", "estimate", "low", "high", "note", "share"]
    quality = {"segments": [2, 3], "stability": [0.91, 0.6], "null_stability": [0.55, 0.5]}
    return {
        "found_segments": pd.DataFrame(found).assign(verdict="good", segment="all"),
        "found_quality": pd.DataFrame(quality).assign(segment="all"),
        "segment_overlap": pd.DataFrame(overlap, columns=["declared", "group", "respondents", "share"]).assign(
            adjusted_rand=0.84, segment="all"
        ),
        "segment_profile": tested.assign(segment="all"),
        "segment_answers": told,
        "found_profile": tested.assign(segment="all"),
        "found_answers": told.rename(columns={"segment": "group"}).assign(
            group=lambda table: table["group"].map({"uptime": 1, "cost": 2}), segment="all"
        ),
        "latent_classes": pd.DataFrame(classes, columns=class_columns).assign(segment="all"),
    }


def _spread(survey: Survey) -> dict[str, pd.DataFrame]:
    quantiles = {0.05: -3.0, 0.10: -2.0, 0.25: -1.0, 0.5: 0.0, 0.75: 1.0, 0.9: 2.0, 0.95: 3.0}
    rows = [
        (attribute, survey.definition.attribute(attribute).current, level, quantile, middle + width * at, middle + width * at - 1, middle + width * at + 1)
        for attribute, levels in WORTHS.items()
        for level, (middle, _, _) in levels.items()
        for width in ([4.0] if level == "same_day" else [1.0])
        for quantile, at in quantiles.items()
    ]  # fmt: skip
    names = ["attribute", "from_level", "to_level", "quantile", "estimate", "low", "high"]
    above = pd.DataFrame([("speed", "two_days", "same_day", 3.0, 0.71, 0.6, 0.8, "")], columns=["attribute", "from_level", "to_level", "amount", "share", "low", "high", "note"])  # fmt: skip
    return {
        "worth_quantiles": pd.DataFrame(rows, columns=names).assign(segment="all", note=""),
        "share_above_cost": above.assign(segment="all"),
    }
