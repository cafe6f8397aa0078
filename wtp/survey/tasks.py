"""Choice tasks: several alternatives side by side, of which the respondent picks one.

A design holds, for each version, the choice tasks that one respondent sees; `design.csv` has one row an alternative:
`version, choice_task, kind, alternative`, one column an attribute with the level's id, and `price`. Each version is complete
in itself: its own estimation tasks, the holdout tasks that are equal for all, the repeated task, and the task to warm up with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field

from wtp.survey.attributes import Identifier, Money, Record

Kind = Literal["estimation", "holdout", "repeat", "warm_up"]
KINDS: tuple[Kind, ...] = ("estimation", "holdout", "repeat", "warm_up")


Pair = tuple[tuple[str, tuple[str | float, ...]], tuple[str, tuple[str | float, ...]]]


class Prohibition(Record):
    """Levels that may not stand in one alternative: of two attributes, or of one attribute and some prices."""

    levels: Annotated[dict[Identifier, tuple[Identifier, ...]], Field(min_length=1, max_length=2)]
    prices: tuple[Money, ...] = ()


class ConditionalPrices(Record):
    """The only prices that may be shown with these levels of one attribute."""

    levels: Annotated[dict[Identifier, tuple[Identifier, ...]], Field(min_length=1, max_length=1)]
    prices: Annotated[tuple[Money, ...], Field(min_length=1)]


class LabelTaste(Record):
    """Where the tastes for one label differ: its own price coefficient, its own worth of levels."""

    label: Identifier
    price_coefficient: float | None = Field(None, lt=0, description="utility per currency unit")
    worth: dict[Identifier, tuple[float, ...]] = Field(
        {}, description="per attribute, one amount a level, the first is 0"
    )


PerLabel = Annotated[tuple[LabelTaste, ...], Field(max_length=12)]


class Taste(Protocol):
    """What somebody values, in money; `per_label` replaces parts of it for single labels. The worth of a label itself is told at today's price."""

    @property
    def price_coefficient(self) -> float:
        """Utility per currency unit."""
        ...

    @property
    def worth(self) -> Mapping[str, tuple[float, ...]]:
        """Per attribute, one amount a level, the first is 0."""
        ...

    @property
    def per_label(self) -> tuple[LabelTaste, ...]:
        """What is different for one label."""
        ...


def price_coefficient_of(taste: Taste, label: str) -> float:
    """Utility per currency unit for offers of a label."""
    own = (t.price_coefficient for t in taste.per_label if t.label == label and t.price_coefficient is not None)
    return next(own, taste.price_coefficient)


def worth_of(taste: Taste, attribute: str, label: str) -> tuple[float, ...]:
    """One amount a level of an attribute, for offers of a label."""
    own = (t.worth[attribute] for t in taste.per_label if t.label == label and attribute in t.worth)
    return next(own, taste.worth[attribute])


class Prior(Record):
    """What is expected before anybody is asked, in money: an efficient design is best near it. Strong wrong beliefs hurt."""

    price_coefficient: float = Field(lt=0, description="utility per currency unit")
    spread: float = Field(1, ge=0, le=3, description="uncertainty of each belief, as a share of it")
    worth: dict[Identifier, tuple[float, ...]] = Field(description="per attribute, one amount a level, the first is 0")
    per_label: PerLabel = Field(default=(), description="what is different for one label")


class ChoiceTaskPlan(Record):
    """How many choice tasks of which kind a respondent sees, and how they are found.

    `method = "balanced"`: random versions with balanced overlap; `"efficient"`: coordinate exchange, which also needs fewer versions.

    `labels` names the attribute that labels the alternatives, such as the mode of travel: each label at most once a task (as `at_most_once`
    would have it), so that there may be fewer alternatives than labels; other attributes may then exist for some labels `only`, or have part-worths `per_label`.

    `none = "dual"`: after the choice the respondent says whether he would really buy at that price (dual-response none);
    `"without"`: there is no none option, and no absolute price limit can be found.
    """

    tasks: int = Field(10, ge=4, le=20, description="estimation tasks a version")
    alternatives: int = Field(3, ge=2, le=5)
    none: Literal["dual", "without"] = "dual"
    holdouts: int = Field(2, ge=0, le=4, description="tasks equal for all, never used in estimation")
    repeated: int = Field(1, ge=0, le=1, description="1: one estimation task is asked again, in another order")
    warm_up: int = Field(0, ge=0, le=1, description="1: a task to try comes first; it is kept and counts nowhere")
    versions: int = Field(120, ge=1, le=1000)
    method: Literal["balanced", "efficient"] = "balanced"
    criterion: Literal["D", "C"] = Field("D", description="D: all part-worths; C: the worths in money, needs a prior")
    seconds: float = Field(30, gt=0, le=3600, description="time limit of the search for a design")
    prior: Prior | None = None
    dominated: Literal["avoid", "allow"] = "avoid"
    labels: Identifier | None = Field(
        None, description="attribute that labels the alternatives, each label at most once a task"
    )
    at_most_once: tuple[Identifier, ...] = Field((), description="attributes of which no level repeats within a task")
    prohibited: tuple[Prohibition, ...] = ()
    conditional_prices: tuple[ConditionalPrices, ...] = ()

    def prohibited_pairs(self, prices: Sequence[float]) -> list[tuple[str, Pair]]:
        """Every prohibition as (key in the file, pair of attributes with their levels); conditional prices forbid all other prices."""
        found: list[tuple[str, Pair]] = []
        for n, rule in enumerate(self.prohibited):
            parts: list[tuple[str, tuple[str | float, ...]]] = list(rule.levels.items())
            parts += [("price", tuple(rule.prices))] if rule.prices else []
            found.append((f"choice_tasks.prohibited[{n}]", (parts[0], parts[1])))
        for n, only in enumerate(self.conditional_prices):
            others = tuple(price for price in prices if price not in only.prices)
            attribute = next(iter(only.levels.items()))
            found.append((f"choice_tasks.conditional_prices[{n}]", (attribute, ("price", others))))
        return found

    @property
    def total(self) -> int:
        """Choice tasks that one respondent answers, the one to warm up with included."""
        return self.warm_up + self.counted

    @property
    def counted(self) -> int:
        """Choice tasks of one respondent that count."""
        return self.tasks + self.holdouts + self.repeated


NONE_NUMBER = 0


@dataclass(frozen=True, slots=True)
class Alternative:
    """One column of a choice task: `number` is its number in the design, whatever its position on the page.

    Surveys of other programs may show "none of these" as one more alternative: it has the number 0, no levels and the price 0.
    """

    number: int
    levels: Mapping[str, str]
    price: float

    @property
    def is_none(self) -> bool:
        """Whether this is the none option."""
        return self.number == NONE_NUMBER


@dataclass(frozen=True, slots=True)
class ChoiceTask:
    """One question with alternatives; `repeats` is the number of the task that a repeat asks again."""

    number: int
    kind: Kind
    alternatives: tuple[Alternative, ...]
    repeats: int | None = None

    @property
    def offers(self) -> tuple[Alternative, ...]:
        """The alternatives that somebody can buy: all but the none option."""
        return tuple(alternative for alternative in self.alternatives if not alternative.is_none)

    @property
    def has_none(self) -> bool:
        """Whether the none option stood among the alternatives."""
        return any(alternative.is_none for alternative in self.alternatives)


@dataclass(frozen=True, slots=True)
class Design:
    """All versions of the choice tasks of a study; `hash` identifies the content of design.csv."""

    versions: Mapping[int, tuple[ChoiceTask, ...]]
    hash: str
