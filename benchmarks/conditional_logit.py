"""How fast the conditional logit is, beside stock statsmodels and xlogit in the same run, one thread each.

python benchmarks/conditional_logit.py [--large]

Two data sets, simulated with a fixed seed: 361 respondents x 12 choice tasks x 4 alternatives x 6 parameters, and 10,000 x 12 x 4 x 12. Ours
includes the checks before the fit and the covariance clustered by respondent; the others give the inverse Hessian. Medians of repeated runs.
--large: 100,000 respondents x 12 x 4 x 12 once, ours alone, with the most memory that the process ever had, frame included.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.discrete.conditional_models import ConditionalLogit as StockConditionalLogit
from threadpoolctl import threadpool_limits
from xlogit import MultinomialLogit

from wtp.estimation import ChoiceData, ConditionalLogit

TASKS, ALTERNATIVES = 12, 4


def simulate(respondents: int, parameters: int, *, seed: int = 1) -> pd.DataFrame:
    """Long frame: half of the columns 0/1, half of five values, part-worths between -1 and 1."""
    rng = np.random.default_rng(seed)
    rows = respondents * TASKS * ALTERNATIVES
    X = np.where(
        np.arange(parameters) % 2, rng.integers(0, 2, (rows, parameters)), rng.integers(1, 6, (rows, parameters))
    )
    utility = X @ np.linspace(-1, 1, parameters) + rng.gumbel(size=rows)
    best = utility.reshape(-1, ALTERNATIVES).max(axis=1).repeat(ALTERNATIVES)
    frame = pd.DataFrame(X.astype(float), columns=[f"x{k}" for k in range(parameters)])
    return frame.assign(
        respondent=np.arange(rows) // (TASKS * ALTERNATIVES),
        choice_task=np.arange(rows) // ALTERNATIVES % TASKS,
        alternative=np.arange(rows) % ALTERNATIVES,
        chosen=(utility == best).astype(int),
    )


def seconds(run: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Median seconds of a run, and the log-likelihood it returns."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        log_likelihood = run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), log_likelihood


def line(name: str, taken: float, log_likelihood: float, ours: float) -> None:
    """One row of the table."""
    print(f"  {name:<28}{taken:>10.4f} s{taken / ours:>10.1f} x   {log_likelihood:.6f}")


def compare(respondents: int, parameters: int, *, stock: bool) -> None:
    """Print one block."""
    frame = simulate(respondents, parameters)
    names = [f"x{k}" for k in range(parameters)]
    print(f"{respondents:,} respondents x {TASKS} x {ALTERNATIVES} x {parameters} parameters ({len(frame):,} rows)")
    began = time.perf_counter()
    data = ChoiceData.from_long(frame, " + ".join(names), price=None)
    print(f"  coding the long frame       {time.perf_counter() - began:>10.4f} s")

    def fresh() -> float:
        # A subset of everybody is a fresh copy: nothing that an earlier run has cached counts.
        return float(ConditionalLogit(data.subset(np.ones(respondents, dtype=bool))).fit().llf)

    task = np.arange(len(frame)) // ALTERNATIVES

    def xlogit() -> float:
        other = MultinomialLogit()
        other.fit(X=frame[names], y=frame["chosen"], varnames=names, ids=task, alts=frame["alternative"], verbose=0)
        return float(other.loglikelihood)

    ours, log_likelihood = seconds(fresh, 5)
    line("wtp, clustered", ours, log_likelihood, ours)
    line("xlogit", *seconds(xlogit, 3), ours)
    if stock:

        def statsmodels() -> float:
            model = StockConditionalLogit(frame["chosen"].to_numpy(float), frame[names], groups=task)
            return float(model.fit(disp=0).llf)

        line("statsmodels ConditionalLogit", *seconds(statsmodels, 1), ours)


def large() -> None:
    """4.8 million rows: seconds of coding and fitting, and the peak of the memory."""
    frame = simulate(100_000, 12)
    before = _gigabytes()
    began = time.perf_counter()
    data = ChoiceData.from_long(frame, " + ".join(f"x{k}" for k in range(12)), price=None)
    coded = time.perf_counter()
    fit = ConditionalLogit(data).fit()
    done = time.perf_counter()
    print(
        f"100,000 respondents x {TASKS} x {ALTERNATIVES} x 12 parameters ({len(frame):,} rows): coding {coded - began:.1f} s, fit {done - coded:.1f} s, "
        f"log-likelihood {fit.llf:.6f}, peak memory {_gigabytes():.1f} GB ({before:.1f} GB when the frame was simulated)"
    )


def _gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    if "--large" in sys.argv:
        large()
        raise SystemExit
    with threadpool_limits(1):
        compare(361, 6, stock=True)
        compare(10_000, 12, stock=False)
