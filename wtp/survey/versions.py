"""Versions of one study: what an older one asked means the same as today, may be counted with it, or means something else.

Identifiers carry the meaning; words may be mended. Between two versions the choices
- are the *same* if attributes and levels have the same ids in the same order, and prices, their unit and currency, the number of offers in a task and the kind of none option are equal;
- can be *pooled* if only levels or tested prices were added, removed or put in another order, attributes exist for other labels, or another number of offers stands side by side;
- are *different* if attributes were added or removed, or what labels the alternatives, the currency, what the price is for, or the kind of none option has changed: such answers are never counted together.
Words that changed are named, since only a person can tell whether they mean the same. Questions beside the choices are compared one by one: type, options, items and scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wtp.survey.definition import Definition
from wtp.survey.pages import BestWorstPage, ChoiceTaskPage, ProfileRatingPage

Use = Literal["same", "poolable", "different"]
SAME: Use = "same"
POOLABLE: Use = "poolable"
DIFFERENT: Use = "different"
# Beside the words: what does not change the meaning of an answer.
_TASKS = ChoiceTaskPage | BestWorstPage | ProfileRatingPage
_ASIDE = {
    "required",
    "when",
    "order",
    "shuffle",
    "attention",
    "label",
    "help",
    "title",
    "text",
    "tasks",
    "profiles",
    "rival",
    "competitor",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: its kind, such as level_removed or words, and where, such as speed.same_day."""

    kind: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How an older version relates to the current one; questions: ids of questions and pages whose answers mean the same in both."""

    use: Use
    changes: tuple[Change, ...]
    questions: frozenset[str]


def compare(current: Definition, older: Definition) -> Comparison:
    """What the older version's answers mean in terms of the current one."""
    breaking, pooled = _breaking(current, older), _pooled(current, older)
    use: Use = DIFFERENT if breaking else POOLABLE if pooled else SAME
    languages = set(current.languages) & set(older.languages)
    now, then = _asked(current, languages), _asked(older, languages)
    same = {name for name, meaning in then.items() if now.get(name) == meaning}
    if use != SAME:
        same -= {page.id for page in current.pages if isinstance(page, ProfileRatingPage)}
    others = [Change("question", name) for name in sorted(now.keys() | then.keys()) if name not in same]
    return Comparison(use, (*breaking, *pooled, *_words(current, older), *others), frozenset(same))


def same_answers(answers: Mapping[str, Any], comparison: Comparison) -> dict[str, Any]:
    """The answers of a respondent of the older version that mean the same today; tasks of a page are stored as page-1, page-2."""
    return {name: value for name, value in answers.items() if name.partition("-")[0] in comparison.questions}


def _breaking(current: Definition, older: Definition) -> list[Change]:
    now, then = ({a.id for a in d.attributes} for d in (current, older))
    changes = [Change("attribute_added", name) for name in sorted(now - then)]
    changes += [Change("attribute_removed", name) for name in sorted(then - now)]
    if current.currency != older.currency:
        changes.append(Change("currency", f"{older.currency} {current.currency}"))
    if _other_words(current.price.unit, older.price.unit):
        changes.append(Change("price_unit"))
    if current.choice_tasks.labels != older.choice_tasks.labels:
        changes.append(Change("labels"))
    if current.choice_tasks.none != older.choice_tasks.none:
        changes.append(Change("none_option"))
    return changes


def _pooled(current: Definition, older: Definition) -> list[Change]:
    changes = []
    before = {a.id: a.level_ids for a in older.attributes}
    if set(before) == {a.id for a in current.attributes} and list(before) != [a.id for a in current.attributes]:
        changes.append(Change("attribute_order"))
    only = {a.id: a.only for a in older.attributes}
    for attribute in current.attributes:
        if set(attribute.only) != set(only.get(attribute.id, attribute.only)):
            changes.append(Change("only", attribute.id))
        now, then = attribute.level_ids, before.get(attribute.id, attribute.level_ids)
        changes += [Change("level_added", f"{attribute.id}.{level}") for level in now if level not in then]
        changes += [Change("level_removed", f"{attribute.id}.{level}") for level in then if level not in now]
        if [level for level in now if level in then] != [level for level in then if level in now]:
            changes.append(Change("level_order", attribute.id))
    if current.price.levels != older.price.levels:
        changes.append(Change("prices"))
    if current.choice_tasks.alternatives != older.choice_tasks.alternatives:
        changes.append(Change("offers_in_a_task"))
    return changes


def _words(current: Definition, older: Definition) -> list[Change]:
    """Words of choices and questions that are others now, in a language that both have."""
    now, then = _texts(_parts(current), set(current.languages)), _texts(_parts(older), set(older.languages))
    changed = [name for name, words in now.items() if name in then and _other_words(words, then[name])]
    return [Change("words", name) for name in changed]


def _parts(definition: Definition) -> dict[str, Any]:
    """What is named when its words change: what was chosen between, and what was asked beside."""
    parts = (*definition.attributes, *definition.questions, *(p for p in definition.pages if isinstance(p, _TASKS)))
    named = {"offer": definition.offer, "price": definition.price.model_dump(exclude={"unit"})}
    return named | {part.id: part.model_dump() for part in parts}


def _texts(value: Any, languages: set[str], place: str = "") -> dict[str, Mapping[str, str]]:
    """Every wording by its place, such as speed.same_day.label."""
    if isinstance(value, Mapping) and value and value.keys() <= languages:
        return {place: value}
    inner: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        inner = list(value.items())
    elif isinstance(value, list | tuple):
        inner = [(part["id"], part) for part in value if isinstance(part, Mapping) and "id" in part]
    found: dict[str, Mapping[str, str]] = {}
    for key, part in inner:
        if key != "when":
            step = "" if key in ("options", "items", "levels", "days", "bands") else key
            found |= _texts(part, languages, ".".join(filter(None, (place, step))))
    return found


def _other_words(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether the texts differ in a language that both have."""
    return any(one[x] != other[x] for x in one.keys() & other.keys())


def _asked(definition: Definition, languages: set[str]) -> dict[str, Any]:
    """Each question, and each page of best-worst tasks or offers to rate, without words but for units."""
    pages = [page for page in definition.pages if isinstance(page, BestWorstPage | ProfileRatingPage)]
    own = set(definition.languages)
    return {part.id: _without_words(part.model_dump(), own, languages) for part in (*definition.questions, *pages)}


def _without_words(value: Any, own: set[str], languages: set[str]) -> Any:
    """Ids and numbers of a part; lists of options count as sets, words only in whether there are any, units in the languages of both versions."""
    if isinstance(value, Mapping):
        if value and value.keys() <= own:
            return "words"
        kept = {key: _without_words(part, own, languages) for key, part in value.items() if key not in _ASIDE}
        unit = value.get("unit")
        return kept | ({"unit": sorted((x, unit[x]) for x in unit.keys() & languages)} if unit else {})
    if isinstance(value, list | tuple):
        return sorted((_without_words(part, own, languages) for part in value), key=str)
    return value
