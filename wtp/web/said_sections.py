"""Sections of the page "Said and chosen": every way of asking what matters, and where they disagree with the choices."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import items, kano, methods
from wtp.survey.pages import BestWorstPage, ProfileRatingPage
from wtp.survey.questions import ConstantSum, Kano, Ranking
from wtp.web import formats, section
from wtp.web.answer_sections import asked_as, asked_by, rows_of, safe, words_of
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import Section
from wtp.web.verdicts import note_text

STATED = ("ratings", "best_worst", "points", "places")
_UTILITY = ("utility", "low", "high")
_BEST_SHARE = ("share", "share_low", "share_high")
_POINTS = ("points", "points_low", "points_high")


def methods_section(reading: Reading) -> Section:
    """The one comparison: ranks by every method, rank correlations, what is said and does not pay."""
    table, pairs = reading.table("methods"), reading.table("method_agreement")
    names = [name for name in methods.NAMES if len(table) and (table["method"] == name).any()]
    rows = []
    if names:
        first = table[table["method"] == names[0]].sort_values("rank")["attribute"]
        order = list(dict.fromkeys([*first, *table["attribute"]]))
        rows = [
            (reading.labels[a], *(_rank(table, a, name) for name in names), _verdict(table, a))
            for a in order
        ]  # fmt: skip
    return Section(
        chart="asked-methods",
        title=methods.title(table, stated=STATED, labels=reading.labels, words=gettext) if names else gettext("Do the methods agree?"),
        says=gettext("The same respondents were asked in several ways what matters. Each method gives a rank to each attribute, 1 matters most; in the choices and in rated offers an attribute matters by how strongly it moved them. “Said important, does not pay”: a method of asking ranks it at least two places higher than the choices do, with a probability of at least 90 %."),
        not_says=gettext("Ranks hide how far apart two attributes are, and “2 of 4” is a rank among the four that were asked. Items count here only if they bear the identifier of an attribute. Choices depend on the levels that were compared: an attribute whose levels hardly differ cannot move them, however much it matters."),
        head=(gettext("Attribute"), *(gettext(methods.NAMES[name]) for name in names), gettext("Said and chosen")),
        rows=tuple(rows),
        csv="methods",
        missing="" if rows else section.too_few(),
        findings=tuple(_agreement(pairs)),
    )  # fmt: skip


def _rank(table: pd.DataFrame, attribute: str, method: str) -> str:
    """As in 2, or "2 of 4" where the method asked about fewer attributes than another."""
    own = table[table["method"] == method]
    found = own.loc[own["attribute"] == attribute, "rank"]
    if not len(found):
        return ""
    rank = formats.number(found.iloc[0], 0 if float(found.iloc[0]).is_integer() else 1)
    fewer = len(own) < table["attribute"].nunique()
    return gettext("%(rank)s of %(all)s", rank=rank, all=len(own)) if fewer else rank


def _verdict(table: pd.DataFrame, attribute: str) -> str:
    own = table[(table["attribute"] == attribute) & table["method"].isin(STATED) & (table["verdict"] != "")]
    found = set(own["verdict"])
    if {"said_more", "chosen_more"} <= found:
        return gettext("the methods contradict each other")
    words = {
        "said_more": gettext("said important, does not pay"),
        "chosen_more": gettext("pays, though not said"),
        "undecided": gettext("not decided"),
        "agree": gettext("agree"),
    }
    return next((text for verdict, text in words.items() if verdict in found), "")


def _agreement(pairs: pd.DataFrame) -> list[str]:
    sentences = []
    against = pairs[pairs["one"] == "choices"] if len(pairs) else pairs
    for _, row in (against if len(against) else pairs).iterrows():
        one, other = (methods.NAMES[row[end]] for end in ("one", "other"))
        names = {"one": gettext(one), "other": gettext(other)}
        figures = gettext(
            "rank correlation %(value)s (%(interval)s) over %(shared)s attributes",
            value=formats.number(row["correlation"], 2),
            interval=section.numbers(row["low"], row["high"], 2),
            shared=row["shared"],
        )
        if row["low"] > 0.5:
            sentence = gettext(
                "%(one)s and %(other)s order the attributes alike: %(figures)s.", figures=figures, **names
            )
        elif row["high"] < 0.5:
            sentence = gettext("%(one)s and %(other)s order the attributes differently: %(figures)s.", figures=figures, **names)  # fmt: skip
        else:
            sentence = gettext("%(one)s and %(other)s: not clear whether they agree, %(figures)s.", figures=figures, **names)  # fmt: skip
        sentences.append(sentence)
    return sentences


def methods_figure(reading: Reading) -> go.Figure:
    """Ranks side by side."""
    return methods.figure(reading.table("methods"), labels=safe(reading.labels), words=gettext)


def best_worst_section(reading: Reading, page: BestWorstPage) -> Section:
    """Best-worst tasks: utilities against the threshold where there is an anchor, shares otherwise."""
    rows = rows_of(reading, "best_worst", page.id)
    labels, anchored = words_of(page.items), page.anchor is not None
    ranked = rows.sort_values("utility", ascending=False, kind="stable") if len(rows) else rows
    finding = items.title(rows, _UTILITY, labels=labels, words=gettext, amount=formats.number, leads=items.MATTERS_MOST, close=items.MATTERS_CLOSE) if len(rows) else ""  # fmt: skip
    extra = (gettext("Matters at all"), section.interval_head(reading)) if anchored else ()
    return Section(
        chart=f"asked-{page.id}",
        title=finding or said(page.title),
        lead=said(page.title),
        says=_best_worst_says(anchored) + " " + asked_by(reading, rows),
        not_says=gettext("It says what matters most among these items, not what anybody would pay for them."),
        head=(gettext("Item"), gettext("Share"), section.interval_head(reading), gettext("Utility"), section.interval_head(reading), *extra),
        rows=tuple(
            (labels[row["item"]], formats.percent(row["share"] / 100), section.shares(row["share_low"] / 100, row["share_high"] / 100),
             formats.number(row["utility"], 2), section.numbers(row["low"], row["high"], 2), *(_matters(row) if anchored else ()))
            for _, row in ranked.iterrows()
        ),
        csv="best_worst",
        missing="" if len(rows) else section.too_few(),
        findings=_matter_at_all(rows, labels) if anchored and len(rows) else (),
    )  # fmt: skip


def _best_worst_says(anchored: bool) -> str:
    says = gettext("From many small tasks, each with a most and a least important item: the share is the chance to be picked as most important among average items, all together 100 %.")  # fmt: skip
    if anchored:
        says += " " + gettext("Respondents also said whether all, some or none of the items matter: right of the line an item matters to more than half of the answers, left of it to fewer.")  # fmt: skip
    return says


def _matters(row: pd.Series) -> tuple[str, str]:
    return (
        formats.percent(row["matters"] / 100),
        section.shares(row["matters_low"] / 100, row["matters_high"] / 100),
    )


def _matter_at_all(rows: pd.DataFrame, labels: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    above = [labels[item] for item in rows.loc[rows["low"] > 0, "item"]]
    below = [labels[item] for item in rows.loc[rows["high"] < 0, "item"]]
    if above:
        found.append(gettext("Clearly above the threshold: %(items)s.", items=", ".join(above)))
    if below:
        found.append(gettext("Clearly below it, where one may save: %(items)s.", items=", ".join(below)))
    return tuple(found)


def best_worst_figure(reading: Reading, page: BestWorstPage) -> go.Figure:
    """Utilities with the anchor's line, or shares."""
    rows, labels = rows_of(reading, "best_worst", page.id), safe(words_of(page.items))
    if page.anchor is None:
        shares = rows.assign(**{name: rows[name] / 100 for name in _BEST_SHARE})
        return items.figure(
            shares, _BEST_SHARE, labels=labels, x_title=gettext("Chance to matter most"), bars=True, per_cent=True
        )
    line = items.Line(0.0, gettext("threshold of mattering"))
    return items.figure(rows, _UTILITY, labels=labels, x_title=gettext("Utility, logits"), line=line)


def _steps(reading: Reading, page: ProfileRatingPage) -> pd.DataFrame:
    """Rows of rated offers with `item`, a key of `_step_labels`."""
    rows = rows_of(reading, "rated_offers", page.id)
    return rows.assign(item=rows["attribute"] + "." + rows["to_level"]) if len(rows) else rows


def _step_labels(reading: Reading) -> dict[str, str]:
    labels = {
        f"{attribute.id}.{level.id}": f"{reading.labels[attribute.id]}: {said(level.label)}"
        for attribute in reading.definition.attributes
        for level in attribute.levels
    }
    prices = reading.definition.price.levels
    span = gettext("%(low)s to %(high)s", low=reading.money(prices[0], 1), high=reading.money(prices[-1], 1))
    return labels | {f"price.{prices[-1]:.15g}": f"{reading.labels['price']}: {span}"}


def rated_section(reading: Reading, page: ProfileRatingPage) -> Section:
    """Rated offers: points against today's level, money only as a comparison."""
    rows, labels = _steps(reading, page), _step_labels(reading)
    levels = rows[rows["attribute"] != "price"] if len(rows) else rows
    up = levels[levels["points_low"] > 0] if len(levels) else levels
    finding = items.title(up, _POINTS, labels=labels, words=gettext, amount=lambda x: formats.number(x, 1), leads=items.MOVES_MOST, close=items.MOVES_CLOSE) if len(up) else gettext(items.MOVES_NOTHING)  # fmt: skip
    known = levels.dropna(subset=["low"]) if len(levels) else levels
    step = formats.precision(float((known["high"] - known["low"]).median())) if len(known) else formats.CENT
    return Section(
        chart=f"asked-{page.id}",
        title=finding if len(rows) else said(page.title),
        lead=said(page.question),
        says=gettext("By how many points of the scale from %(low)s to %(high)s the rating of an offer changes against today's level; the price over its tested range.", low=page.scale.low, high=page.scale.high) + " " + asked_by(reading, rows),
        not_says=gettext("Nothing was to be bought, so amounts are relative: they compare attributes with the price, and are no price limit and no willingness to pay."),
        head=(gettext("Step"), gettext("Points"), section.interval_head(reading), gettext("As a price change (relative)"), section.interval_head(reading), gettext("Note")),
        rows=tuple(
            (labels[row["item"]], formats.number(row["points"], 2), section.numbers(row["points_low"], row["points_high"], 2),
             *((reading.money(row["estimate"], step), reading.interval(row["low"], row["high"], step), "") if pd.notna(row["estimate"]) else ("", "", note_text(row["note"]))))
            for _, row in rows.iterrows()
        ),
        csv="rated_offers",
        missing="" if len(rows) else section.too_few(),
    )  # fmt: skip


def rated_figure(reading: Reading, page: ProfileRatingPage) -> go.Figure:
    """Points with intervals, today's level at 0."""
    line = items.Line(0.0, gettext("today"))
    rows = _steps(reading, page)
    return items.figure(rows[rows["attribute"] != "price"], _POINTS, labels=safe(_step_labels(reading)), x_title=gettext("Rating points against today's level"), line=line)  # fmt: skip


_CENTRE = ("centre", "low", "high")
_FIRST = ("share", "share_low", "share_high")


def points_section(reading: Reading, question: ConstantSum) -> Section:
    """Points divided among items."""
    rows, labels = rows_of(reading, "constant_sums", question.id), words_of(question.items)
    ranked = rows.sort_values("centre", ascending=False, kind="stable") if len(rows) else rows
    unit = said(question.unit) if question.unit else gettext("points")
    amount = lambda value: f"{formats.number(value, 0)} {unit}"  # noqa: E731
    return Section(
        chart=f"asked-{question.id}",
        title=items.title(rows, _CENTRE, labels=labels, words=gettext, amount=amount) if len(rows) else asked_as(question.label),
        lead=asked_as(question.label),
        says=gettext("%(total)s %(unit)s were divided among the items. The typical division is the geometric mean, which suits shares of a whole better than the plain mean beside it.", total=formats.number(question.total, 0), unit=unit) + " " + asked_by(reading, rows),
        not_says=gettext("It is what people say when they must choose; it is not what they pay."),
        head=(gettext("Item"), gettext("Typical division"), section.interval_head(reading), gettext("Mean"), gettext("Gave nothing")),
        rows=tuple((labels[row["item"]], formats.number(row["centre"]), section.numbers(row["low"], row["high"]), formats.number(row["mean"]), formats.percent(row["zeros"])) for _, row in ranked.iterrows()),
        csv="constant_sums",
        missing="" if len(rows) else section.too_few(),
    )  # fmt: skip


def points_figure(reading: Reading, question: ConstantSum) -> go.Figure:
    """Bars of the typical division."""
    unit = said(question.unit) if question.unit else gettext("points")
    x_title = gettext("Typical division of %(total)s %(unit)s", total=question.total, unit=unit)
    rows = rows_of(reading, "constant_sums", question.id)
    return items.figure(
        rows, _CENTRE, labels=safe(words_of(question.items)), x_title=safe({"": x_title})[""], bars=True
    )


def ranking_section(reading: Reading, question: Ranking) -> Section:
    """Rankings: the chance to come first, and mean places."""
    rows, labels = rows_of(reading, "rankings", question.id), words_of(question.items)
    ranked = rows.sort_values("place", kind="stable") if len(rows) else rows
    known = bool(len(rows)) and bool(rows["share"].notna().any())
    finding = items.title(rows, _FIRST, labels=labels, words=gettext, amount=formats.percent) if known else asked_as(question.label)  # fmt: skip
    return Section(
        chart=f"asked-{question.id}",
        title=finding,
        lead=asked_as(question.label),
        says=gettext("The chance to be put first, from all places that were given, and the mean place; items without a place count as sharing the last ones.") + " " + asked_by(reading, rows),
        not_says=gettext("Places say nothing about distances: the second may matter nearly as much as the first, or hardly."),
        head=(gettext("Item"), gettext("Comes first"), section.interval_head(reading), gettext("Mean place"), section.interval_head(reading)),
        rows=tuple(
            (labels[row["item"]], formats.percent(row["share"]) if known else "", section.shares(row["share_low"], row["share_high"]) if known else "",
             formats.number(row["place"]), section.numbers(row["place_low"], row["place_high"])) for _, row in ranked.iterrows()
        ),
        csv="rankings",
        missing="" if len(rows) else section.too_few(),
        drawn=known,
        findings=(_concordance(rows),) if len(rows) else (),
    )  # fmt: skip


def _concordance(rows: pd.DataFrame) -> str:
    row = rows.iloc[0]
    figures = {"value": formats.number(row["agreement"], 2), "interval": section.numbers(row["agreement_low"], row["agreement_high"], 2)}  # fmt: skip
    if row["agreement"] < 0.1:
        return gettext(
            "Respondents hardly agree on the order: Kendall's W is %(value)s (%(interval)s) of 1.", **figures
        )
    return gettext("How far respondents agree on the order: Kendall's W is %(value)s (%(interval)s) of 1.", **figures)


def ranking_figure(reading: Reading, question: Ranking) -> go.Figure:
    """Bars of the chance to come first."""
    return items.figure(
        rows_of(reading, "rankings", question.id), _FIRST, labels=safe(words_of(question.items)), x_title=gettext("Chance to be put first"),
        bars=True, per_cent=True,
    )  # fmt: skip


def _features(reading: Reading) -> dict[str, str]:
    return {
        question.id: asked_as(question.label) for question in reading.definition.questions if isinstance(question, Kano)
    }


def kano_section(reading: Reading) -> Section:
    """All features that were asked for with and without."""
    rows, labels = reading.table("kano"), _features(reading)
    return Section(
        chart="asked-kano",
        title=kano.title(rows, labels=labels, words=gettext) if len(rows) else gettext("Expected, delightful, or all the same?"),
        says=gettext("Each feature was asked for twice: how would it be with it, how without it (Kano). “Satisfies” says how far having it helps, “dissatisfies” how far lacking it hurts. A feature is put into a category only if that category clearly leads the next one (Fong's rule).") + " " + asked_by(reading, rows),
        not_says=gettext("It does not say what a feature is worth in money. What delights today is expected tomorrow."),
        head=(gettext("Feature"), gettext("Category"), gettext("Having it satisfies"), section.interval_head(reading), gettext("Lacking it dissatisfies"), section.interval_head(reading), gettext("Answers by category")),
        rows=tuple(
            (labels[row["question"]], _category(row),
             formats.number(row["better"], 2), section.numbers(row["better_low"], row["better_high"], 2),
             formats.number(row["worse"], 2), section.numbers(row["worse_low"], row["worse_high"], 2), _categories(row))
            for _, row in rows.iterrows()
        ),
        csv="kano",
        missing="" if len(rows) else section.too_few(),
    )  # fmt: skip


def _category(row: pd.Series) -> str:
    name = kano.NAMES[row["category"]] if row["decided"] else kano.UNDECIDED
    return gettext(name)


def _categories(row: pd.Series) -> str:
    return ", ".join(f"{gettext(name)} {formats.number(row[key], 0)}" for key, name in kano.NAMES.items() if row[key])


def kano_figure(reading: Reading) -> go.Figure:
    """Better and worse."""
    return kano.figure(reading.table("kano"), labels=safe(_features(reading)), words=gettext)
