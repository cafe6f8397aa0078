"""How far the figures rest on the prior: the same model with the prior variances times 0.3 and times 3.

Money values hardly move; the outer quantiles of reservation prices do, since they sum the spread of all part-worths. So a report's safe and
stretch price take the union of the intervals of these fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

from wtp.errors import EstimationError
from wtp.estimation.hierarchical.logit import HierarchicalLogit, Progress
from wtp.estimation.hierarchical.results import PRELIMINARY, HierarchicalResults

FACTORS = (0.3, 3.0)


def prior_sensitivity(
    model: HierarchicalLogit,
    factors: Sequence[float] = FACTORS,
    *,
    draws: int = 20_000,
    warmup: int = 10_000,
    seed: int = 1,
    stop: str | None = PRELIMINARY,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
) -> Mapping[float, HierarchicalResults]:
    """Fits of the model by factor of its prior variances. Raises EstimationError for a factor that is not above 0.

    checkpoint: a folder with one folder a factor, as in `HierarchicalLogit.fit`.
    """
    fits = {}
    for factor in factors:
        if not factor > 0:
            raise EstimationError(f"factors: found {factor:g}; allowed: above 0, as in 0.3 and 3; mend it.")
        other = copy(model)
        variances = model.problem.scale / model.problem.freedom * factor
        other.prior = replace(model.prior, scale=variances)
        other.problem = replace(model.problem, scale=model.problem.scale * factor)
        place = None if checkpoint is None else checkpoint / f"{factor:g}"
        fits[float(factor)] = other.fit(
            draws=draws, warmup=warmup, seed=seed, stop=stop, progress=progress, checkpoint=place
        )
    return fits
