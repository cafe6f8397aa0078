"""An id that is renamed is renamed wherever it is named: conditions, answers in texts, rules of the design, competitors, simulated tastes, steps.

Ids of attributes, levels, segments, competitors, steps of the process, questions, options, items and days have each their own names; an id that is emptied, or becomes one that another has,
is followed nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wtp.survey.editing import Place, applied, value_at
from wtp.survey.measures import SCRIPT
from wtp.survey.questions import PROCESS_SATISFACTION, PROCESS_STEPS, SERVICE_WINDOW

_ANSWER = re.compile(r"\{answer:([^{}]*)\}")


@dataclass(slots=True)
class _Names:
    """New names by old ones: of attributes, segments, competitors, steps, questions and the days of service windows; of the levels of each attribute, and of the options and items of each question."""

    attributes: dict[str, str] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    competitors: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[str, str]] = field(default_factory=dict)
    parts: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, content: Mapping[str, Any], place: Place) -> dict[str, str] | None:  # noqa: PLR0911  # one case a kind of id
        """Where the id at a place belongs."""
        owner = str(value_at(content, (*place[:-3], "id")))
        match [part for part in place if isinstance(part, str)]:
            case ["attributes" | "segments" | "competitors" as table, "id"]:
                own: dict[str, str] = getattr(self, table)
                return own
            case ["process", "id"]:
                return self.steps
            case ["pages", "questions", "days", "id"] if value_at(content, (*place[:-3], "measures")) == SERVICE_WINDOW:
                return self.days
            case ["pages", "questions", "id"]:
                return self.questions
            case ["attributes", "levels", "id"]:
                return self.levels.setdefault(owner, {})
            case ["pages", "questions", "options" | "items", "id"]:
                return self.parts.setdefault(owner, {})
        return None


def followed(content: Mapping[str, Any], changes: Mapping[Place, Any]) -> dict[Place, Any]:
    """What else has to change if these changes are made, by place: everything that names an id which they rename."""
    names = _Names()
    after = applied(content, changes)
    for place, new in changes.items():
        old = value_at(content, place)
        if place[-1] != "id" or not all(isinstance(one, str) and one for one in (old, new)):
            continue
        then, now = (
            [entry.get("id") for entry in value_at(one, place[:-2]) if isinstance(entry, Mapping)]
            for one in (content, after)
        )
        group = names.of(content, place)
        if group is not None and then.count(old) == 1 and now.count(new) == 1:
            group[old] = new
    return dict(_found(after, (), content, names))


def _found(value: Any, place: Place, before: Mapping[str, Any], names: _Names) -> Iterator[tuple[Place, Any]]:
    new = _renamed(value, place, before, names)
    if new != value:
        yield place, new
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _found(part, (*place, key), before, names)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _found(part, (*place, number), before, names)


def _renamed(value: Any, place: Place, before: Mapping[str, Any], names: _Names) -> Any:  # noqa: PLR0911
    """The value with new names, if it is one that names ids; `before` is the content with the old ones."""
    last = place[-1] if place else ""
    owner = str(value_at(before, (*place[:-1], "id")))
    if isinstance(value, Mapping):
        if last == "when":
            return {names.questions.get(q, q): _each(picked, names.parts.get(q, {})) for q, picked in value.items()}
        if last == "levels":
            return {names.attributes.get(a, a): _each(level, names.levels.get(a, {})) for a, level in value.items()}
        if last == "worth":
            return {names.attributes.get(a, a): amounts for a, amounts in value.items()}
    elif last == "at_most_once":
        return _each(value, names.attributes)
    elif last == "current" and place[0] == "attributes":
        return _each(value, names.levels.get(owner, {}))
    elif place and place[0] == "simulation" and last in {"segment", "script", "id", "step", "day"}:
        events = {old: new for own in names.parts.values() for old, new in own.items()}
        known = {"segment": names.segments, "script": events, "id": names.attributes, "step": names.steps}
        return _each(value, known.get(last, names.days))
    elif last == "core_problem" and place[0] == "contacts":
        return _each(value, names.questions)
    elif last in {"attention", "reversed", "competitor"}:
        return _each(value, names.competitors if last == "competitor" else names.parts.get(owner, {}))
    elif last == "id" and {"items", "options"} & set(place):
        return _each(value, _measured(names, value_at(before, (*place[:-3], "measures"))))
    elif isinstance(value, str):
        return _ANSWER.sub(lambda found: f"{{answer:{names.questions.get(found[1], found[1])}}}", value)
    return value


def _measured(names: _Names, measure: Any) -> Mapping[str, str]:
    """What the items of a question are, by what it measures."""
    if measure in (PROCESS_STEPS, PROCESS_SATISFACTION):
        return names.steps
    return {} if measure in (None, SCRIPT) else names.attributes


def _each(value: Any, new: Mapping[str, str]) -> Any:
    """A name or each name of a list; whatever else stands there stays."""
    if isinstance(value, list):
        return [_each(one, new) for one in value]
    return new.get(value, value) if isinstance(value, str) else value
