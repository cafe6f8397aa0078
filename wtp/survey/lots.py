"""What chance decides for one respondent: orders of pages, options and attributes, a first price, sets of items, rated profiles.

All of it follows from the respondent's `lot`, a random text drawn once at consent and stored: each thing is ranked by the hash of lot, purpose and its
own id. So back button, reload, another device and the next version of Python show the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any, TypeVar

from wtp.survey.attributes import Attribute, Price
from wtp.survey.tasks import Alternative

T = TypeVar("T")
_DRAWS = 60


def rank(lot: str, *purpose: object) -> int:
    """A number that only chance and the purpose decide, of 64 bits."""
    text = "\0".join(map(str, (lot, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def shuffled(lot: str, purpose: str, things: Sequence[T], *, key: Callable[[T], object] = str) -> tuple[T, ...]:
    """The things in this respondent's order; an empty lot leaves the author's."""
    return tuple(sorted(things, key=lambda thing: rank(lot, purpose, key(thing)))) if lot else tuple(things)


@lru_cache(4096)
def item_sets(lot: str, purpose: str, items: tuple[str, ...], per_task: int, tasks: int) -> tuple[tuple[str, ...], ...]:
    """Sets of items for best-worst tasks: items about equally often, pairs as evenly as a few draws find, each set in random order."""
    seen: Counter[str] = Counter()
    together: Counter[tuple[str, ...]] = Counter()
    sets = []
    for task in range(tasks):
        draws = []
        for draw in range(_DRAWS):
            chance = {item: (seen[item], rank(lot, purpose, task, draw, item)) for item in items}
            chosen = sorted(items, key=chance.__getitem__)[: min(per_task, len(items))]
            pairs = [tuple(sorted(pair)) for pair in combinations(chosen, 2)]
            draws.append((sum([together[pair] for pair in pairs]), draw, chosen, pairs))
        _, _, chosen, pairs = min(draws)
        seen.update(chosen)
        together.update(pairs)
        sets.append(shuffled(lot, f"{purpose}/{task}", chosen))
    return tuple(sets)


def profiles(
    lot: str, purpose: str, attributes: Sequence[Attribute], price: Price, count: int, labels: str | None = None
) -> tuple[Alternative, ...]:
    """Offers to rate or to look at: every attribute runs through its levels in an order of its own, so each level is shown equally often.

    labels: the attribute that labels the offers; each has what its label has.
    """

    def column(name: str, levels: Sequence[Any]) -> list[Any]:
        rounds = -(-count // len(levels))
        return [level for n in range(rounds) for level in shuffled(lot, f"{purpose}/{name}/{n}", levels)][:count]

    columns = {a.id: column(a.id, a.level_ids) for a in attributes}
    prices = column("price", price.levels)
    only = {a.id: a.only for a in attributes}
    made = [{name: levels[n] for name, levels in columns.items()} for n in range(count)]
    kept = [{name: x for name, x in own.items() if not only[name] or own[labels or ""] in only[name]} for own in made]
    return tuple(Alternative(n + 1, levels, prices[n]) for n, levels in enumerate(kept))
