"""Sections of the page "Before and after": what moved in a segment since the earlier wave, beside what was done, and who answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext, ngettext

from wtp.analysis import ALL
from wtp.charts import waves as chart
from wtp.survey.labels import label_of, todays_offer
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, shares

PREFIX = "since_"
_MONEY, _PER_CENT, _POINTS = "money", "per cent", "points"
_UNITS = {"worth": _MONEY, "price_limit": _MONEY, "importance": _PER_CENT, "share": _PER_CENT}


@dataclass(frozen=True, slots=True)
class _Part:
    """How a section and its figure are made; None where there is only a table."""

    section: Callable[[Reading], Section]
    figure: Callable[[Reading], go.Figure] | None = None


def sections_about_waves(reading: Reading) -> list[str]:
    """Names of the sections that the comparison has: figures that both waves tell, what was done, who answered, what is not comparable."""
    there = set(reading.analysis.tables["waves"]["figure"])
    left_out = ["left_out"] if len(reading.analysis.tables["wave_left_out"]) else []
    mix = ["mix"] if len(reading.analysis.tables["wave_mix"]) else []
    return [PREFIX + name for name in [*(name for name in _titles() if name in there), "effects", *mix, *left_out]]


def waves_section(name: str, reading: Reading) -> Section:
    """The section of a name of `sections_about_waves`; it says itself what is simulated, since the mark of a report counts the later wave alone."""
    made, analysis = _parts()[name].section(reading), reading.analysis
    if not analysis.simulated:
        return made
    counts = {"simulated": formats.number(analysis.simulated, 0), "all": formats.number(analysis.respondents, 0)}
    return replace(
        made, lead=gettext("Simulated answers: %(simulated)s of %(all)s respondents of both waves", **counts)
    )


def waves_figure(name: str, reading: Reading) -> go.Figure:
    """Its figure."""
    made = _parts()[name].figure
    if made is None:
        raise LookupError(f"{name} is not drawn; allowed: a section with a chart.")
    return made(reading)


def _parts() -> dict[str, _Part]:
    figures = {name: _Part(partial(_figures_section, name), partial(_figures_figure, name)) for name in _titles()}
    others = {"effects": _Part(_effects), "mix": _Part(_mix, _mix_figure), "left_out": _Part(_left_out)}
    return {PREFIX + name: part for name, part in {**figures, **others}.items()}


def _titles() -> dict[str, str]:
    """What a kind of figure is called."""
    return {
        "performance": gettext("How this company is rated"),
        "gap": gettext("Rating against the rival"),
        "met": gettext("What customers met"),
        "expectation_gap": gettext("What they met against what they expected"),
        "worth": gettext("What it is worth"),
        "price_limit": gettext("Price upper limit"),
        "importance": gettext("What matters in the choices"),
        "stated": gettext("What people say matters"),
        "rating": gettext("Other ratings"),
    }


def _rows(figure: str, reading: Reading) -> pd.DataFrame:
    """The segment's rows of a figure; of the price limit those of all segments, since each has but one."""
    table = reading.analysis.tables["waves"]
    own = table["figure"] == figure
    if figure != "price_limit":
        own &= table["segment"] == reading.segment
    return table[own].reset_index(drop=True)


def _name(row: pd.Series, reading: Reading) -> str:
    """What a figure is of, in words."""
    labels, figure = reading.labels, row["figure"]
    if figure == "price_limit":
        return labels[row["segment"]]
    if figure == "rating":
        question = next(q for q in reading.definition.questions if q.id == row["question"])
        item = next((said(i.label) for i in question.items if i.id == row["item"]), row["item"])  # type: ignore[union-attr]
        return gettext("%(question)s – %(item)s", question=said(question.label), item=item)
    own = label_of(reading.definition, todays_offer(reading.definition))
    label = f" ({row['offer_label']})" if row["offer_label"] not in ("", own) else ""
    attribute = labels.get(f"{row['attribute']}{label}", row["attribute"])
    if figure != "worth":
        return attribute
    levels = [labels.get(f"{row['attribute']}.{row[end]}", row[end]) for end in ("from_level", "to_level")]
    return gettext("%(attribute)s: from “%(before)s” to “%(after)s”", attribute=attribute, before=levels[0], after=levels[1])  # fmt: skip


def _amounts(table: pd.DataFrame, reading: Reading, unit: str) -> Callable[[float], str]:
    """How the figures of a table are written, with the digits that their intervals carry."""
    if unit == _MONEY:
        width = float((table["difference_high"] - table["difference_low"]).median()) if len(table) else float("nan")
        return partial(reading.money, step=formats.precision(width))
    return (lambda value: formats.number(value, 1)) if unit == _PER_CENT else (lambda value: formats.number(value, 2))


def _with_ends(row: pd.Series, name: str, amounts: Callable[[float], str], *, signed: bool = False) -> str:
    """A figure and both ends of its interval."""
    low, high = (amounts(row[f"{name}_{end}"]) for end in ("low", "high"))
    plus = "+" if signed and row[name] > 0 and amounts(row[name]) != amounts(0.0) else ""
    return gettext("%(amount)s (%(low)s to %(high)s)", amount=plus + amounts(row[name]), low=low, high=high)


def _verdict(row: pd.Series, name: str) -> str:
    if row["differs"]:
        return gettext("rose") if row[name] > 0 else gettext("fell")
    return gettext("may be chance among so many") if row["clear"] else gettext("no clear change")


def _done(row: pd.Series, reading: Reading) -> str:
    """What was done, or is under way, that concerns a figure."""
    table = reading.analysis.tables["wave_measures"]
    own = table[table["number"].astype(str).isin(row["measures"].split())]
    words = {"done": gettext("%(title)s (done)"), "running": gettext("%(title)s (under way)")}
    return "; ".join(words[measure["state"]] % {"title": measure["title"]} for _, measure in own.iterrows())


def _unit_head(reading: Reading, unit: str) -> str:
    return {_MONEY: reading.unit, _PER_CENT: gettext("per cent of the choices"), _POINTS: gettext("points")}[unit]


def _figures_section(figure: str, reading: Reading) -> Section:
    table, unit = _rows(figure, reading), _UNITS.get(figure, _POINTS)
    amounts, names = _amounts(table, reading, unit), [_name(row, reading) for _, row in table.iterrows()]
    rows = tuple(
        (
            name,
            _with_ends(row, "before", amounts),
            _with_ends(row, "after", amounts),
            _with_ends(row, "difference", amounts, signed=True),
            _verdict(row, "difference"),
            _done(row, reading),
        )
        for name, (_, row) in zip(names, table.iterrows(), strict=True)
    )
    title = chart.title(table, names, words=gettext, amount=partial(_with_ends, name="difference", amounts=amounts, signed=True), kind=_titles()[figure])  # fmt: skip
    return Section(
        chart=PREFIX + figure,
        title=title,
        says=gettext("Each figure in both waves with its interval, and the difference of the two with the interval of the difference; the waves asked different people, so their errors add up. “Rose” and “fell” are said of differences that stand out among all on this page, so that about %(share)s of such claims at most are expected to be false (Benjamini and Hochberg 1995).", share=formats.percent(1 - reading.analysis.confidence)),
        not_says=_proves_nothing(),
        head=(gettext("Figure"), gettext("Before"), gettext("After"), headed(gettext("Difference"), reading), gettext("Finding"), gettext("Done in between")),
        rows=rows,
        csv="waves",
        missing="" if rows else _nothing_here(reading),
    )  # fmt: skip


def _nothing_here(reading: Reading) -> str:
    if reading.segment == ALL and reading.definition.segments:
        return gettext("A segment has no such figure in one of the waves, so the segments together cannot stand for all customers.")  # fmt: skip
    return gettext("One of the two waves has no figures for this segment, so there is nothing to compare.")


def _proves_nothing() -> str:
    return gettext("That something moved does not say why. Other people answered, and other things happened meanwhile. Where a measure was taken because a figure was bad, the figure tends to be better the next time by itself, as chance alone had made it worse (regression to the mean).")  # fmt: skip


def _figures_figure(figure: str, reading: Reading) -> go.Figure:
    table, unit = _rows(figure, reading), _UNITS.get(figure, _POINTS)
    names = safe({str(n): _name(row, reading) for n, (_, row) in enumerate(table.iterrows())})
    return chart.figure(table, list(names.values()), words=gettext, x_title=safe({"": _unit_head(reading, unit)})[""])


def _effects(reading: Reading) -> Section:
    table = reading.analysis.tables["wave_effects"]
    table = (table if reading.segment == ALL else table[table["segment"] == reading.segment]).reset_index(drop=True)
    names = [f"{reading.labels[row['segment']]}, {_titles()[row['figure']]}" + ("" if row["figure"] == "price_limit" else f" – {_name(row, reading)}") for _, row in table.iterrows()]  # fmt: skip
    rows, parts = [], {}
    for name, (place, row) in zip(names, table.iterrows(), strict=True):
        alike = table[table["figure"] == row["figure"]]
        amounts = parts[place] = _amounts(alike, reading, _UNITS.get(row["figure"], _POINTS))
        others = ", ".join(reading.labels[segment] for segment in row["compared_with"].split(", "))
        rows.append(
            (
                name,
                _with_ends(row, "difference", amounts, signed=True),
                _with_ends(row, "elsewhere", amounts, signed=True),
                others,
                _with_ends(row, "beyond", amounts, signed=True),
                _beyond(row),
            )
        )
    patterns = (chart.BEYOND, chart.BEYOND, chart.NOT_BEYOND)
    title = chart.title(table, names, words=gettext, amount=lambda row: _with_ends(row, "beyond", parts[row.name], signed=True), patterns=patterns)  # fmt: skip
    return Section(
        chart=PREFIX + "effects",
        title=title if rows else gettext("Where something was done, against where nothing was"),
        says=gettext("How much more a figure moved in a segment in which a measure that concerns it was done than in the segments without one, which stand for what would have happened anyway: the difference of the differences, with its interval. Segments in which one is under way are on neither side."),
        not_says=gettext("It names a cause only if the segments would have moved alike without the measure, which no figure here can show: they may differ in much else, and what was done in one may reach the others. Where a figure was singled out because it was bad, some of its recovery is regression to the mean."),
        head=(gettext("Segment and figure"), headed(gettext("Moved there"), reading), headed(gettext("Moved elsewhere"), reading), gettext("Elsewhere means"), headed(gettext("More than elsewhere"), reading), gettext("Finding")),
        rows=tuple(rows),
        csv="wave_effects",
        missing="" if rows else _no_comparison(reading),
        drawn=False,
    )  # fmt: skip


def _beyond(row: pd.Series) -> str:
    if row["differs"]:
        return gettext("more than elsewhere") if row["beyond"] > 0 else gettext("less than elsewhere")
    return gettext("may be chance among so many") if row["clear"] else gettext("not clearly apart")


def _no_comparison(reading: Reading) -> str:
    """Why no segment can be held against others."""
    table = reading.analysis.tables["wave_measures"]
    own = table if reading.segment == ALL else table[table["segment"].isin([reading.segment, ALL])]
    if not (own["state"] == "done").any():
        return gettext("No measure was done between the two waves here.")
    return gettext("No segment went without a measure that concerns the same figure, so no cause can be named: what moved may have moved anyway.")  # fmt: skip


def _mix(reading: Reading) -> Section:
    table = reading.analysis.tables["wave_mix"]
    p = float(table["p_value"].iloc[0])
    other = p < 1 - reading.analysis.confidence
    rows = tuple(
        (
            reading.labels[row["segment"]],
            formats.number(row["respondents_before"], 0),
            formats.number(row["respondents_after"], 0),
            f"{formats.percent(row['before'])} ({shares(row['before_low'], row['before_high'])})",
            f"{formats.percent(row['after'])} ({shares(row['after_low'], row['after_high'])})",
            f"{formats.points(row['difference'])} ({formats.points(row['difference_low'])} – {formats.points(row['difference_high'])})",
        )
        for _, row in table.iterrows()
    )
    return Section(
        chart=PREFIX + "mix",
        title=gettext("Who answered: another mix of segments than before (p = %(p)s)", p=formats.number(p, 3)) if other else gettext("Who answered: no clear change in the mix of segments"),
        says=gettext("Respondents of each segment in both waves. Comparisons on this page are made within segments, and “Everybody” is the segments weighted by their numbers of customers, the same in both waves; so another mix of segments moves nothing here."),
        not_says=gettext("Within a segment, too, other people may have answered than before; of that this table knows nothing."),
        head=(gettext("Segment"), gettext("Respondents before"), gettext("Respondents after"), gettext("Share before"), gettext("Share after"), gettext("Difference, points")),
        rows=rows,
        csv="wave_mix",
    )  # fmt: skip


def _mix_figure(reading: Reading) -> go.Figure:
    table = reading.analysis.tables["wave_mix"]
    names = safe({name: reading.labels[name] for name in table["segment"]})
    return chart.figure(table, list(names.values()), words=gettext, x_title=gettext("Share of the respondents"), per_cent=True)  # fmt: skip


def _left_out(reading: Reading) -> Section:
    table, labels = reading.analysis.tables["wave_left_out"], reading.labels
    words = {
        "attribute": (gettext("Attribute"), gettext("not compared: it was not in both waves, or had other levels")),
        "segment": (gettext("Segment"), gettext("not compared: it was not in both waves, or had another rule")),
        "money": (gettext("Amounts"), gettext("not compared: another currency, another price unit or other labels of the offers")),
        "importance": (gettext("What matters in the choices"), gettext("not compared: shares of one whole, and the attributes, levels or tested prices were others")),
        "question": (gettext("Question"), gettext("not compared: other items, options or scale")),
        "none_option": (gettext("Price upper limit"), gettext("not compared: another kind of none option")),
        "today": (gettext("Attribute"), gettext("today's level is another one now; only steps that both waves asked about are compared")),
        "offer": (gettext("Price upper limit"), gettext("compared, but of today's offer in each wave, and that is another one now")),
        "words": (gettext("Words"), gettext("compared, but the words are others now: judge whether they mean the same")),
    }  # fmt: skip
    kinds = [row["where"] if row["where"] == "none_option" else row["kind"] for _, row in table.iterrows()]
    rows = tuple(
        (
            words[kind][0],
            labels.get(row["where"], row["where"]) if row["where"] != "none_option" else "",
            words[kind][1],
        )
        for kind, (_, row) in zip(kinds, table.iterrows(), strict=True)
    )
    return Section(
        chart=PREFIX + "left_out",
        title=ngettext("%(num)s thing differs between the two questionnaires", "%(num)s things differ between the two questionnaires", len(rows)),
        says=gettext("What is compared must have been asked alike. What was not is left out by name, and what only a person can judge is named."),
        not_says=gettext("Questions asked in another order, or after other pages, may be answered otherwise too."),
        head=(gettext("What"), gettext("Which"), gettext("Why")),
        rows=rows,
        csv="wave_left_out",
        drawn=False,
    )  # fmt: skip


def multiplicity(reading: Reading) -> str:
    """How many of the differences shown would stand clear of 0 by chance, and how many are claimed."""
    table = reading.analysis.tables["waves"]
    alpha = 1 - reading.analysis.confidence
    return gettext(
        "Of %(all)s differences in all segments, about %(chance)s would stand clear of 0 by chance alone if nothing had changed; %(clear)s do, and %(claimed)s are claimed.",
        all=formats.number(len(table), 0), chance=formats.number(alpha * len(table), 0), clear=formats.number(int(table["clear"].sum()), 0),
        claimed=formats.number(int(table["differs"].sum()), 0),
    )  # fmt: skip
