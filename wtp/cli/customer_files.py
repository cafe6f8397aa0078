"""Contacts with customers, or purchases of theirs, from a file into a study."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from wtp.cli.problems import tell
from wtp.errors import DataError
from wtp.imports import CheckedContacts, File, Purchases, check_contacts, read_purchases
from wtp.settings import load_settings, secret_key
from wtp.store import contacts, open_database, purchases, studies
from wtp.store.contacts import Contact
from wtp.store.customer_files import Imported
from wtp.store.purchases import Purchase
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
    _tell(survey, file, found, "contacts", problems)
    _add(survey, file, [Contact(**row) for row in found.rows], "contacts", contacts.import_file, dry_run, simulated)


def import_purchases(survey: Survey, file: File, *, dry_run: bool, problems: Path | None, simulated: bool) -> None:
    """Add the purchases of a file, all or nothing. Raises DataError if anything is wrong."""
    found = read_purchases(file, survey.definition, datetime.now(UTC).date())
    _tell(survey, file, found, "purchases", problems)
    _add(survey, file, [Purchase(**row) for row in found.rows], "purchases", purchases.import_file, dry_run, simulated)


def _tell(survey: Survey, file: File, found: CheckedContacts | Purchases, what: str, target: Path | None) -> None:
    """What was found. Raises DataError if the file cannot be imported."""
    click.echo(f"{file.name}: {len(found.rows)} {what} to add, {found.customers} customers named")
    tell(found.problems, found.gathered, target)
    if found.errors:
        raise DataError(f"{file.name}: {found.errors} problems; nothing was added to {survey.slug}; mend them.")


def _add(
    survey: Survey, file: File, rows: list[Any], what: str, store: Callable[..., Imported], dry_run: bool, simulated: bool
) -> None:  # fmt: skip
    if dry_run:
        click.echo("dry run: nothing was written.")
        return
    settings = load_settings()
    with open_database(*settings.kept_in) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
            made = store(
                connection,
                survey.slug,
                rows,
                name=file.name,
                digest=file.digest,
                who=getpass.getuser(),
                now=datetime.now(UTC),
                secret=secret_key(settings).hex(),
                simulated=simulated,
            )
    click.echo(f"imported: {made.rows} {what} ({file.name}, {file.digest[:8]})")
