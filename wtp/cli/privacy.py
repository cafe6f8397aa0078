"""Data protection at the command line: what is stored of a person, and its erasure."""

from __future__ import annotations

import getpass
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp.errors import DataError, StoreError
from wtp.jobs import clear_away
from wtp.settings import Settings, load_settings
from wtp.store import Database, access, erasure, open_database, retention, roles
from wtp.store.erasure import Erased
from wtp.store.respondents import token_hash
from wtp.store.retention import Time
from wtp.survey import load_survey
from wtp.web import consent_text, create_app, person_file, place_of, record_of_processing

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
    with open_database(*settings.kept_in) as database:
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
    "--lang", "language", default="en", show_default=True, type=click.Choice(["en", "de"]), help="Of the readable page."
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
    with open_database(*settings.kept_in) as database:
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


@click.command(name="retention")
@click.option("--dry-run", is_flag=True, help="Only tell what would be deleted.")
def retention_(dry_run: bool) -> None:
    """Delete what is due by the times of each study ([privacy] in survey.toml); wtp serve does it once a day."""
    settings, now = load_settings(), datetime.now(UTC)
    with open_database(*settings.kept_in) as database:
        database.migrate()
        if dry_run:
            with database.read() as connection:
                found = retention.times(connection)
        else:
            with database.begin() as connection:
                due = retention.run(connection, now)
            clear_away(database, place_of(settings))
            with database.read() as connection:
                found = (
                    *due,
                    *(
                        each
                        for each in retention.times(connection)
                        if (each.study, each.what) not in {(d.study, d.what) for d in due}
                    ),
                )
    if not found:
        click.echo(
            "No study says when anything is to be deleted; allowed: contacts_days and answers_months under [privacy] in survey.toml."
        )
    for each in sorted(found, key=lambda one: (one.study, one.what)):
        click.echo(f"{each.study}: {each.what}: {_said(each, now, dry_run)}")


def _said(time: Time, now: datetime, dry_run: bool) -> str:
    unit = "days" if time.what == "contacts" else "months"
    if time.due is None:
        return f"{time.after} {unit} after the study is closed; it is not closed"
    if time.is_due(now):
        return f"{_persons(time.count)} {'would be ' if dry_run else ''}deleted, due since {time.due:%Y-%m-%d}"
    if time.due <= now:
        return f"nothing left since {time.due:%Y-%m-%d}"
    return f"{_persons(time.count)}, due on {time.due:%Y-%m-%d}"


_LANG = click.option("--lang", "language", default="en", show_default=True, type=click.Choice(["en", "de"]))
_OUT = click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Instead of printing it."
)


@click.group()
def privacy() -> None:
    """Papers of data protection, from the real settings of this installation, and the analysts' role in its database."""


@privacy.command("record")
@_LANG
@_OUT
def privacy_record(language: str, out: Path | None) -> None:
    """The record of processing (Art. 30 and 32 GDPR) as Markdown: what, data flow, times, measures, per study."""
    _give(record_of_processing(create_app(load_settings()), language), out)


@privacy.command("consent")
@click.argument("folder", metavar="surveys/<slug>", type=click.Path(path_type=Path))
@_LANG
@_OUT
def privacy_consent(folder: Path, language: str, out: Path | None) -> None:
    """The text of consent of a study with its real facts; what is still to be said stands in brackets."""
    survey = load_survey(folder)
    _give(consent_text(create_app(load_settings()), survey, language), out)


@privacy.command("role")
def privacy_role() -> None:
    """Make or renew PostgreSQL's role for analysts: it reads answers, tasks, designs and results; no contacts, no tokens, no staff, no log, and writes nothing.

    Its name is that of the database with _analyst. Run it as often as you like; wtp migrate renews it too. SQLite has no roles.
    """
    with open_database(*load_settings().kept_in) as database:
        with database.read() as connection:
            roles.look(connection)  # SQLite is refused before anything is changed
        database.migrate()
        with database.begin() as connection:
            new = roles.make(connection)
            role = roles.look(connection)
    click.echo(f"role {role.name}: {'made' if new else 'renewed'}")
    click.echo(f"reads: {', '.join(sorted(roles.SEEN))}")
    hidden = [f"{table}.{column}" for table, columns in roles.SEEN.items() for column in columns]
    click.echo(f"without: {', '.join(sorted(hidden))}; and nothing of {', '.join(sorted(roles.KEPT_FROM))}")
    click.echo(
        f'give it to a login of your own: GRANT "{role.name}" TO name; answers in free text may still name somebody'
    )
    for more in role.too_much:
        click.echo(f"more than it should: {more}", err=True)
    if role.too_much:
        raise StoreError(
            f"role {role.name}: rights that it has from elsewhere; allowed: those above alone; take them away (REVOKE ... FROM, also FROM PUBLIC), then run this again."
        )


def _give(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"wrote {out}")
