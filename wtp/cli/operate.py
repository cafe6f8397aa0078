"""Running an installation: the server."""

from __future__ import annotations

from dataclasses import replace

import click

from wtp.cli.databases import bring_up_to_date
from wtp.settings import DEFAULT_BASE_URL, Settings, load_settings
from wtp.store import open_database
from wtp.web import WORKERS
from wtp.web import serve as serve_forever


def reached_at(settings: Settings, host: str, port: int) -> Settings:
    """Links lead to where the server listens, unless the installation says where people reach it."""
    if settings.base_url != DEFAULT_BASE_URL:
        return settings
    return replace(settings, base_url=f"http://{host}:{port}")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1, 64), help="Processes for pages: processors of the machine and one more.")  # fmt: skip
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
        bring_up_to_date(database, settings)
        database.check()
    click.echo(f"serving on http://{host}:{port}")
    serve_forever(settings, host, port, workers, analysts)
