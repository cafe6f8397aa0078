"""What else was asked about money and performance, held against the choices: other price methods, caution, stated importance, ratings of performance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.weightstats import DescrStatsW

from wtp.analysis.record import ALL, stacked
from wtp.customers.performance import TELL
from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.pricing import cautious, triangulate
from wtp.pricing.triangulation import CONJOINT, GABOR_GRANGER, OPEN_PRICE, VAN_WESTENDORP
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

_PERFORMANCE = ["attribute", "own", "own_low", "own_high", "rival", "gap", "gap_low", "gap_high", "respondents"]
_RANKS = 2
SPLIT, CONFLICT = "split", "conflict"
SAID_MORE, PAID_MORE, SAME = "said more than paid", "paid more than said", "agree"


def triangulation_tables(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], limits: pd.DataFrame, points: pd.DataFrame, tests: Mapping[str, pd.DataFrame], confidence: float
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """`triangulation`: segment, method, estimate, low, high, verdict, gap, sentence, checks; `cautious_limit`: the limit less what people overstate."""
    own_factor = definition.economics.overstated if definition.economics else None
    tables, careful = {}, {}
    for name, members in groups.items():
        methods = {}
        row = limits[limits["segment"] == name]
        safe = np.nan
        if len(row):
            methods[CONJOINT] = tuple(float(x) for x in row[["estimate", "low", "high"]].iloc[0])
            safe = float(row["safe"].iloc[0])
            careful[name] = cautious(
                row[["estimate", "low", "high", "status"]].reset_index(drop=True), own_factor=own_factor
            )
        crossings = {str(p["point"]): p for _, p in points.iterrows() if p["segment"] == name}
        if "PME" in crossings:
            methods[VAN_WESTENDORP] = tuple(float(crossings["PME"][x]) for x in ("estimate", "low", "high"))
        for method, table in ((GABOR_GRANGER, "gabor_granger_points"), (OPEN_PRICE, "open_price_points")):
            for _, row_of in tests.get(table, pd.DataFrame()).iterrows():
                if row_of["segment"] == name and row_of["point"] == "limit":
                    methods[method] = tuple(float(row_of[x]) for x in ("price", "low", "high"))
        if not methods:
            continue
        too_expensive = _too_expensive(definition, members)
        enough = len(too_expensive) >= SMALLEST_SAMPLE
        found = triangulate(
            methods,  # type: ignore[arg-type]
            too_expensive_90=float(np.quantile(too_expensive, 0.9)) if enough else np.nan,
            marginal_cheapness=float(crossings["PMC"]["estimate"]) if "PMC" in crossings else np.nan,
            safe_price=safe,
            confidence=confidence,
        )
        tables[name] = found.methods.assign(
            verdict=found.verdict, gap=found.gap, sentence=found.sentence, checks=" ".join(found.checks)
        )
    return {"triangulation": stacked(tables), "cautious_limit": stacked(careful)}


def _too_expensive(definition: Definition, members: Sequence[Respondent]) -> np.ndarray:
    question = definition.van_westendorp
    if question is None:
        return np.array([])
    answers = [r.answers[question.id] for r in members if r.answers.get(question.id)]
    rising = [a for a in answers if a["too_cheap"] < a["cheap"] < a["expensive"] < a["too_expensive"]]
    return np.array([a["too_expensive"] for a in rising], dtype=float)


def performance_table(definition: Definition, members: Sequence[Respondent], confidence: float) -> pd.DataFrame:
    """attribute, own, own_low, own_high, rival, gap, gap_low, gap_high, respondents: mean ratings (t interval of the own), and the gap of those who rated both (paired t interval)."""
    ratings = definition.performance_ratings
    own, rival = ratings.get("performance"), ratings.get("rival_performance")
    rows = []
    for attribute in definition.attributes:
        ours, theirs = (
            pd.Series(
                {r.number: (r.answers.get(q.id) or {}).get(attribute.id) for r in members} if q else {}, dtype=float
            )
            for q in (own, rival)
        )
        gap = (ours - theirs).dropna()
        if ours.count() < SMALLEST_SAMPLE:
            continue
        enough = len(gap) >= SMALLEST_SAMPLE
        middle = float(gap.mean()) if enough else np.nan
        varies = enough and gap.std() > 0
        low, high = DescrStatsW(gap).tconfint_mean(alpha=1 - confidence) if varies else (middle, middle)
        seen = ours.dropna()
        mean = float(seen.mean())
        ends = DescrStatsW(seen).tconfint_mean(alpha=1 - confidence) if seen.std() > 0 else (mean, mean)
        rival_mean = theirs.mean() if enough else np.nan
        rows.append((attribute.id, mean, *ends, rival_mean, middle, low, high, int(ours.count())))
    return pd.DataFrame(rows, columns=_PERFORMANCE)


def todays_steps(investment: pd.DataFrame) -> pd.DataFrame:
    """One row a segment and attribute of the table `investment`: the step down from today's level, where there is none the step up."""
    down_first = investment.sort_values("direction", key=lambda d: d != "down", kind="stable")
    return down_first.drop_duplicates(["segment", "attribute"]).sort_index().reset_index(drop=True)


def importance_performance(
    definition: Definition, investment: pd.DataFrame, performance: pd.DataFrame, stated: pd.DataFrame
) -> pd.DataFrame:
    """segment, attribute, value, value_low, value_high, own, own_low, own_high, rival, gap, stated, stated_rank, value_rank, agreement: what an attribute is worth beside what people say.

    value: money of the step down from today's level, where there is none of the step up. agreement: by ranks of what was said and what it is worth, two or more places apart is a
    disagreement.
    """
    steps = todays_steps(investment)
    table = steps[["segment", "attribute", "worth", "worth_low", "worth_high"]].set_axis(
        ["segment", "attribute", "value", "value_low", "value_high"], axis=1
    )
    keys = ["segment", "attribute"]
    for other, columns in (
        (performance, ["own", "own_low", "own_high", "rival", "gap"]),
        (stated.rename(columns={"mean": "stated"}), ["stated"]),
    ):
        there = other if len(other) else pd.DataFrame(columns=[*keys, *columns])
        table = table.merge(there[[*keys, *columns]].astype(dict.fromkeys(columns, float)), on=keys, how="left")
    table["stated_rank"] = table.groupby("segment")["stated"].rank(ascending=False)
    table["value_rank"] = table[table["stated"].notna()].groupby("segment")["value"].rank(ascending=False)
    apart = table["value_rank"] - table["stated_rank"]
    agreement = np.where(apart >= _RANKS, SAID_MORE, np.where(apart <= -_RANKS, PAID_MORE, SAME))
    return table.assign(agreement=np.where(apart.isna(), "", agreement))


def hints(definition: Definition, investment: pd.DataFrame, strengths: pd.DataFrame) -> pd.DataFrame:
    """segment, attribute, hint, segments: beside the labels.

    "tell": the level is there and worth money, and is seen as worse than the rival's, so communication comes before investment (the verdict of `strengths`). "split": some segments honour more and
    others would rather save, and each can have its own level; "conflict": they cannot.
    """
    told = strengths[strengths["verdict"] == TELL]
    rows = [(str(s), str(a), TELL, "") for s, a in told[["segment", "attribute"]].itertuples(index=False)]
    labels = investment[investment["segment"] != ALL].drop_duplicates(["segment", "attribute"])
    for attribute in definition.attributes:
        own = labels[labels["attribute"] == attribute.id]
        invest, save = (
            own.loc[own["label"].isin(names), "segment"] for names in (("invest", "honoured"), ("save", "not_honoured"))
        )
        if len(invest) and len(save):
            kind = SPLIT if attribute.by_segment else CONFLICT
            rows.append((ALL, attribute.id, kind, f"{', '.join(invest)} | {', '.join(save)}"))
    return pd.DataFrame(rows, columns=["segment", "attribute", "hint", "segments"])
