"""Mixed logit figures of xlogit on the electricity data, six independent normals, panel; written to `mixed_logit.json`.

Run by hand: `python tests/golden/make_mixed_logit.py`. 500 Halton draws by xlogit's own rule, then 2,000.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from xlogit import MixedLogit

HERE = Path(__file__).parent
NAMES = ["pf", "cl", "loc", "wk", "tod", "seas"]


def reference(draws: int) -> dict[str, Any]:
    """One fit as plain numbers; standard errors are xlogit's."""
    data = pd.read_csv(HERE / "electricity.csv.gz")
    task = pd.factorize(pd.MultiIndex.from_frame(data[["respondent", "choice_task"]]))[0]
    model = MixedLogit()
    model.fit(
        X=data[NAMES], y=data["chosen"], varnames=NAMES, ids=task, panels=data["respondent"], alts=data["alternative"],
        randvars=dict.fromkeys(NAMES, "n"), n_draws=draws, verbose=0,
    )  # fmt: skip
    k = len(NAMES)
    return {
        "log_likelihood": float(model.loglikelihood),
        "means": dict(zip(NAMES, map(float, model.coeff_[:k]), strict=True)),
        "sds": dict(zip(NAMES, map(float, model.coeff_[k:]), strict=True)),
        "std_errors": dict(zip(NAMES, map(float, model.stderr[:k]), strict=True)),
    }


if __name__ == "__main__":
    record: dict[str, Any] = {"versions": {"python": platform.python_version()}}
    record["versions"] |= {package: version(package) for package in ("xlogit", "numpy", "scipy", "pandas")}
    for draws in (500, 2000):
        record[f"xlogit, {draws} Halton"] = reference(draws)
    text = json.dumps(record, indent=1) + "\n"
    (HERE / "mixed_logit.json").write_text(text, encoding="utf-8")
    print(text)
