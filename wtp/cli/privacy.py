"""Data protection at the command line: what is stored of a person, and its erasure."""

from __future__ import annotations

import getpass
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp.errors import DataError
from wtp.jobs import clear_away
from wtp.settings import Settings, load_settings
from wtp.store import Database, access, erasure, open_database
from wtp.store.erasure import Erased
from wtp.store.respondents import token_hash
from wtp.survey import load_survey
from wtp.web import create_app, person_file, place_of

_LINK = re.compile(r".*/s/([a-z0-9_-]+)/r/([A-Za-z0-9_.=-]+)/?(?:[?#].*)?")
_STUDY = click.option("--study", metavar="SLUG", help="Only in this study; without it, wherever the token is known.")
_REFERENCE = click.option(
    "--reference",
    is_flag=True,
    help="TOKEN is the name in the list of invitations, in the panel or in an imported file.",
)


def _keys(database: Database, token: str, study: str | None, reference: bool) -> list[tuple[str, str]]:
    """Study and hash of whoever is meant. Raises DataError if nothing is stored of anybody such."""
    if reference and study is None:
        raise DataError(
            "--reference: without a study; allowed: with --study SLUG, since each study has names of its own."
        )
    if (link := _LINK.fullmatch(token)) and not reference:
        study, token = study or link[1], link[2]
    with database.read() as connection:
        if reference:
            found = [(str(study), key) for key in access.reference(connection, str(study), token)]
        else:
            slugs = erasure.find_token(connection, token)
            found = [(slug, token_hash(slug, token)) for slug in slugs if study in {None, slug}]
    if not found:
        raise DataError(
            "nothing is stored of this person; allowed: a token, a personal link, or --reference with a name; look at it again, "
            "or it was erased before."
        )
    return found


@click.command()
@click.argument("token")
@_STUDY
@_REFERENCE
@click.option("--yes", is_flag=True, help="Do not ask again.")
def erase(token: str, study: str | None, reference: bool, yes: bool) -> None:
    """Delete everything of a person, by token or personal link: answers, times, invitation, figures of single persons."""
    settings = load_settings()
    with open_database(settings.database_url) as database:
        database.migrate()
        keys = _keys(database, token, study, reference)
        if not yes:
            click.confirm(
                f"delete everything of {_persons(len(keys))} in {_named(keys)}? It cannot be brought back", abort=True
            )
        gone = erase_keys(database, settings, keys)
    numbers = [str(each.number) for each in gone if each.number is not None]
    jobs = sum(len(each.jobs) for each in gone)
    click.echo(f"erased: {_persons(len(gone))} in {_named(keys)}")
    if numbers:
        click.echo(f"Delete respondent {', '.join(numbers)} in files that you exported before.")
    if jobs:
        click.echo(f"Cancelled background analyses: {jobs}; start them again.")


def erase_keys(database: Database, settings: Settings, keys: Sequence[tuple[str, str]]) -> list[Erased]:
    """Erase persons by study and hash, and what else holds them."""
    with database.begin() as connection:
        now, who = datetime.now(UTC), getpass.getuser()
        said = "everything of one person deleted, on demand, by command"
        made = [erasure.erase_hash(connection, slug, key, who=who, reason=said, now=now) for slug, key in keys]
    gone = [each for each in made if each is not None]
    if not clear_away(database, place_of(settings), [job for each in gone for job in each.jobs]):
        click.echo(
            "The database's log is in use and still holds deleted rows; wtp serve empties it within seconds.", err=True
        )
    return gone


@click.command(name="access")
@click.argument("token")
@_STUDY
@_REFERENCE
@click.option(
    "--language", default="en", show_default=True, type=click.Choice(["en", "de"]), help="Of the readable page."
)
@click.option(
    "--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help=".json or .html"
)
def access_(token: str, study: str | None, reference: bool, language: str, out: Path) -> None:
    """Write everything that is stored of a person, by token or personal link, as JSON or as a readable page."""
    kind = out.suffix.lstrip(".").lower()
    if kind not in {"json", "html"}:
        raise DataError(f"{out}: {out.suffix or 'no ending'}; allowed: .json or .html; name the file so.")
    settings = load_settings()
    with open_database(settings.database_url) as database:
        database.migrate()
        keys = _keys(database, token, study, reference)
    if len(keys) > 1:
        raise DataError(f"{_persons(len(keys))} in {_named(keys)}; allowed: one at a time; add --study SLUG.")
    slug, key = keys[0]
    app = create_app(settings)
    survey = load_survey(settings.surveys / slug)
    out.write_text(person_file(app, survey, key, kind, language), encoding="utf-8")
    click.echo(f"wrote {out}: everything that is stored of one person in {slug}")


def _persons(count: int) -> str:
    return "1 person" if count == 1 else f"{count} persons"


def _named(keys: Sequence[tuple[str, str]]) -> str:
    return ", ".join(dict.fromkeys(slug for slug, _ in keys))
