"""How the offers of a choice task look to one respondent: their cells in words, and which of them differ; the page only lays them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wtp.survey.attributes import Attribute
from wtp.survey.tasks import Alternative

Say = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Cell:
    """What an offer has of one attribute; `level` is None where it does not have the attribute, `differs` says whether the offers are not all alike in it."""

    id: str
    attribute: str
    level: str | None
    picture: str | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer of a choice task, its cells in the order that the respondent sees."""

    number: int
    cells: tuple[Cell, ...]
    price: str
    price_differs: bool


def shown_offers(
    offers: Sequence[Alternative], attributes: Sequence[Attribute], say: Say, money: Callable[[float], str]
) -> tuple[Offer, ...]:
    """The offers with these attributes; `say` gives an author's text in the page's language, `money` writes a price."""
    prices_differ = len({offer.price for offer in offers}) > 1
    columns = [_column(offers, attribute, say) for attribute in attributes]
    return tuple(
        Offer(offer.number, tuple(column[place] for column in columns), money(offer.price), prices_differ)
        for place, offer in enumerate(offers)
    )


def _column(offers: Sequence[Alternative], attribute: Attribute, say: Say) -> list[Cell]:
    had = [offer.levels.get(attribute.id) for offer in offers]
    differs, label = len(set(had)) > 1, say(attribute.label)
    cells = {}
    for level_id in set(had):
        level = attribute.level(level_id) if level_id else None
        words, picture = (say(level.label), level.picture) if level else (None, None)
        cells[level_id] = Cell(attribute.id, label, words, picture, differs)
    return [cells[level_id] for level_id in had]
