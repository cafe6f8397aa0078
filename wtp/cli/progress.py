"""A line on the terminal while a slow model runs: how far, how long still, how near to convergence."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from wtp.analysis import Progress


@contextmanager
def sampling_bar(label: str) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on standard error; its callback takes the sampler's progress. Hidden where nobody watches."""
    state = {"shown": 0.0}
    with click.progressbar(length=1000, label=label, show_eta=False, item_show_func=_says, file=sys.stderr) as bar:

        def show(progress: Progress) -> None:
            share = max(state["shown"], min(progress.share, 0.999))
            bar.update(int(1000 * share) - int(1000 * state["shown"]), progress)
            state["shown"] = share

        yield show
        bar.update(1000 - int(1000 * state["shown"]))


def _says(progress: Progress | None) -> str:
    if progress is None:
        return ""
    if progress.fitted:
        return "working out the figures"
    if progress.warming_up:
        return f"warm-up, sweep {progress.sweeps}"
    done = f"sweep {progress.sweeps}, R-hat {progress.r_hat:.3f}"
    if math.isnan(progress.r_hat):
        done = f"{progress.sweeps} of {progress.most}"
    left = f", about {progress.seconds_left:.0f} s left" if math.isfinite(progress.seconds_left) else ""
    return f"{done}{left}"
