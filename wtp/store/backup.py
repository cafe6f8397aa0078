"""Backup, restore and upgrade of an installation: what is there is never changed before it is kept, and a step happens whole or not at all.

A restore and an upgrade are one transaction of the database each, with every writer kept waiting; killed in between, the old state stands. Files follow when the database has
committed, each moved to its place whole: whoever was killed there runs the command again.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from wtp.errors import StoreError
from wtp.store import erasure, results, staff_restored
from wtp.store.archive import SETTINGS, Archive, Manifest, Place, write_archive, write_whole
from wtp.store.database import Database, head, holding, lock, refuse_foreign, revision_of, upgrade
from wtp.store.moving import thaw
from wtp.store.transfer import Progress, drop, load, nobody_watches

KEPT_DAYS = 30
_STAMP = "%Y-%m-%dT%H%M%S.%fZ"
_OWN = re.compile(r"(wtp|before-\w+)-(\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z)\.zip")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did: from which backup, where what was there before is kept, which files it wrote, where it put the backup's settings if they are not in use, and of how many persons it erased again what the backup still held."""

    manifest: Manifest
    kept: Path | None
    written: tuple[Path, ...]
    beside: Path | None
    erased: int = 0


def stamped(folder: Path, what: str, now: datetime) -> Path:
    """The name of a backup that the program gives by itself; `rotate` knows it again."""
    return folder / f"{what}-{now.astimezone(UTC).strftime(_STAMP)}.zip"


def rotate(folder: Path, days: int, now: datetime) -> list[Path]:
    """Delete backups of more than so many days that the program named by itself, never the newest of the regular ones, and what killed ones left. Returns what was deleted."""
    old = [path for path in folder.glob(".*.part") if path.stat().st_mtime < (now - timedelta(days=1)).timestamp()]
    found = {path: match for path in sorted(folder.glob("*.zip")) if (match := _OWN.fullmatch(path.name))}
    newest = [path for path, match in found.items() if match[1] == "wtp"][-1:]
    for path, match in found.items():
        made_at = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
        if now - made_at > timedelta(days=days) and path not in newest:
            old.append(path)
    for path in old:
        path.unlink(missing_ok=True)
    return old


def times(folder: Path) -> list[datetime]:
    """When the regular backups of a folder were made that the program named by itself, the oldest first."""
    found = sorted(path.name for path in folder.glob("wtp-*.zip"))
    return [
        datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC) for name in found if (match := _OWN.fullmatch(name))
    ]


def back_up(
    database: Database, target: Path, place: Place, *, replace: bool = False, progress: Progress = nobody_watches
) -> Manifest:
    """Write everything that was answered before now, as one consistent state, while answers go on being given."""
    with database.read() as connection:
        refuse_foreign(connection)
        return write_archive(connection, target, place, replace=replace, progress=progress)


def upgrade_kept(database: Database, place: Place, *, progress: Progress = nobody_watches) -> Path | None:
    """Bring the schema up to date, as `Database.migrate`, after a backup of a database that holds something. Returns where that is, None if nothing was to be kept."""
    kept: list[Path] = []

    def keep(connection: sa.Connection) -> None:
        kept.append(_keep(connection, place, f"before-{head()}", progress))

    database.migrate(before=keep)
    return kept[0] if kept else None


def restore(
    database: Database, archive: Archive, place: Place, *, replace: bool = False, progress: Progress = nobody_watches
) -> Restored:
    """Put a backup into a database, all or nothing, bring it up to date, erase again whoever was erased since it was made, and end what staff got in with.

    replace: whether what is there may be replaced; a backup of it is made first. Raises StoreError, with nothing changed, if the database or a file is in the way, or
    if what arrived is not to the last byte what was read.
    """
    archive.verify(progress)
    plan = _plan(archive, place)
    if plan.differing and not replace:
        found = ", ".join(str(path) for path in plan.differing[:_MOST_NAMED])
        raise StoreError(
            f"{found}: other than in the backup; allowed: missing, or the same; move away what is there, or add --replace, which makes a backup first."
        )
    kept = None
    with database.begin() as connection:
        lock(connection)
        refuse_foreign(connection)
        if held := holding(connection):
            if not replace:
                raise StoreError(
                    "database: holds something already; allowed: an empty one; name another one in settings.toml, or add --replace, which makes a backup first."
                )
            lock(connection, held)
        if held or plan.differing:
            if revision_of(connection) is None:
                upgrade(connection, head())
            kept = _keep(connection, place, "before-restore", nobody_watches)
        before, ended = erasure.listed(connection), staff_restored.ended(connection)
        thaw(connection)
        drop(connection, revision_of(connection))
        came = load(connection, archive.manifest.revision, lambda table: archive.lines(table.name), progress)
        if came != archive.manifest.tables:
            raise StoreError(
                f"{archive.path}: changed while it was read; allowed: a file at rest; nothing was changed; try again."
            )
        upgrade(connection, head())
        for name in archive.manifest.results:
            results.bring_back(connection, name, archive.result(name))
        erased = erasure.apply_again(connection, place.instance, before)
        staff_restored.end_again(connection, ended, made_at=archive.manifest.made_at, now=datetime.now(UTC))
    with database.read() as connection:
        erasure.keep_list(connection, place.instance)
    database.empty_log()
    for path, content in plan.writes.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, 0o600 if path.parent == place.instance else 0o644)
    return Restored(manifest=archive.manifest, kept=kept, written=tuple(plan.writes), beside=plan.beside, erased=erased)


def _keep(connection: sa.Connection, place: Place, what: str, progress: Progress) -> Path:
    now = datetime.now(UTC)
    target = stamped(place.backups, what, now)
    write_archive(connection, target, place, progress=progress)
    rotate(place.backups, KEPT_DAYS, now)
    return target


@dataclass(frozen=True, slots=True)
class _Plan:
    """Files to write, those of them that are there and differ, and the settings that are written beside those in use."""

    writes: dict[Path, bytes]
    differing: tuple[Path, ...]
    beside: Path | None


def _plan(archive: Archive, place: Place) -> _Plan:
    """What to do with the files of a backup. The settings in use stay: they say where the database is that is restored, and the backup's may name another one."""
    writes: dict[Path, bytes] = {}
    differing: list[Path] = []
    beside = None
    for name in archive.manifest.files:
        path, content = archive.path_in(place, name), archive.file(name)
        there = path.read_bytes() if path.is_file() else None
        if there == content:
            continue
        if name == SETTINGS and (there is not None or _names_database(content)):
            path = beside = path.with_name(f"{path.name}.from-backup")
        elif there is not None:
            differing.append(path)
        writes[path] = content
    return _Plan(writes, tuple(differing), beside)


def _names_database(settings: bytes) -> bool:
    try:
        return "database" in tomllib.loads(settings.decode())
    except ValueError:
        return True
