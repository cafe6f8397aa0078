"""One zip of many files, written while the tables come in parts: memory does not grow with the number of rows.

Entries carry the zip format's first day, not the clock, so equal answers give equal files.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Protocol

import pandas as pd

_IN_MEMORY = 1_000_000
_LEVEL = 1  # twice as fast as the usual level, files a sixth larger


class TableWriter(Protocol):
    """Takes one table in parts."""

    def write(self, frame: pd.DataFrame) -> None:
        """The next rows."""

    def close(self) -> None:
        """No more rows come; the file itself stays open."""


class Archive:
    """A zip that is being written."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file

    def put(self, name: str, content: bytes | str) -> None:
        """A whole file."""
        self._file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, _LEVEL)

    def put_file(self, name: str, content: IO[bytes], *, packed: bool = False) -> None:
        """A file from its beginning; packed: it cannot be made smaller."""
        content.seek(0)
        with self._file.open(zipfile.ZipInfo(name) if packed else name, "w", force_zip64=True) as target:
            shutil.copyfileobj(content, target, 1 << 20)

    def put_tables(
        self,
        chunks: Iterable[tuple[str, pd.DataFrame]],
        suffix: str,
        writer: Callable[[str, IO[bytes], pd.DataFrame], TableWriter],
        *,
        packed: bool = False,
    ) -> dict[str, int]:
        """A file a table, of parts that may come in any order; returns the rows of each. writer: of name, file and the first part."""
        rows: dict[str, int] = {}
        with ExitStack() as stack:
            files: dict[str, IO[bytes]] = {}
            writers: dict[str, TableWriter] = {}
            for name, frame in chunks:
                if name not in writers:
                    files[name] = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
                    writers[name] = writer(name, files[name], frame)
                writers[name].write(frame)
                rows[name] = rows.get(name, 0) + len(frame)
            for name, content in files.items():
                writers[name].close()
                self.put_file(f"{name}.{suffix}", content, packed=packed)
        return rows


@contextmanager
def archive(file: IO[bytes]) -> Iterator[Archive]:
    """A new zip in a file that is open for writing."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as made:
        yield Archive(made)
