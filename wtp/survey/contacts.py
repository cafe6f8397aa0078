"""What staff may say of a contact: the codes that an author gives them, so that many people's notes can be counted.

A contact is a call, a visit, a mail, a complaint. It is recorded by staff, never by the customer, and is kept apart from the answers; where `core_problem`
names a question of the survey, both speak of the same problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from wtp.survey.attributes import Identifier, Record, unique_ids
from wtp.survey.conditions import known_question, mistake
from wtp.survey.questions import SingleChoice
from wtp.survey.wording import Wording

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

OTHER = "other"
CODED = ("channel", "reason", "question", "mattered_most", "core_problem", "remedy")
_SOMETHING_ELSE = {"en": "Something else", "de": "Etwas anderes"}
LOWEST_IMPRESSION, HIGHEST_IMPRESSION = 1, 5
LONGEST_REPORT = 2_000
MOST_MINUTES = 1_440
LONGEST_CUSTOMER = 80


class Code(Record):
    """One thing that staff can pick."""

    id: Identifier
    label: Wording


def _not_other(entries: tuple[Code, ...]) -> tuple[Code, ...]:
    if any(entry.id == OTHER for entry in entries):
        raise mistake("other", f"id {OTHER!r}", "any other id", "remove it: the form always offers another question")
    return entries


class Contacts(Record):
    """The codes of the form for contacts; without this table there is none."""

    channels: Annotated[tuple[Code, ...], Field(min_length=1, max_length=12), AfterValidator(unique_ids("channel"))]
    reasons: Annotated[tuple[Code, ...], Field(min_length=2, max_length=20), AfterValidator(unique_ids("reason"))]
    frequent_questions: Annotated[
        tuple[Code, ...],
        Field(max_length=40, description="questions that customers ask often; another one can always be picked"),
        AfterValidator(unique_ids("question")),
        AfterValidator(_not_other),
    ] = ()
    core_problem: Annotated[Identifier, AfterValidator(known_question)] | None = Field(
        None, description="single-choice question of the survey whose options are the core problems"
    )
    core_problems: Annotated[
        tuple[Code, ...], Field(max_length=12), AfterValidator(unique_ids("core problem"))
    ] = Field((), description="core problems, where no question of the survey asks for them")  # fmt: skip
    remedies: Annotated[tuple[Code, ...], Field(max_length=20), AfterValidator(unique_ids("remedy"))] = ()
    customers: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="how many customers these contacts come from; without it, those of all segments",
    )
    linked: bool = Field(
        False,
        description="contacts may be linked with answers of the same customer; the text of the consent must say so",
    )

    @model_validator(mode="after")
    def _problems_once(self) -> Contacts:
        if self.core_problem is not None and self.core_problems:
            raise mistake("core_problems", "core_problem and core_problems", "one of the two", "remove one of them")
        return self


@dataclass(frozen=True, slots=True)
class ContactCodes:
    """`by_field`: id -> words of each field of CODED. customers: how many the contacts come from."""

    by_field: Mapping[str, Mapping[str, Wording]]
    customers: int

    def __getitem__(self, field: str) -> Mapping[str, Wording]:
        return self.by_field[field]


def contact_codes(definition: Definition) -> ContactCodes | None:
    """What staff can pick; None if the study has no contacts. What mattered most is an attribute, the price, or something else."""
    contacts = definition.contacts
    if contacts is None:
        return None
    attributes = {attribute.id: attribute.label for attribute in definition.attributes}
    questions = {code.id: code.label for code in contacts.frequent_questions}
    return ContactCodes(
        {
            "channel": {code.id: code.label for code in contacts.channels},
            "reason": {code.id: code.label for code in contacts.reasons},
            "question": questions | ({OTHER: _SOMETHING_ELSE} if questions else {}),
            "mattered_most": {**attributes, "price": definition.price.label, OTHER: _SOMETHING_ELSE},
            "core_problem": _problems(definition, contacts),
            "remedy": {code.id: code.label for code in contacts.remedies},
        },
        contacts.customers or sum(segment.customers for segment in definition.segments),
    )


def _problems(definition: Definition, contacts: Contacts) -> dict[str, Wording]:
    asked = next((q for q in definition.questions if q.id == contacts.core_problem), None)
    if isinstance(asked, SingleChoice):
        return {option.id: option.label for option in asked.options}
    return {code.id: code.label for code in contacts.core_problems}


def segment_by_problem(definition: Definition) -> dict[str, str]:
    """Core problem -> segment, where a segment is declared by that question alone."""
    asked = definition.contacts.core_problem if definition.contacts else None
    found: dict[str, str] = {}
    for segment in definition.segments:
        if asked and set(segment.when) == {asked}:
            for option in segment.when[asked]:
                found.setdefault(option, segment.id)
    return found


def contact_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """Mistakes between the contacts and other parts: (key, found, allowed, remedy) each."""
    contacts = definition.contacts
    if contacts is None:
        return []
    mistakes = [
        (f"attributes[{a}].id", OTHER, "any other id where there are contacts", "rename the attribute")
        for a, attribute in enumerate(definition.attributes)
        if attribute.id == OTHER
    ]
    if contacts.customers is None and not definition.segments:
        allowed = "how many customers the contacts come from, where there are no segments"
        mistakes.append(("contacts.customers", "nothing", allowed, "add it, or declare segments"))
    return mistakes
