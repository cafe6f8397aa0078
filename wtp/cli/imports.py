"""Answers of other programs into a study of ours."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp.cli.customer_files import import_contacts, import_purchases
from wtp.cli.problems import tell, write
from wtp.cli.studies import FOLDER
from wtp.errors import DataError
from wtp.imports import Checked, File, Mapping, check, guess, mapping_of, read_path
from wtp.imports.mapping import LAYOUTS
from wtp.settings import load_settings
from wtp.store import imports, open_database, studies
from wtp.survey import Survey, load_survey


@click.command("import")
@FOLDER
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    help="A row an alternative (long: also Sawtooth, Conjointly), a choice task, or a respondent (also Qualtrics); guessed without it.",
)
@click.option(
    "--map",
    "map_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A mapping that was saved, as TOML or JSON.",
)
@click.option(
    "--save-map", metavar="FILE", type=click.Path(path_type=Path), help="Write the mapping that was used, to change it."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be added and what is wrong; nothing is written.")
@click.option(
    "--problems", metavar="FILE", type=click.Path(path_type=Path), help="Write every problem with its row, as CSV."
)
@click.option("--simulated", is_flag=True, help="These are no answers of real persons.")
@click.option(
    "--contacts",
    is_flag=True,
    help="The file holds contacts with customers, a row each; only --dry-run, --problems and --simulated go with it.",
)
@click.option("--purchases", is_flag=True, help="The file holds purchases of customers, a row each; likewise.")
def import_(
    folder: Path,
    path: Path,
    layout: str | None,
    map_path: Path | None,
    save_map: Path | None,
    dry_run: bool,
    problems: Path | None,
    simulated: bool,
    contacts: bool,
    purchases: bool,
) -> None:
    """Add choices and answers of another program, or contacts or purchases of customers, to a study, all of a file or nothing.

    FILE: CSV, XLSX, Sawtooth's .cho or .chs, or the zip of an export of ours; of contacts and purchases CSV or XLSX.
    """
    survey, file = load_survey(folder), read_path(path)
    if contacts or purchases:
        if layout or map_path or save_map or (contacts and purchases):
            raise click.UsageError("--contacts and --purchases go with --dry-run, --problems and --simulated alone; leave the others out.")  # fmt: skip
        import_rows = import_contacts if contacts else import_purchases
        return import_rows(survey, file, dry_run=dry_run, problems=problems, simulated=simulated)
    mapping = _mapping(map_path) if map_path else guess(file, survey.definition, layout or "")
    if save_map:
        write(save_map, mapping.to_toml().encode())
        click.echo(f"mapping written: {save_map}")
    with open_database(*load_settings().kept_in) as database:
        database.migrate()
        with database.read() as connection:
            known = imports.known(connection, survey.slug)
        found = check(survey, file, mapping, known=known, simulated=simulated)
        _tell(survey, file, mapping, found, problems)
        if dry_run:
            click.echo("dry run: nothing was written.")
            return
        now = datetime.now(UTC)
        with database.begin() as connection:
            studies.register(connection, survey)
            number = imports.keep(
                connection,
                survey.slug,
                name=file.name,
                digest=file.digest,
                content=b"",
                mapping=mapping.to_toml(),
                made_by=getpass.getuser(),
                now=now,
            )
            made = imports.commit(connection, survey, number, found.people, who=getpass.getuser(), now=now)
    click.echo(
        f"imported: {made.respondents} respondents, {made.choices} choices, {made.answers} answers ({made.label})"
    )


def _mapping(path: Path) -> Mapping:
    try:
        return mapping_of(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}; allowed: a mapping as TOML or JSON; check the name.") from error


def _tell(survey: Survey, file: File, mapping: Mapping, found: Checked, target: Path | None) -> None:
    """What was understood and found. Raises DataError if the file cannot be imported."""
    how = ", ".join(part for part in (file.kind, file.encoding, mapping.layout) if part)
    click.echo(
        f"{file.name} ({how}): {len(found.people)} respondents to add, {found.simulated} of them simulated, {found.choices} choices, {found.answers} answers"
    )
    tell(found.problems, found.gathered, target)
    if found.errors:
        raise DataError(
            f"{file.name}: {found.errors} problems; nothing was added to {survey.slug}; mend them, or say in --map what values mean."
        )
