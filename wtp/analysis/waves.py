"""Two waves of a study: what is comparable is compared within segments, beside the measures that were done in between and the segments that had none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from wtp.analysis.comparable import KEYS, LIMIT, WORTH, figures_of, in_common, segments_in, turned, what_is_told
from wtp.analysis.record import ALL, HIERARCHICAL, Analysis
from wtp.customers.waves import DONE, RUNNING, at_confidence, beyond, differences, for_everybody, mix, side_by_side
from wtp.errors import DataError
from wtp.survey.load import Survey

WAVES, EFFECTS, MIX, MEASURES, LEFT_OUT = "waves", "wave_effects", "wave_mix", "wave_measures", "wave_left_out"
_MEASURE = ["number", "title", "segment", "attribute", "state", "done_on"]


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave: its survey, its analysis, and the days of its first and last answer, None where nobody answered."""

    survey: Survey
    analysis: Analysis
    first: date | None = None
    last: date | None = None


def same_model(before: Analysis, after: Analysis) -> bool:
    """Whether both analyses come from the same kind of model: final figures are never held against quick ones."""
    return _model(before) == _model(after)


def _model(analysis: Analysis) -> str:
    rows = analysis.table("segments", ALL)
    return str(rows["estimator"].iloc[0]) if len(rows) and "estimator" in rows else ""


def before_and_after(before: Wave, after: Wave, measures: pd.DataFrame) -> Analysis:
    """What is other in the later wave, as tables of an analysis of its own.

    measures: number, title, segment, attribute (empty: the whole offer), state, done_on. Tables: waves (every figure of both with its difference, see `customers.waves.differences`, and the measures that
    concern it: done, running or empty, and their numbers), wave_effects (difference of differences), wave_mix (who answered), wave_measures (those in between), wave_left_out (kind, where: what is not comparable), segments. Everybody is
    the segments weighted by the customers of the later survey, in both waves alike. Raises DataError for analyses of two kinds of models.
    """
    if not same_model(before.analysis, after.analysis):
        found = f"{_model(before.analysis)} and {_model(after.analysis)}"
        raise DataError(f"model: {found}; allowed: two analyses of the same kind; take the quick ones of both.")
    definition, confidence = after.survey.definition, after.analysis.confidence
    common = in_common(before.survey.definition, definition)
    then, now = (
        at_confidence(common.of(figures_of(wave.analysis)), wave.analysis.confidence, confidence)
        for wave in (before, after)
    )
    pairs = side_by_side(then, turned(then, now), by=["segment", *KEYS])
    everybody = pairs[pairs["segment"] == ALL]
    customers = {segment.id: float(segment.customers) for segment in definition.segments}
    if customers:
        pairs = pairs[pairs["segment"] != ALL]
        everybody = for_everybody(pairs[~pairs["figure"].isin(_medians(after))], customers, segment=ALL, by=KEYS)
    between = in_between(measures, before, after)
    table = differences(pd.concat([everybody, pairs], ignore_index=True), confidence)
    recorded = between.to_dict("records")
    concerned = [_concerned(row, recorded) for row in table.to_dict("records")]
    numbers = [" ".join(str(measure["number"]) for measure in each) for each in concerned]
    table = table.assign(measure=[_state(each) for each in concerned], measures=numbers)
    own = list(segments_in(common, definition))
    asked, again = ({name: _respondents(wave.analysis).get(name, 0) for name in own} for wave in (before, after))
    tables = {
        WAVES: table,
        EFFECTS: beyond(table[table["segment"] != ALL], customers, by=KEYS, confidence=confidence),
        MIX: mix(asked, again, confidence),
        MEASURES: between,
        LEFT_OUT: what_is_told(common),
        "segments": after.analysis.tables["segments"],
    }
    one, other = before.analysis, after.analysis
    return Analysis(
        study=after.survey.slug,
        definition_hash=after.survey.definition_hash,
        answers_hash=f"{one.answers_hash} {other.answers_hash}",
        request=other.request,
        respondents=one.respondents + other.respondents,
        completed=one.completed + other.completed,
        simulated=one.simulated + other.simulated,
        currency=other.currency,
        tables=tables,
    )


def _medians(wave: Wave) -> tuple[str, ...]:
    """Figures that are medians over respondents: of everybody they are no mean of the segments'."""
    hierarchical = wave.analysis.tables["segments"]["estimator"].eq(HIERARCHICAL).any()
    return (LIMIT, WORTH) if hierarchical else (LIMIT,)


def in_between(measures: pd.DataFrame, before: Wave, after: Wave) -> pd.DataFrame:
    """The measures that were done from the last answer of one wave to the first of the next, and those that were or are under way.

    What was done while a wave was asked was under way for a part of it, so its segment is neither treated nor a comparison.

    Where the waves overlap: from the first answer of the later one to the last of the earlier one.
    """
    if before.last is None or after.first is None or measures.empty:
        return pd.DataFrame(columns=_MEASURE)
    start, end = sorted((before.last, after.first))
    done = (measures["state"] == DONE) & measures["done_on"].map(lambda day: day is not None and start <= day <= end)
    first, last = before.first or start, after.last or end
    meanwhile = (measures["state"] == DONE) & ~done & measures["done_on"].map(lambda day: day is not None and first <= day <= last)  # fmt: skip
    state = measures["state"].mask(meanwhile, RUNNING)
    found = measures.assign(state=state).loc[done | (state == RUNNING), _MEASURE].reset_index(drop=True)
    return found.assign(done_on=[day.isoformat() if day else "" for day in found["done_on"]])


def _concerned(row: dict[Any, Any], between: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """The measures that concern a figure: of its segment or everybody's, on its attribute or the whole offer; everybody is concerned by those of any segment, the price limit by those on any attribute."""
    about = row["attribute"] or row["item"]
    return [
        measure
        for measure in between
        if (row["segment"] == ALL or measure["segment"] in (row["segment"], ALL))
        and (row["figure"] == LIMIT or measure["attribute"] in ("", about))
    ]


def _state(concerned: list[dict[Any, Any]]) -> str:
    states = {measure["state"] for measure in concerned}
    return DONE if DONE in states else RUNNING if RUNNING in states else ""


def _respondents(analysis: Analysis) -> dict[str, int]:
    table = analysis.tables["segments"]
    return dict(zip(table["segment"], table["respondents"].astype(int), strict=True))
