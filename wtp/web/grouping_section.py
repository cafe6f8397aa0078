"""Section of the page "Segments": which grouping of the same people explains best what they choose, and how much groupings agree."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import explained as chart
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, numbers


def _names() -> dict[str, str]:
    return {
        "none": gettext("No groups"),
        "declared": gettext("Declared segments"),
        "contacts": gettext("Core problem of contacts"),
        "classes": gettext("Latent classes"),
    }


def grouping_section(reading: Reading) -> Section:
    """Every grouping with what it gains over none, in choices between offers and in buying or not."""
    table = reading.table("grouping_scores")
    names = _names()
    rows = []
    for grouping, own in table.groupby("grouping", sort=False) if len(table) else ():
        parts = {row["part"]: row for _, row in own.iterrows()}
        cells = [cell for part in chart.PARTS for cell in _cells(parts.get(part))]
        rows.append((names.get(str(grouping), str(grouping)), formats.number(own["groups"].iloc[0], 0), *cells, _verdict(own)))  # fmt: skip
    agreement = reading.table("grouping_agreement")
    return Section(
        chart="grouping",
        title=chart.title(table, labels=names, words=gettext) if rows else "",
        says=gettext("Each grouping was judged on people who had no part in the fit (five-fold cross-validation), in the second half of their choice tasks: how probable what they chose was, with the tastes of their group. Choices between offers tell preferences, buying or not tells price limits. The gain is that of the mean logarithm of this probability; a grouping without meaning loses, since it splits the sample."),
        not_says=gettext("A grouping that explains choices is no cause of them. Latent classes need half of a person's own choices to place him; a question or a contact does not."),
        head=(
            gettext("Grouping"), gettext("Groups"),
            gettext("Chosen offer, probability"), headed(gettext("Gain"), reading),
            gettext("Buying or not, probability"), headed(gettext("Gain, buying"), reading),
            gettext("Finding"),
        ),
        rows=tuple(rows),
        csv="grouping_scores",
        findings=tuple(_agreement(row, names) for _, row in agreement.iterrows()) if len(agreement) else (),
    )  # fmt: skip


def _cells(row: pd.Series | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    gain = "" if pd.isna(row["low"]) else f"{formats.number(row['gained'], 3)} ({numbers(row['low'], row['high'], 3)})"
    return formats.percent(row["hit"], 1), gain


def _verdict(own: pd.DataFrame) -> str:
    offers = own.iloc[0]
    if offers["grouping"] == "none":
        return ""
    if offers["explains_best"]:
        return gettext("explains best")
    return gettext("explains") if offers["explains"] else gettext("no clear gain")


def _agreement(row: pd.Series, names: dict[str, str]) -> str:
    return gettext(
        "%(one)s and %(other)s agree to %(rand)s (%(interval)s; adjusted Rand index: 1 the same groups, 0 chance).",
        one=names.get(row["one"], row["one"]),
        other=names.get(row["other"], row["other"]),
        rand=formats.number(row["adjusted_rand"], 2),
        interval=numbers(row["low"], row["high"], 2),
    )


def grouping_figure(reading: Reading) -> go.Figure:
    """Dots and intervals of the gain."""
    return chart.figure(reading.table("grouping_scores"), labels=safe(_names()), words=gettext)
