"""Purchases of customers from a file into a study."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp.cli.problems import tell
from wtp.errors import DataError
from wtp.imports import File, read_purchases
from wtp.settings import load_settings, secret_key
from wtp.store import open_database, purchases, studies
from wtp.store.purchases import Purchase
from wtp.survey import Survey


def import_purchases(survey: Survey, file: File, *, dry_run: bool, problems: Path | None, simulated: bool) -> None:
    """Add the purchases of a file, all or nothing. Raises DataError if anything is wrong."""
    now = datetime.now(UTC)
    found = read_purchases(file, survey.definition, now.date())
    named = found.frame["customer"].nunique() if found.sound else 0
    click.echo(f"{file.name}: {len(found.frame)} purchases to add, {named} customers named")
    tell(found.problems, found.problems, problems)
    if not found.sound:
        raise DataError(f"{file.name}: problems; nothing was added to {survey.slug}; mend them.")
    if dry_run:
        click.echo("dry run: nothing was written.")
        return
    settings = load_settings()
    with open_database(settings.database_url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
            made = purchases.import_file(
                connection,
                survey.slug,
                [Purchase(**row) for row in found.rows],
                name=file.name,
                digest=file.digest,
                who=getpass.getuser(),
                now=now,
                secret=secret_key(settings).hex(),
                simulated=simulated,
            )
    click.echo(f"imported: {made.rows} purchases ({file.name}, {file.digest[:8]})")
