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
        findings=(*_limits(table, names), *(_agreement(row, names) for _, row in agreement.iterrows())) if rows else (),
    )  # fmt: skip


def _cells(row: pd.Series | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    gain = "" if pd.isna(row["low"]) else f"{formats.number(row['gained'], 3)} ({numbers(row['low'], row['high'], 3)})"
    return formats.percent(row["hit"], 1), gain


def _verdict(own: pd.DataFrame) -> str:
    rows = {row["part"]: row for _, row in own.iterrows()}
    offers, buying = rows.get("offers"), rows.get("purchase")
    if own["grouping"].iloc[0] == "none":
        return ""
    if offers is not None and offers["explains_best"]:
        return gettext("explains best")
    if offers is not None and offers["explains"]:
        return gettext("explains")
    if buying is not None and buying["explains"]:
        return gettext("explains buying or not")
    return gettext("no clear gain")


def _limits(table: pd.DataFrame, names: dict[str, str]) -> tuple[str, ...]:
    """What explains whether anything is bought, which is where price limits show."""
    buying = table[(table["part"] == "purchase") & (table["grouping"] != "none")]
    if not len(buying):
        return ()
    best, some = (buying.loc[buying[name].astype(bool), "grouping"].tolist() for name in ("explains_best", "explains"))
    if best:
        return (
            gettext(
                "Price limits (buying or not): “%(grouping)s” explains best.", grouping=names.get(best[0], best[0])
            ),
        )
    named = ", ".join(f"“{names.get(name, name)}”" for name in some)
    if some:
        return (
            gettext("Price limits (buying or not): explained by %(groupings)s, none clearly best.", groupings=named)
            if len(some) > 1
            else gettext(
                "Price limits (buying or not): explained by %(groupings)s, not clearly better than by the others.",
                groupings=named,
            ),
        )
    return (gettext("Price limits (buying or not): no grouping clearly explains them better than none."),)


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
