"""Running an installation: the server, the staff who log in."""

from __future__ import annotations

from dataclasses import replace

import click

from wtp.settings import DEFAULT_BASE_URL, Settings, load_settings
from wtp.store import Database, open_database, staff
from wtp.web import serve as serve_forever

_ROLES = ("manager", "analyst", "administrator", "field")


def reached_at(settings: Settings, host: str, port: int) -> Settings:
    """Links lead to where the server listens, unless the installation says where people reach it."""
    if settings.base_url != DEFAULT_BASE_URL:
        return settings
    return replace(settings, base_url=f"http://{host}:{port}")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--analysts",
    default=1,
    show_default=True,
    type=click.IntRange(0, 64),
    help="Processes that make background analyses, one at a time each; 0: another server on this database makes them.",
)
def serve(host: str, port: int, workers: int, analysts: int) -> None:
    """Start the production server and the worker of background analyses."""
    settings = reached_at(load_settings(), host, port)
    with open_database(*settings.kept_in) as database:
        database.migrate()
        database.check()
    click.echo(f"serving on http://{host}:{port}")
    serve_forever(settings, host, port, workers, analysts)


@click.group()
def user() -> None:
    """The staff who log in."""


def _database(settings: Settings | None = None) -> Database:
    database = open_database(*(settings or load_settings()).kept_in)
    database.migrate()
    return database


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True)
@click.password_option(help="At least 12 characters; asked for if not given.")
def user_add(name: str, role: str, password: str) -> None:
    """Add a member of staff."""
    with _database() as database, database.begin() as connection:
        staff.add(connection, name, password, role)
    click.echo(f"added: {name} ({role})")


@user.command("list")
def user_list() -> None:
    """List the members of staff."""
    with _database() as database, database.read() as connection:
        for member in staff.members(connection):
            click.echo(f"{member.name}\t{member.role}\t{'active' if member.active else 'disabled'}")


@user.command("disable")
@click.argument("name")
def user_disable(name: str) -> None:
    """End all sessions of a member and let him in no more."""
    with _database() as database, database.begin() as connection:
        staff.disable(connection, name)
    click.echo(f"disabled: {name}")


@user.command("password")
@click.argument("name")
@click.password_option(help="At least 12 characters; asked for if not given.")
def user_password(name: str, password: str) -> None:
    """Set a new password; sessions with the old one end."""
    with _database() as database, database.begin() as connection:
        staff.set_password(connection, name, password)
    click.echo(f"password changed: {name}")
