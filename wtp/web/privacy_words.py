"""What a study promises its respondents, in their language: on the page of consent, on the field page, and for `wtp privacy`."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from wtp.survey import Definition
from wtp.survey.privacy import ANONYMOUS, CUT_AT_END, PERSONAL, Privacy
from wtp.web.i18n import text


@dataclass(frozen=True, slots=True)
class Fact:
    """One promise: its heading and what is promised."""

    about: str
    words: str


def facts(definition: Definition, *, blank: str = "") -> tuple[Fact, ...]:
    """Data protection of a study in short; nothing where it says nothing about it.

    blank: what stands in place of something that only the author can say, such as [name and address]; without it, that fact is left out.
    """
    if definition.privacy is None and not blank:
        return ()
    privacy = definition.privacy or Privacy()
    found = [
        (_("Who is responsible"), text(privacy.controller) if privacy.controller else blank),
        (_("What for"), text(privacy.purpose) if privacy.purpose else blank),
        (_("Your answers and you"), mode_words(privacy.mode)),
        (_("How long"), times_words(privacy) or blank),
        (_("Not stored"), _("Neither the address of your device nor anything that tells it from others. Nothing is sent to anybody else.")),
        (_("Your rights"), rights_words(privacy)),
        (_("Particularly protected data"), privacy.legal_basis or ""),
    ]  # fmt: skip
    return tuple(Fact(about, words) for about, words in found if words)


def mode_words(mode: str) -> str:
    """How answers and person hang together, and what is then impossible."""
    if mode == ANONYMOUS:
        return _(
            "Anonymous. Until you finish you can go on in this browser, and see or delete everything under “My data”. After the last page nobody can tell which answers are yours, "
            "so that they can no longer be shown to you or deleted. Nobody can remind you."
        )
    if mode == CUT_AT_END:
        return _(
            "With the last page they are cut off from your invitation. Until then you can go on later, be reminded, and see or delete everything under “My data”. After that nobody can "
            "tell which answers are yours, so that they can no longer be shown to you or deleted."
        )
    if mode == PERSONAL:
        return _(
            "Whoever is responsible can look up which answers are yours. You can see or delete everything at any time under “My data”."
        )
    return _(
        "They stand under a number, apart from your name and address. By your personal link you can go on later, and see or delete everything at any time under “My data”."
    )


def times_words(privacy: Privacy) -> str:
    """When what is deleted, after the study was closed; empty if nothing is promised."""
    days, months = privacy.contacts_days, privacy.answers_months
    said = []
    if days is not None:
        said.append(
            ngettext(
                "What leads from answers to persons is deleted %(num)s day after the survey is closed.",
                "What leads from answers to persons is deleted %(num)s days after the survey is closed.",
                days,
            )
        )
    if months is not None:
        said.append(
            ngettext(
                "Single answers are deleted %(num)s month after the survey is closed; results of many people together stay.",
                "Single answers are deleted %(num)s months after the survey is closed; results of many people together stay.",
                months,
            )
        )
    return " ".join(said)


def rights_words(privacy: Privacy) -> str:
    """What a respondent may ask for, and where."""
    said = _(
        "Taking part is voluntary. You may stop or withdraw at any time and need no reason; you may see, take along, correct and delete your data, and complain to a data protection authority."
    )
    return said + (" " + _("Write to %(contact)s.", contact=privacy.contact) if privacy.contact else "")
