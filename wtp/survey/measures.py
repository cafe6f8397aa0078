"""What ratings and rankings with `measures` are about: expectation and experience, this company and its rival, the expected order of events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wtp.survey.attributes import Identifier, Record
from wtp.survey.questions import Ranking, Rating
from wtp.survey.wording import Wording

if TYPE_CHECKING:
    from wtp.survey.definition import Competitor, Definition

EXPECTATION, EXPERIENCE, OWN, RIVAL, SCRIPT = (
    "expectation",
    "experience",
    "performance",
    "rival_performance",
    "script",
)
SIMULATED = (EXPECTATION, EXPERIENCE, OWN, RIVAL)
_Mistakes = Iterator[tuple[str, str, str, str]]


class SimulatedRating(Record):
    """Mean ratings that simulated respondents of one segment give to an attribute or the price, on the scale of each rating."""

    id: Identifier
    expectation: float | None = None
    experience: float | None = None
    performance: float | None = None
    rival_performance: float | None = None


def rating_of(definition: Definition, measures: str) -> Rating | None:
    """The rating that measures something, if there is one."""
    return next((q for q in definition.questions if isinstance(q, Rating) and q.measures == measures), None)


def expectation_ratings(definition: Definition) -> tuple[Rating, Rating] | None:
    """The ratings of what was expected and of what was met, on one scale and with the same items; None where they were not asked."""
    expected, met = (rating_of(definition, measures) for measures in (EXPECTATION, EXPERIENCE))
    return (expected, met) if expected and met else None


def scripts(definition: Definition) -> tuple[Ranking, ...]:
    """The rankings of events in their expected order."""
    return tuple(q for q in definition.questions if isinstance(q, Ranking) and q.measures == SCRIPT)


def rated_rivals(definition: Definition) -> tuple[Competitor, ...]:
    """Whose levels are held against today's: the competitor who was rated; all, where the rating names none of them."""
    rating = rating_of(definition, RIVAL)
    named = rating.competitor if rating else None
    return tuple(c for c in definition.competitors if named in (None, c.id))


def rival_name(definition: Definition) -> Wording | None:
    """What the rated rival is called, where the survey says so."""
    rating = rating_of(definition, RIVAL)
    if rating is None or rating.rival is not None or rating.competitor is None:
        return rating.rival if rating else None
    return next((c.label for c in definition.competitors if c.id == rating.competitor), None)


def measure_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """(key, found, allowed, remedy) of ratings that cannot be compared, rivals that nobody described, and simulated answers to what is not asked."""
    return [*_pairs(definition), *_rivals(definition), *_simulated(definition)]


def _places(definition: Definition) -> dict[str, list[tuple[str, Rating]]]:
    """Key and rating of everything that is measured, by what it measures."""
    found: dict[str, list[tuple[str, Rating]]] = {}
    for p, page in enumerate(definition.pages):
        for q, question in enumerate(getattr(page, "questions", ())):
            if isinstance(question, Rating) and question.measures:
                found.setdefault(question.measures, []).append((f"pages[{p}].questions[{q}]", question))
    return found


def _pairs(definition: Definition) -> _Mistakes:
    places = _places(definition)
    for measures, other in ((EXPECTATION, EXPERIENCE), (EXPERIENCE, EXPECTATION)):
        found = places.get(measures, [])
        for key, _ in found[1:]:
            yield f"{key}.measures", f"{measures} again", "one rating that measures it", "remove one of the two"
        if found and other not in places:
            allowed = f"{measures} together with {other}"
            yield f"{found[0][0]}.measures", f"{measures} alone", allowed, f"add a rating that measures {other}"
    if EXPECTATION not in places or EXPERIENCE not in places:
        return
    (_, expected), (key, met) = places[EXPECTATION][0], places[EXPERIENCE][0]
    ends, others = ((rating.scale.low, rating.scale.high) for rating in (expected, met))
    if ends != others:
        found_scale, allowed = f"{others[0]} to {others[1]}", f"{ends[0]} to {ends[1]}, as the rating {expected.id}"
        yield f"{key}.scale", found_scale, allowed, "use the same scale in both"
    items, more = ([item.id for item in rating.items] for rating in (expected, met))
    if set(items) != set(more):
        yield f"{key}.items", ", ".join(more), f"{', '.join(items)}, as the rating {expected.id}", "use the same items in both"  # fmt: skip


def _rivals(definition: Definition) -> _Mistakes:
    known = [competitor.id for competitor in definition.competitors]
    for key, rating in _places(definition).get(RIVAL, []):
        if rating.competitor is not None and rating.competitor not in known:
            allowed = ", ".join(known) or "no competitor is described"
            yield f"{key}.competitor", rating.competitor, allowed, "name one of the competitors, or use rival"


def _simulated(definition: Definition) -> _Mistakes:
    segments = definition.simulation.segments if definition.simulation else ()
    ratings = {measures: rating_of(definition, measures) for measures in SIMULATED}
    events = {item.id for question in scripts(definition) for item in question.items}
    for s, segment in enumerate(segments):
        for r, rated in enumerate(segment.rated):
            for measures, rating in ratings.items():
                value, key = getattr(rated, measures), f"simulation.segments[{s}].rated[{r}]"
                if value is None:
                    continue
                if rating is None:
                    yield f"{key}.{measures}", f"{value:g}", f"only with a rating that measures {measures}", "remove it"
                elif rated.id not in {item.id for item in rating.items}:
                    yield f"{key}.id", rated.id, f"items of the rating {rating.id}", "name one of these items"
                elif not rating.scale.low < value < rating.scale.high:
                    allowed = f"a mean between {rating.scale.low} and {rating.scale.high}, the ends of the scale"
                    yield f"{key}.{measures}", f"{value:g}", allowed, "change it"
        unknown = [event for event in segment.script if event not in events]
        if unknown:
            allowed = ", ".join(sorted(events)) or "no ranking measures a script"
            yield f"simulation.segments[{s}].script", unknown[0], allowed, "name events of a script, or remove it"
