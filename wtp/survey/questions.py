"""Questions: what a respondent is asked beside the choice tasks.

The value of an answer, as it is stored and exported, by type of question:

| type | value |
|---|---|
| single_choice | the id of the option, or "unsure" |
| multiple_choice | a list of ids of options |
| rating | a table item -> whole number on the scale, null for "do not know" |
| number | a number, or "unsure" |
| ranking | a list of ids of items, the first preferred |
| constant_sum | a table item -> number |
| text | the text |
| time_grid | a table day -> list of ids of time bands |
| kano | a table with / without -> 1 (I like it) to 5 (I dislike it) |
| van_westendorp | a table too_cheap / cheap / expensive / too_expensive -> money |
| gabor_granger | a table price -> 1 (would buy) or 0, in the order asked |
| open_price | money, 0 for nothing |

An optional question that was left open has the value None.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from wtp.survey.attributes import Identifier, Money, Record, rising, unique_ids
from wtp.survey.conditions import When, mistake
from wtp.survey.wording import Wording

VAN_WESTENDORP_ITEMS = ("too_cheap", "cheap", "expensive", "too_expensive")
KANO_ITEMS = ("with", "without")
UNSURE = "unsure"
# What questions about the customer's process measure; see `process`.
PROCESS_STEPS, PROCESS_SATISFACTION = "process_steps", "process_satisfaction"
SERVICE_WINDOW, INTERRUPTION_WINDOW, INTERRUPTION_COST = "service_window", "interruption_window", "interruption_cost"


def _is_none(value: object) -> bool:
    """Whether a key that earlier releases did not know is not there; the fingerprint of their surveys stays."""
    return value is None


Order = Literal["fixed", "random"]


def _absent(value: object) -> bool:
    """What earlier releases did not know leaves no trace where it is not used, so that fingerprints stay."""
    return value is None


class Option(Record):
    """One answer that can be picked; `alone` ends a list: it keeps its place and excludes the others, as "none of these"."""

    id: Identifier
    label: Wording
    alone: bool = False


Options = Annotated[tuple[Option, ...], Field(min_length=2, max_length=30), AfterValidator(unique_ids("option"))]


class Asked(Record):
    """What every question has: `required = "ask"` asks once and then lets the respondent go on; `when` hides it from others."""

    id: Identifier
    label: Wording
    help: Wording | None = None
    why: Wording | None = Field(None, description="why it is asked, behind a disclosure; for personal questions")
    required: bool | Literal["ask"] = True
    when: When | None = None


class SingleChoice(Asked):
    """One of several options."""

    type: Literal["single_choice"]
    options: Options
    order: Order = "fixed"
    unsure: Wording | None = Field(None, description='words of a last answer "do not know"')
    attention: Identifier | None = Field(None, description="the option that the text asks to pick; others are flagged")

    @model_validator(mode="after")
    def _attention_is_an_option(self) -> SingleChoice:
        ids = [option.id for option in self.options]
        if UNSURE in ids:
            raise mistake("unsure", f"option {UNSURE}", "any other id", "rename it, or use the key unsure")
        if self.attention is not None and self.attention not in ids:
            raise mistake("attention", self.attention, ", ".join(ids), "name one of these options")
        return self


class MultipleChoice(Asked):
    """Any of several options, at least `fewest` and at most `most` of them; with `measures` they are steps of the process, beside those that stand alone."""

    type: Literal["multiple_choice"]
    measures: Literal["process_steps"] | None = Field(default=None, exclude_if=_is_none)
    options: Options
    order: Order = "fixed"
    fewest: int = Field(1, ge=1, le=30)
    most: int = Field(30, ge=1, le=30)


class Number(Asked):
    """A number, such as orders a year; with `money` an amount in the survey's currency, with `measures` what an hour of interruption costs."""

    type: Literal["number"]
    measures: Literal["interruption_cost"] | None = Field(default=None, exclude_if=_is_none)
    low: float = 0
    high: float = Field(1e9, le=1e12)
    whole: bool = False
    money: bool = False
    unit: Wording | None = None
    unsure: Wording | None = Field(None, description='words of a box "do not know"')


class Ranking(Asked):
    """Items in order of preference; `most` of them are ranked (all by default).

    `measures = "script"`: the items are events, in the order in which the respondent expects them to happen (a cognitive script); all of them are ranked.
    """

    type: Literal["ranking"]
    items: Annotated[tuple[Option, ...], Field(min_length=2, max_length=12), AfterValidator(unique_ids("item"))]
    order: Order = "random"
    most: int = Field(12, ge=1, le=12)
    measures: Literal["script"] | None = Field(None, exclude_if=_absent)

    @property
    def ranks(self) -> int:
        """How many items are ranked."""
        return min(self.most, len(self.items))

    @model_validator(mode="after")
    def _a_script_is_whole(self) -> Ranking:
        if self.measures == "script" and self.ranks < len(self.items):
            raise mistake("most", str(self.most), f"all {len(self.items)} events of a script", "remove most")
        return self


class ConstantSum(Asked):
    """A total to be divided among the items, such as 100 points."""

    type: Literal["constant_sum"]
    items: Annotated[tuple[Option, ...], Field(min_length=2, max_length=12), AfterValidator(unique_ids("item"))]
    order: Order = "fixed"
    total: int = Field(100, ge=2, le=1_000_000)
    unit: Wording | None = None


class OpenText(Asked):
    """Words of the respondent's own."""

    type: Literal["text"]
    long: bool = False
    longest: int = Field(2000, ge=1, le=10_000, description="characters")


class TimeGrid(Asked):
    """Which times suit: days by time bands, as for a delivery or a maintenance; with `measures` for a service, or for being interrupted."""

    type: Literal["time_grid"]
    measures: Literal["service_window", "interruption_window"] | None = Field(default=None, exclude_if=_is_none)
    days: Annotated[tuple[Option, ...], Field(min_length=1, max_length=14), AfterValidator(unique_ids("day"))]
    bands: Annotated[tuple[Option, ...], Field(min_length=1, max_length=12), AfterValidator(unique_ids("band"))]


class Kano(Asked):
    """A feature asked for twice: how would it be with it, how without it (Kano, Seraku, Takahashi and Tsuji 1984)."""

    type: Literal["kano"]
    with_it: Wording
    without_it: Wording


class Scale(Record):
    """A rating scale from `low` to `high`, both inclusive, with words at its ends."""

    low: int = Field(1, ge=0, le=1)
    high: int = Field(7, ge=3, le=11)
    low_label: Wording
    high_label: Wording


class Rating(Asked):
    """Several items on one scale; with `measures` every item is an attribute (the price included): how important it is, how well this company does, how well its rival, what was expected of it, what was met.

    `measures = "rival_performance"`: the rival who is rated has a name, `rival`, or is `competitor`, one of `[[competitors]]`, whose levels are then held against today's.
    `measures = "purchase_intent"`: items cheap and expensive, from 1 to 5, for the prices named in the Van Westendorp question (Newton, Miller and Smith 1993).
    `measures = "process_satisfaction"`: items are steps of the process.
    """

    type: Literal["rating"]
    measures: (
        Literal[
            "importance",
            "performance",
            "rival_performance",
            "expectation",
            "experience",
            "purchase_intent",
            "process_satisfaction",
        ]
        | None
    ) = None
    rival: Wording | None = Field(
        None, exclude_if=_absent, description="name of the rival who is rated, shown in results"
    )
    competitor: Identifier | None = Field(
        None, exclude_if=_absent, description="which of the competitors the rated rival is"
    )
    scale: Scale
    items: Annotated[tuple[Option, ...], Field(min_length=1, max_length=30), AfterValidator(unique_ids("item"))]
    order: Order = "fixed"
    unsure: Wording | None = Field(None, description='words of a last point "do not know"')
    reversed: tuple[Identifier, ...] = Field(
        (),
        description="items whose words point the other way; who gives them the same point as all others did not read",
    )

    @model_validator(mode="after")
    def _reversed_are_items(self) -> Rating:
        known = [item.id for item in self.items]
        unknown = [name for name in self.reversed if name not in known]
        if unknown:
            raise mistake("reversed", unknown[0], ", ".join(known), "name one of these items")
        return self

    @model_validator(mode="after")
    def _a_rival_is_rated(self) -> Rating:
        named = [name for name in ("rival", "competitor") if getattr(self, name) is not None]
        if named and self.measures != "rival_performance":
            allowed = 'only with measures = "rival_performance"'
            raise mistake(
                named[0],
                f"{named[0]} of a rating that measures {self.measures or 'nothing'}",
                allowed,
                f"remove {named[0]}",
            )
        return self


def _items_are_attributes(question: Rating, info: ValidationInfo) -> Rating:
    attributes: dict[str, list[str]] = (info.context or {}).get("attributes", {})
    if question.measures == "purchase_intent":
        scale = question.scale.low, question.scale.high
        if {item.id for item in question.items} != {"cheap", "expensive"} or scale != (1, 5):
            raise PydanticCustomError(
                "purchase_intent",
                "{found}",
                {
                    "found": f"items {', '.join(item.id for item in question.items)} from {scale[0]} to {scale[1]}",
                    "allowed": "the items cheap and expensive, from 1 to 5",
                    "remedy": "use these ids and this scale",
                },
            )
        return question
    unknown = [item.id for item in question.items if item.id not in attributes and item.id != "price"]
    if question.measures not in (None, PROCESS_SATISFACTION) and attributes and unknown:
        raise PydanticCustomError(
            "importance_items",
            "{found}",
            {
                "found": f"items {', '.join(unknown)}",
                "allowed": f"price, {', '.join(attributes)}",
                "remedy": "use the ids of the attributes, or drop measures",
            },
        )
    return question


class VanWestendorp(Asked):
    """Four open prices for one described offer (Van Westendorp 1976)."""

    type: Literal["van_westendorp"]
    too_cheap: Wording
    cheap: Wording
    expensive: Wording
    too_expensive: Wording


class GaborGranger(Asked):
    """Would you buy the described offer at this price? for several prices, each answered yes or no (Gabor and Granger 1966).

    `ladder`: on a page of its own, one price after the other, from a random one up after yes and down after no, by halves.
    """

    type: Literal["gabor_granger"]
    yes: Wording
    no: Wording
    prices: Annotated[tuple[Money, ...], Field(min_length=3, max_length=9), AfterValidator(rising)]
    order: Order = "fixed"
    ladder: bool = False

    @property
    def items(self) -> dict[str, float]:
        """The prices by what they are called in the stored answer."""
        return {f"{price:.15g}": price for price in self.prices}


class OpenPrice(Asked):
    """The most that one would pay for the described offer, named openly; without a real purchase it is hypothetical."""

    type: Literal["open_price"]


Question = Annotated[
    SingleChoice
    | MultipleChoice
    | Annotated[Rating, AfterValidator(_items_are_attributes)]
    | Number
    | Ranking
    | ConstantSum
    | OpenText
    | TimeGrid
    | Kano
    | VanWestendorp
    | GaborGranger
    | OpenPrice,
    Field(discriminator="type"),
]
