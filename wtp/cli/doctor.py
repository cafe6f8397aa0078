"""Is this installation in order? `wtp doctor` looks at all of it and says what to mend."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from wtp.doctor import ERROR, OK, WARNING, Finding, Size, examine
from wtp.settings import load_settings
from wtp.web import THREADS, WORKERS

_MARKS = {OK: "ok     ", WARNING: "warning", ERROR: "ERROR  "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects: check, state, found, allowed, remedy.")
@click.option("--hosts", default=1, show_default=True, type=click.IntRange(1), help="Machines that run wtp serve.")
@click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1), help="As wtp serve is started.")
@click.option("--analysts", default=1, show_default=True, type=click.IntRange(0), help="As wtp serve is started.")
@click.option("--backups", type=click.Path(path_type=Path), help="Where backups go; by itself instance/backups.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, hosts: int, workers: int, analysts: int, backups: Path | None) -> None:
    """Check this installation: a line a check, and what to mend. Exit status 1 if there is an error; nothing is changed.

    Run it as the user that runs wtp serve.
    """
    findings = examine(load_settings(), Size(hosts, workers, analysts, THREADS), backups)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(_line(finding))
        counted = [sum(finding.state == state for finding in findings) for state in (ERROR, WARNING)]
        click.echo(f"{len(findings)} checks: {counted[0]} errors, {counted[1]} warnings")
    if any(finding.state == ERROR for finding in findings):
        ctx.exit(1)


def _line(finding: Finding) -> str:
    said = f"{_MARKS[finding.state]}  {finding.check}: {finding.found}"
    return said if finding.state == OK else f"{said}; allowed: {finding.allowed}; {finding.remedy}."
