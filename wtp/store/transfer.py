"""Tables out of one database and into another, row by row and exactly as they are, whichever kind of database either is.

A row becomes a line of JSON with its columns in the order of the schema. The digest of a table is the sum of the SHA-256 of its lines modulo 2^256: the same in whatever order a
database gives its rows, so that two databases can be compared without sorting a table. What a schema holds is asked of its migrations, so that this works for every schema
that was ever released. JSON is carried as the text that was stored, and never read.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from wtp.errors import StoreError
from wtp.store.columns import UtcDateTime
from wtp.store.database import REVISION_TABLE, names_of, upgrade

Progress = Callable[[int], None]
Lines = Generator[bytes, None, None]
_MODULUS = 2**256
_BATCH, _BATCH_OF_LONG = 1000, 20  # rows; those with files, definitions and results may have megabytes each


def nobody_watches(_: int) -> None:
    """A progress that is shown nowhere; others are told how many rows were done since."""


@dataclass(frozen=True, slots=True)
class TableState:
    """How many rows a table has, and their digest."""

    rows: int
    digest: str


class Digest:
    """Counts lines and sums them up."""

    def __init__(self) -> None:
        self._rows, self._sum = 0, 0

    def add(self, line: bytes) -> None:
        """One more line, without its end."""
        self._rows += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest())

    @property
    def state(self) -> TableState:
        """Of the lines until now."""
        return TableState(self._rows, f"{self._sum % _MODULUS:064x}")


class _JsonText(sa.types.UserDefinedType[str]):
    """JSON as the text that is stored, so that nothing is lost on the way: neither NULL against null, nor digits, nor order."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        return sa.cast(column, sa.Text)


@functools.cache
def tables_of(revision: str) -> tuple[sa.Table, ...]:
    """The tables of a schema, each after those that it refers to."""
    metadata = sa.MetaData()
    sa.event.listen(metadata, "column_reflect", _make_portable)
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection, revision)
        metadata.reflect(connection, only=names_of(connection))
    engine.dispose()
    return tuple(metadata.sorted_tables)


def _make_portable(_inspector: Any, _table: sa.Table, column: Any) -> None:
    column["info"] = {"long": isinstance(column["type"], sa.LargeBinary | sa.Text)}
    column["type"] = _portable(column["type"])


def _portable(of: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    kinds: tuple[tuple[type, sa.types.TypeEngine[Any]], ...] = (
        (sa.JSON, _JsonText()),
        (sa.Boolean, sa.Boolean()),
        (sa.Integer, sa.BigInteger()),
        (sa.Float, sa.Float(53)),
        (sa.DateTime, UtcDateTime()),
        (sa.Date, sa.Date()),
        (sa.LargeBinary, sa.LargeBinary()),
        (sa.String, sa.Text()),
    )
    return next(portable for kind, portable in kinds if isinstance(of, kind))


def count(connection: sa.Connection, tables: Iterable[sa.Table]) -> int:
    """Rows of these tables together."""
    return sum(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables)


def read_lines(connection: sa.Connection, table: sa.Table) -> Lines:
    """Every row as a line without its end, by the primary key. Close it if it is not read to its end: SQLite's connection could do little else before."""
    query = sa.select(table).order_by(*table.primary_key).execution_options(yield_per=_batch(table))
    codecs = [(place, encode) for place, column in enumerate(table.columns) if (encode := _encoder(column.type))]
    with connection.execute(query) as found:
        for row in map(list, found):
            for place, encode in codecs:
                if row[place] is not None:
                    row[place] = encode(row[place])
            yield json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def write_lines(
    connection: sa.Connection, table: sa.Table, lines: Iterable[bytes], progress: Progress = nobody_watches
) -> None:
    """Add the rows of these lines. Raises StoreError if one does not fit into the table."""
    names = [column.name for column in table.columns]
    codecs = [(column.name, decode) for column in table.columns if (decode := _decoder(column.type))]
    waiting = iter(lines)
    while batch := list(islice(waiting, _batch(table))):
        rows = [dict(zip(names, json.loads(line), strict=True)) for line in batch]
        for row in rows:
            for name, decode in codecs:
                if row[name] is not None:
                    row[name] = decode(row[name])
        try:
            connection.execute(sa.insert(table), rows)
        except (sa.exc.DataError, sa.exc.IntegrityError) as error:
            reason = next(iter(str(error.orig).strip().splitlines()), "refused")
            raise StoreError(
                f"table {table.name}: a row does not fit ({reason}); allowed: rows that this kind of database can hold; nothing was changed."
            ) from error
        progress(len(rows))


def state_of(connection: sa.Connection, table: sa.Table, progress: Progress = nobody_watches) -> TableState:
    """Read a table through and sum it up."""
    digest = Digest()
    with told(read_lines(connection, table), progress) as lines:
        for line in lines:
            digest.add(line)
    return digest.state


@contextmanager
def told(lines: Lines, progress: Progress) -> Iterator[Iterator[bytes]]:
    """The same lines, closed at the end; progress hears of them in hundreds, since a bar that moves for each costs more than the row."""

    def passing() -> Iterator[bytes]:
        while batch := list(islice(lines, 100)):
            yield from batch
            progress(len(batch))

    with closing(lines):
        yield passing()


def load(
    connection: sa.Connection,
    revision: str,
    lines_of: Callable[[sa.Table], Lines],
    progress: Progress = nobody_watches,
) -> dict[str, TableState]:
    """Make the tables of a schema in an empty database, fill them, and read them again: the state of each.

    lines_of: the rows of a table, as `read_lines` gives them. Raises StoreError if what is read again is not to the last byte what came.
    """
    upgrade(connection, revision)
    for table in reversed(tables_of(revision)):  # what its migrations put in comes with the rows
        if count(connection, [table]):
            connection.execute(sa.delete(table))
    came = {table.name: _fill(connection, table, lines_of(table), progress) for table in tables_of(revision)}
    for table in tables_of(revision):
        if (arrived := state_of(connection, table, progress)) != came[table.name]:
            raise StoreError(
                f"table {table.name}: {arrived.rows} rows arrived that are not the {came[table.name].rows} that came; nothing was changed; please report this."
            )
    _count_on(connection, tables_of(revision))
    return came


def drop(connection: sa.Connection, revision: str | None) -> None:
    """Drop the tables of a schema with their triggers, and what says that they are there."""
    if revision is None:
        return
    names = [table.name for table in tables_of(revision)]
    functions = _trigger_functions(connection, names)
    for name in (*reversed(names), REVISION_TABLE):
        sa.Table(name, sa.MetaData()).drop(connection)
    for function in functions:
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


def _trigger_functions(connection: sa.Connection, names: Sequence[str]) -> Sequence[str]:
    """What PostgreSQL's triggers call, which stays when their tables go; SQLite's triggers are of one piece."""
    if connection.dialect.name != "postgresql":
        return ()
    query = sa.text(
        "SELECT DISTINCT CAST(CAST(tgfoid AS regprocedure) AS text) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE NOT tgisinternal AND relnamespace = CAST(current_schema() AS regnamespace) AND relname = ANY(:names)"
    )
    return connection.execute(query, {"names": list(names)}).scalars().all()


def _fill(connection: sa.Connection, table: sa.Table, lines: Lines, progress: Progress) -> TableState:
    digest = Digest()

    def passing() -> Iterator[bytes]:
        for line in lines:
            digest.add(line)
            yield line

    with closing(lines):
        write_lines(connection, table, passing(), progress)
    return digest.state


def _count_on(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Let PostgreSQL count numbers of new rows on from those that are there; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if [column.name for column in table.primary_key] == ["id"]:
            newest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, "id")
            connection.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(newest, 1), newest.is_not(None))))


def _batch(table: sa.Table) -> int:
    return _BATCH_OF_LONG if any(column.info["long"] for column in table.columns) else _BATCH


def _encoder(of: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(of, UtcDateTime | sa.Date):
        return lambda value: value.isoformat()
    if isinstance(of, sa.LargeBinary):
        return lambda value: b64encode(value).decode()
    if isinstance(of, sa.Float):
        # SQLite knows no negative zero; adding zero makes it one.
        return lambda value: value + 0.0 if math.isfinite(value) else repr(float(value))
    return None


def _decoder(of: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(of, UtcDateTime):
        return lambda value: datetime.fromisoformat(value).astimezone(UTC)
    if isinstance(of, sa.Date):
        return date.fromisoformat
    if isinstance(of, sa.LargeBinary):
        return b64decode
    if isinstance(of, sa.Float):
        return float
    return None
