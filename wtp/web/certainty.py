"""How sure today's figures are and how many more answers would settle them, in one plain sentence a segment. While results are closed it tells exactness alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from wtp.analysis import ALL, Analysis, certainty
from wtp.charts.investment import NAMES
from wtp.survey import Survey
from wtp.web.formats import DASH, money, number, probability
from wtp.web.reading import labels_of
from wtp.web.verdicts import note_text

_LIMIT = "price_limit"
_ALMOST, _VERY, _LIKELY = 0.99, 0.90, 0.66


@dataclass(frozen=True, slots=True)
class Line:
    """One decision of a segment: what, the label so far, how sure, what is missing; settled if nothing is."""

    what: str
    label: str
    sure: str
    missing: str
    settled: bool


@dataclass(frozen=True, slots=True)
class Certainty:
    """One segment: its name, answers so far, the sentence, whether one can stop, and its decisions."""

    segment: str
    respondents: int
    sentence: str
    enough: bool
    lines: tuple[Line, ...]


def certainties(
    survey: Survey, analysis: Analysis, *, half_width: float | None = None, is_open: bool = True
) -> tuple[Certainty, ...]:
    """Every segment's, everybody first. half_width: target of the price upper limit in money. is_open: whether labels may be told."""
    table = certainty(survey.definition, analysis.tables, confidence=analysis.confidence, half_width=half_width)
    labels = labels_of(survey.definition)
    names = [ALL, *(segment.id for segment in survey.definition.segments)]
    found = []
    for name in names:
        rows: list[Mapping[Any, Any]] = [row for row in table.to_dict("records") if row["segment"] == name]
        rows = rows if is_open else [row for row in rows if row["decision"] == _LIMIT]
        if rows:
            found.append(_segment(rows, labels, survey.definition.currency))
    return tuple(found)


def sure(share: float) -> str:
    """A probability in words and as a number."""
    if math.isnan(share):
        return ""
    shown = probability(share)
    if share >= _ALMOST:
        return _("almost certain, %(share)s", share=shown)
    if share >= _VERY:
        return _("very likely, %(share)s", share=shown)
    if share >= _LIKELY:
        return _("likely, %(share)s", share=shown)
    return _("open, %(share)s", share=shown)


def _segment(rows: Sequence[Mapping[Any, Any]], labels: Mapping[str, str], currency: str) -> Certainty:
    first = rows[0]
    count, name = int(first["respondents"]), labels[first["segment"]]
    if first["status"] == "too_few":
        sentence = _(
            "Too few to say (%(count)s answers): figures and labels begin with 75, so about %(more)s more come first.",
            count=number(count, 0),
            more=number(first["more_answers"], 0),
        )
        return Certainty(name, count, sentence, False, ())
    sentence, enough = _sentence(rows, labels, currency, count)
    return Certainty(name, count, sentence, enough, tuple(_line(row, labels, currency) for row in rows))


def _sentence(
    rows: Sequence[Mapping[Any, Any]], labels: Mapping[str, str], currency: str, count: int
) -> tuple[str, bool]:
    open_rows = [row for row in rows if row["status"] == "more"]
    # The price limit has a target that somebody set; a label that would need twice the field is better left open.
    near = [row for row in open_rows if row["decision"] == _LIMIT or row["more_answers"] <= count]
    far = [row for row in open_rows if row not in near]
    close = [row for row in rows if row["status"] == "too_close"]
    parts = []
    if near:
        parts.append(
            _(
                "About %(more)s more answers in this segment would decide: %(names)s.",
                more=number(max(row["more_answers"] for row in near), 0),
                names=_names(near, labels, currency),
            )
        )
    elif all(row["status"] == "withheld" for row in rows):
        return _("Nothing to count on yet: the figures of this segment are withheld."), False
    else:
        parts.append(_("You can stop here: what can be decided with this many answers is decided."))
    if far:
        parts.append(
            _(
                "More than twice as many answers as now are needed for: %(names)s (%(more)s more or above).",
                names=_names(far, labels, currency),
                more=number(min(row["more_answers"] for row in far), 0),
            )
        )
    if close:
        parts.append(_("More answers will hardly decide: %(names)s.", names=_names(close, labels, currency)))
    return " ".join(parts), not near


def _names(rows: Sequence[Mapping[Any, Any]], labels: Mapping[str, str], currency: str) -> str:
    return ", ".join(
        _("price upper limit to ± %(target)s", target=money(row["target"], currency, 0.1))
        if row["decision"] == _LIMIT
        else labels[row["decision"]]
        for row in rows
    )


def _line(row: Mapping[Any, Any], labels: Mapping[str, str], currency: str) -> Line:
    missing = {
        "settled": _("settled"),
        "too_close": _("more answers will hardly help"),
        "withheld": note_text(str(row["note"])) or _("withheld"),
    }.get(row["status"]) or _("about %(more)s more answers", more=number(row["more_answers"], 0))
    settled = row["status"] == "settled"
    if row["decision"] != _LIMIT:
        label = _(NAMES[row["label"]]) if row["label"] in NAMES else DASH
        return Line(labels[row["decision"]], label, sure(row["probability"]), missing, settled)
    width = row["half_width"]
    exact = DASH if math.isnan(width) else f"± {money(width, currency, 0.1)}"
    return Line(_("Price upper limit"), exact, "", missing, settled)
