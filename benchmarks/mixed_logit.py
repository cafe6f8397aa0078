"""How fast the mixed logit is beside xlogit, at equal draws, and whether its intervals hold what they promise.

python benchmarks/mixed_logit.py [--coverage N]

Electricity data, six independent normals, panel, the same 500 Halton draws; ours gives errors clustered by respondent besides, or, to compare like with like,
the outer product of the scores. --coverage: N simulated studies of 300 respondents with normal and log-normal tastes; share of 95 % intervals that hold the truth.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from xlogit import MixedLogit as Peer

from wtp.estimation import ChoiceData
from wtp.estimation.mixed_logit import MixedLogit

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
NAMES = ["pf", "cl", "loc", "wk", "tod", "seas"]
DRAWS, REPEATS = 500, 3


def seconds(run: Callable[[], float]) -> tuple[float, float]:
    """Median seconds of a run, and the log-likelihood it returns; the first run, which may compile, is left out."""
    run()
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        log_likelihood = run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), log_likelihood


def speed() -> None:
    """Ours and xlogit on the same draws, with one and with two threads."""
    frame = pd.read_csv(GOLDEN / "electricity.csv.gz")
    model = MixedLogit(ChoiceData.from_long(frame, " + ".join(NAMES), price="pf"), dict.fromkeys(NAMES, "normal"))
    task = pd.factorize(pd.MultiIndex.from_frame(frame[["respondent", "choice_task"]]))[0]

    def peer() -> float:
        other = Peer()
        other.fit(
            X=frame[NAMES], y=frame["chosen"], varnames=NAMES, ids=task, panels=frame["respondent"], alts=frame["alternative"],
            randvars=dict.fromkeys(NAMES, "n"), n_draws=DRAWS, verbose=0,
        )  # fmt: skip
        return float(other.loglikelihood)

    for threads in (1, 2):
        with threadpool_limits(threads):
            ours = seconds(
                lambda cores=threads: float(model.fit(DRAWS, rule="halton", cov_type="opg", cores=cores).llf)
            )
            clustered = seconds(lambda cores=threads: float(model.fit(DRAWS, rule="halton", cores=cores).llf))
            theirs = seconds(peer)
        print(f"{threads} thread{'s' * (threads > 1)}")
        for name, (taken, value) in {"wtp, outer product": ours, "wtp, clustered": clustered, "xlogit": theirs}.items():
            print(f"  {name:22}{taken:8.2f} s {taken / ours[0]:7.1f} x {value:14.6f}")


def coverage(studies: int) -> None:
    """Share of studies in which the 95 % interval holds the truth, by parameter."""
    truth = np.array([1.0, -0.5, 0.2, 0.8, 0.5])
    random = {"quality": "normal", "price": "-lognormal"}
    held, errors = np.zeros(len(truth)), []
    for study in range(studies):
        rng = np.random.default_rng([study, 3])
        people, tasks = 300, 10
        X = rng.choice([0.0, 1.0, 2.0], (people * tasks, 3, 3))
        tastes = np.column_stack([
            1 + 0.8 * rng.standard_normal(people), np.full(people, -0.5), -np.exp(0.2 + 0.5 * rng.standard_normal(people))
        ])  # fmt: skip
        person = np.repeat(np.arange(people), tasks)
        utility = np.einsum("tjk,tk->tj", X, tastes[person]) + rng.gumbel(size=X.shape[:2])
        starts = 3 * np.arange(people * tasks)
        data = ChoiceData(
            X=X.reshape(-1, 3), starts=starts, chosen=starts + utility.argmax(axis=1), respondent=person, respondents=np.arange(people),
            names=("quality", "distance", "price"), price="price",
        )  # fmt: skip
        fit = MixedLogit(data, random).fit(256, seed=study)
        inside = fit.conf_int().to_numpy()
        held += (inside[:, 0] <= truth) & (truth <= inside[:, 1])
        errors.append(fit.params.to_numpy() - truth)
    names = fit.names
    table = pd.DataFrame(
        {"truth": truth, "covered": held / studies, "bias": np.mean(errors, axis=0)}, index=list(names)
    )
    print(f"{studies} studies of 300 respondents, 10 tasks of 3, 256 Sobol draws, clustered by respondent")
    print(table.round(3).to_string())
    print(f"all intervals: {held.sum() / studies / len(truth):.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--coverage", type=int, default=0, metavar="N")
    asked = parser.parse_args()
    coverage(asked.coverage) if asked.coverage else speed()
