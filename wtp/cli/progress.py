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
            total = progress.seconds + progress.seconds_left
            # Before the rate is known there is only the share of the most sweeps.
            share = progress.seconds / total if total > 0 else progress.sweeps / progress.most
            share = max(state["shown"], 0.0 if math.isnan(share) else min(share, 0.999))
            bar.update(int(1000 * share) - int(1000 * state["shown"]), progress)
            state["shown"] = share

        yield show
        bar.update(1000 - int(1000 * state["shown"]))


def _says(progress: Progress | None) -> str:
    if progress is None:
        return ""
    if progress.warming_up:
        return f"warm-up, sweep {progress.sweeps}"
    left = f", about {progress.seconds_left:.0f} s left" if math.isfinite(progress.seconds_left) else ""
    return f"sweep {progress.sweeps}, R-hat {progress.r_hat:.3f}{left}"
