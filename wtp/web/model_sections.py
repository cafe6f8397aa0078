"""Sections of the page "The model", for analysts: part-worths, how well the model predicts, whether it converged, and what was estimated."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.analysis import SETTLED
from wtp.charts import part_worths
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.reading import Reading
from wtp.web.section import Section, interval_head, numbers

_CONVERGED, _ENOUGH, _ = SETTLED  # R-hat and effective draws (Vehtari et al. 2021)


def _named(reading: Reading) -> pd.DataFrame:
    """Part-worths of the named levels; the price has one coefficient and is in the table alone."""
    table = reading.table("part_worths")
    named = (
        [
            f"{attribute}.{level}" in reading.labels
            for attribute, level in zip(table["attribute"], table["level"], strict=True)
        ]
        if len(table)
        else []
    )
    return table[named].reset_index(drop=True) if len(table) else table


def part_worths_section(reading: Reading) -> Section:
    """Zero-centred utilities of the pooled logit."""
    table, labels = reading.table("part_worths"), reading.labels | {"none": gettext("Buy nothing")}
    per_unit = gettext("per %(currency)s", currency=reading.analysis.currency)
    rows = [
        (labels.get(row["attribute"], row["attribute"]), labels.get(f"{row['attribute']}.{row['level']}", per_unit if str(row["attribute"]).partition(" ")[0] == "price" else ""), formats.number(row["estimate"], 3), numbers(row["low"], row["high"], 3), formats.number(row["std_error"], 3))
        for _, row in table.iterrows()
    ]  # fmt: skip
    named = _named(reading)
    return Section(
        chart="part_worths",
        title=part_worths.title(named, labels=reading.labels, words=gettext) if len(named) else gettext("Part-worths"),
        says=gettext("Utilities of the levels in the pooled logit of this segment, each against the mean of its attribute; standard errors are clustered by respondent. A difference of one multiplies the odds of being chosen by 2.7."),
        not_says=gettext("Logits have no unit of their own: they must not be compared between segments, only their ratios, such as amounts in money."),
        head=(gettext("Attribute"), gettext("Level"), gettext("Part-worth"), interval_head(reading), gettext("Standard error")),
        rows=tuple(rows),
        csv="part_worths",
        drawn=len(named) > 0,
    )  # fmt: skip


def part_worths_figure(reading: Reading) -> go.Figure:
    """Dots and intervals by level."""
    return part_worths.figure(_named(reading), labels=safe(reading.labels), words=gettext)


def quality_section(reading: Reading) -> Section:
    """How much the figures rest on and how well they predict."""
    table = reading.analysis.tables["segments"]
    estimators = {
        "conditional": gettext("pooled logit"),
        "latent": gettext("latent classes"),
        "hierarchical": gettext("hierarchical Bayes"),
        "none": gettext("none"),
    }
    rows = []
    for _, row in table.iterrows():
        estimator = str(row.get("estimator", ""))
        rows.append((
            reading.labels[row["segment"]], formats.number(row["respondents"], 0), estimators.get(estimator, estimator),
            f"{formats.percent(row['hit_rate'])} / {formats.percent(row['chance'])}" if pd.notna(row["hit_rate"]) else "",
            formats.percent(row["retest"]) if pd.notna(row["retest"]) else "",
            formats.number(row["mcfadden"], 2) if pd.notna(row["mcfadden"]) else "",
            formats.number(row["price_z"]) if pd.notna(row["price_z"]) else "",
        ))  # fmt: skip
    return Section(
        chart="model_quality",
        title=gettext("How well the model predicts"),
        says=gettext("Hit rate: share of the choices that were held out and are predicted, beside what chance would reach; no model can predict them better than people repeat themselves, which is the column of repeated choices. McFadden's R² from 0.2 on is a good fit of choices. Price, z: how clearly the price drove the choices; below 2 amounts are withheld."),
        not_says=gettext("A good fit is no proof that people will act as they chose here."),
        head=(gettext("Segment"), gettext("Respondents"), gettext("Amounts from"), gettext("Hit rate / by chance"), gettext("Repeated choices alike"), gettext("McFadden's R²"), gettext("Price, z")),
        rows=tuple(rows),
        csv="segments",
        drawn=False,
        findings=tuple(_convergence(reading)),
    )  # fmt: skip


def _convergence(reading: Reading) -> list[str]:
    table = reading.table("segments")
    if "r_hat" not in table or table.empty or pd.isna(table["r_hat"].iloc[0]):
        return []
    r_hat, draws = float(table["r_hat"].iloc[0]), float(table["ess"].iloc[0])
    figures = {"r_hat": formats.number(r_hat, 3), "draws": formats.number(draws, 0)}
    if r_hat <= _CONVERGED and draws >= _ENOUGH:
        return [gettext("The hierarchical model converged: R-hat %(r_hat)s at most (1.01 allowed), %(draws)s effective draws at least (400 wanted).", **figures)]  # fmt: skip
    return [gettext("The hierarchical model has not converged: R-hat %(r_hat)s (1.01 allowed), %(draws)s effective draws (400 wanted). Let it run longer before deciding on its figures.", **figures)]  # fmt: skip
