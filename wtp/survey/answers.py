"""What respondents answered, as it leaves the store: plain records that mean the same without the repository.

Each choice carries what was shown: the alternatives with their levels and prices in the order on the page, the version of the
design and the hash of the survey definition, so that an edited survey never changes what an old answer means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from wtp.survey.definition import Definition
from wtp.survey.tasks import Alternative, ChoiceTask


@dataclass(frozen=True, slots=True)
class Choice:
    """One answered choice task.

    `task.alternatives` are in the order shown; `chosen` is the *number* of the chosen alternative; `buys` is the answer to the
    purchase question (None where the study has none); `order` counts the respondent's choice tasks from 1 as shown.
    """

    task: ChoiceTask
    order: int
    chosen: int
    buys: bool | None
    design_version: int
    definition_hash: str
    answered_at: datetime

    @property
    def picked(self) -> Alternative:
        """The alternative that was chosen."""
        return next(a for a in self.task.alternatives if a.number == self.chosen)

    @property
    def would_buy(self) -> bool | None:
        """Whether something would be bought: by the purchase question, or by the none option among the alternatives; None where neither was asked."""
        if self.buys is None and self.task.has_none:
            return not self.picked.is_none
        return self.buys


@dataclass(frozen=True, slots=True)
class Respondent:
    """One respondent with the last confirmed answers; `number` is a pseudonym that counts from 1 within the study.

    `outcome`: completed, screened_out, over_quota, or None while it is open; `source`: link, invitation, panel or import; `imported`: file, its
    hash and day of import, empty for answers that were given here; their `design_version` is 0, none of ours. `seconds` that
    each page took before it was first saved, by step, choice tasks as "choice task 1"; `signs` are marks left while answering
    ("honeypot", "pasted:<question>", "clock_set_back"); `lot` decides what chance did; `definition_hash` is the version of the survey that was answered.
    `known`: what contacts and purchases told of the customer when an analyst last brought them in (`wtp.customers.known`), empty without a link.
    """

    number: int
    simulated: bool
    language: str
    design_version: int
    started_at: datetime
    completed_at: datetime | None
    answers: Mapping[str, Any]
    choices: tuple[Choice, ...]
    outcome: str | None = None
    source: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    signs: tuple[str, ...] = ()
    lot: str = ""
    definition_hash: str = ""
    imported: str = ""
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def without_warm_up(self) -> Respondent:
        """The same respondent without choice tasks to warm up with and the time that they took."""
        warm_ups = {f"choice task {choice.order}" for choice in self.choices if choice.task.kind == "warm_up"}
        if not warm_ups:
            return self
        return replace(
            self,
            choices=tuple(choice for choice in self.choices if choice.task.kind != "warm_up"),
            seconds={step: seconds for step, seconds in self.seconds.items() if step not in warm_ups},
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers of one study; `hash` changes when any of them does. `definitions`: the versions of the survey that were answered, by their hash."""

    study: str
    respondents: tuple[Respondent, ...]
    hash: str
    definitions: Mapping[str, Definition] = field(default_factory=dict)

    @property
    def simulated(self) -> int:
        """How many of the respondents are simulated; exports and pages say so."""
        return sum(respondent.simulated for respondent in self.respondents)
