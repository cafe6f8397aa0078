"""The role of PostgreSQL with which analysts read answers by tools of their own: no contact data, nothing that leads to a person, nothing of staff, and nothing to write.

`SEEN` and `KEPT_FROM` name every table once: a new one is kept from analysts until it is entered, for rights are granted one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from wtp.errors import StoreError

# Table -> its columns that analysts do not see: what names a person, or a member of staff.
SEEN: Mapping[str, frozenset[str]] = {
    "answer": frozenset(),
    "choice": frozenset(),
    "consent_text": frozenset(),
    "decision": frozenset({"reason", "made_by"}),
    "definition": frozenset(),
    "design": frozenset(),
    "quota": frozenset(),
    "respondent": frozenset({"token_hash", "panel_id", "external_id"}),
    "result": frozenset({"made"}),
    "scenario": frozenset({"saved_by"}),
    "study": frozenset(),
    "version": frozenset({"author"}),
}
KEPT_FROM = frozenset(
    {
        *("invitation", "erasure", "page_draft", "quota_place"),  # contact data, link tokens, what is not sent yet
        *("customer", "customer_respondent", "customer_file", "contact", "contact_coding", "purchase"),
        *("imported_file", "background_job"),  # copies of files and answers as they came
        *("staff", "staff_study", "staff_link", "recovery_code", "ended_session", "rate_limit", "api_token", "audit"),
        *("measure", "heartbeat", "retention_run", "told_selection", "told_memory"),
        *("panel_key", "panel_entry"),
    }
)
_WRITING = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
_MOST_BYTES = 63  # of a name


@dataclass(frozen=True, slots=True)
class Role:
    """The analysts' role: whether it is there, what it or one of its members may do beyond reading what is `SEEN`, and what it cannot read yet."""

    name: str
    there: bool
    too_much: tuple[str, ...] = ()
    too_little: tuple[str, ...] = ()


def look(connection: sa.Connection) -> Role:
    """The role as it is. Raises StoreError on SQLite, where there are none."""
    name = _name(connection)
    if not _is_there(connection, name):
        return Role(name, there=False)
    tables = _tables(connection)
    readers = connection.execute(
        sa.text(
            "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname <> current_user AND pg_has_role(oid, :role, 'MEMBER')"
            " ORDER BY rolname <> :role, rolname"
        ),
        {"role": name},
    ).scalars()
    more = tuple(f"{reader}: {said}" for reader in readers for said in _too_much(connection, reader, tables))
    less = tuple(table for table in SEEN if table in tables and _withheld(connection, name, table, tables[table]))
    return Role(name, True, _attributes(connection, name) + more, less)


def make(connection: sa.Connection) -> bool:
    """Make the role, or give it again exactly what it shall have; whether it is new. Raises StoreError on SQLite, and where the database's user may not make roles."""
    name = _name(connection)
    new = not _is_there(connection, name)
    if new:
        may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        if not connection.execute(sa.text(may)).scalar_one():
            raise StoreError(
                f"database: its user may not make roles; allowed: a user that may, or a role that is there; let the administrator of PostgreSQL run"
                f" CREATE ROLE {_quoted(connection, name)} NOLOGIN, then run this again."
            )
        connection.exec_driver_sql(f"CREATE ROLE {_quoted(connection, name)} NOLOGIN")
    _grant(connection, name)
    return new


def renew(connection: sa.Connection) -> None:
    """After tables have changed: give the role again what it shall have, where there is one."""
    if connection.dialect.name == "postgresql" and _is_there(connection, name := _name(connection)):
        _grant(connection, name)


def _grant(connection: sa.Connection, name: str) -> None:
    role, schema = _quoted(connection, name), _quoted(connection, _schema(connection))
    tables = _tables(connection)
    statements = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",  # also of single columns
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
        f"REVOKE ALL ON SCHEMA {schema} FROM {role}",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
    ]
    for table in SEEN.keys() & tables.keys():
        columns = ", ".join(_quoted(connection, column) for column in _seen(table, tables[table]))
        part = f" ({columns})" if SEEN[table] else ""
        statements.append(f"GRANT SELECT{part} ON {schema}.{_quoted(connection, table)} TO {role}")
    for statement in statements:
        connection.exec_driver_sql(statement)


def _seen(table: str, columns: tuple[str, ...]) -> list[str]:
    return [column for column in columns if column not in SEEN[table]]


def _too_much(connection: sa.Connection, reader: str, tables: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """What somebody can do in the schema beyond reading what is seen, however he came by it."""
    schema = _schema(connection)
    for table, columns in tables.items():
        place = f"{_quoted(connection, schema)}.{_quoted(connection, table)}"
        if _holds(connection, "has_table_privilege(:reader, :place, :what)", reader, place, _WRITING):
            yield f"can write {table}"
        if table not in SEEN:
            if _holds(connection, "has_any_column_privilege(:reader, :place, :what)", reader, place, "SELECT"):
                yield f"can read {table}"
            continue
        for column in columns:
            if column in SEEN[table] and _reads(connection, reader, place, column):
                yield f"can read {table}.{column}"
    if _holds(connection, "has_schema_privilege(:reader, :place, :what)", reader, schema, "CREATE"):
        yield "can make tables"


def _withheld(connection: sa.Connection, name: str, table: str, columns: tuple[str, ...]) -> bool:
    place = f"{_quoted(connection, _schema(connection))}.{_quoted(connection, table)}"
    return not all(_reads(connection, name, place, column) for column in _seen(table, columns))


def _reads(connection: sa.Connection, reader: str, place: str, column: str) -> bool:
    query = sa.text("SELECT has_column_privilege(:reader, :place, :column, 'SELECT')")
    return bool(connection.execute(query, {"reader": reader, "place": place, "column": column}).scalar_one())


def _holds(connection: sa.Connection, question: str, reader: str, place: str, what: str) -> bool:
    asked = {"reader": reader, "place": place, "what": what}
    return bool(connection.execute(sa.text(f"SELECT {question}"), asked).scalar_one())


def _attributes(connection: sa.Connection, name: str) -> tuple[str, ...]:
    query = sa.text("SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = :name")
    found = connection.execute(query, {"name": name}).one()
    said = ("is superuser", "can make roles", "can make databases", "passes row security")
    return tuple(f"{name}: {words}" for words, holds in zip(said, found, strict=True) if holds)


def _tables(connection: sa.Connection) -> dict[str, tuple[str, ...]]:
    """Columns of every table and view of the schema that is used, those of the queue and of migrations too."""
    found: dict[str, list[str]] = {}
    columns = sa.text(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = CAST(:schema AS regnamespace)"
        " AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum"
    )
    for table, column in connection.execute(columns, {"schema": _quoted(connection, _schema(connection))}):
        found.setdefault(table, []).append(column)
    return {table: tuple(names) for table, names in found.items()}


def _name(connection: sa.Connection) -> str:
    """Roles are of the whole server: each database has its own."""
    if connection.dialect.name != "postgresql":
        raise StoreError(
            "database: SQLite, where whoever can open the file reads everything; allowed: PostgreSQL, which has roles; keep the file from analysts (0640)"
            " and give them wtp export, a token with the scope answers:read, or wtp move the database to PostgreSQL."
        )
    database = str(connection.execute(sa.text("SELECT current_database()")).scalar_one())
    ending = "_analyst"
    return database.encode()[: _MOST_BYTES - len(ending)].decode(errors="ignore") + ending


def _schema(connection: sa.Connection) -> str:
    return str(connection.execute(sa.text("SELECT current_schema()")).scalar_one())


def _is_there(connection: sa.Connection, name: str) -> bool:
    return (
        connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first() is not None
    )


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
