"""Latent classes: the best optimum and how fast, classes found again, intervals that hold what they promise.

python benchmarks/latent_class.py

1. Electricity data, 2 to 5 classes: seconds, and starts at the best optimum, beside expectation-maximisation as it is usually written
(numpy, full weighted logits in every step, random memberships, stopped when the log-likelihood moves by less than 1e-8 of itself).
2. Twenty simulated studies of 300 respondents with three classes: is their number chosen, are shares, part-worths and memberships right?
3. Two hundred simulated studies of 300 respondents: 95 per cent intervals of part-worths, of membership coefficients and of the WTP of each class. 92 to 98 per
cent is what 200 studies can tell from 95.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from wtp.estimation import ChoiceData
from wtp.estimation.class_selection import select_classes
from wtp.estimation.latent_class import LatentClassLogit
from wtp.estimation.latent_results import LatentClassResults

ELECTRICITY = Path(__file__).parents[1] / "tests" / "golden" / "electricity.csv.gz"
FORMULA = "brand + speed + wifi + price + none"
NAMES = ("brand[T.known]", "speed[T.slow]", "wifi[T.yes]", "price", "none")
TASTES = np.array([[0.3, -0.4, 0.5, -1.6, -3.0], [1.6, -0.3, 0.2, -0.6, -1.5], [0.2, -1.8, 1.5, -0.5, -2.5]])
SHARES = np.array([0.45, 0.33, 0.22])
# Against class 1, by covariate: constant, large company, years as customer.
MEMBERSHIP = np.array([[-0.3, 0.9, 0.0], [-0.7, -0.5, 0.8]])


def study(respondents: int, seed: int, *, tasks: int = 10, covariates: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    """A simulated study in long format (three offers and none a task), and the true class 0..2 of each respondent."""
    rng = np.random.default_rng([seed, 5])
    size, years = rng.integers(0, 2, respondents), rng.standard_normal(respondents)
    if covariates:
        columns = np.column_stack([np.ones(respondents), size, years])
        masses = np.exp(np.column_stack([np.zeros(respondents), columns @ MEMBERSHIP.T]))
        shares = masses / masses.sum(axis=1, keepdims=True)
        truth = (rng.random(respondents)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    else:
        truth = rng.permutation(np.repeat(np.arange(3), np.round(respondents * SHARES).astype(int)))[:respondents]
    rows = respondents * tasks * 4
    who, none = np.arange(rows) // (tasks * 4), np.arange(rows) % 4 == 3
    X = np.column_stack([rng.integers(0, 2, (rows, 3)), rng.choice([1.0, 1.5, 2.0, 3.0], rows)]) * ~none[:, None]
    X = np.column_stack([X, none])
    utility = (X * TASTES[truth[who]]).sum(axis=1) + rng.gumbel(size=rows)
    best = utility.reshape(-1, 4).max(axis=1).repeat(4)
    frame = pd.DataFrame(
        {
            "respondent": who,
            "choice_task": np.arange(rows) // 4 % tasks,
            "chosen": (utility == best).astype(int),
            "brand": np.where(X[:, 0] == 1, "known", "a new one"),
            "speed": np.where(X[:, 1] == 1, "slow", "fast"),
            "wifi": np.where(X[:, 2] == 1, "yes", "no"),
            "price": X[:, 3],
            "none": none.astype(float),
            "company": np.where(size == 1, "large", "a small one")[who],
            "years": years[who],
        }
    )
    return frame, truth


def coded(frame: pd.DataFrame) -> ChoiceData:
    """The study as `ChoiceData`."""
    return ChoiceData.from_long(frame, FORMULA, covariates=["company", "years"])


def match(fit: LatentClassResults, tastes: np.ndarray = TASTES) -> np.ndarray:
    """(C,) label of the fitted class that stands for each true class: the assignment with the nearest part-worths."""
    found = fit.class_params.loc[list(NAMES)].to_numpy().T
    distance = ((tastes[:, None, :] - found[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(linear_sum_assignment(distance)[1] + 1)


def recovery(
    studies: int = 20, respondents: int = 300, numbers: tuple[int, ...] = (1, 2, 3, 4), starts: int = 10
) -> pd.DataFrame:
    """One row a study: classes chosen; error of shares, largest part-worth error in standard errors, share of respondents in their true class."""
    rows = []
    for seed in range(studies):
        frame, truth = study(respondents, seed)
        selection = select_classes(coded(frame), numbers, starts=starts)
        fit = selection.fits[3]
        labels = match(fit)
        errors = (fit.class_params[labels].loc[list(NAMES)].to_numpy().T - TASTES) / fit.class_errors[labels].loc[list(NAMES)].to_numpy().T  # fmt: skip
        shares = np.bincount(truth, minlength=3) / len(truth)
        right = labels[truth] == fit.membership.idxmax(axis=1).to_numpy()
        rows.append(
            {
                "classes": selection.classes,
                "share_error": float(np.abs(fit.shares[labels].to_numpy() - shares).max()),
                "largest_z": float(np.abs(errors).max()),
                "members_right": float(right.mean()),
                "best_found": fit.best_found,
            }
        )
    return pd.DataFrame(rows)


def coverage(studies: int = 200, respondents: int = 300, starts: int = 3) -> pd.DataFrame:
    """Share of studies whose 95 per cent interval holds the truth: one row a parameter, and the WTP for wifi; spread over the mean standard error."""
    estimates, errors, names, truth = [], [], [], []
    for seed in range(studies):
        frame, _ = study(respondents, 1000 + seed, covariates=True)
        fit = LatentClassLogit(coded(frame), 3, ["company", "years"]).fit(starts=starts, seed=seed)
        labels = match(fit)
        data = fit.data
        covariance, values, names, truth, slopes = fit.cov_params(), [], [], [], []
        for c, label in enumerate(labels):
            for k, name in enumerate(NAMES):
                names.append(f"{c + 1}:{name}")
                values.append(fit.params[label, name])
                truth.append(TASTES[c, k])
                slopes.append(_unit(covariance.index, [((label, name), 1.0)]))
            wifi, price = fit.params[label, "wifi[T.yes]"], fit.params[label, "price"]
            names.append(f"{c + 1}:wtp of wifi")
            values.append(-wifi / price)
            truth.append(-TASTES[c, 2] / TASTES[c, 3])
            slopes.append(_unit(covariance.index, [((label, "wifi[T.yes]"), -1 / price), ((label, "price"), wifi / price**2)]))  # fmt: skip
        spread = float(data.covariates["years"].std(ddof=0))
        for c in (1, 2):
            # Membership is against the largest class; the truth against the true first class.
            for j, name in ((1, "company[T.large]"), (2, "years")):
                unit = spread if name == "years" else 1.0
                places = [((labels[c], f"membership:{name}"), 1.0), ((labels[0], f"membership:{name}"), -1.0)]
                places = [place for place in places if place[0][0] > 1]
                names.append(f"{c + 1}:membership:{name}")
                values.append(sum(sign * fit.params[key] for key, sign in places) / unit)
                truth.append(MEMBERSHIP[c - 1, j])
                slopes.append(_unit(covariance.index, [(key, sign / unit) for key, sign in places]))
        slopes = np.array(slopes)
        estimates.append(values)
        errors.append(np.sqrt(np.einsum("qp,pr,qr->q", slopes, covariance.to_numpy(), slopes)))
    found, half = np.array(estimates), 1.959964 * np.array(errors)
    return pd.DataFrame(
        {
            "parameter": names,
            "truth": truth,
            "covered": (np.abs(found - truth) <= half).mean(axis=0),
            "bias": found.mean(axis=0) - truth,
            "spread": found.std(axis=0, ddof=1),
            "mean_error": np.mean(errors, axis=0),
        }
    )


def _unit(index: pd.MultiIndex, places: list[tuple[tuple[int, str], float]]) -> np.ndarray:
    slope = np.zeros(len(index))
    for key, value in places:
        slope[index.get_loc(key)] = value
    return slope


def plain_em(data: ChoiceData, classes: int, rng: np.random.Generator) -> float:
    """One start of expectation-maximisation as it is usually written; its log-likelihood."""
    Z, starts, chosen, person = data.centred, data.starts, data.chosen, data.respondent
    people = len(data.respondents)
    h = rng.dirichlet(np.ones(classes), people)
    beta, last = np.zeros((classes, Z.shape[1])), -np.inf
    for _ in range(2000):
        logs = np.empty((people, classes))
        for c in range(classes):
            weight = h[person, c]
            for _ in range(20):
                v = Z @ beta[c]
                e = np.exp(v - v.max())
                p = e / np.add.reduceat(e, starts)[data.task_of_row]
                mean = np.add.reduceat(Z * p[:, None], starts)
                gradient = weight @ (Z[chosen] - mean)
                hessian = (Z * (p * weight[data.task_of_row])[:, None]).T @ Z - (mean * weight[:, None]).T @ mean
                move = np.linalg.solve(hessian, gradient)
                beta[c] += move
                if gradient @ move < 1e-8:
                    break
            v = Z @ beta[c]
            logs[:, c] = np.bincount(person, v[chosen] - np.log(np.add.reduceat(np.exp(v), starts)))
        logs += np.log(h.mean(axis=0))
        top = logs.max(axis=1, keepdims=True)
        total = np.exp(logs - top).sum(axis=1, keepdims=True)
        h = np.exp(logs - top) / total
        loglike = float((top + np.log(total)).sum())
        if abs(loglike - last) < 1e-8 * abs(loglike):
            break
        last = loglike
    return loglike


def electricity(starts: int = 20) -> pd.DataFrame:
    """Best log-likelihood, starts at it, and seconds a start, ours and plain."""
    data = ChoiceData.from_long(pd.read_csv(ELECTRICITY), "pf + cl + loc + wk + tod + seas", price="pf")
    LatentClassLogit(data, 2).fit(starts=1)  # compiles
    rows = []
    for classes in (2, 3, 4, 5):
        began = time.perf_counter()
        fit = LatentClassLogit(data, classes).fit(starts=starts, seed=1, cores=1)
        ours = time.perf_counter() - began
        with threadpool_limits(1):
            began = time.perf_counter()
            plain = np.array([plain_em(data, classes, np.random.default_rng([7, n])) for n in range(starts)])
            theirs = time.perf_counter() - began
        at_best = int((plain > fit.llf - 1e-3).sum())
        rows.append(
            (classes, fit.llf, fit.best_found, ours / starts, plain.max(), at_best, theirs / starts, theirs / ours)
        )
    columns = [
        "classes",
        "log_likelihood",
        "at_best",
        "seconds_a_start",
        "plain",
        "plain_at_best",
        "plain_seconds",
        "ratio",
    ]
    return pd.DataFrame(rows, columns=columns)


if __name__ == "__main__":
    print("electricity, 20 starts, one core")
    print(electricity().to_string(index=False, float_format=lambda value: f"{value:.6f}"), "\n")
    began = time.perf_counter()
    table = recovery()
    print(f"three classes found again ({time.perf_counter() - began:.0f} s)")
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))
    print(f"three classes chosen in {(table['classes'] == 3).sum()} of {len(table)} studies\n")
    began = time.perf_counter()
    table = coverage()
    print(f"intervals ({time.perf_counter() - began:.0f} s)")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    print(f"all intervals: {table['covered'].mean():.1%}")
