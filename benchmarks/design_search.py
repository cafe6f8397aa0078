"""How good and how quick is the search of efficient designs? Beside choicedesign (random swapping) on the same problem, in the same run.

CHOICEDESIGN_PYTHON=/folder/bin/python python benchmarks/design_search.py [seconds for choicedesign]

4 attributes of 3 levels and 3 of 4, 3 alternatives, effects coding (17 parameters), no prior, no none. choicedesign 0.1.4 needs an old pandas, so it runs under
an interpreter of its own (`pip install choicedesign==0.1.4` in a virtual environment); newer ones need Biogeme 3.2. Without it the script says "not
installed". Both designs are judged by the same plain numpy. The factor is the peer's time over the time that our search takes to be at least as good.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np

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


PEER = """
import contextlib, io, json, sys, time
import numpy as np
from choicedesign.design import RUMDesign
sizes, alternatives, tasks, seconds = json.loads(sys.argv[1])
attributes = [
    {"name": chr(65 + a), "levels": list(range(size)), "coding": "dummy", "par": [0] * (size - 1), "avail": [1] * alternatives}
    for a, size in enumerate(sizes)
]
search = RUMDesign(attributes, alternatives, tasks)
began = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    found = search.optimise(time_lim=seconds / 60, seed=1)[0]
passed = time.perf_counter() - began
names = [[f"alt{j}_{attribute['name']}" for attribute in attributes] for j in range(1, alternatives + 1)]
levels = np.stack([found[columns].to_numpy(int) for columns in names], axis=1)
print(json.dumps([levels.tolist(), passed]))
"""


def choicedesign(tasks: int, seconds: float) -> tuple[float, float] | None:
    """D-error and seconds of choicedesign, stopped after so many seconds; None where it is not installed."""
    python = os.environ.get("CHOICEDESIGN_PYTHON", sys.executable)
    problem = json.dumps([SIZES.tolist(), ALTERNATIVES, tasks, seconds])
    done = subprocess.run([python, "-c", PEER, problem], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{tasks} tasks: choicedesign: not installed ({done.stderr.strip().splitlines()[-1]})")
        return None
    levels, passed = json.loads(done.stdout)
    return d_error(np.array(levels)), float(passed)


def as_good(tasks: int, wanted: float) -> float:
    """Seconds of our search with the fewest starts (1, 2, 4, ...) whose design is at least as good."""
    starts = 1
    while True:
        error, seconds = ours(tasks, starts)
        if error <= wanted:
            return seconds
        starts *= 2


def main() -> None:
    """Print one line a search."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    ours(12, 1)  # compile
    for tasks in (12, 18):
        quick, seconds = ours(tasks, 10)
        best, longer = ours(tasks, 100)
        print(f"{tasks} tasks: ours, 10 starts {quick:.6f} in {seconds:.2f} s; 100 starts {best:.6f} in {longer:.2f} s")
        peer = choicedesign(tasks, limit)
        if peer:
            theirs, passed = peer
            print(
                f"{tasks} tasks: choicedesign {theirs:.6f} in {passed:.1f} s; ours is {theirs / quick - 1:.1%} better with 10 starts, "
                f"and as good {passed / as_good(tasks, theirs):.0f} times as fast"
            )
    for starts, error, took in ((1, 0.127964, 0.66), (12, 0.127726, 5.1)):
        print(
            f"18 tasks: idefix 1.1.0 (CEA, {starts} starts, measured earlier on a machine of this size, not in this run) {error:.6f} in {took} s; "
            f"ours is as good {took / as_good(18, error):.0f} times as fast"
        )


if __name__ == "__main__":
    main()
