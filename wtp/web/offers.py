"""How the offers of a choice task look to one respondent: their cells in words, and which of them differ; the page only lays them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flask import get_template_attribute
from markupsafe import Markup

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
    """One offer of a choice task, its cells in the order that the respondent sees; `place` counts from 1."""

    place: int
    number: int
    cells: tuple[Cell, ...]
    price: str
    price_differs: bool

    @property
    def described_by(self) -> str:
        """The ids of its cells."""
        return " ".join(f"offer-{self.place}-{name}" for name in (*(cell.id for cell in self.cells), "price"))

    @property
    def different(self) -> str:
        """What it has that others have not, its price apart."""
        return "".join(f" · {cell.level}" for cell in self.cells if cell.differs and cell.level is not None)

    def drawn(self, slug: str, language: str) -> list[Markup]:
        """Its cells as the page shows them."""
        return [_drawn(self.place, cell, slug, language) for cell in self.cells]


def shown_offers(
    offers: Sequence[Alternative], attributes: Sequence[Attribute], say: Say, money: Callable[[float], str]
) -> tuple[Offer, ...]:
    """The offers with these attributes; `say` gives an author's text in the page's language, `money` writes a price."""
    prices_differ = len({offer.price for offer in offers}) > 1
    columns = [_column(offers, attribute, say) for attribute in attributes]
    return tuple(
        Offer(place + 1, offer.number, tuple(column[place] for column in columns), money(offer.price), prices_differ)
        for place, offer in enumerate(offers)
    )


def explained(offers: Sequence[Alternative], attributes: Sequence[Attribute], say: Say) -> list[tuple[str, str]]:
    """Words and what they mean: of these attributes, and of their levels that an offer has."""
    found: list[tuple[str, str]] = []
    for attribute in attributes:
        if attribute.description:
            found.append((say(attribute.label), say(attribute.description)))
        had = {offer.levels.get(attribute.id) for offer in offers}
        described = ((level.label, level.description) for level in attribute.levels if level.id in had)
        found += [(say(label), say(meaning)) for label, meaning in described if meaning]
    return found


def _column(offers: Sequence[Alternative], attribute: Attribute, say: Say) -> list[Cell]:
    had = [offer.levels.get(attribute.id) for offer in offers]
    differs, label = len(set(had)) > 1, say(attribute.label)
    cells = {}
    for level_id in set(had):
        level = attribute.level(level_id) if level_id else None
        words, picture = (say(level.label), level.picture) if level else (None, None)
        cells[level_id] = Cell(attribute.id, label, words, picture, differs)
    return [cells[level_id] for level_id in had]


@lru_cache(4096)
def _drawn(place: int, cell: Cell, slug: str, _language: str) -> Markup:
    """Kept, since a study has as few cells as levels, and to draw them was a tenth of a page's time."""
    drawn: Markup = get_template_attribute("respond/offer.html", "drawn")(place, cell, slug)
    return drawn
