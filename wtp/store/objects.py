"""Large contents beside the database: in a folder, or in a store that speaks S3, each named by the hash of what it holds, through fsspec.

A name says what must be found under it, so what is torn, changed or exchanged reads as missing, and equal contents are kept once. Keys and endpoint of an S3 store come from its
usual environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL or a profile) and are in no setting, message or log of this program.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from wtp.errors import StoreError

_BUCKETS = "s3://"
_NAME = 64  # digits of a hash
_NOT_ALLOWED = (
    "results: found {place!r}; allowed: empty for the database, a folder, or s3://bucket/prefix; mend the setting."
)
_NO_CLIENT = "results: the client for S3 is missing; allowed: s3fs; install wtp[s3], or leave the setting empty."
_AWAY = "results: {place} cannot be {done} ({reason}); nothing was saved by this step; bring the store back or mend its rights, then try again."


@dataclass(frozen=True, slots=True)
class Objects:
    """Contents at a place: a folder or s3://bucket/prefix. Raises StoreError for another place, and wherever it is away, full or closed to this program."""

    place: str

    def __post_init__(self) -> None:
        if "://" in self.place and not self.place.startswith(_BUCKETS):
            raise StoreError(_NOT_ALLOWED.format(place=self.place.partition("://")[0] + "://..."))

    def write(self, content: bytes) -> str:
        """Keep a content, whole or not at all; returns its name."""
        name = hashlib.sha256(content).hexdigest()
        with self._opened("written") as (files, root):
            if self.place.startswith(_BUCKETS):
                files.pipe_file(f"{root}/{name}", content)
                return name
            folder = Path(root)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = folder / f".{name}-{os.getpid()}-{os.urandom(4).hex()}"
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(folder / name)
        return name

    def read(self, name: str) -> bytes | None:
        """A content by its name; None where it is missing or is not what its name says."""
        with self._opened("read") as (files, root):
            try:
                content: bytes = files.cat_file(f"{root}/{name}")
            except FileNotFoundError:
                return None
        return content if hashlib.sha256(content).hexdigest() == name else None

    def delete(self, names: Iterable[str]) -> None:
        """Delete contents; those that are not there are no mistake."""
        with self._opened("emptied") as (files, root):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    files.rm_file(f"{root}/{name}")

    def older_than(self, age: timedelta) -> set[str]:
        """Names of what has lain here for so long, drafts of a writer that died among them."""
        before = datetime.now(UTC) - age
        with self._opened("read") as (files, root):
            try:
                listed = files.ls(root, detail=True, refresh=True)
            except FileNotFoundError:
                return set()
            names = {Path(file["name"]).name: file for file in listed if file["type"] == "file"}
            return {
                name for name, file in names.items() if len(name.lstrip(".").partition("-")[0]) == _NAME and _when(file) < before
            }  # fmt: skip

    @contextlib.contextmanager
    def _opened(self, done: str) -> Iterator[tuple[Any, str]]:
        """The file system and the root in it, opened anew: a client with connections of its own may not be used on both sides of a fork."""
        try:
            yield url_to_fs(self.place)
        except ImportError as error:
            raise StoreError(_NO_CLIENT) from error
        except Exception as error:  # of whatever client: rights, network, space
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise StoreError(_AWAY.format(place=self.place, done=done, reason=reason)) from error


def _when(file: dict[str, Any]) -> datetime:
    if "LastModified" in file:
        found: datetime = file["LastModified"]
        return found
    return datetime.fromtimestamp(file["mtime"], UTC)
