"""Writes hierarchical.json: the same hierarchical logit, with the same priors, sampled by NumPyro's NUTS.

python tests/golden/make_hierarchical.py PYTHON_WITH_NUMPYRO

The model is put together once, by wtp: differences of the alternatives, covariates, prior. NumPyro gets these arrays and writes the model down anew:
S^-1 = L L' with L from `WishartCholesky(nu, rate V)`, so that S is inverse Wishart(nu, V); D = D0 + A^-1/2 E S^1/2 and theta_i = D'z_i + S^1/2 e_i, not centred;
a signed coefficient is minus the exponential. Before it samples, it draws from the prior alone: E S must be V / (nu - K - 1).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
PEOPLE, CHAINS, WARMUP, DRAWS, SEED = 100, 4, 1_000, 8_000, 1


def model() -> Any:
    """The first hundred travellers of the train data: price (minus log-normal), time, changes, comfort; two made-up groups as covariate."""
    import pandas as pd

    from wtp.estimation import ChoiceData, HierarchicalLogit, HierarchicalPrior

    frame = pd.read_csv(HERE / "train.csv.gz")
    people = frame["respondent"].drop_duplicates().iloc[:PEOPLE]
    frame = frame[frame["respondent"].isin(people)]
    group = np.where(frame["respondent"] % 2, "odd", "even")
    frame = frame.assign(price=frame["price"] / 10, group=group)
    data = ChoiceData.from_long(frame, "price + time + change + comfort", covariates=["group"])
    prior = HierarchicalPrior(mean_precision=0.1, degrees_of_freedom=10, scale=np.diag([0.3, 1.0, 0.5, 0.7]))
    return HierarchicalLogit(data, signs={"price": -1}, covariates=["group"], prior=prior, coding="as_given")


def main() -> None:
    """Arrays to the peer, its figures into the file."""
    problem = model().problem
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "problem.npz"
        names = ("rows", "first_row", "first_task", "Z", "signs", "mean", "precision", "freedom", "scale")
        np.savez(arrays, **{name: getattr(problem, name) for name in names})
        found = subprocess.run(
            [sys.argv[1], __file__, "--peer", str(arrays)], check=True, capture_output=True, text=True
        )
    record = json.loads(found.stdout.splitlines()[-1])
    (HERE / "hierarchical.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def peer(path: str) -> None:
    """NumPyro, from the arrays alone."""
    import time

    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.linalg import solve_triangular
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
    from numpyro.infer import MCMC, NUTS, Predictive

    numpyro.enable_x64()
    loaded = np.load(path)
    p = {name: loaded[name] for name in loaded.files}
    n, k, m = len(p["Z"]), len(p["rows"]), p["Z"].shape[1]
    tasks = np.repeat(np.arange(len(p["first_row"]) - 1), np.diff(p["first_row"]))
    person = np.repeat(np.arange(n), np.diff(p["first_task"]))
    signed = p["signs"] != 0

    def hierarchical(answered: bool = True) -> None:
        factor = numpyro.sample("factor", dist.WishartCholesky(float(p["freedom"]), rate_matrix=p["scale"]))
        root = solve_triangular(factor, jnp.eye(k), lower=True).T
        numpyro.deterministic("S", root @ root.T)
        standard = numpyro.sample("standard", dist.Normal(0, 1).expand([m, k]).to_event(2))
        mean = numpyro.deterministic("D", p["mean"] + (standard / jnp.sqrt(p["precision"])[:, None]) @ root.T)
        own = numpyro.sample("own", dist.Normal(0, 1).expand([n, k]).to_event(2))
        theta = p["Z"] @ mean + own @ root.T
        coefficients = jnp.where(signed, p["signs"] * jnp.exp(jnp.where(signed, theta, 0.0)), theta)
        numpyro.deterministic("first", coefficients[:5])
        if answered:
            others = (p["rows"].T * coefficients[person[tasks]]).sum(axis=1)
            total = 1 + jax.ops.segment_sum(jnp.exp(others), tasks, len(p["first_row"]) - 1)
            numpyro.factor("answers", -jnp.log(total).sum())

    prior = Predictive(hierarchical, num_samples=40_000)(jax.random.PRNGKey(7), answered=False)["S"]
    expected = p["scale"] / (float(p["freedom"]) - k - 1)
    error = np.asarray(prior.std(axis=0)) / np.sqrt(len(prior))
    assert (np.abs(np.asarray(prior.mean(axis=0)) - expected) < 5 * error).all(), "the prior of S is not the one stated"
    sampler = MCMC(NUTS(hierarchical, target_accept_prob=0.9), num_warmup=WARMUP, num_samples=DRAWS, num_chains=CHAINS, chain_method="sequential", progress_bar=False)  # fmt: skip
    began = time.perf_counter()
    sampler.run(jax.random.PRNGKey(SEED))
    seconds = time.perf_counter() - began
    kept = {name: np.asarray(value) for name, value in sampler.get_samples(group_by_chain=True).items()}
    figures = {}
    upper = np.triu_indices(k)
    for name, draws in {"D": kept["D"], "S": kept["S"][..., upper[0], upper[1]], "first": kept["first"]}.items():
        flat = draws.reshape(CHAINS, DRAWS, -1)
        ess = effective_sample_size(flat)
        sd = flat.std(axis=(0, 1))
        figures[name] = {
            "mean": flat.mean(axis=(0, 1)).tolist(),
            "sd": sd.tolist(),
            "error": (sd / np.sqrt(ess)).tolist(),
            "quantiles": np.quantile(flat, [0.05, 0.5, 0.95], axis=(0, 1)).tolist(),
            "ess": np.asarray(ess).round(1).tolist(),
            "r_hat": np.asarray(split_gelman_rubin(flat)).round(5).tolist(),
        }
    record = {
        "versions": {"numpyro": numpyro.__version__, "jax": jax.__version__, "numpy": np.__version__, "python": sys.version.split()[0]},
        "sampler": {"chains": CHAINS, "warmup": WARMUP, "draws": DRAWS, "seed": SEED, "seconds": round(seconds, 1)},
        "figures": figures,
    }  # fmt: skip
    print(json.dumps(record))


if __name__ == "__main__":
    peer(sys.argv[2]) if sys.argv[1] == "--peer" else main()
