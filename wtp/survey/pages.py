"""Pages: what a respondent sees, one after the other, and how an interview may end early."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from wtp.survey.attributes import Identifier, Record, unique_ids
from wtp.survey.conditions import When
from wtp.survey.questions import Option, Order, Question, Scale
from wtp.survey.wording import Wording


class Routed(Record):
    """A page that not everybody sees, or not at the same place.

    Neighbouring pages with the same `shuffle` are asked in an order of each respondent's own.
    """

    when: When | None = None
    shuffle: Identifier | None = None


class ConsentPage(Record):
    """What the respondent agrees to before anything is stored; always the first page."""

    type: Literal["consent"]
    id: Identifier
    title: Wording
    text: Wording
    agree: Wording = Field(description="label of the box to tick")


class InformationPage(Routed):
    """Text to read, nothing to answer."""

    type: Literal["information"]
    id: Identifier
    title: Wording
    text: Wording


class CheckPage(Routed):
    """The answers so far, each with a way to change it, before they are sent; choices between offers are not among them."""

    type: Literal["check"]
    id: Identifier
    title: Wording
    text: Wording | None = None


class QuestionPage(Routed):
    """One or more questions on one page."""

    type: Literal["questions"]
    id: Identifier
    title: Wording
    text: Wording | None = None
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=30)]
    order: Order = "fixed"


class ChoiceTaskPage(Routed):
    """Stands for all choice tasks, one step each; how many there are is set under `choice_tasks`."""

    type: Literal["choice_tasks"]
    id: Identifier
    title: Wording
    question: Wording = Field(description="which of the alternatives?")
    purchase_question: Wording | None = Field(None, description="dual-response none: would you buy it at this price?")
    attribute_order: Order = Field(
        "fixed", description="random: an order of each respondent's own, the same on all pages"
    )


class BestWorstPage(Routed):
    """Best-worst tasks (Louviere, Flynn and Marley 2015): of a few items the most and the least important, several times over.

    With `anchor` each task also asks whether all, some or none of its items matter at all (dual response, Lattery 2010).
    """

    type: Literal["best_worst"]
    id: Identifier
    title: Wording
    text: Wording | None = None
    best: Wording
    worst: Wording
    anchor: Wording | None = None
    items: Annotated[tuple[Option, ...], Field(min_length=4, max_length=40), AfterValidator(unique_ids("item"))]
    per_task: int = Field(4, ge=3, le=6)
    tasks: int = Field(8, ge=2, le=30)


class ProfileRatingPage(Routed):
    """Rating-based conjoint: one offer after the other, each rated on a scale."""

    type: Literal["profile_rating"]
    id: Identifier
    title: Wording
    question: Wording
    scale: Scale
    profiles: int = Field(8, ge=4, le=30)


class ThanksPage(Record):
    """The end; always the last page."""

    type: Literal["thanks"]
    id: Identifier
    title: Wording
    text: Wording


Page = Annotated[
    ConsentPage
    | InformationPage
    | CheckPage
    | QuestionPage
    | ChoiceTaskPage
    | BestWorstPage
    | ProfileRatingPage
    | ThanksPage,
    Field(discriminator="type"),
]


class ScreenOut(Record):
    """Who does not belong to the study: the interview ends here, with these words."""

    id: Identifier
    when: When
    title: Wording
    text: Wording


class Quota(Record):
    """At most `limit` respondents who fulfil `when`; whoever comes later reads these words."""

    id: Identifier
    label: Wording
    when: When
    limit: int = Field(ge=1, le=1_000_000)
    title: Wording
    text: Wording
