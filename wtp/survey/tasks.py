"""Choice tasks: several alternatives side by side, of which the respondent picks one.

A design holds, for each version, the choice tasks that one respondent sees; `design.csv` has one row an alternative:
`version, choice_task, kind, alternative`, one column an attribute with the level's id, and `price`. Each version is complete
in itself: its own estimation tasks, the holdout tasks that are equal for all, and the repeated task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from wtp.survey.attributes import Record

Kind = Literal["estimation", "holdout", "repeat"]
KINDS: tuple[Kind, ...] = ("estimation", "holdout", "repeat")


class ChoiceTaskPlan(Record):
    """How many choice tasks of which kind a respondent sees.

    `none = "dual"`: after the choice the respondent says whether he would really buy at that price (dual-response none);
    `"without"`: there is no none option, and no absolute price limit can be found.
    """

    tasks: int = Field(10, ge=4, le=20, description="estimation tasks a version")
    alternatives: int = Field(3, ge=2, le=5)
    none: Literal["dual", "without"] = "dual"
    holdouts: int = Field(2, ge=0, le=4, description="tasks equal for all, never used in estimation")
    repeated: int = Field(1, ge=0, le=1, description="1: one estimation task is asked again, in another order")
    versions: int = Field(120, ge=1, le=1000)

    @property
    def total(self) -> int:
        """Choice tasks that one respondent answers."""
        return self.tasks + self.holdouts + self.repeated


@dataclass(frozen=True, slots=True)
class Alternative:
    """One column of a choice task: `number` is its number in the design, whatever its position on the page."""

    number: int
    levels: Mapping[str, str]
    price: float


@dataclass(frozen=True, slots=True)
class ChoiceTask:
    """One question with alternatives; `repeats` is the number of the task that a repeat asks again."""

    number: int
    kind: Kind
    alternatives: tuple[Alternative, ...]
    repeats: int | None = None


@dataclass(frozen=True, slots=True)
class Design:
    """All versions of the choice tasks of a study; `hash` identifies the content of design.csv."""

    versions: Mapping[int, tuple[ChoiceTask, ...]]
    hash: str
