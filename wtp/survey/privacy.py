"""What a study promises its respondents: who is responsible, what for, how long, and how answers are tied to the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, model_validator

from wtp.survey.attributes import Record
from wtp.survey.conditions import mistake
from wtp.survey.pages import ConsentPage
from wtp.survey.wording import Wording

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

# How answers and person hang together, the loosest first. Nothing tells who answers: no invitations, nobody from a panel; the link to an invitation is cut with the last
# page; answers and contact data stand apart and only the token leads from one to the other; answers may be looked up by whom they are of.
ANONYMOUS: Final = "anonymous"
CUT_AT_END: Final = "anonymise_on_completion"
PSEUDONYMOUS: Final = "pseudonymous"
PERSONAL: Final = "personal"
Mode = Literal["anonymous", "anonymise_on_completion", "pseudonymous", "personal"]
# What is suggested; deleted is only what a study, or the installation, says.
CONTACTS_DAYS, ANSWERS_MONTHS = 30, 12


class Privacy(Record):
    """Data protection of a study. What is left out is not promised; nothing is deleted by itself without its time."""

    mode: Mode = Field(default=PSEUDONYMOUS, description="how answers and person hang together")
    controller: Wording | None = Field(default=None, description="who is responsible: company and address")
    contact: str | None = Field(
        default=None, min_length=3, max_length=200, description="where to write about one's data"
    )
    purpose: Wording | None = Field(default=None, description="what the answers are used for, in one sentence")
    contacts_days: int | None = Field(
        default=None,
        ge=0,
        le=3_650,
        description="days after closing, then invitations and links to customers are deleted",
    )
    answers_months: int | None = Field(
        default=None,
        ge=1,
        le=240,
        description="months after closing, then single answers are deleted; figures of many stay",
    )
    special_categories: bool = Field(
        default=False, description="asks about health, religion, origin or the like (Art. 9 GDPR)"
    )
    legal_basis: str | None = Field(
        default=None, min_length=10, max_length=500, description="confirmed legal basis; needed with special_categories"
    )

    @model_validator(mode="after")
    def _basis(self) -> Privacy:
        if self.special_categories and not self.legal_basis:
            raise mistake(
                "legal_basis", "special_categories without legal_basis", "the legal basis, confirmed by whoever is responsible for data protection",
                "write it, or do not ask for such data",
            )  # fmt: skip
        return self


def mode_of(definition: Definition) -> str:
    """The study's mode; pseudonymous where it says nothing."""
    return definition.privacy.mode if definition.privacy else PSEUDONYMOUS


def privacy_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """Mistakes between the mode and other parts: (key, found, allowed, remedy) each."""
    mode, mistakes = mode_of(definition), []
    if definition.contacts and definition.contacts.linked and mode in {ANONYMOUS, CUT_AT_END}:
        allowed = f"{PSEUDONYMOUS} or {PERSONAL}, where contacts are linked with answers"
        mistakes.append(("privacy.mode", mode, allowed, "change the mode, or set contacts.linked = false"))
    if definition.panel and mode == ANONYMOUS:
        allowed = f"{CUT_AT_END}, {PSEUDONYMOUS} or {PERSONAL}, where a panel names its respondents"
        mistakes.append(("privacy.mode", mode, allowed, "change the mode, or remove the panel"))
    return mistakes


def consent_shown(definition: Definition, language: str, facts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The text that a respondent agrees to, word for word as it is shown in a language, with the mode that counts for him. facts: what stands beside it of data protection."""
    page = next(page for page in definition.pages if isinstance(page, ConsentPage))
    privacy = definition.privacy or Privacy()
    return {
        "title": _in(page.title, language),
        "text": _in(page.text, language),
        "agree": _in(page.agree, language),
        "facts": [list(fact) for fact in facts],
        "purpose": _in(privacy.purpose or definition.title, language),
        "mode": privacy.mode,
    }


def _in(wording: Mapping[str, str], language: str) -> str:
    return wording.get(language) or next(iter(wording.values()))
