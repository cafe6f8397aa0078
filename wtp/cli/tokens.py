"""Tokens of programs that read results: `wtp token add`, `list`, `revoke`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from wtp.settings import load_settings
from wtp.store import Database, api_tokens, open_database
from wtp.store.api_tokens import ALL_SCOPES, RESULTS, ApiToken


@click.group()
def token() -> None:
    """Tokens of programs that read results through /api/v1/."""


def _database() -> Database:
    database = open_database(*load_settings().kept_in)
    database.migrate()
    return database


@token.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(ALL_SCOPES), default=(RESULTS,), show_default=True)
@click.option("--study", "slugs", multiple=True, help="Only these studies; all without it, also later ones.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The first day on which it is not valid any more (UTC)."
)
def token_add(name: str, scopes: tuple[str, ...], slugs: tuple[str, ...], until: datetime | None) -> None:
    """Make a token and print it, once: nobody can read it again."""
    end = until.replace(tzinfo=UTC) if until else None
    with _database() as database, database.begin() as connection:
        _, text = api_tokens.add(
            connection, name, maker=None, scopes=scopes, studies=slugs or None, expires_at=end, now=datetime.now(UTC)
        )
    click.echo(text)
    click.echo("Keep it now; it is not shown again.", err=True)


@token.command("list")
def token_list() -> None:
    """List all tokens, also those that ended."""
    now = datetime.now(UTC)
    with _database() as database, database.read() as connection:
        for each in api_tokens.everything(connection):
            about = (each.mark, each.name, ",".join(each.scopes), ",".join(each.studies or ("all studies",)))
            used = f"used {each.used_at:%Y-%m-%d %H:%M}" if each.used_at else "never used"
            click.echo("\t".join((*about, _state(each, now), f"by {each.made_by}", used)))


def _state(each: ApiToken, now: datetime) -> str:
    if each.is_valid(now):
        return f"until {each.expires_at:%Y-%m-%d}" if each.expires_at else "valid"
    return "revoked" if each.revoked_at else "ended"


@token.command("revoke")
@click.argument("mark")
def token_revoke(mark: str) -> None:
    """End a token by its mark, the eight characters behind wtp_."""
    with _database() as database, database.begin() as connection:
        ended = api_tokens.revoke(connection, mark, who="wtp", now=datetime.now(UTC))
    click.echo(f"revoked: {ended.name} ({ended.mark})")
