"""What a survey asked, section by section: `PARTS` has one entry a type of question or page (rankings of a script have their own), `WHOLE` one for what is shown together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from wtp.survey import Definition
from wtp.survey.measures import EXPECTATION, EXPERIENCE, SCRIPT, expectation_ratings
from wtp.survey.pages import BestWorstPage, ProfileRatingPage
from wtp.survey.questions import (
    INTERRUPTION_COST,
    INTERRUPTION_WINDOW,
    PROCESS_SATISFACTION,
    PROCESS_STEPS,
    SERVICE_WINDOW,
    ConstantSum,
    Kano,
    Ranking,
)
from wtp.web import answer_sections as answer
from wtp.web import expectation_sections as expectation
from wtp.web import process_sections as process
from wtp.web import said_sections as said
from wtp.web.reading import Reading
from wtp.web.section import Section
from wtp.web.version_section import versions_section

SAID, ANSWERS, PROCESS, EXPECTATIONS = "said", "answers", "process", "expectations"
ASKED_PAGES = (SAID, PROCESS, EXPECTATIONS, ANSWERS)
_PREFIX = "asked-"
_FIRST = ("methods", "expectation_gaps")
# Questions that are shown as a part of something else, or on the page of prices.
_ELSEWHERE = (
    *("purchase_intent", EXPECTATION, EXPERIENCE),
    *(PROCESS_STEPS, PROCESS_SATISFACTION, SERVICE_WINDOW, INTERRUPTION_WINDOW),
)


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
    SCRIPT: _Part(EXPECTATIONS, expectation.script_section, expectation.script_figure),
}
_BY_MEASURE = {INTERRUPTION_COST: _Part(PROCESS, process.cost_section, answer.numbers_figure)}
WHOLE: dict[str, _Part] = {
    "methods": _Part(SAID, lambda reading, _: said.methods_section(reading), lambda reading, _: said.methods_figure(reading)),
    "expectation_gaps": _Part(EXPECTATIONS, lambda reading, _: expectation.gaps_section(reading), lambda reading, _: expectation.gaps_figure(reading)),
    "kano": _Part(SAID, lambda reading, _: said.kano_section(reading), lambda reading, _: said.kano_figure(reading)),
    process.STEPS: _Part(PROCESS, lambda reading, _: process.steps_section(reading), lambda reading, _: process.steps_figure(reading)),
    process.SERVICE: _Part(PROCESS, lambda reading, _: process.windows_section(reading, SERVICE_WINDOW), lambda reading, _: process.windows_figure(reading, SERVICE_WINDOW)),
    process.COVERAGE: _Part(PROCESS, lambda reading, _: process.coverage_section(reading, SERVICE_WINDOW), lambda reading, _: process.coverage_figure(reading, SERVICE_WINDOW)),
    process.INTERRUPTIONS: _Part(PROCESS, lambda reading, _: process.windows_section(reading, INTERRUPTION_WINDOW), lambda reading, _: process.windows_figure(reading, INTERRUPTION_WINDOW)),
    process.INTERRUPTIONS_COVERAGE: _Part(PROCESS, lambda reading, _: process.coverage_section(reading, INTERRUPTION_WINDOW), lambda reading, _: process.coverage_figure(reading, INTERRUPTION_WINDOW)),
    process.VALUE: _Part(PROCESS, lambda reading, _: process.value_section(reading), lambda reading, _: process.value_figure(reading)),
    "versions": _Part(ANSWERS, lambda reading, _: versions_section(reading), None),
}  # fmt: skip


def _whole(reading: Reading) -> list[str]:
    """What is shown together: the comparison where there are two ways of asking, Kano where it was asked, versions where there were several."""
    definition = reading.definition
    ids = {attribute.id for attribute in definition.attributes} | {"price"}
    offers = [page for page in definition.pages if isinstance(page, ProfileRatingPage)]
    items = [
        part.items for part in definition.questions if isinstance(part, ConstantSum | Ranking) and _kind(part) != SCRIPT
    ]
    items += [page.items for page in definition.pages if isinstance(page, BestWorstPage)]
    named = any(ids & {item.id for item in own} for own in items)
    wanted = {
        "methods": bool(definition.importance_rating or offers or named),
        "expectation_gaps": expectation_ratings(definition) is not None,
        "kano": any(isinstance(question, Kano) for question in definition.questions),
        "versions": len(reading.analysis.tables.get("versions", ())) > 0,
    } | dict.fromkeys(process.process_charts(reading), True)
    return [name for name in WHOLE if wanted.get(name)]


def _kind(part: Any) -> str:
    """Key of a question or page in `PARTS`, whether it is there or not."""
    return SCRIPT if isinstance(part, Ranking) and part.measures == SCRIPT else str(part.type)


def _parts(definition: Definition) -> dict[str, Any]:
    """Questions and pages that have a section of their own, by id, in the order asked; price questions have theirs elsewhere."""
    found: dict[str, Any] = {}
    for page in definition.pages:
        for part in getattr(page, "questions", None) or (page,):
            elsewhere = getattr(part, "measures", None) in _ELSEWHERE
            if _kind(part) in PARTS and not elsewhere:
                found[part.id] = part
    return found


def _how(part: Any) -> _Part:
    return _BY_MEASURE.get(str(getattr(part, "measures", None))) or PARTS[_kind(part)]


def sections_on(page: str, reading: Reading) -> list[str]:
    """Names of the charts on one of `ASKED_PAGES`; none where the survey asked nothing of the kind."""
    whole = [name for name in _whole(reading) if WHOLE[name].page == page]
    parts = [name for name, part in _parts(reading.definition).items() if _how(part).page == page]
    before = [name for name in whole if name in _FIRST or page == PROCESS]
    return [_PREFIX + name for name in (*before, *parts, *(name for name in whole if name not in before))]


def is_asked(chart: str) -> bool:
    """Whether the name is one of `sections_on`."""
    return chart.startswith(_PREFIX)


def _found(chart: str, reading: Reading) -> tuple[_Part, Any]:
    name = chart.removeprefix(_PREFIX)
    part = _parts(reading.definition).get(name)
    return (_how(part), part) if part is not None else (WHOLE[name], None)


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
