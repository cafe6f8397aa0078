"""The file of a backup: one zip for both kinds of database, with a member of JSON lines for each table, the files that an installation cannot do without, and a manifest.

It is written beside its place and moved there when it is whole and on the disk, so a half backup never stands under its name. Only its owner may read it: it holds the
secret key and everything that was answered.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

import sqlalchemy as sa

from wtp.errors import StoreError
from wtp.store import results, tables
from wtp.store.database import revision_of, revisions
from wtp.store.transfer import Digest, Lines, Progress, TableState, nobody_watches, read_lines, tables_of, told

_FORMAT = 1
_MANIFEST = "manifest.json"
_LEVEL = 3  # of compression: 6 takes three times as long for a tenth less
SECRET, SETTINGS = "instance/secret_key", "instance/settings.toml"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, NotImplementedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folders of an installation, and the version of the program that runs there."""

    instance: Path
    surveys: Path
    program: str

    @property
    def backups(self) -> Path:
        """Where backups lie that nobody named a place for."""
        return self.instance / "backups"

    def files(self) -> dict[str, Path]:
        """What an installation cannot do without beside its database, by the names that it has in a backup."""
        found = {name: self.path_of(name) for name in (SECRET, SETTINGS)}
        found |= {f"surveys/{path.relative_to(self.surveys).as_posix()}": path for path in self.surveys.rglob("*")}
        return {name: path for name, path in sorted(found.items()) if path.is_file()}

    def path_of(self, name: str) -> Path:
        """Where a file of a backup belongs. Raises ValueError for a name that leads out of the folders."""
        top, *rest = PurePosixPath(name).parts
        folders = {"instance": self.instance, "surveys": self.surveys}
        if top not in folders or not rest or ".." in rest:
            raise ValueError(f"{name} leads elsewhere")
        return folders[top].joinpath(*rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds: by the version of which program, of which schema, from which kind of database, from when; of each table its rows and their digest, of each file its SHA-256, and the contents of results that lie outside the database, whose names are their SHA-256."""

    program: str
    revision: str
    database: str
    made_at: datetime
    tables: Mapping[str, TableState]
    files: Mapping[str, str]
    results: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(state.rows for state in self.tables.values())

    def to_json(self) -> str:
        """As it stands in the file."""
        record = asdict(self) | {"format": _FORMAT, "made_at": self.made_at.isoformat()}
        return json.dumps(record, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError if it did not."""
        record = json.loads(text)
        if (written := record.pop("format")) != _FORMAT:
            raise ValueError(f"format {written}, written by wtp {record.get('program')}")
        record["made_at"] = datetime.fromisoformat(record["made_at"])
        record["tables"] = {name: TableState(**state) for name, state in record["tables"].items()}
        record["results"] = tuple(record["results"])
        return cls(**record)


def write_archive(
    connection: sa.Connection, target: Path, place: Place, *, replace: bool = False, progress: Progress = nobody_watches
) -> Manifest:
    """Write what the connection's transaction sees, and the files as they are now, to `target`.

    replace: whether a file that is there is written anew. Raises StoreError if it cannot be written; nothing stands under its name then.
    """
    if target.exists() and not replace:
        raise StoreError(f"{target}: is there already; allowed: a new file; name another one, or add --force.")
    revision = revision_of(connection)  # the first look at a table: it fixes what the transaction sees
    if revision is None:
        raise StoreError("database: empty; allowed: one with a schema; there is nothing to back up yet.")
    made_at = datetime.now(UTC)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            _beside(target) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
        ):
            files = {name: digest for name, path in place.files().items() if (digest := _add_file(archive, name, path))}
            manifest = Manifest(
                program=place.program,
                revision=revision,
                database=connection.dialect.name,
                made_at=made_at,
                tables={table.name: _add_table(archive, connection, table, progress) for table in tables_of(revision)},
                files=files,
                results=tuple(_add_results(archive, connection, revision)),
            )
            archive.writestr(_MANIFEST, manifest.to_json())
    except OSError as error:
        raise StoreError(
            f"{target}: {error.strerror}; allowed: a file in a folder with space that can be written; free space or choose another."
        ) from error
    return manifest


class Archive:
    """A backup that is read; a context manager that closes it."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError if it is no backup, or if its schema is not known."""
        self.path = path
        with self._in_words():
            self._zip = zipfile.ZipFile(path)
        try:
            with self._in_words():
                self.manifest = Manifest.from_json(self._zip.read(_MANIFEST))
                self._refuse_unknown()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def lines(self, table: str) -> Lines:
        """Every row of a table, as `transfer.read_lines` gave it."""
        with self._in_words(), self._zip.open(_member(table)) as member:
            for line in member:
                yield line.rstrip(b"\n")

    def file(self, name: str) -> bytes:
        """The content of a file."""
        with self._in_words():
            return self._zip.read(name)

    def result(self, name: str) -> bytes:
        """The content of a result that lay outside the database."""
        return self.file(_result(name))

    def path_in(self, place: Place, name: str) -> Path:
        """Where a file belongs."""
        with self._in_words():
            return place.path_of(name)

    def verify(self, progress: Progress = nobody_watches) -> None:
        """Read it through. Raises StoreError if a row or a file is not what the manifest says."""
        with self._in_words():
            for table in tables_of(self.manifest.revision):
                digest = Digest()
                with told(self.lines(table.name), progress) as lines:
                    for line in lines:
                        digest.add(line)
                if digest.state != self.manifest.tables[table.name]:
                    raise ValueError(f"table {table.name}: not the rows that were written")
            for name, written in self.manifest.files.items():
                if hashlib.sha256(self._zip.read(name)).hexdigest() != written:
                    raise ValueError(f"{name}: not what was written")
            for name in self.manifest.results:
                if hashlib.sha256(self.result(name)).hexdigest() != name:
                    raise ValueError(f"result {name}: not what was written")

    def _refuse_unknown(self) -> None:
        revision = self.manifest.revision
        if revision not in revisions():
            raise StoreError(
                f"{self.path}: schema {revision}, written by wtp {self.manifest.program}; allowed: up to {revisions()[0]}; install that version of wtp or a newer one."
            )
        if self.manifest.tables.keys() != {table.name for table in tables_of(revision)}:
            raise ValueError("tables of another schema")

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise StoreError(f"{self.path}: no such file; allowed: a file that wtp backup wrote; name it.") from error
        except (*_BROKEN, OSError) as error:
            raise StoreError(
                f"{self.path}: not a whole backup ({error}); allowed: a file that wtp backup wrote; nothing was changed; take another one."
            ) from error


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


def _result(name: str) -> str:
    return f"results/{name}"


def _add_results(archive: zipfile.ZipFile, connection: sa.Connection, revision: str) -> Iterator[str]:
    """Names of the contents of results that lie outside the database."""
    if not any("object" in table.columns for table in tables_of(revision) if table.name == tables.result.name):
        return  # a schema of the time when all of them were in it
    for name, content in results.contents(connection):
        archive.writestr(_result(name), content)
        yield name


def _add_table(archive: zipfile.ZipFile, connection: sa.Connection, table: sa.Table, progress: Progress) -> TableState:
    digest = Digest()
    with (
        archive.open(_member(table.name), "w", force_zip64=True) as member,
        told(read_lines(connection, table), progress) as lines,
    ):
        for line in lines:
            digest.add(line)
            member.write(line + b"\n")
    return digest.state


def _add_file(archive: zipfile.ZipFile, name: str, path: Path) -> str | None:
    """Its SHA-256, or None if it is gone: drafts go when they are published."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    archive.writestr(name, content)
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is there whole or not at all."""
    with _beside(path) as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that gets its name when it is whole and on the disk, or is deleted."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        raise
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:  # its name is to be on the disk too
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
