"""How good and how quick is the search of efficient designs? Beside choicedesign (random swapping) on the same problem, in the same run.

python benchmarks/design_search.py [seconds for choicedesign]

4 attributes of 3 levels and 3 of 4, 3 alternatives, effects coding (17 parameters), no prior, no none. choicedesign needs Biogeme; where it cannot be imported the script says so. idefix 1.1.0
(R, CEA) reached 0.127964 in 0.66 s with 1 start and 0.127726 in 5.1 s with 12 starts at 18 tasks on a machine of this size; at 12 tasks it refuses.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pandas as pd

from wtp.design.exchange import coordinate_exchange
from wtp.design.rules import Rules

SIZES = np.array([3, 3, 3, 3, 4, 4, 4])
ALTERNATIVES = 3


def effects(levels: int) -> np.ndarray:
    """(levels, levels - 1) effects coding."""
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])


CODES = [effects(size) for size in SIZES]
WIDTH = int(sum(code.shape[1] for code in CODES))


def d_error(levels: np.ndarray) -> float:
    """The D-error of (tasks, J, attributes) level numbers by plain numpy, the judge of both."""
    X = np.concatenate([code[levels[..., a]] for a, code in enumerate(CODES)], axis=-1)
    centred = X - X.mean(axis=1, keepdims=True)
    information = np.einsum("tjk,tjl->kl", centred, centred) / ALTERNATIVES
    return float(np.exp(-np.linalg.slogdet(information)[1] / WIDTH))


def ours(tasks: int, starts: int) -> tuple[float, float]:
    """D-error and seconds of our search."""
    rules = Rules(SIZES, np.zeros(7, bool), np.zeros((7, 4, 7, 4), bool), np.zeros(7, bool), False, ALTERNATIVES)
    began = time.perf_counter()
    found = coordinate_exchange(CODES, tasks, ALTERNATIVES, rules, draws=np.zeros((1, WIDTH)), starts=starts)
    seconds = time.perf_counter() - began
    assert abs(found.error - d_error(found.levels)) < 1e-9
    return found.error, seconds


def choicedesign(tasks: int, seconds: float) -> tuple[float, float]:
    """D-error and seconds of choicedesign, stopped after so many seconds."""
    from biogeme.expressions import Beta, Variable  # noqa: PLC0415 (a peer that need not be there)
    from choicedesign.design import EffDesign  # noqa: PLC0415

    names = [chr(ord("A") + a) for a in range(len(SIZES))]
    alternatives = [f"alt{j}" for j in range(1, ALTERNATIVES + 1)]
    attributes = [
        {"name": name, "levels": list(range(size)), "avail": alternatives, "fixed": []}
        for name, size in zip(names, SIZES, strict=True)
    ]
    design = EffDesign(attributes, alternatives, tasks)
    start: pd.DataFrame = design.gen_initdesign(seed=1)
    betas = {
        (name, level): Beta(f"b_{name}_{level}", 0, None, None, 0)
        for name, size in zip(names, SIZES, strict=True)
        for level in range(1, size)
    }
    utilities: dict[int, Any] = {}
    for j, alternative in enumerate(alternatives, 1):
        total: Any = 0
        for (name, level), beta in betas.items():
            column, base = Variable(f"{alternative}_{name}"), 0
            total += beta * ((column == level) - (column == base))
        utilities[j] = total
    began = time.perf_counter()
    found, *_ = design.optimise(start, utilities, time_lim=seconds / 60, seed=1)
    passed = time.perf_counter() - began
    columns = [[f"{alternative}_{name}" for name in names] for alternative in alternatives]
    levels = np.stack([found[column].to_numpy(dtype=int) for column in columns], axis=1)
    return d_error(levels), passed


def main() -> None:
    """Print one line a search."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    ours(12, 1)  # compile
    for tasks in (12, 18):
        quick, seconds = ours(tasks, 10)
        best, longer = ours(tasks, 100)
        print(f"{tasks} tasks: ours, 10 starts {quick:.6f} in {seconds:.2f} s; 100 starts {best:.6f} in {longer:.2f} s")
        try:
            theirs, passed = choicedesign(tasks, limit)
        except (ImportError, AttributeError) as error:  # the second: a Biogeme that it does not know
            print(f"{tasks} tasks: choicedesign does not run here ({error}); idefix's figures are in the docstring")
            continue
        print(
            f"{tasks} tasks: choicedesign {theirs:.6f} in {passed:.1f} s; ours is {theirs / quick - 1:.1%} better "
            f"and {passed / seconds:.0f} times as fast"
        )


if __name__ == "__main__":
    main()
