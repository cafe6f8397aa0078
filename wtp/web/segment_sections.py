"""Sections of the page "Segments": whether declared segments differ in what they would pay, who is in them, and which groups the answers themselves suggest."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import groups
from wtp.survey.questions import MultipleChoice, Rating, SingleChoice
from wtp.web import formats
from wtp.web.answer_sections import safe, words_of
from wtp.web.i18n import text as said
from wtp.web.reading import Reading, by_label
from wtp.web.section import Section, interval_head, numbers, share_with_interval
from wtp.web.verdicts import note_text


def _differences(reading: Reading) -> pd.DataFrame:
    """Worth of each step in each declared segment with figures of its own, as groups."""
    table = by_label(reading.analysis.tables["willingness_to_pay"])
    own = [segment.id for segment in reading.definition.segments]
    return table[table["segment"].isin(own) & table["estimate"].notna()].rename(columns={"segment": "group"})


def worth_section(reading: Reading) -> Section:
    """What steps are worth, segment beside segment."""
    table = _differences(reading)
    names = list(dict.fromkeys(table["group"]))
    precision = formats.precision(float((table["high"] - table["low"]).median())) if len(table) else formats.CENT
    rows = []
    for step in _steps(table) if len(names) > 1 else ():
        found = [_of(table, name, step) for name in names]
        cells = ["" if row is None else _with_interval(reading, row, precision) for row in found]
        rows.append((reading.labels[step[0]], reading.labels[".".join(step)], *cells))
    apart = _most_apart(table) if rows else None
    return Section(
        chart="segment_worth",
        title=gettext("The segments differ most about “%(level)s” (%(attribute)s)", level=reading.labels[".".join(apart)], attribute=reading.labels[apart[0]]) if apart else gettext("Do the segments differ?"),
        says=gettext("The trade-off value of each step against today's level, in each segment that has figures of its own."),
        not_says=gettext("Overlapping intervals are no proof that segments agree, and with many steps some differences come by chance; the table of the answers says which answers differ beyond that."),
        head=(gettext("Attribute"), gettext("Instead"), *(f"{reading.labels[name]}, {interval_head(reading)}" for name in names)),
        rows=tuple(rows),
        csv="willingness_to_pay",
    )  # fmt: skip


def _steps(table: pd.DataFrame) -> list[tuple[str, str]]:
    """(attribute, level) of every step in the table, in its order."""
    return list(dict.fromkeys(zip(table["attribute"], table["to_level"], strict=True))) if len(table) else []


def _of(table: pd.DataFrame, group: str, step: tuple[str, str] | None = None) -> pd.Series | None:
    """The row of a group, and of a step if one is named; None if there is none."""
    there = table["group"].astype(str) == group
    if step is not None:
        there &= (table["attribute"] == step[0]) & (table["to_level"] == step[1])
    return table[there].iloc[0] if there.any() else None


def _most_apart(table: pd.DataFrame) -> tuple[str, str]:
    """The step whose amounts lie furthest apart, in units of their intervals."""

    def gap(step: tuple[str, str]) -> float:
        rows = table[(table["attribute"] == step[0]) & (table["to_level"] == step[1])]
        width = max(float(rows["high"].max() - rows["low"].min()), 1e-9)
        return float(rows["low"].max() - rows["high"].min()) / width

    return max(_steps(table), key=gap)


def _with_interval(reading: Reading, row: pd.Series, precision: float) -> str:
    if pd.isna(row["estimate"]):
        return formats.DASH
    return reading.with_interval(row["estimate"], row["low"], row["high"], precision)


def worth_figure(reading: Reading) -> go.Figure:
    """Dots and intervals by segment."""
    return groups.figure(
        _differences(reading), labels=safe(reading.labels), words=gettext, currency=reading.charted_unit
    )


def _questions(reading: Reading) -> dict[str, str]:
    """Names of the variables of a profile: questions, and items of ratings as `question.item`."""
    names = {}
    for question in reading.definition.questions:
        names[question.id] = said(question.label)
        if isinstance(question, Rating):
            about = gettext("Stated importance") if question.measures == "importance" else said(question.label)
            names |= {f"{question.id}.{item}": f"{about}: {label}" for item, label in words_of(question.items).items()}
    return names


def _options(reading: Reading) -> dict[str, dict[str, str]]:
    return {
        q.id: words_of(q.options) for q in reading.definition.questions if isinstance(q, SingleChoice | MultipleChoice)
    }


def profile_section(reading: Reading) -> Section:
    """Who is in which segment: answers that differ between the segments, the clearest first."""
    table, answers = reading.table("segment_profile"), reading.analysis.tables.get("segment_answers", pd.DataFrame())
    return _profile(
        reading, "segment_profile", table, answers.rename(columns={"segment": "group"}), reading.labels,
        gettext("Who is in which segment"),
    )  # fmt: skip


def found_profile_section(reading: Reading) -> Section:
    """Who is in which found group."""
    table, answers = reading.table("found_profile"), reading.table("found_answers")
    return _profile(reading, "found_profile", table, answers, _groups(reading), gettext("Who is in which found group"))


def _profile(
    reading: Reading,
    chart: str,
    table: pd.DataFrame,
    answers: pd.DataFrame,
    labels: Mapping[str, str],
    title: str,
) -> Section:
    """Variables with their test, and the answers of each group."""
    names, options = _questions(reading), _options(reading)
    ranked = table.sort_values("p_adjusted", kind="stable") if len(table) else table
    groups_of = list(dict.fromkeys(str(group) for group in answers["group"])) if len(answers) else []
    rows = []
    for _, row in ranked.iterrows():
        variable = str(row["variable"])
        verdict = gettext("differs") if row["differs"] else gettext("no clear difference")
        own = answers[answers["variable"] == variable]
        for place, (answer, cells) in enumerate(own.groupby("answer", sort=False)):
            found = [_of(cells, name) for name in groups_of]
            shown = ["" if one is None else _cell(one) for one in found]
            what = gettext("mean") if answer == "mean" else options.get(variable, {}).get(str(answer), str(answer))
            rows.append(
                (names.get(variable, variable) if not place else "″", what, *shown, verdict if not place else "")
            )
    differ = int(ranked["differs"].sum()) if len(ranked) else 0
    return Section(
        chart=chart,
        title=title,
        says=gettext("Answers that had no part in making the groups: shares of each answer, means of ratings and numbers. “Differs” allows for the number of answers compared: of those so marked at most one in ten is expected to be chance (Benjamini and Hochberg 1995).") + " " + gettext("%(differ)s of %(all)s differ.", differ=differ, all=len(ranked)),
        not_says=gettext("A difference is no cause, and groups that do not differ in these answers may differ in others that were not asked."),
        head=(gettext("Question"), gettext("Answer"), *(f"{labels.get(name, name)}, {interval_head(reading)}" for name in groups_of), gettext("Beyond chance")),
        rows=tuple(rows),
        csv=chart,
        drawn=False,
    )  # fmt: skip


def _cell(row: pd.Series) -> str:
    if pd.isna(row["share"]):
        return formats.DASH
    if row["answer"] == "mean":
        return f"{formats.number(row['share'])} ({numbers(row['low'], row['high'])})"
    return share_with_interval(row["share"], row["low"], row["high"])


def _groups(reading: Reading) -> dict[str, str]:
    """Names of the groups that the answers suggest, with their shares."""
    table = reading.table("found_segments")
    return {
        str(row["group"]): gettext("Group %(number)s, %(share)s", number=row["group"], share=formats.percent(row["share"]))
        for _, row in table.iterrows()
    }  # fmt: skip


def _found_worths(reading: Reading) -> pd.DataFrame:
    """group, attribute, to_level, estimate of the found groups."""
    table = reading.table("found_segments")
    columns = [name for name in table.columns if "[" in str(name)]
    long = table.melt(id_vars="group", value_vars=columns, var_name="step", value_name="estimate") if columns else pd.DataFrame(columns=["group", "step", "estimate"])  # fmt: skip
    parts = long["step"].str.extract(r"^(?P<attribute>[^\[]+)\[.* -> (?P<to_level>.*)\]$")
    return pd.concat([long.assign(group=long["group"].astype(str)), parts], axis=1)


def found_section(reading: Reading) -> Section:
    """Groups by how they value the steps."""
    table, quality, names = reading.table("found_segments"), reading.table("found_quality"), _groups(reading)
    worths = _found_worths(reading)
    rows = []
    for step in _steps(worths):
        found = [_of(worths, name, step) for name in names]
        cells = ["" if row is None else reading.money(row["estimate"], 0.1) for row in found]
        rows.append((reading.labels[step[0]], reading.labels[".".join(step)], *cells))
    chosen = quality[quality["segments"] == len(table)] if len(quality) else quality
    stable = gettext(
        "Made again from other respondents the same groups came out with a stability of %(stability)s, where data of one group alone reach %(null)s; 1 is perfect.",
        stability=formats.number(chosen["stability"].iloc[0], 2), null=formats.number(chosen["null_stability"].iloc[0], 2),
    ) if len(chosen) else ""  # fmt: skip
    overlap = reading.table("segment_overlap")
    alike = gettext("They agree with the declared segments to %(rand)s (adjusted Rand index: 1 the same groups, 0 chance).", rand=formats.number(overlap["adjusted_rand"].iloc[0], 2)) if len(overlap) else ""  # fmt: skip
    return Section(
        chart="found_segments",
        title=gettext("The answers suggest %(groups)s groups of customers", groups=formats.number(len(table), 0)) if len(table) > 1 else gettext("The answers do not suggest separate groups"),
        says=gettext("Respondents who value the steps alike, found from their own amounts (k-means), and kept only if they beat data without any groups."),
        not_says=gettext("A group is a summary of many respondents, not a kind of person. Amounts are means of respondents and have no interval here, since the same answers formed the groups."),
        head=(gettext("Attribute"), gettext("Instead"), *names.values()),
        rows=tuple(rows),
        csv="found_segments",
        findings=tuple(text for text in (stable, alike) if text),
    )  # fmt: skip


def found_figure(reading: Reading) -> go.Figure:
    """Dots by found group."""
    labels = reading.labels | _groups(reading)
    return groups.figure(_found_worths(reading), labels=safe(labels), words=gettext, currency=reading.charted_unit)


def overlap_section(reading: Reading) -> Section:
    """Which declared segment is in which found group."""
    table, names = reading.table("segment_overlap"), _groups(reading)
    rows = []
    for declared, own in table.groupby("declared", sort=False) if len(table) else ():
        found = [_of(own, name) for name in names]
        cells = ["" if row is None else _count(row) for row in found]
        rows.append((reading.labels.get(str(declared), str(declared)), *cells))
    return Section(
        chart="segment_overlap",
        title=gettext("Declared segments in the found groups"),
        says=gettext("How many respondents of each declared segment are in each group that the answers suggest."),
        not_says=gettext("Counts under ten people are not shown."),
        head=(gettext("Segment"), *names.values()),
        rows=tuple(rows),
        csv="segment_overlap",
        drawn=False,
    )  # fmt: skip


def _count(row: pd.Series) -> str:
    return (
        formats.DASH
        if pd.isna(row["respondents"])
        else f"{formats.number(row['respondents'], 0)} ({formats.percent(row['share'])})"
    )


def classes_section(reading: Reading) -> Section:
    """The latent classes with their shares and amounts."""
    table = reading.table("latent_classes")
    names = _classes(table)
    rows = []
    for step in _steps(table):
        found = [_of(table, group, step) for group in names]
        precision = formats.precision(float((table["high"] - table["low"]).median()))
        cells = ["" if row is None else _with_interval(reading, row, precision) for row in found]
        rows.append((reading.labels[step[0]], reading.labels[".".join(step)], *cells))
    return Section(
        chart="latent_classes",
        title=gettext("A model of classes finds %(classes)s of them", classes=len(names)) if rows else gettext("Latent classes"),
        says=gettext("Another view of the same answers: respondents belong to classes with one taste each (latent class logit); size of the classes and amounts are estimated together, the number of classes by the Bayesian information criterion."),
        not_says=gettext("Classes are not the declared segments, and nobody is in a class for certain."),
        head=(gettext("Attribute"), gettext("Instead"), *(f"{name}, {interval_head(reading)}" for name in names.values())),
        rows=tuple(rows),
        csv="latent_classes",
        findings=tuple(_withheld(table, names)),
    )  # fmt: skip


def _classes(table: pd.DataFrame) -> dict[str, str]:
    if not len(table):
        return {}
    sizes = table.drop_duplicates("group").set_index("group")["share"]
    return {str(group): gettext("Class %(number)s, %(share)s", number=place, share=formats.percent(share)) for place, (group, share) in enumerate(sizes.items(), 1)}  # fmt: skip


def _withheld(table: pd.DataFrame, names: Mapping[str, str]) -> list[str]:
    """Why a class has no amounts, once for the class."""
    missing = table[table["estimate"].isna()].drop_duplicates(["group", "note"]) if len(table) else table
    return [
        f"{names[str(row['group'])]}: {note_text(str(row['note']))}" for _, row in missing.iterrows() if row["note"]
    ]


def classes_figure(reading: Reading) -> go.Figure:
    """Dots and intervals by class."""
    table = reading.table("latent_classes")
    labels = safe(reading.labels | _classes(table))
    return groups.figure(table, labels=labels, words=gettext, currency=reading.charted_unit)
