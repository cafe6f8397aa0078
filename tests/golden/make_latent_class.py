"""Latent class figures from other software on the electricity data: Biogeme, and a plain maximisation in another parametrisation.

The plain one is scipy's BFGS from twelve random starts and knows nothing of EM, of coding or of wtp: shares as squares on a sphere, coefficients as mean and
deviations, numerical gradients of a likelihood written out class by class. Biogeme, which takes a minute and more a start, begins at its optimum rounded to one
digit, and gives errors from the inverse Hessian and robust ones by respondent. Writes `latent_class.json`, with versions, in full precision. Run by hand where Biogeme is
installed (it is not among the requirements), in a folder where it may leave its settings: `python .../tests/golden/make_latent_class.py`.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from biogeme.biogeme import BIOGEME
from biogeme.database import Database
from biogeme.expressions import Beta, PanelLikelihoodTrajectory, Variable, exp, log
from biogeme.models import logit
from scipy.optimize import minimize

HERE = Path(__file__).parent
NAMES = ["pf", "cl", "loc", "wk", "tod", "seas"]
CLASSES = (2, 3, 4)
STARTS = 12


def read() -> pd.DataFrame:
    """One row a choice task: respondent, chosen alternative 1..4, and every attribute of every alternative."""
    data = pd.read_csv(HERE / "electricity.csv.gz")
    wide = data.pivot_table(index=["respondent", "choice_task"], columns="alternative", values=NAMES)
    wide.columns = [f"{name}_{alternative}" for name, alternative in wide.columns]
    chosen = data[data["chosen"] == 1].set_index(["respondent", "choice_task"])["alternative"]
    return wide.assign(choice=chosen).reset_index().astype(float)


def biogeme(classes: int, start: np.ndarray, shares: np.ndarray) -> Any:
    """Biogeme's results from a start (classes, 6)."""
    database = Database("electricity", read())
    database.panel("respondent")
    likelihoods = []
    for c in range(classes):
        coefficients = [Beta(f"{name}_{c}", float(start[c, k]), None, None, 0) for k, name in enumerate(NAMES)]
        utilities = {
            j: sum(beta * Variable(f"{name}_{j}") for beta, name in zip(coefficients, NAMES, strict=True))
            for j in (1, 2, 3, 4)
        }
        likelihoods.append(PanelLikelihoodTrajectory(logit(utilities, None, Variable("choice"))))
    masses = [
        exp(Beta(f"membership_{c}", float(np.log(shares[c] / shares[0])), None, None, int(c == 0)))
        for c in range(classes)
    ]
    total = sum(masses)
    mixture = sum(mass / total * likelihood for mass, likelihood in zip(masses, likelihoods, strict=True))
    model = BIOGEME(database, log(mixture), generate_html=False, generate_yaml=False, save_iterations=False)
    model.model_name = f"latent_{classes}"
    return model.estimate()


def by_share(found: Any, classes: int) -> dict[str, Any]:
    """One result as plain numbers, classes ordered by share."""
    values, masses = found.get_beta_values(), np.zeros(classes)
    table = found.robust_variance_covariance_matrix, found.rao_cramer_variance_covariance_matrix
    masses[1:] = [values[f"membership_{c}"] for c in range(1, classes)]
    shares = np.exp(masses) / np.exp(masses).sum()
    order = np.argsort(-shares)
    names = list(found.raw_estimation_results.beta_names)
    robust, inverse = (np.sqrt(np.diag(np.asarray(matrix))) for matrix in table)
    place = [[names.index(f"{name}_{c}") for name in NAMES] for c in order]
    return {
        "log_likelihood": float(found.final_loglikelihood),
        "shares": shares[order].tolist(),
        "params": [[values[f"{name}_{c}"] for name in NAMES] for c in order],
        "std_errors": inverse[place].tolist(),
        "robust_std_errors": robust[place].tolist(),
    }


def plain(classes: int, rng: np.random.Generator) -> dict[str, Any]:
    """The best of several BFGS runs in another parametrisation: (mean, deviations, square roots of shares)."""
    data = read()
    columns = [[f"{name}_{j}" for name in NAMES] for j in (1, 2, 3, 4)]
    X = np.stack([data[names].to_numpy() for names in columns], axis=1)
    X = X - X[np.arange(len(X)), data["choice"].to_numpy(int) - 1][:, None, :]
    people = pd.factorize(data["respondent"])[0]

    def unpack(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, deviations = theta[:6], theta[6 : 6 * classes].reshape(classes - 1, 6)
        beta = mean + np.vstack([deviations, -deviations.sum(axis=0)])
        roots = np.r_[1.0, theta[6 * classes :]]
        return beta, roots**2 / (roots**2).sum()

    def negative(theta: np.ndarray) -> float:
        beta, shares = unpack(theta)
        terms = []
        for c in range(classes):
            v = X @ beta[c]
            top = v.max(axis=1)
            tasks = -top - np.log(np.exp(v - top[:, None]).sum(axis=1))
            terms.append(np.log(shares[c]) + np.bincount(people, tasks))
        stacked = np.array(terms)
        top = stacked.max(axis=0)
        return -float((top + np.log(np.exp(stacked - top).sum(axis=0))).sum())

    pooled = np.array([-0.6, -0.1, 1.4, 1.0, -5.5, -5.8])
    best = None
    for _ in range(STARTS):
        deviations = 0.5 * rng.standard_normal((classes - 1) * 6) * np.tile(np.abs(pooled), classes - 1)
        found = minimize(
            negative, np.r_[pooled, deviations, np.ones(classes - 1)], method="BFGS", options={"gtol": 1e-4}
        )
        if best is None or found.fun < best.fun:
            best = found
    best = minimize(negative, best.x, method="BFGS", jac="3-point", options={"gtol": 1e-5})
    beta, shares = unpack(best.x)
    order = np.argsort(-shares)
    return {"log_likelihood": -float(best.fun), "shares": shares[order].tolist(), "params": beta[order].tolist()}


if __name__ == "__main__":
    rng = np.random.default_rng(20240501)
    packages = ("biogeme", "jax", "numpy", "scipy", "pandas")
    record: dict[str, Any] = {"versions": {"python": platform.python_version()} | {p: version(p) for p in packages}}
    record["names"] = NAMES
    for classes in CLASSES:
        other = plain(classes, rng)
        print(other, flush=True)
        found = biogeme(classes, np.round(other["params"], 1), np.round(other["shares"], 1))
        record[f"{classes} classes"] = {"biogeme": by_share(found, classes), "scipy, other parametrisation": other}
        print(classes, json.dumps(record[f"{classes} classes"], indent=1), flush=True)
    (HERE / "latent_class.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
