"""Questions and pages: what a respondent is asked beside the choice tasks, and in which order.

The value of an answer, as it is stored and exported, by type of question:

| type | value |
|---|---|
| single_choice | the id of the option |
| rating | a table item -> whole number on the scale |
| van_westendorp | a table too_cheap / cheap / expensive / too_expensive -> money |
| gabor_granger | a table price -> 1 (would buy) or 0 |
| open_price | money, 0 for nothing |

An optional question that was left open has the value None.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from wtp.survey.attributes import Identifier, Money, Record, rising, unique_ids
from wtp.survey.wording import Wording

VAN_WESTENDORP_ITEMS = ("too_cheap", "cheap", "expensive", "too_expensive")


class Option(Record):
    """One answer that can be picked."""

    id: Identifier
    label: Wording


class SingleChoice(Record):
    """One of several options."""

    type: Literal["single_choice"]
    id: Identifier
    label: Wording
    help: Wording | None = None
    required: bool = True
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=30), AfterValidator(unique_ids("option"))]


class Scale(Record):
    """A rating scale from `low` to `high`, both inclusive, with words at its ends."""

    low: int = Field(1, ge=0, le=1)
    high: int = Field(7, ge=3, le=11)
    low_label: Wording
    high_label: Wording


class Rating(Record):
    """Several items on one scale; with `measures` every item is an attribute (the price included): how important it is, how well this company does, how well its rival.

    `measures = "purchase_intent"`: items cheap and expensive, from 1 to 5, for the prices named in the Van Westendorp question (Newton, Miller and Smith 1993).
    """

    type: Literal["rating"]
    id: Identifier
    label: Wording
    help: Wording | None = None
    required: bool = True
    measures: Literal["importance", "performance", "rival_performance", "purchase_intent"] | None = None
    scale: Scale
    items: Annotated[tuple[Option, ...], Field(min_length=1, max_length=30), AfterValidator(unique_ids("item"))]


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
    if question.measures and attributes and unknown:
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


class VanWestendorp(Record):
    """Four open prices for one described offer (Van Westendorp 1976)."""

    type: Literal["van_westendorp"]
    id: Identifier
    label: Wording
    help: Wording | None = None
    required: bool = True
    too_cheap: Wording
    cheap: Wording
    expensive: Wording
    too_expensive: Wording


class GaborGranger(Record):
    """Would you buy the described offer at this price? for several prices, each answered yes or no (Gabor and Granger 1966)."""

    type: Literal["gabor_granger"]
    id: Identifier
    label: Wording
    help: Wording | None = None
    required: bool = True
    yes: Wording
    no: Wording
    prices: Annotated[tuple[Money, ...], Field(min_length=3, max_length=9), AfterValidator(rising)]

    @property
    def items(self) -> dict[str, float]:
        """The prices by what they are called in the stored answer."""
        return {f"{price:.15g}": price for price in self.prices}


class OpenPrice(Record):
    """The most that one would pay for the described offer, named openly; without a real purchase it is hypothetical."""

    type: Literal["open_price"]
    id: Identifier
    label: Wording
    help: Wording | None = None
    required: bool = True


Question = Annotated[
    SingleChoice | Annotated[Rating, AfterValidator(_items_are_attributes)] | VanWestendorp | GaborGranger | OpenPrice,
    Field(discriminator="type"),
]


class ConsentPage(Record):
    """What the respondent agrees to before anything is stored; always the first page."""

    type: Literal["consent"]
    id: Identifier
    title: Wording
    text: Wording
    agree: Wording = Field(description="label of the box to tick")


class InformationPage(Record):
    """Text to read, nothing to answer."""

    type: Literal["information"]
    id: Identifier
    title: Wording
    text: Wording


class QuestionPage(Record):
    """One or more questions on one page."""

    type: Literal["questions"]
    id: Identifier
    title: Wording
    text: Wording | None = None
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=30)]


class ChoiceTaskPage(Record):
    """Stands for all choice tasks, one step each; how many there are is set under `choice_tasks`."""

    type: Literal["choice_tasks"]
    id: Identifier
    title: Wording
    question: Wording = Field(description="which of the alternatives?")
    purchase_question: Wording | None = Field(None, description="dual-response none: would you buy it at this price?")


class ThanksPage(Record):
    """The end; always the last page."""

    type: Literal["thanks"]
    id: Identifier
    title: Wording
    text: Wording


Page = Annotated[
    ConsentPage | InformationPage | QuestionPage | ChoiceTaskPage | ThanksPage, Field(discriminator="type")
]
