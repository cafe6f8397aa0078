"""Panels: the key by which addresses to and from the panel of a study are signed, and the instructions for its technician."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

import click

from wtp.errors import DataError
from wtp.settings import load_settings, secret_key
from wtp.store import open_database, panel_keys
from wtp.survey import load_survey
from wtp.survey.drafts import folder_of
from wtp.web import create_app, instructions_of

_STUDY = click.argument("study", metavar="STUDY")


@click.group()
def panel() -> None:
    """Signed addresses of a study's panel."""


@panel.command("key")
@_STUDY
@click.option("--new", is_flag=True, help="Replace the key by a random one.")
@click.option("--given", is_flag=True, help="Replace the key by one that the panel gave, which is asked for.")
@click.option(
    "--at-once",
    is_flag=True,
    help="The key of before ends now, instead of counting for links that come in another 24 hours.",
)
def panel_key(study: str, new: bool, given: bool, at_once: bool) -> None:
    """Print the key of a study, made if there is none, or replace it; what was done is in the study's log."""
    if new and given:
        raise DataError("--new, --given: both; allowed: one of them; the key is random, or the panel's.")
    if at_once and not (new or given):
        raise DataError("--at-once: without a new key; allowed: with --new or --given; add one of them.")
    settings, slug = load_settings(), _known(study)
    secret, who, now = secret_key(settings).hex(), getpass.getuser(), datetime.now(UTC)
    typed = click.prompt("Key of the panel", hide_input=True, err=True) if given else None
    with open_database(*settings.kept_in) as database:
        database.migrate()
        with database.begin() as connection:
            if new or given:
                key = panel_keys.make(connection, slug, secret=secret, who=who, now=now, given=typed, at_once=at_once)
            else:
                key = panel_keys.first(connection, slug, secret=secret, who=who, now=now)
                panel_keys.shown(connection, slug, key, who=who, now=now)
    if not given:
        click.echo(key.key)
    click.echo(f"key {key.number} of {slug}, made on {key.created_at:%Y-%m-%d %H:%M} UTC by {key.made_by}", err=True)
    if (new or given) and key.number > 1:
        ends = "ended now" if at_once else "counts for links that come in another 24 hours"
        click.echo(f"The key of before {ends}; addresses back are signed with the new one from now on.", err=True)


@panel.command("instructions")
@_STUDY
@click.option("--lang", "language", default="en", show_default=True, type=click.Choice(["en", "de"]))
def panel_instructions(study: str, language: str) -> None:
    """Print how addresses are signed, for the panel's technician, with an example to work out by hand; without the key."""
    settings, slug = load_settings(), _known(study)
    click.echo(instructions_of(create_app(settings), load_survey(settings.surveys / slug), language), nl=False)


def _known(study: str) -> str:
    """The slug of a study, also of its folder surveys/<slug>. Raises DataError for one that is not there."""
    folder, slug = load_settings().surveys, Path(study).name
    if folder_of(folder, slug) is None:
        there = ", ".join(sorted({path.parent.name for path in folder.glob("*/*.toml")}))
        raise DataError(f"study {study!r}: not there; allowed: {there or 'none yet'}; choose among them.")
    return slug
