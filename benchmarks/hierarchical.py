"""How fast the hierarchical sampler mixes beside a plain random-walk Metropolis-within-Gibbs, on the same data and prior.

python benchmarks/hierarchical.py [--hard | --large]

332 respondents x 16 choice tasks x 5 alternatives x 10 coefficients, simulated with a fixed seed (--hard: 946 x 16 pairs x 14, where answers say little about
each person). The peer is vectorised numpy as bayesm's sampler is built: one joint random step a respondent and sweep, scaled pooled Hessian, 2.38 / sqrt(K), then
the conjugate draws; 20,000 sweeps, a tenth of them for burn-in. Compared are effective draws a second, warm-up counted: the smallest over the population means,
over the log variances, and of the log-likelihood, which shows the common scale of all coefficients. One chain and one thread a core each.
--large: 10,000 respondents x 10 x 4 x 12, the draws in a folder instead of in memory: memory of the process when 100 and 400 draws of everybody are kept; pages of files, which the system
takes back when it needs them, are counted apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from wtp.estimation import ChoiceData, HierarchicalLogit, convergence
from wtp.estimation.hierarchical.problem import Problem, pooled_mode

SWEEPS, BURN_IN = 20_000, 2_000


def simulate(respondents: int, tasks: int, alternatives: int, k: int, spread: float, *, seed: int = 0) -> ChoiceData:
    """Three-valued attributes, normal tastes."""
    rng = np.random.default_rng(seed)
    X = rng.choice([-1.0, 0.0, 1.0], (respondents * tasks, alternatives, k))
    tastes = np.linspace(-1, 1, k) * spread + spread * np.linspace(0.6, 1.4, k) * rng.standard_normal((respondents, k))
    person = np.repeat(np.arange(respondents), tasks)
    utility = np.einsum("tjk,tk->tj", X, tastes[person]) + rng.gumbel(size=X.shape[:2])
    starts = np.arange(respondents * tasks) * alternatives
    return ChoiceData(
        X=X.reshape(-1, k), starts=starts, chosen=starts + utility.argmax(axis=1), respondent=person, respondents=np.arange(respondents),
        names=tuple(f"x{j}" for j in range(k)),
    )  # fmt: skip


def random_walk(problem: Problem, seed: int) -> np.ndarray:
    """Watched quantities (1, sweeps kept, Q) of the plain sampler; choice tasks of one size."""
    rng = np.random.default_rng(seed)
    n, k, _ = problem.shape
    rows = problem.rows.T.reshape(n, -1, k)
    others = int(problem.first_row[1])
    start, information = pooled_mode(*problem.choices)
    share = information / n
    theta, root = np.tile(start, (n, 1)), np.linalg.cholesky(problem.scale / problem.freedom)

    def loglike(at: np.ndarray) -> np.ndarray:
        v = np.matmul(rows, at[:, :, None])[:, :, 0].reshape(n, -1, others)
        top = np.maximum(v.max(axis=2), 0)
        return np.asarray(-(top + np.log(np.exp(-top) + np.exp(v - top[:, :, None]).sum(axis=2))).sum(axis=1))

    value, kept = loglike(theta), []
    precision, freedom = problem.precision[0], problem.freedom + n
    for sweep in range(SWEEPS):
        centre = theta.sum(axis=0) / (n + precision)
        scatter = (theta - centre).T @ (theta - centre) + precision * np.outer(centre, centre) + problem.scale
        bartlett = np.diag(np.sqrt(rng.chisquare(freedom - np.arange(k))))
        bartlett[np.tril_indices(k, -1)] = rng.standard_normal(k * (k - 1) // 2)
        root = np.linalg.solve(bartlett, np.linalg.cholesky(scatter).T).T
        covariance = root @ root.T
        mean = centre + root @ rng.standard_normal(k) / np.sqrt(n + precision)
        inverse = np.linalg.inv(covariance)
        step = 2.38 / np.sqrt(k) * np.linalg.cholesky(np.linalg.inv(share + inverse))
        proposal = theta + rng.standard_normal((n, k)) @ step.T
        new = loglike(proposal)
        before, after = theta - mean, proposal - mean
        ratio = (
            new
            - value
            - 0.5
            * (np.einsum("nk,kl,nl->n", after, inverse, after) - np.einsum("nk,kl,nl->n", before, inverse, before))
        )
        taken = -rng.standard_exponential(n) < ratio
        theta[taken], value[taken] = proposal[taken], new[taken]
        if sweep >= BURN_IN:
            kept.append(np.r_[mean, np.log(np.diag(covariance)), value.sum()])
    return np.array(kept)[None]


def line(name: str, seconds: float, watched: np.ndarray, k: int) -> np.ndarray:
    """Print and return effective draws a second: means, log variances, log-likelihood."""
    ess = convergence.ess_mean(watched)
    rates = np.array([ess[:k].min(), ess[k : 2 * k].min(), ess[-1]]) / seconds
    print(
        f"  {name:34}{seconds:8.1f} s{rates[0]:10.1f}{rates[1]:10.1f}{rates[2]:10.1f}   largest R-hat {convergence.r_hat(watched).max():.4f}"
    )
    return rates


def large() -> None:
    """Ours alone; each amount of draws in a process of its own, since a peak of memory never falls."""
    for keep in (100, 400):
        worker = get_context("spawn").Process(target=_kept, args=(keep,))
        worker.start()
        worker.join()


def _kept(keep: int) -> None:
    data = simulate(10_000, 10, 4, 12, 0.8)
    with tempfile.TemporaryDirectory() as folder:
        fit = HierarchicalLogit(data).fit(draws=keep // 2, warmup=50, stop=None, keep=keep, checkpoint=folder)
        fit.individual  # noqa: B018  reads every draw
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        own, pages = (int(status[name].split()[0]) / 2**20 for name in ("RssAnon", "RssFile"))
        rate = (fit.sweeps + fit.warmup) / fit.seconds
        print(
            f"  {len(fit.chain):,} draws kept: {size / 1e9:.2f} GB in files, {own:.2f} GB of own memory, {pages:.2f} GB of file pages; {rate:.1f} sweeps a second and chain",
            flush=True,
        )


def main() -> None:
    """Both samplers in one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    if arguments.large:
        large()
        return
    shape = (946, 16, 2, 14, 0.8) if arguments.hard else (332, 16, 5, 10, 1.5)
    data = simulate(*shape)
    k = shape[3]
    model = HierarchicalLogit(data)
    model.fit(draws=4, warmup=20, stop=None)  # compiles
    print(
        f"{shape[0]} respondents x {shape[1]} tasks x {shape[2]} alternatives x {k} coefficients: effective draws a second"
    )
    print(f"  {'':34}{'':10}{'means':>10}{'variances':>10}{'loglike':>10}")
    fit = model.fit(seed=1)
    ours = line(f"wtp, 2 chains, {fit.warmup}+{fit.sweeps} sweeps: {fit.status}", fit.seconds, fit.sampled.watched, k)
    single = model.fit(seed=1, chains=1, draws=fit.sweeps, warmup=fit.warmup, stop=None)
    alone = line("wtp, 1 chain, 1 thread", single.seconds, single.sampled.watched, k)
    with threadpool_limits(1):
        began = time.perf_counter()
        watched = random_walk(model.problem, 1)
        theirs = line(f"random walk, {SWEEPS:,} sweeps", time.perf_counter() - began, watched, k)
    print(
        f"  ratio, both cores: {' '.join(f'{r:.0f}' for r in ours / theirs)}; one core: {' '.join(f'{r:.0f}' for r in alone / theirs)} (means, variances, log-likelihood)"
    )


if __name__ == "__main__":
    main()
