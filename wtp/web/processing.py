"""The record of processing (Art. 30 and 32 GDPR) of an installation from its real settings, and the consent text of a study with its real facts, in words."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask, render_template
from flask_babel import gettext as _

from wtp import __version__
from wtp.settings import Settings
from wtp.store import processing, staff
from wtp.survey import Definition, Survey
from wtp.survey.pages import ConsentPage
from wtp.web import running
from wtp.web.i18n import speak, text
from wtp.web.privacy_words import Fact, facts, mode_words, times_words


def record_of_processing(app: Flask, language: str) -> str:
    """The record as Markdown."""
    settings: Settings = app.extensions["wtp_settings"]
    with app.test_request_context():
        speak(language)
        surveys = running.surveys()
        with running.database().read() as connection:
            held = processing.held(connection)
            members = staff.members(connection)
        return (
            render_template(
                "privacy/record.md",
                version=__version__,
                made=datetime.now(UTC),
                settings=settings,
                held=held,
                title=lambda slug: text(surveys[slug].definition.title) if slug in surveys else slug,
                sites=lambda slug: _sites(surveys[slug].definition) if slug in surveys else (),
                roles={
                    role: sum(m.active and m.role == role for m in members)
                    for role in sorted({m.role for m in members})
                },
                database=_database(settings),
                queue=_host(settings.queue),
                https=settings.base_url.startswith("https://"),
                secret=_rights(settings.instance / "secret_key"),
                mode_words=mode_words,
                times_words=times_words,
                text=text,
            ).strip()
            + "\n"
        )


def consent_text(app: Flask, survey: Survey, language: str) -> str:
    """What a respondent reads before agreeing, as plain text; what only the author can say, and did not, stands in brackets."""
    with app.test_request_context():
        speak(language)
        page = next(page for page in survey.definition.pages if isinstance(page, ConsentPage))
        blank = _("[to be filled in under [privacy] in survey.toml]")
        told: tuple[Fact, ...] = facts(survey.definition, blank=blank)
        return render_template("privacy/consent.txt", page=page, facts=told).strip() + "\n"


def _database(settings: Settings) -> str:
    url = sa.make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        return _("SQLite, in the file %(path)s (rights %(rights)s)", path=path, rights=_rights(path))
    where = f"{url.host or 'localhost'}/{url.database or ''}"
    coded = dict(url.query).get("sslmode") in {"require", "verify-ca", "verify-full"}
    here = url.host in {None, "", "localhost", "127.0.0.1", "::1"}
    if coded or here:
        return _("PostgreSQL, %(where)s", where=where)
    return _(
        "PostgreSQL, %(where)s; the setting does not ask for encryption on the way (sslmode=verify-full)", where=where
    )


def _host(url: str) -> str:
    """Where a queue is, without its password."""
    return f"{urlsplit(url).scheme}://{urlsplit(url).hostname or ''}" if url else ""


def _rights(path: Path) -> str:
    return oct(os.stat(path).st_mode & 0o777)[2:] if path.exists() else "-"


def _sites(definition: Definition) -> tuple[str, ...]:
    """Hosts that learn of a respondent because the study says so: the panel's, which gets its own name of the respondent back."""
    panel = definition.panel
    addresses = (panel.completed, panel.screened_out, panel.over_quota) if panel else ()
    return tuple(dict.fromkeys(host for address in addresses if (host := urlsplit(address).hostname)))
