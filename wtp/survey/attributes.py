"""Attributes and levels: what an offer is made of.

An attribute has named levels in the author's order, worst first (or best first) where the attribute is *ordered*; the price is the one
attribute with numeric levels and a currency. Identifiers are for machines and never shown, labels are for people and may
contain anything.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from wtp.survey.wording import Wording

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Picture = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}\.(png|jpg|jpeg|webp)$")]


class Record(BaseModel):
    """A part of a survey definition: unknown keys are mistakes, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def unique_ids(what: str) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Validator: no two entries of a list share their `id`."""

    def check(entries: Sequence[Any]) -> Sequence[Any]:
        ids = [entry.id for entry in entries]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise PydanticCustomError(
                "twice",
                "{found}",
                {
                    "found": f"id {', '.join(map(repr, twice))} more than once",
                    "allowed": f"every {what} with an id of its own",
                    "remedy": "rename all but one of them",
                },
            )
        return entries

    return check


class Level(Record):
    """One level of an attribute; costs are what *providing* it takes, beyond the cheapest level."""

    id: Identifier
    label: Wording
    description: Wording | None = Field(None, description="what the level means, for those who ask")
    picture: Picture | None = Field(None, description="file in the folder pictures beside survey.toml")
    unit_cost: float | None = Field(
        None, ge=0, description="money per customer and purchase, beyond the cheapest level"
    )
    investment: float | None = Field(None, ge=0, description="money once, to move from the cheapest level to this one")


class Attribute(Record):
    """An attribute with named levels; `current` is the level of today's offer, the reference of every WTP.

    Where alternatives bear labels (`choice_tasks.labels`): `only` names the labels that have the attribute at all, `per_label` gives
    its levels part-worths of each label's own. Where today's offer does not have the attribute, `current` is the reference all the same.
    """

    id: Identifier
    label: Wording
    description: Wording | None = None
    ordered: bool = Field(True, description="everybody agrees which levels are better; they are written worst first")
    best_first: bool = Field(False, description="levels are written, and shown, best first")
    current: Identifier
    by_segment: bool = Field(False, description="the company could offer different levels to different segments")
    only: tuple[Identifier, ...] = Field((), description="labels that have this attribute; empty: all of them")
    per_label: bool = Field(False, description="each label has part-worths of its own")
    levels: Annotated[tuple[Level, ...], Field(min_length=2, max_length=12), AfterValidator(unique_ids("level"))]

    def level(self, level_id: str) -> Level:
        """The level with this identifier."""
        return next(level for level in self.levels if level.id == level_id)

    @property
    def level_ids(self) -> tuple[str, ...]:
        """Identifiers of the levels in the author's order."""
        return tuple(level.id for level in self.levels)

    @property
    def direction(self) -> int:
        """1 where later levels are better for everybody, -1 where earlier ones are, 0 without an order."""
        return 0 if not self.ordered else -1 if self.best_first else 1

    @property
    def rising(self) -> tuple[Level, ...]:
        """The levels worst first, whatever the author's order; without an order as written."""
        return self.levels[::-1] if self.direction < 0 else self.levels

    def step(self, by: int) -> Level | None:
        """The next better (1) or next worse (-1) level than today's, None where there is none."""
        place = next(n for n, level in enumerate(self.rising) if level.id == self.current) + by
        return self.rising[place] if 0 <= place < len(self.rising) else None


Money = Annotated[float, Field(gt=0, le=1e9)]


def rising(prices: tuple[float, ...]) -> tuple[float, ...]:
    """The prices, if each is higher than the one before."""
    for before, after in itertools.pairwise(prices):
        if after <= before:
            raise PydanticCustomError(
                "rising",
                "{found}",
                {
                    "found": f"{after:.15g} follows {before:.15g}",
                    "allowed": "prices that rise",
                    "remedy": "sort the levels and remove doubles",
                },
            )
    return prices


class Price(Record):
    """The price as an attribute: numeric levels in the survey's currency, `current` is today's price."""

    label: Wording
    unit: Wording = Field(description="what the price is for, as in 'per month'")
    current: Money
    levels: Annotated[tuple[Money, ...], Field(min_length=3, max_length=12), AfterValidator(rising)]
    per_label: bool = Field(False, description="each label has a price coefficient of its own")
