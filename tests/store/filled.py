"""Every table of a schema full of rows that are made from the schema alone, so that it needs no old program to fill an old one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from wtp.store import Database
from wtp.store.columns import UtcDateTime
from wtp.store.database import revision_of, upgrade
from wtp.store.transfer import TableState, _count_on, _JsonText, state_of, tables_of

TEXTS = ("plain", "", "ünï 😀", "a\nb\tc\u2028d", "'\"; DROP TABLE study; --", "0", "null")
JSONS = (
    '{"b":  1, "a": [1.0, null, "\\u00fc", "ü"], "a ": {}}',
    '{"1e5": 1e5, "deep": [[[[0.1]]]], "nul": "\\u0000"}',
    "null",
    "[]",
    '"text"',
)
FLOATS = (0.1 + 0.2, -0.0, 1e-300, 12345678.9, 1e300)


def filled(database: Database, revision: str, rows: int) -> None:
    """Make the tables of a schema, with so many rows each."""
    with database.begin() as connection:
        upgrade(connection, revision)
        if rows:
            add_rows(connection, range(1, rows + 1))


def add_rows(connection: sa.Connection, numbers: range, *, without: str = "") -> None:
    """A row of each number in every table, or all but one; a row that refers to another table refers to its row of the same number."""
    revision = revision_of(connection)
    assert revision is not None
    for table in (table for table in tables_of(revision) if table.name != without):
        lengths = {
            c["name"]: getattr(c["type"], "length", None) for c in sa.inspect(connection).get_columns(table.name)
        }
        rows = [
            {c.name: _value(c, number, lengths[c.name]) for c in table.columns if c.name != "id"}
            | ({"id": number} if "id" in table.columns else {})
            for number in numbers
        ]
        connection.execute(sa.insert(table), rows)
    _count_on(connection, tables_of(revision))


def _value(column: sa.Column[Any], number: int, length: int | None) -> Any:
    if column.nullable and number % 3 == 0:
        return None
    if column.foreign_keys:
        return _value(next(iter(column.foreign_keys)).column, number, length)
    kind = column.type
    if isinstance(kind, _JsonText):
        return JSONS[number % len(JSONS)]
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, sa.BigInteger):
        return number
    if isinstance(kind, sa.Float):
        return FLOATS[number % len(FLOATS)]
    if isinstance(kind, UtcDateTime):
        return datetime(2026, 3, 29, 0, 59, 59, number % 2, tzinfo=UTC) + timedelta(hours=number)
    if isinstance(kind, sa.Date):
        return date(2026, 2, 28) + timedelta(days=number)
    if isinstance(kind, sa.LargeBinary):
        return bytes(range(256)) + b"%d" % number
    # A list of erased persons that names none of the others: a restore would erase them.
    text = f"{'nobody ' if column.table.name == 'erasure' else ''}{number} {TEXTS[number % len(TEXTS)]}"
    return text[:length] if length else text


def states(database: Database, revision: str | None = None) -> dict[str, TableState]:
    """Rows and digest of every table, of its columns in that schema (by itself in the one that it has)."""
    with database.read() as connection:
        now = revision_of(connection)
        assert now is not None
        after = {table.name: table for table in tables_of(now)}
        return {
            table.name: state_of(connection, _both(table, after[table.name])) for table in tables_of(revision or now)
        }


def all_but_staff(found: dict[str, TableState]) -> dict[str, TableState]:
    """What a restore brings back to the last byte: not sessions and links of staff, nor the log, where it says so."""
    return {name: state for name, state in found.items() if name not in ("staff", "staff_link", "audit")}


def _both(before: sa.Table, after: sa.Table) -> sa.Table:
    columns = [
        sa.Column(c.name, c.type, primary_key=c.primary_key, info=c.info)
        for c in before.columns
        if c.name in after.columns
    ]
    return sa.Table(before.name, sa.MetaData(), *columns)
