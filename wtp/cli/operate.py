"""Running an installation: the demo, the server, the staff who log in."""

from __future__ import annotations

import secrets
from dataclasses import replace

import click

from wtp.analysis import Request
from wtp.cli.progress import sampling_bar
from wtp.cli.simulation import simulate_through_store
from wtp.errors import SettingsError
from wtp.settings import DEFAULT_BASE_URL, Settings, load_settings
from wtp.store import Database, open_database, respondents, staff
from wtp.survey import load_survey
from wtp.web import analysis_as, free_port
from wtp.web import serve as serve_forever

DEMO_STUDY = "supplier"
_ROLES = ("manager", "analyst", "administrator", "field")


@click.command()
@click.option("--respondents", "count", default=300, show_default=True, type=click.IntRange(30, 100_000))
@click.option("--port", default=8000, show_default=True, help="Or the next free one.")
@click.option("--no-serve", is_flag=True, help="End after the analysis.")
def demo(count: int, port: int, no_serve: bool) -> None:
    """Fill instance/ with a simulated, plainly labelled study, analyse it, serve it."""
    settings = load_settings()
    folder = settings.surveys / DEMO_STUDY
    if not folder.is_dir():
        raise SettingsError(
            f"{settings.surveys}: no folder {DEMO_STUDY}; allowed: the surveys of a clone; run wtp demo in the clone."
        )
    survey = load_survey(folder)
    with open_database(settings.database_url) as database:
        database.migrate()
        with database.read() as connection:
            there = respondents.counts(connection, DEMO_STUDY).simulated
        if there < count:
            simulate_through_store(settings, survey, count - there, seed=1 + there)
        with sampling_bar("estimating") as show:
            analysis = analysis_as(database, survey, Request(), show)
        logins = {role: _demo_login(database, role) for role in ("manager", "analyst")}
    click.echo(
        f"{analysis.respondents} respondents, {analysis.simulated} of them SIMULATED. What they say, by segment:"
    )
    for row in analysis.tables["price_limit"].to_dict("records"):
        limit = f"{row['estimate']:.0f} {analysis.currency} ({row['low']:.0f} to {row['high']:.0f})"
        click.echo(f"  {row['segment']}: price upper limit, {row['status']}: {row['note'] or limit}")
    if no_serve:
        return
    port = free_port(port)
    settings = _reached_at(settings, "127.0.0.1", port)
    address = settings.base_url
    click.echo(f"\nrespondent  {address}/s/{DEMO_STUDY}")
    click.echo(f"manager     {address}/results/{DEMO_STUDY}   login {logins['manager']}")
    click.echo(f"analyst     {address}/manage/{DEMO_STUDY}    login {logins['analyst']}\n", nl=True)
    serve_forever(settings, "127.0.0.1", port, 2)


def _reached_at(settings: Settings, host: str, port: int) -> Settings:
    """Links lead to where the server listens, unless the installation says where people reach it."""
    if settings.base_url != DEFAULT_BASE_URL:
        return settings
    return replace(settings, base_url=f"http://{host}:{port}")


def _demo_login(database: Database, role: str) -> str:
    """A demo account with a password of this run; an instance never has a password that others know."""
    name, password = f"demo-{role}", secrets.token_urlsafe(12)
    with database.begin() as connection:
        if name in {member.name for member in staff.members(connection)}:
            staff.set_password(connection, name, password)
        else:
            staff.add(connection, name, password, role)
    return f"{name} / {password}"


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
    settings = _reached_at(load_settings(), host, port)
    with open_database(settings.database_url) as database:
        database.migrate()
        database.check()
    click.echo(f"serving on http://{host}:{port}")
    serve_forever(settings, host, port, workers, analysts)


@click.group()
def user() -> None:
    """The staff who log in."""


def _database(settings: Settings | None = None) -> Database:
    database = open_database((settings or load_settings()).database_url)
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
