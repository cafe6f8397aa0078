"""The analysis of a study's contacts, as a reading of its own; made anew when a contact, a coding, a link, an answer of a linked customer or the survey changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flask_babel import gettext
from markupsafe import escape

from wtp.analysis import Analysis, analyse_contacts
from wtp.store import Database, answers, contacts, customers
from wtp.survey import Survey
from wtp.web import running
from wtp.web.i18n import text as said
from wtp.web.reading import Reading

CONTACTS = "contacts"
TABLES = "contact_"  # what the names of its tables and charts begin with


@dataclass(frozen=True, slots=True)
class ContactReading(Reading):
    """A reading of contacts: its analysis counts contacts, not respondents."""

    @property
    def picture_label(self) -> str:
        """What a picture of a chart must say of itself when it leaves the page; escaped."""
        what = gettext("contacts")
        label = f"{said(self.definition.title)}, {self.labels[self.segment]}, {what}"
        if self.analysis.simulated:
            label += " – " + gettext(
                "Simulated contacts: %(simulated)s of %(all)s",
                simulated=self.analysis.simulated,
                all=self.analysis.respondents,
            )
        return str(escape(label))


def has_contacts(survey: Survey) -> bool:
    """Whether there is anything to read."""
    if survey.definition.contacts is None:
        return False
    with running.database().read() as connection:
        return contacts.count(connection, survey.slug) > 0


def contact_reading(reading: Reading) -> ContactReading | None:
    """The contacts of the study that a reading is of, in its segment; None if there are none."""
    survey = running.surveys().get(reading.survey.slug)
    if survey is None or not has_contacts(survey):
        return None
    with running.database().read() as connection:
        state = contacts.state(connection, survey.slug)
        if _linked(survey):
            state += answers.state(connection, survey.slug)
    analysis = _analysed(running.database(), survey.slug, f"{survey.definition.fingerprint} {state}")
    return ContactReading(survey, analysis, reading.segment, reading.labels)


def _linked(survey: Survey) -> bool:
    return bool(survey.definition.contacts and survey.definition.contacts.linked)


@lru_cache(maxsize=8)
def _analysed(database: Database, slug: str, _state: str) -> Analysis:
    survey = running.survey_of(slug)
    with database.read() as connection:
        rows, codings = contacts.rows(connection, slug), contacts.codings(connection, slug)
        links = customers.links(connection, slug) if _linked(survey) else {}
        respondents = answers.read_answers(connection, slug).respondents if links else ()
    return analyse_contacts(survey, rows, codings, links=links, respondents=respondents)
