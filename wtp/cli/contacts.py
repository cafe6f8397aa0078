"""Contacts with customers from a file into a study."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp.cli.problems import tell
from wtp.errors import DataError
from wtp.imports import File, check_contacts
from wtp.settings import load_settings, secret_key
from wtp.store import contacts, open_database, studies
from wtp.store.contacts import Contact
from wtp.survey import Survey
from wtp.survey.contacts import contact_codes


def import_contacts(survey: Survey, file: File, *, dry_run: bool, problems: Path | None, simulated: bool) -> None:
    """Add the contacts of a file, all or nothing. Raises DataError if the study has no codes for them, or anything is wrong."""
    codes = contact_codes(survey.definition)
    if codes is None:
        raise DataError(
            f"{survey.folder}/survey.toml, contacts: nothing; allowed: a table [contacts] with channels and reasons; add it."
        )
    found = check_contacts(codes, file)
    click.echo(f"{file.name}: {len(found.rows)} contacts to add, {found.customers} customers named")
    tell(found.problems, found.gathered, problems)
    if found.errors:
        raise DataError(f"{file.name}: {found.errors} problems; nothing was added to {survey.slug}; mend them.")
    if dry_run:
        click.echo("dry run: nothing was written.")
        return
    settings = load_settings()
    with open_database(settings.database_url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
            made = contacts.import_file(
                connection,
                survey.slug,
                [Contact(**row) for row in found.rows],
                name=file.name,
                digest=file.digest,
                who=getpass.getuser(),
                now=datetime.now(UTC),
                secret=secret_key(settings).hex(),
                simulated=simulated,
            )
    click.echo(f"imported: {made.rows} contacts ({file.name}, {file.digest[:8]})")
