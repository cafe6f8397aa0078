"""Contacts month by month with their intervals and course; and what the charts of contacts find, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, DASHES, new_figure

MOST_REASONS = "Most often because of “{first}”: {amount} per 100 customers and month"
MOST_REASONS_CLOSE = "Most often, about alike: because of “{first}” and “{second}”"
RISING = "Contacts rise by {amount} a month ({interval})"
FALLING = "Contacts fall by {amount} a month ({interval})"
NO_TREND = "No clear trend in the number of contacts"
TOO_SHORT = "Too few months or contacts to tell a trend"
MOST_ASKED = "Asked most often: “{first}” ({amount} of all questions)"
MOST_ASKED_CLOSE = "Asked most often, about alike: “{first}” and “{second}”"
SOLVES = "“{first}” solves most often: {amount}"
SOLVES_NONE = "No measure clearly solves more often than the others"
IMPRESSION = "Staff's impression is lowest where the reason is “{first}”: {amount} of 5"
IMPRESSION_ALIKE = "By staff's impression no reason stands out"

Words = Callable[[str], str]


def trend_title(
    row: pd.Series, *, words: Words, amount: Callable[[float], str], interval: Callable[[float, float], str]
) -> str:
    """The finding of the row of any reason: trend, trend_low, trend_high, clear."""
    if pd.isna(row["trend"]):
        return words(TOO_SHORT)
    if not row["clear"]:
        return words(NO_TREND)
    rising = row["clear"] == "rising"
    size, ends = abs(float(row["trend"])), sorted((abs(float(row["trend_low"])), abs(float(row["trend_high"]))))
    return words(RISING if rising else FALLING).format(amount=amount(size), interval=interval(*ends))


def questions_title(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Words, amount: Callable[[float], str]
) -> str:
    """The finding of the questions, by their ranks: one leads if it is nowhere else in its interval."""
    ranked = table.dropna(subset=["rank"]).sort_values("rank", kind="stable")
    if ranked.empty:
        return ""
    first = ranked.iloc[0]
    names = {"first": labels.get(first["question"], first["question"]), "amount": amount(float(first["share"]))}
    if len(ranked) > 1 and first["rank_high"] > 1:
        second = ranked.iloc[1]["question"]
        return words(MOST_ASKED_CLOSE).format(second=labels.get(second, second), **names)
    return words(MOST_ASKED).format(**names)


def apart_title(
    table: pd.DataFrame,
    item: str,
    value: str,
    *,
    lowest: bool,
    templates: tuple[str, str],
    labels: Mapping[str, str],
    words: Words,
    amount: Callable[[float], str],
) -> str:
    """The finding of values with low and high: the highest (or lowest) one if its interval touches no other one, else that none stands out."""
    known = table.dropna(subset=[value, "low", "high"]).sort_values(value, ascending=lowest, kind="stable")
    if known.empty:
        return ""
    first, others = known.iloc[0], known.iloc[1:]
    apart = first["high"] < others["low"].min() if lowest else first["low"] > others["high"].max()
    if others.empty or not apart:
        return words(templates[1])
    return words(templates[0]).format(first=labels.get(first[item], first[item]), amount=amount(float(first[value])))


def months_figure(table: pd.DataFrame, *, words: Words) -> go.Figure:
    """table: month, rate, low, high, course; a month that is not told leaves a gap."""
    seen = go.Scatter(
        x=table["month"], y=table["rate"], mode="markers", marker={"color": COLOURS[0], "size": 10}, name=words("Month with its interval"),
        error_y={"array": table["high"] - table["rate"], "arrayminus": table["rate"] - table["low"], "color": COLOURS[0], "thickness": 2},
        hovertemplate="%{x}: %{y:.2f}<extra></extra>",
    )  # fmt: skip
    course = go.Scatter(
        x=table["month"], y=table["course"], mode="lines", name=words("Course over all months"), line={"color": COLOURS[1], "width": 3, "dash": DASHES[1]}, hoverinfo="skip",
    )  # fmt: skip
    drawn = new_figure(
        [seen, course], x_title=words("Month"), y_title=words("Contacts per 100 customers and month"), height=380
    )
    return drawn.update_yaxes(rangemode="tozero").update_xaxes(type="category")
