"""What lies under an installation: its database brought up to date, backed up, restored, moved."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp import __version__
from wtp.jobs import Place as Jobs
from wtp.settings import Settings, load_settings
from wtp.store import Database, moving, open_database, transfer
from wtp.store import backup as backups
from wtp.store.archive import Archive, Place
from wtp.store.database import revision_of
from wtp.store.transfer import Progress


def place_of(settings: Settings) -> Place:
    """The folders of an installation and this version of the program."""
    return Place(instance=settings.instance, surveys=settings.surveys, program=__version__)


def bring_up_to_date(database: Database, settings: Settings) -> None:
    """Migrate after a backup, and say where it is; quiet if there is nothing to do."""
    kept = backups.upgrade_kept(database, place_of(settings))
    if kept is not None:
        click.echo(f"the database was brought up to date; as it was before: {kept}")


@click.command()
@click.option("--no-backup", is_flag=True, help="Change the database without a backup of it.")
def migrate(no_backup: bool) -> None:
    """Bring the database up to date with this version of the program, after a backup into instance/backups; serve does the same when it starts."""
    settings = load_settings()
    with open_database(*settings.kept_in) as database:
        if no_backup:
            changed = database.migrate(before=lambda _: None)
            click.echo("the database was brought up to date" if changed else "the database is up to date")
            return
        with database.read() as connection:
            before = revision_of(connection)
        bring_up_to_date(database, settings)
        with database.read() as connection:
            now = revision_of(connection)
        click.echo(
            f"the database is up to date: schema {now}" + (f", before {before}" if before not in (None, now) else "")
        )


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="DAYS",
    help="Then delete backups in that folder that are older and that wtp named by itself.",
)
@click.option("--force", is_flag=True, help="Write a file anew that is there.")
def backup(file: Path | None, keep: int | None, force: bool) -> None:
    """Write database, secret key, settings and surveys into one file, while the server runs.

    FILE: a file, or a folder, in which the backup gets a name of its time; by itself instance/backups. Whoever has the file has everything: keep it safe, and on another machine.
    Erased respondents are in old backups: keep those for 30 days (--keep 30), once a day.
    """
    settings = load_settings()
    place, now = place_of(settings), datetime.now(UTC)
    target = file or place.backups
    named = not target.is_dir() and target.suffix != ""
    if named and keep is not None:
        raise click.UsageError("--keep needs a folder, in which backups are named by their time.")
    folder = target.parent if named else target
    with open_database(*settings.kept_in) as database, _bar(database, "backup", 1) as show:
        written = target if named else backups.stamped(folder, "wtp", now)
        manifest = backups.back_up(database, written, place, replace=force, progress=show)
    click.echo(
        f"backup: {written} ({_size(written)}; {manifest.rows} rows, {len(manifest.files)} files, schema {manifest.revision})"
    )
    for old in backups.rotate(folder, keep, now) if keep is not None else ():
        click.echo(f"deleted: {old}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace what is there, after a backup of it into instance/backups.")
def restore(file: Path, replace: bool) -> None:
    """Put a backup into the database of the settings, all or nothing, and bring it up to date; survey files and secret key follow.

    The backup is read through first, and the database is compared with it afterwards. A server that runs goes on with what was restored; start it anew if the secret key changed.
    """
    settings = load_settings()
    with Archive(file) as archive, open_database(*settings.kept_in) as database:
        manifest = archive.manifest
        with _lengthy(3 * manifest.rows, "restore") as show:
            done = backups.restore(database, archive, place_of(settings), replace=replace, progress=show)
    # Fits that were under way had other answers; those that the backup knows of begin anew.
    shutil.rmtree(Jobs(settings.database_url, settings.queue, settings.instance).checkpoints, ignore_errors=True)
    click.echo(
        f"restored: {manifest.rows} rows as of {manifest.made_at:%Y-%m-%d %H:%M} UTC; every table was compared with the backup"
    )
    click.echo("The passwords, roles, rights to studies and second factors of staff are those of that day.")
    click.echo("staff: everybody logs in anew; links that waited are gone: make new ones")
    if done.erased:
        click.echo(f"erased again: {done.erased} persons of the backup, who had their data deleted since it was made")
    for path in done.written:
        click.echo(f"written: {path}")
    if done.beside:
        click.echo(f"the settings in use stay; take over from {done.beside.name} what you need")
    if done.kept:
        click.echo(f"as it was before: {done.kept}")


@click.command()
@click.argument("url", metavar="DATABASE_URL", required=False)
@click.option(
    "--cancel",
    is_flag=True,
    help="Go on with the database of the settings after a move that did not end, or that is not wanted.",
)
def move(url: str | None, cancel: bool) -> None:
    """Copy the database into an empty one: from SQLite to PostgreSQL (postgresql+psycopg://user:...@host/name), or back.

    From its beginning nothing is written into the old one any more: the pages say that they cannot save, until the server runs with the new database.
    """
    if cancel == (url is not None):
        raise click.UsageError("name either the new database, or --cancel.")
    settings = load_settings()
    with open_database(*settings.kept_in) as database:
        if url is None:
            moving.cancel(database)
            click.echo("the database of the settings is in use as before")
            return
        with open_database(url) as target, _bar(database, "move", 2) as show:
            states = moving.move(database, target, progress=show)
    click.echo(
        f"moved: {sum(state.rows for state in states.values())} rows in {len(states)} tables; read again and compared, all are equal"
    )
    click.echo(
        f"now put this line into {settings.instance / 'settings.toml'} in place of any other that begins so, and start the server anew:"
    )
    click.echo(f'database = "{url}"')


@contextmanager
def _bar(database: Database, label: str, times: int) -> Iterator[Progress]:
    """A bar over all rows of a database, each of them so many times."""
    with database.read() as connection:
        revision = revision_of(connection)
        rows = transfer.count(connection, transfer.tables_of(revision)) if revision else 0
    with _lengthy(times * rows, label) as show:
        yield show


@contextmanager
def _lengthy(length: int, label: str) -> Iterator[Progress]:
    """A progress bar on standard error, hidden where nobody watches."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
