"""When a study has asked enough: the stopping rule that its author sets before the field."""

from __future__ import annotations

from pydantic import Field, model_validator

from wtp.survey.attributes import Money, Record
from wtp.survey.conditions import mistake


class Stopping(Record):
    """When enough is known, set before the field: results stay closed until then, so that nobody stops because of what he saw.

    Neither key looks at what is preferred, only at how many answered and how exact the figures are (Chow and Robbins 1965).
    """

    respondents: int | None = Field(None, ge=30, le=1_000_000, description="people who completed")
    half_width: Money | None = Field(
        None, description="half of the interval of the price upper limit that is exact enough, in every segment"
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Stopping:
        if self.respondents is None and self.half_width is None:
            raise mistake("stopping", "no rule", "respondents, half_width or both", "set one, or remove the table")
        return self
