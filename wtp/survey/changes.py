"""What differs between two definitions of a survey, by meaning: which attribute, level, page, question, and what of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wtp.survey.definition import Definition

Kind = Literal["added", "removed", "changed", "order"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `where` leads to it: (list, id) pairs such as ("attributes", "speed"), ("levels", "same_day"); `field` is the
    value's own name, empty for an entry that came or went as a whole; `before` and `after` are plain values.
    """

    kind: Kind
    where: tuple[tuple[str, str], ...]
    field: str = ""
    before: Any = None
    after: Any = None


def changes(before: Definition, after: Definition) -> tuple[Change, ...]:
    """All differences, in the order of the definition."""
    old, new = (one.model_dump(mode="json", exclude_defaults=True) for one in (before, after))
    return tuple(_between(old, new, (), ""))


def _between(old: Any, new: Any, where: tuple[tuple[str, str], ...], field: str) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _between(old.get(key), new.get(key), where, f"{field}.{key}" if field else key)
    elif _named(old) and _named(new) and (old or new):
        yield from _entries(old or [], new or [], where, field)
    else:
        yield Change("changed", where, field, old, new)


def _named(value: Any) -> bool:
    """Whether it is a list of tables with ids, or nothing."""
    return value is None or (
        isinstance(value, list) and all(isinstance(entry, Mapping) and "id" in entry for entry in value)
    )


def _entries(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], where: tuple[tuple[str, str], ...], field: str
) -> Iterator[Change]:
    was, now = {entry["id"]: entry for entry in old}, {entry["id"]: entry for entry in new}
    for name, entry in was.items():
        if name not in now:
            yield Change("removed", (*where, (field, name)), before=entry)
    for name, entry in now.items():
        if name not in was:
            yield Change("added", (*where, (field, name)), after=entry)
        else:
            yield from _between(was[name], entry, (*where, (field, name)), "")
    kept = [name for name in was if name in now], [name for name in now if name in was]
    if kept[0] != kept[1]:
        yield Change("order", where, field, kept[0], kept[1])
