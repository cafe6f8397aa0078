"""Reference figures of the conditional logit from other software, on the three data sets of this folder's README.

Runs stock statsmodels `ConditionalLogit` (as it comes, then polished by its own Newton method) and xlogit, and writes what they say, with
versions and in full precision, to `reference.json`. Neither shares code with wtp. Neither clusters by respondent: those errors are put together
here from statsmodels' scores of single tasks, its numerical Hessian and its sums by cluster. Run by hand: `python tests/golden/make_reference.py`.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.datasets import modechoice
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.stats.sandwich_covariance import S_crosssection
from xlogit import MultinomialLogit

HERE = Path(__file__).parent
COLUMNS = {
    "electricity": ["pf", "cl", "loc", "wk", "tod", "seas"],
    "train": ["price", "time", "change", "comfort"],
    "modechoice": ["ttme", "gc", "air", "train", "bus"],
}


def read(name: str) -> pd.DataFrame:
    """Long frame with respondent, choice_task, alternative, chosen and the columns of the model."""
    if name != "modechoice":
        return pd.read_csv(HERE / f"{name}.csv.gz")
    data = modechoice.load_pandas().data
    constants = {mode: (data["mode"] == code).astype(float) for code, mode in ((1, "air"), (2, "train"), (3, "bus"))}
    return data.assign(
        respondent=data["individual"], choice_task=1, alternative=data["mode"], chosen=data["choice"], **constants
    )


def figures(log_likelihood: float, estimates: Any, errors: Any, names: list[str]) -> dict[str, Any]:
    """One fit as plain numbers."""
    return {
        "log_likelihood": float(log_likelihood),
        "params": dict(zip(names, np.asarray(estimates, dtype=float), strict=True)),
        "std_errors": dict(zip(names, np.asarray(errors, dtype=float), strict=True)),
    }


def clustered_errors(model: ConditionalLogit, fit: Any, respondent: np.ndarray) -> np.ndarray:
    """Errors clustered by respondent (T,), V = c A^-1 B A^-1 with c = G/(G-1) (T-1)/(T-K)."""
    params, inverse = fit.params.to_numpy(), np.asarray(fit.cov_params())
    scores = np.array([model.score_grp(task, params) for task in range(len(respondent))])
    groups, (tasks, k) = len(np.unique(respondent)), scores.shape
    factor = groups / (groups - 1) * (tasks - 1) / (tasks - k)
    return np.sqrt(np.diag(factor * inverse @ S_crosssection(scores, respondent) @ inverse))


def reference(name: str) -> dict[str, Any]:
    """What the others say about one data set."""
    data, names = read(name), COLUMNS[name]
    task = pd.factorize(pd.MultiIndex.from_frame(data[["respondent", "choice_task"]]))[0]
    stock = ConditionalLogit(data["chosen"].to_numpy(float), data[names], groups=task)
    as_it_comes = stock.fit(disp=0)
    polished = stock.fit(start_params=as_it_comes.params.to_numpy(), method="newton", disp=0)
    clustered = clustered_errors(stock, polished, data["respondent"].groupby(task).first().to_numpy(int))
    other = MultinomialLogit()
    other.fit(
        X=data[names], y=data["chosen"], varnames=names, ids=task, alts=data["alternative"], verbose=0, robust=False
    )
    return {
        "statsmodels ConditionalLogit": figures(as_it_comes.llf, as_it_comes.params, as_it_comes.bse, names),
        "statsmodels ConditionalLogit, Newton": figures(polished.llf, polished.params, polished.bse, names)
        | {"clustered_std_errors": dict(zip(names, clustered, strict=True))},
        "xlogit MultinomialLogit": figures(other.loglikelihood, other.coeff_, other.stderr, names),
    }


if __name__ == "__main__":
    versions = {package: version(package) for package in ("statsmodels", "xlogit", "numpy", "scipy", "pandas")}
    record = {"versions": {"python": platform.python_version(), **versions}}
    record |= {name: reference(name) for name in COLUMNS}
    text = json.dumps(record, indent=1) + "\n"
    (HERE / "reference.json").write_text(text, encoding="utf-8")
    print(text)
