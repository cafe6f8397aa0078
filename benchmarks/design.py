"""How good the designs are: D-error of the supplier study's design against purely random designs, and the seconds of the search.

python benchmarks/design.py
"""

from __future__ import annotations

import time
from pathlib import Path

from wtp.design import diagnostics, search
from wtp.survey import load_survey


def main() -> None:
    """Search five designs and print one line each."""
    definition = load_survey(Path(__file__).parents[1] / "surveys" / "supplier").definition
    print(f"{definition.choice_tasks.versions} versions x {definition.choice_tasks.total} tasks")
    for seed in range(1, 6):
        began = time.perf_counter()
        design = search(definition, seed)
        seconds = time.perf_counter() - began
        found = diagnostics(design, definition)
        balance = max(row.deviation for row in found.balance)
        print(
            f"seed {seed}: {seconds:.2f} s, D-error {found.d_error:.5f}, {found.d_error / found.random_d_error:.3f} of random, "
            f"largest imbalance {balance:.2%}, dominated tasks {found.dominated_tasks}"
        )


if __name__ == "__main__":
    main()
