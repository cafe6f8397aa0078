"""The report of a study's results as a value: what the pages say, in the words of one language, before anybody writes it as slides or as a PDF.

Every figure is here as the text that the page shows; `Finding.figure` is the page's own chart, from which slides take the numbers that their native charts need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_CONTROLS = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff\ufffe\uffff]")
_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about one attribute: the label as in "invest", its mark and name, and why."""

    label: str
    mark: str
    name: str
    attribute: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Card:
    """One segment at a glance. evidence: how much its figures carry, empty where they carry all."""

    segment: str
    finding: str
    respondents: str
    evidence: str
    limit_name: str
    limit: str
    today: str
    verdicts: tuple[Verdict, ...]
    splits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One section of the pages: finding, chart and table, or `missing`, which says why there is neither.

    figure: Plotly's chart as a JSON value, None where there is a table alone. native: whether an editable chart of bars or points can show it without misleading.
    """

    chart: str
    title: str
    lead: str
    missing: str
    findings: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    says: str
    not_says: str
    figure: Mapping[str, Any] | None = None
    native: bool = True


@dataclass(frozen=True, slots=True)
class Chapter:
    """One page of the results."""

    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One study's results in one segment and language.

    simulated, illustrative: the marks that every page and slide bears, empty where there is nothing to mark. facts: who was asked, whose answers, as (term, text). notes: (severity, text). method: how the
    figures were made; provenance: what it takes to make them again, as (term, text). words: what the writers say of their own, by key. colours: of the charts.
    """

    language: str
    title: str
    study: str
    segment: str
    date: str
    created: str
    source: str
    simulated: str
    illustrative: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]
    cards: tuple[Card, ...]
    chapters: tuple[Chapter, ...]
    method: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    words: Mapping[str, str] = field(default_factory=dict)
    colours: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it as values that JSON knows, for another process."""
        return asdict(self)


def printable(text: str) -> str:
    """A text without control letters, which no document may hold."""
    return _CONTROLS.sub("", text)


def plain(text: str) -> str:
    """The same without word joiners, for which some fonts of office programs draw a box."""
    return printable(text).replace(_JOINER, "")
