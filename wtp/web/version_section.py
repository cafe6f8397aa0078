"""The versions of a survey: which are counted, what changed, and whether the price moved the choices alike."""

from __future__ import annotations

import pandas as pd
from flask_babel import gettext

from wtp.web import formats, section
from wtp.web.reading import Reading
from wtp.web.section import Section


def versions_section(reading: Reading) -> Section:
    """One row a version; the current one first."""
    table = reading.analysis.tables["versions"]
    uses = {
        "current": gettext("current"),
        "counted": gettext("counted"),
        "not_counted": gettext("could be counted"),
        "different": gettext("means something else"),
    }
    counted = int(table.loc[table["use"].isin(["current", "counted"]), "respondents"].sum())
    return Section(
        chart="asked-versions",
        title=gettext("%(counted)s of %(all)s respondents are counted, of %(versions)s versions", counted=formats.number(counted, 0), all=formats.number(int(table["respondents"].sum()), 0), versions=len(table)),
        says=gettext("Versions with the same attributes, levels and prices are counted together, whatever else changed; words that changed are named, since only you can tell whether they mean the same. Where levels or prices differ you decide; where attributes, currency or the kind of none option differ, nothing is ever counted together. The price effect is how strongly the price moved the choices, the current version is 1."),
        not_says=gettext("A price effect near 1 does not prove that the versions mean the same. Between them time has passed, too."),
        head=(gettext("Version"), gettext("Use"), gettext("Respondents"), gettext("Price effect"), section.interval_head(reading), gettext("Changed since")),
        rows=tuple(
            (row["version"], uses[row["use"]], formats.number(row["respondents"], 0), formats.number(row["price_ratio"], 2) if pd.notna(row["price_ratio"]) else "",
             section.numbers(row["low"], row["high"], 2) if pd.notna(row["low"]) else "", changed(row["changes"]))
            for _, row in table.iterrows()
        ),
        csv="versions",
        drawn=False,
    )  # fmt: skip


def changed(changes: str) -> str:
    """What changed, in words; the places are the survey's own identifiers."""
    kinds = {
        "attribute_added": gettext("attribute added"),
        "attribute_removed": gettext("attribute removed"),
        "attribute_order": gettext("order of attributes"),
        "currency": gettext("currency"),
        "price_unit": gettext("what the price is for"),
        "none_option": gettext("kind of none option"),
        "labels": gettext("what labels the offers"),
        "only": gettext("labels that have an attribute"),
        "level_added": gettext("level added"),
        "level_removed": gettext("level removed"),
        "level_order": gettext("order of levels"),
        "prices": gettext("tested prices"),
        "offers_in_a_task": gettext("number of offers in a task"),
        "words": gettext("words"),
        "question": gettext("question"),
        "unreadable": gettext("cannot be read any more"),
    }
    by_kind: dict[str, list[str]] = {}
    for change in filter(None, changes.split("; ")):
        kind, _, where = change.partition(" ")
        by_kind.setdefault(kind, []).append(where)
    parts = [f"{kinds[kind]}: {', '.join(places)}" if any(places) else kinds[kind] for kind, places in by_kind.items()]
    return "; ".join(parts)
