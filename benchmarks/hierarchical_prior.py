"""Which prior variance keeps the price limit where it is? The experiment behind `HierarchicalPrior`'s default.

python benchmarks/hierarchical_prior.py [--studies N]

The default study: six attributes of three levels, a signed price over five prices, 10 choice tasks of 3 offers and none; 14 coefficients. Tastes are normal
with a standard deviation of 0.4 (narrow) or 1.5 (wide) times the mean part-worth, the price sensitivity log-normal with 0.5, the none utility has 1.5. Prior variances v of
the part-worths and the log price 0.03, 0.1, 0.3 and 1, of none 1. Reported over the studies: bias of the price that 75, 50 and 25 per cent would still pay, in
units of the tested range; how often 90 % intervals hold the truth (the three prices together, and the WTP of all steps); root mean squared error of WTP.
"""

from __future__ import annotations

import argparse
import time
from itertools import product

import numpy as np
import pandas as pd

from wtp.estimation import ChoiceData, HierarchicalLogit, HierarchicalPrior
from wtp.pricing import Step, willingness_to_pay
from wtp.pricing.reservation_price import reservation_prices

ATTRIBUTES, LEVELS, TASKS, OFFERS = 6, 3, 10, 3
PRICES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
MEANS = np.linspace(0.15, 0.8, ATTRIBUTES)  # part-worth of a step up
WIDTHS = {"narrow": 0.4, "wide": 1.5}
VARIANCES = (0.03, 0.1, 0.3, 1.0)
SIZES = (75, 150, 300)
LOG_PRICE, PRICE_SPREAD, NONE, NONE_SPREAD = np.log(2.2), 0.5, 0.9, 1.5
QUANTILES = (0.25, 0.5, 0.75)


def people(count: int, width: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level utilities (N, attributes, levels), price sensitivities (N,), none utilities (N,)."""
    steps = MEANS[:, None] * (1 + width * rng.standard_normal((count, ATTRIBUTES, LEVELS - 1)))
    utilities = np.concatenate([np.zeros((count, ATTRIBUTES, 1)), np.cumsum(steps, axis=2)], axis=2)
    sensitivity = np.exp(LOG_PRICE + PRICE_SPREAD * rng.standard_normal(count))
    return utilities, sensitivity, NONE + NONE_SPREAD * rng.standard_normal(count)


def truth(width: float) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of the reservation price of the offer with all middle levels, and median WTP (attributes, 2 steps), of the population."""
    utilities, sensitivity, none = people(400_000, width, np.random.default_rng(0))
    prices = (utilities[:, :, 1].sum(axis=1) - none) / sensitivity
    worth = np.median(np.diff(utilities, axis=2) / sensitivity[:, None, None], axis=0)
    return np.quantile(prices, QUANTILES), worth


def study(count: int, width: float, seed: int) -> ChoiceData:
    """Answers of a sample, coded."""
    rng = np.random.default_rng([seed, count])
    utilities, sensitivity, none = people(count, width, rng)
    shape = (count, TASKS, OFFERS)
    levels = rng.integers(0, LEVELS, (*shape, ATTRIBUTES))
    prices = rng.choice(PRICES, shape)
    person = np.arange(count)[:, None, None]
    v = sum(utilities[person, a, levels[..., a]] for a in range(ATTRIBUTES)) - sensitivity[:, None, None] * prices
    v = np.concatenate([v, np.broadcast_to(none[:, None, None], (count, TASKS, 1))], axis=2)
    chosen = (v + rng.gumbel(size=v.shape)).argmax(axis=2)
    respondent, task, offer = (grid.ravel() for grid in np.indices((count, TASKS, OFFERS + 1)))
    columns = {"respondent": respondent, "choice_task": task, "none": (offer == OFFERS).astype(int)}
    frame = pd.DataFrame(columns | {"chosen": (chosen[respondent, task] == offer).astype(int)})
    real = offer < OFFERS
    for a in range(ATTRIBUTES):
        text = pd.Series(None, index=frame.index, dtype=object)
        text[real] = [f"level {level}" for level in levels[..., a].ravel()]
        frame[f"a{a}"] = text
    frame["price"] = np.nan
    frame.loc[real, "price"] = prices.ravel()
    return ChoiceData.from_long(frame, " + ".join([*(f"a{a}" for a in range(ATTRIBUTES)), "price", "none"]))


def measure(data: ChoiceData, variance: float, known: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """Bias, coverage and error of one fit."""
    prior = HierarchicalPrior(scale={name: variance for name in data.names if name != "none"})
    fit = HierarchicalLogit(data, signs={"price": -1}, prior=prior).fit(
        stop="preliminary", warmup=2_000, draws=4_000, seed=1
    )
    drawn = fit.simulate(1_000)
    offer = {f"a{a}": "level 1" for a in range(ATTRIBUTES)}
    limits = np.quantile(reservation_prices(data, offer, drawn), QUANTILES, axis=1)
    low, middle, high = np.quantile(limits, [0.05, 0.5, 0.95], axis=1)
    steps = [Step(f"a{a}", f"level {s}", f"level {s + 1}") for a, s in product(range(ATTRIBUTES), range(LEVELS - 1))]
    table = willingness_to_pay(fit, steps=steps, confidence=0.90, draws=1_000)
    worth = known[1].ravel()
    found = {f"bias_{100 * (1 - q):.0f}": bias for q, bias in zip(QUANTILES, middle - known[0], strict=True)}
    found["covered"] = float(((low <= known[0]) & (known[0] <= high)).mean())
    found["worth_covered"] = float(((table["low"] <= worth) & (worth <= table["high"])).mean())
    found["worth_error"] = float(np.sqrt(((table["estimate"] - worth) ** 2).mean()))
    return found | {"final": float(fit.status != "not converged")}


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=6)
    studies = parser.parse_args().studies
    began = time.perf_counter()
    for name, width in WIDTHS.items():
        known = truth(width)
        print(
            f"{name} tastes: true prices {np.round(known[0], 2)}, median WTP {known[1].min():.2f} to {known[1].max():.2f}"
        )
        print("  persons     v  bias 75/50/25 %        covered  WTP covered  WTP error  converged")
        for count in SIZES:
            data = [study(count, width, seed) for seed in range(studies)]
            for variance in VARIANCES:
                mean = pd.DataFrame([measure(d, variance, known) for d in data]).mean()
                biases = "/".join(f"{mean[f'bias_{p}']:+.2f}" for p in (75, 50, 25))
                print(
                    f"  {count:>7}{variance:>6}  {biases}  {mean['covered']:>12.2f}{mean['worth_covered']:>13.2f}"
                    f"{mean['worth_error']:>11.3f}{mean['final']:>11.2f}",
                    flush=True,
                )
    print(f"{studies} studies each, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
