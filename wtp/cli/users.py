"""The staff who log in: `wtp user add`, `invite`, `reset`, `role`, `studies`, `factor`, `disable`, `enable`, `password`, `list`. Each change ends the member's sessions and is logged."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import get_args

import click
import sqlalchemy as sa

from wtp.errors import DataError
from wtp.settings import Settings, load_settings
from wtp.store import Database, open_database, second_factor, staff, staff_links
from wtp.store.staff import Role
from wtp.survey.drafts import folder_of

_ROLE = click.option("--role", type=click.Choice(get_args(Role)), required=True)
_STUDIES = click.option("--study", "slugs", multiple=True, help="Only these studies; all without it, also later ones.")
_PASSWORD = click.password_option(help="At least 12 characters; asked for if not given.")


@click.group()
def user() -> None:
    """The staff who log in."""


def _database(settings: Settings) -> Database:
    database = open_database(*settings.kept_in)
    database.migrate()
    return database


@contextmanager
def _writing() -> Iterator[sa.Connection]:
    with _database(load_settings()) as database, database.begin() as connection:
        yield connection


def _checked(slugs: tuple[str, ...]) -> tuple[str, ...] | None:
    """The studies that are named, None for all. Raises DataError for one that is not there."""
    folder = load_settings().surveys
    there = sorted({path.parent.name for path in folder.glob("*/*.toml")})
    if wrong := sorted(slug for slug in slugs if folder_of(folder, slug) is None):
        raise DataError(f"study: {', '.join(wrong)}; allowed: {', '.join(there) or 'none yet'}; choose among them.")
    return slugs or None


def _show_link(connection: sa.Connection, name: str) -> None:
    """Print a new link, once."""
    purpose, token = staff_links.make(connection, name, who=getpass.getuser(), now=datetime.now(UTC))
    click.echo(f"{load_settings().base_url.rstrip('/')}/{purpose}/{token}")
    days = staff_links.LASTS[purpose].days
    click.echo(f"Give it to {name} alone; it is not shown again, works once and ends in {days} day(s).", err=True)


@user.command("add")
@click.argument("name")
@_ROLE
@_STUDIES
@_PASSWORD
def user_add(name: str, role: str, slugs: tuple[str, ...], password: str) -> None:
    """Add a member of staff."""
    with _writing() as connection:
        staff.add(connection, name, password, role, studies=_checked(slugs), who=getpass.getuser())
    click.echo(f"added: {name} ({role})")


@user.command("invite")
@click.argument("name")
@_ROLE
@_STUDIES
def user_invite(name: str, role: str, slugs: tuple[str, ...]) -> None:
    """Add a member of staff and print a link by which he sets his password."""
    with _writing() as connection:
        staff.add(connection, name, None, role, studies=_checked(slugs), who=getpass.getuser())
        _show_link(connection, name)


@user.command("reset")
@click.argument("name")
def user_reset(name: str) -> None:
    """Print a link by which a member sets a new password (or his first one); a second factor stays."""
    with _writing() as connection:
        _show_link(connection, name)


@user.command("list")
def user_list() -> None:
    """List the members of staff: name, role, state, studies, second factor."""
    with _database(load_settings()) as database, database.read() as connection:
        for member in staff.members(connection):
            state = "disabled" if not member.active else "invited" if member.invited else "active"
            seen = "all studies" if member.studies is None else ",".join(member.studies) or "no study"
            factor = "second factor" if member.factor else "password alone"
            click.echo("\t".join((member.name, member.role, state, seen, factor)))


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(get_args(Role)))
def user_role(name: str, role: str) -> None:
    """Give a member another role."""
    with _writing() as connection:
        staff.set_role(connection, name, role, who=getpass.getuser())
    click.echo(f"role changed: {name} ({role})")


@user.command("studies")
@click.argument("name")
@click.argument("slugs", nargs=-1, metavar="[STUDY]...")
@click.option("--all", "everything", is_flag=True, help="All studies, also later ones.")
def user_studies(name: str, slugs: tuple[str, ...], everything: bool) -> None:
    """Say which studies a member sees; administrators see all."""
    if bool(slugs) == everything:
        raise click.UsageError("Name one or more studies, or give --all.")
    with _writing() as connection:
        staff.set_studies(connection, name, _checked(slugs), who=getpass.getuser())
    click.echo(f"studies changed: {name} ({', '.join(slugs) or 'all'})")


@user.command("factor")
@click.argument("name")
@click.option("--off", is_flag=True, required=True, help="Switch it off; the password alone lets in then.")
def user_factor(name: str, off: bool) -> None:
    """Switch off the second factor of a member who has lost phone and recovery codes."""
    with _writing() as connection:
        member = staff.named(connection, name)
        if member.factor is None:
            raise DataError(f"name {name!r} has no second factor; allowed: a member who has one; wtp user list shows.")
        second_factor.switch_off(connection, member, who=getpass.getuser(), now=datetime.now(UTC))
    click.echo(f"second factor off: {name}")


@user.command("disable")
@click.argument("name")
def user_disable(name: str) -> None:
    """End all sessions of a member and let him in no more."""
    with _writing() as connection:
        staff.disable(connection, name, who=getpass.getuser())
    click.echo(f"disabled: {name}")


@user.command("enable")
@click.argument("name")
def user_enable(name: str) -> None:
    """Let a disabled member in again."""
    with _writing() as connection:
        staff.enable(connection, name, who=getpass.getuser())
    click.echo(f"enabled: {name}")


@user.command("password")
@click.argument("name")
@_PASSWORD
def user_password(name: str, password: str) -> None:
    """Set a new password; sessions with the old one end."""
    with _writing() as connection:
        staff.set_password(connection, name, password, who=getpass.getuser())
    click.echo(f"password changed: {name}")
