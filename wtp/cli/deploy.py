"""Files with which an installation runs: `wtp deploy systemd|compose|caddy|nginx --out DIR`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wtp.deploy import KINDS, SECRET_FILES, Plan, files
from wtp.errors import DataError
from wtp.settings import load_settings
from wtp.web import THREADS, WORKERS


@click.command()
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the files.")
@click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1, 64), help="Processes for pages.")
@click.option("--analysts", default=1, show_default=True, type=click.IntRange(0, 64), help="Processes for analyses.")
@click.option("--port", default=8000, show_default=True, help="Where wtp serve listens, on 127.0.0.1.")
@click.option("--user", default="wtp", show_default=True, help="systemd: the user that runs it.")
@click.option("--backups", default="/var/backups/wtp", show_default=True, type=click.Path(path_type=Path), help="systemd: where backups go.")  # fmt: skip
@click.option("--upstream", "upstreams", multiple=True, metavar="HOST:PORT", help="Proxy: a host that runs wtp serve; once for each.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write files anew that are there; never .env.")
def deploy(
    kind: str,
    out: Path,
    workers: int,
    analysts: int,
    port: int,
    user: str,
    backups: Path,
    upstreams: tuple[str, ...],
    force: bool,
) -> None:
    """Write the files with which this installation runs, filled in from its settings. The guide to them is OPERATIONS.md beside the program's module wtp.deploy."""
    plan = Plan(
        out=out.resolve(),
        workers=workers,
        analysts=analysts,
        threads=THREADS,
        port=port,
        user=user,
        backups=backups.resolve(),
        upstreams=upstreams,
    )
    made = files(kind, load_settings(), plan)
    there = [name for name in made if (out / name).exists()]
    if there and not force:
        raise DataError(
            f"{out}: {', '.join(there)} exist; allowed: a folder without them; choose another, or use --force."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            if name not in SECRET_FILES or name not in there:
                _write(out / name, text, 0o600 if name in SECRET_FILES else 0o644)
    except OSError as error:
        raise DataError(f"{out}: {error.strerror}; allowed: a folder that can be written; choose another.") from error


def _write(path: Path, text: str, mode: int) -> None:
    """Written beside its place with its rights, so that a secret is at no moment open to others."""
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
    click.echo(f"written: {path}")
