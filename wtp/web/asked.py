"""What a survey asked, section by section: `PARTS` has one entry a type of question or page, `WHOLE` one for what is shown together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from wtp.survey import Definition
from wtp.survey.pages import BestWorstPage, ProfileRatingPage
from wtp.survey.questions import ConstantSum, Kano, Ranking, Rating
from wtp.web import answer_sections as answer
from wtp.web import said_sections as said
from wtp.web.reading import Reading
from wtp.web.section import Section
from wtp.web.version_section import versions_section

SAID, ANSWERS = "said", "answers"
_PREFIX = "asked-"


@dataclass(frozen=True, slots=True)
class _Part:
    """On which page, and how the section and its figure are made; None where nothing is drawn."""

    page: str
    section: Callable[[Reading, Any], Section]
    figure: Callable[[Reading, Any], go.Figure] | None


PARTS: dict[str, _Part] = {
    "best_worst": _Part(SAID, said.best_worst_section, said.best_worst_figure),
    "profile_rating": _Part(SAID, said.rated_section, said.rated_figure),
    "constant_sum": _Part(SAID, said.points_section, said.points_figure),
    "ranking": _Part(SAID, said.ranking_section, said.ranking_figure),
    "single_choice": _Part(ANSWERS, answer.shares_section, answer.shares_figure),
    "multiple_choice": _Part(ANSWERS, answer.shares_section, answer.shares_figure),
    "number": _Part(ANSWERS, answer.numbers_section, answer.numbers_figure),
    "rating": _Part(ANSWERS, answer.ratings_section, answer.ratings_figure),
    "time_grid": _Part(ANSWERS, answer.times_section, answer.times_figure),
    "text": _Part(ANSWERS, answer.texts_section, None),
}
WHOLE: dict[str, _Part] = {
    "methods": _Part(SAID, lambda reading, _: said.methods_section(reading), lambda reading, _: said.methods_figure(reading)),
    "kano": _Part(SAID, lambda reading, _: said.kano_section(reading), lambda reading, _: said.kano_figure(reading)),
    "versions": _Part(ANSWERS, lambda reading, _: versions_section(reading), None),
}  # fmt: skip


def _whole(reading: Reading) -> list[str]:
    """What is shown together: the comparison where there are two ways of asking, Kano where it was asked, versions where there were several."""
    definition = reading.definition
    ids = {attribute.id for attribute in definition.attributes} | {"price"}
    offers = [page for page in definition.pages if isinstance(page, ProfileRatingPage)]
    items = [part.items for part in definition.questions if isinstance(part, ConstantSum | Ranking)]
    items += [page.items for page in definition.pages if isinstance(page, BestWorstPage)]
    named = any(ids & {item.id for item in own} for own in items)
    wanted = {
        "methods": bool(definition.importance_rating or offers or named),
        "kano": any(isinstance(question, Kano) for question in definition.questions),
        "versions": len(reading.analysis.tables.get("versions", ())) > 0,
    }
    return [name for name in WHOLE if wanted[name]]


def _parts(definition: Definition) -> dict[str, Any]:
    """Questions and pages that have a section of their own, by id, in the order asked; price questions have theirs elsewhere."""
    found: dict[str, Any] = {}
    for page in definition.pages:
        for part in getattr(page, "questions", None) or (page,):
            elsewhere = isinstance(part, Rating) and part.measures == "purchase_intent"
            if part.type in PARTS and not elsewhere:
                found[part.id] = part
    return found


def sections_on(page: str, reading: Reading) -> list[str]:
    """Names of the charts on the page "said" or "answers"; none where the survey asked nothing of the kind."""
    whole = [name for name in _whole(reading) if WHOLE[name].page == page]
    parts = [name for name, part in _parts(reading.definition).items() if PARTS[part.type].page == page]
    before = [name for name in whole if name == "methods"]
    return [_PREFIX + name for name in (*before, *parts, *(name for name in whole if name not in before))]


def is_asked(chart: str) -> bool:
    """Whether the name is one of `sections_on`."""
    return chart.startswith(_PREFIX)


def _found(chart: str, reading: Reading) -> tuple[_Part, Any]:
    name = chart.removeprefix(_PREFIX)
    part = _parts(reading.definition).get(name)
    return (PARTS[part.type], part) if part is not None else (WHOLE[name], None)


def asked_section(chart: str, reading: Reading) -> Section:
    """The section of a name of `sections_on`."""
    how, part = _found(chart, reading)
    return how.section(reading, part)


def asked_figure(chart: str, reading: Reading) -> go.Figure:
    """Its figure."""
    how, part = _found(chart, reading)
    if how.figure is None:
        raise LookupError(f"{chart} is not drawn; allowed: a section with a chart.")
    return how.figure(reading, part)
