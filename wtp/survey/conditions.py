"""Conditions on earlier answers: who sees a page or a question, who is screened out, who fills a quota.

`{ core_problem = ["downtime", "cost"], employees = { from = 10 } }` holds if every entry does: one of the options was picked, or the number
lies in the range, ends included. Whoever has not answered a question does not fulfil a condition on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from wtp.survey.attributes import Identifier, Record


def mistake(kind: str, found: str, allowed: str, remedy: str) -> PydanticCustomError:
    """A mistake in words, for the list that `wtp check` prints."""
    return PydanticCustomError(kind, "{found}", {"found": found, "allowed": allowed, "remedy": remedy})


def known_question(question: str, info: ValidationInfo) -> str:
    """Validator: the id is that of a single-choice question of the survey."""
    known: Mapping[str, list[str]] = (info.context or {}).get("options", {})
    if "options" in (info.context or {}) and question not in known:
        raise mistake(
            "unknown_question",
            f"question {question!r}",
            f"the single-choice questions {', '.join(known)}" if known else "a single-choice question; there is none",
            "name one of these questions or add it to a page",
        )
    return question


class Range(Record):
    """Numbers from `from` to `to`, both included; one of them may be left out."""

    model_config = ConfigDict(serialize_by_alias=True)

    low: float | None = Field(None, alias="from")
    high: float | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _not_empty(self) -> Range:
        if self.low is None and self.high is None:
            raise mistake("range", "neither from nor to", "from, to or both", "add one")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise mistake("range", f"from {self.low:g} to {self.high:g}", "from below to", "swap them")
        return self


Allowed = Annotated[
    Annotated[tuple[Identifier, ...], Field(min_length=1), Tag("[options]")] | Annotated[Range, Tag("[range]")],
    Discriminator(lambda given: "[range]" if isinstance(given, dict | Range) else "[options]"),
]


def _known(when: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    context = info.context or {}
    if "conditions" not in context:
        return when
    options: Mapping[str, list[str]] = context["conditions"]
    numbers: list[str] = context["numbers"]
    for question, allowed in when.items():
        if isinstance(allowed, Range):
            if question not in numbers:
                known = ", ".join(numbers) or "no question of type number"
                raise mistake("unknown_question", f"a range for {question}", known, "name one of these questions")
        elif question not in options:
            known = ", ".join(options) or "no question with options"
            raise mistake("unknown_question", f"question {question!r}", known, "name one of these questions")
        elif unknown := [option for option in allowed if option not in options[question]]:
            known = f"the options {', '.join(options[question])}"
            raise mistake("unknown_option", f"{question} = {', '.join(unknown)}", known, "name one of these options")
    return when


When = Annotated[dict[Identifier, Allowed], Field(min_length=1), AfterValidator(_known)]


def fulfilled(when: Mapping[str, Any] | None, answers: Mapping[str, Any]) -> bool:
    """Whether these answers, by question, fulfil the condition; no condition is always fulfilled."""
    return all(_holds(allowed, answers.get(question)) for question, allowed in (when or {}).items())


def _holds(allowed: Any, value: Any) -> bool:
    if isinstance(allowed, Range):
        if not isinstance(value, int | float):
            return False
        return (allowed.low is None or value >= allowed.low) and (allowed.high is None or value <= allowed.high)
    return any(pick in allowed for pick in value) if isinstance(value, list) else value in allowed
