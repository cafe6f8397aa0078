"""What is wrong with a file, as commands say it: a line a kind on the terminal, every place in a CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from wtp.errors import DataError
from wtp.export import table_csv
from wtp.imports import Problem, problems_frame

_MOST_SHOWN = 20


def tell(problems: Sequence[Problem], kinds: Sequence[Problem], target: Path | None) -> None:
    """Write every problem to `target`, if one is named, and show the kinds."""
    if target:
        write(target, table_csv(problems_frame(problems)))
        click.echo(f"problems written: {target}")
    for problem in kinds[:_MOST_SHOWN]:
        click.echo(f"[{problem.severity}] {problem}", err=True)
    if len(kinds) > _MOST_SHOWN:
        click.echo(f"and {len(kinds) - _MOST_SHOWN} more kinds; --problems FILE writes all of them.", err=True)


def write(path: Path, content: bytes) -> None:
    """Write a file. Raises DataError, in words, if it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; allowed: a file in a folder that can be written; choose another."
        ) from error
