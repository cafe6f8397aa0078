"""Whether the chains of the hierarchical fit agree, quantity by quantity, and their way, thinned, of those that tell most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wtp.analysis.record import ALL, SETTLED
from wtp.estimation.hierarchical import HierarchicalResults

_LIMIT, _LIKELIHOOD = "limit.50", "log_likelihood"
_WORST = 3
_POINTS = 250  # a chain


def convergence_tables(fit: HierarchicalResults) -> dict[str, pd.DataFrame]:
    """`convergence`: segment, quantity, reported, r_hat, ess_bulk, ess_tail, settled, the worst first; `trace`: segment, quantity, chain, sweep, watched.

    settled: within the stop rule of final figures (rank-normalised split R-hat, effective draws in the bulk and in the tails; Vehtari et al. 2021), which for
    quantities that are not reported is wider. The trace has every n-th sweep after the warm-up, at most 250 a chain, of the price upper limit, the price coefficient, the
    log-likelihood and the three reported quantities with the largest R-hat.
    """
    most, fewest, wider = SETTLED
    found = fit.diagnostics
    settled = np.where(
        found["reported"],
        (found["r_hat"] <= most) & (found[["ess_bulk", "ess_tail"]].min(axis=1) >= fewest),
        found["r_hat"] <= wider,
    )
    table = found.assign(settled=settled, place=np.arange(len(found))).sort_values(
        ["reported", "r_hat"], ascending=False, kind="stable"
    )
    wanted = [*(name for name in (_LIMIT, *fit.data.price_parameters, _LIKELIHOOD) if name in table.index)]
    wanted += [name for name in table.index if name not in wanted][:_WORST]
    sweeps = np.arange(0, fit.sampled.watched.shape[1], max(1, -(-fit.sampled.watched.shape[1] // _POINTS)))
    values = fit.sampled.watched[:, sweeps][:, :, table.loc[wanted, "place"].to_numpy()]
    chains = values.shape[0]
    trace = pd.DataFrame(
        {
            "segment": ALL,
            "quantity": np.repeat(wanted, chains * len(sweeps)),
            "chain": np.tile(np.repeat(np.arange(1, chains + 1), len(sweeps)), len(wanted)),
            "sweep": np.tile(sweeps + 1, chains * len(wanted)),
            "watched": values.transpose(2, 0, 1).ravel().astype(float),
        }
    )
    columns = ["segment", "quantity", "reported", "r_hat", "ess_bulk", "ess_tail", "settled"]
    return {"convergence": table.reset_index().assign(segment=ALL)[columns], "trace": trace}
