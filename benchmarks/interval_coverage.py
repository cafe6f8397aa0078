"""Do 95 per cent intervals of WTP hold what they promise? 200 simulated surveys each, with fixed seeds.

python benchmarks/interval_coverage.py

Each survey: 150 respondents, 10 choice tasks of 3 offers and none. First everybody has the same tastes, and the truth is known. Then tastes
differ (normal part-worths, log-normal price sensitivity): a pooled fit then estimates a population average, whose true value is taken from one
fit to 40,000 respondents, and the answers of one respondent are no longer independent, so that errors not clustered are too small.
An interval covers if the truth lies inside; 92 to 98 per cent is what 200 surveys can tell from 95.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.pricing import willingness_to_pay

FORMULA = "speed + brand + price + none"
LEVELS = {"speed": ("5 days", "2 days", "same day"), "brand": ("unknown", "known")}
WORTHS = {"speed": (0.0, 0.5, 1.2), "brand": (0.0, 0.6)}
PRICES = (80.0, 90.0, 100.0, 115.0, 130.0)
PRICE, NONE = -0.03, -2.6
TRUTH = {"speed[T.2 days]": 0.5 / 0.03, "speed[T.same day]": 1.2 / 0.03, "brand[T.known]": 0.6 / 0.03}
TASKS, ALTERNATIVES = 10, 4


def survey(respondents: int, seed: int, *, spread: float, apart: float = 0.0) -> pd.DataFrame:
    """One simulated survey in long format; spread 0: everybody has the same tastes; apart: standard deviation by which likings of each level differ besides."""
    rng = np.random.default_rng(seed)
    rows = respondents * TASKS * ALTERNATIVES
    who = np.arange(rows) // (TASKS * ALTERNATIVES)
    none = (np.arange(rows) % ALTERNATIVES == ALTERNATIVES - 1).astype(float)
    shown = {name: rng.integers(0, len(levels), rows) * (none == 0) for name, levels in LEVELS.items()}
    price = rng.choice(PRICES, rows) * (none == 0)
    utility = price * PRICE * np.exp(spread * rng.normal(size=respondents) - spread**2 / 2)[who]
    for name, codes in shown.items():
        taste = 1 + spread * rng.normal(size=respondents)
        utility += np.array(WORTHS[name])[codes] * taste[who]
        if apart:
            utility += (apart * rng.normal(size=(respondents, len(LEVELS[name]))))[who, codes] * (none == 0)
    utility += none * (NONE + 2 * spread * rng.normal(size=respondents))[who] + rng.gumbel(size=rows)
    best = utility.reshape(-1, ALTERNATIVES).max(axis=1).repeat(ALTERNATIVES)
    columns = {name: pd.Categorical.from_codes(codes, LEVELS[name]) for name, codes in shown.items()}
    task = np.arange(rows) // ALTERNATIVES % TASKS
    return pd.DataFrame(
        {"respondent": who, "choice_task": task, "chosen": (utility == best).astype(int), "price": price, "none": none}
        | columns
    )


def population_worths(
    *, spread: float, apart: float = 0.0, respondents: int = 40_000, seed: int = 0
) -> dict[str, float]:
    """What the pooled fit estimates: TRUTH with the same tastes, else its value in a very large survey."""
    if spread == apart == 0:
        return TRUTH
    frame = survey(respondents, seed, spread=spread, apart=apart)
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit()
    return {name: float(-fit.params[name] / fit.params["price"]) for name in TRUTH}


def coverage(
    truth: dict[str, float],
    *,
    spread: float,
    cov_type: str,
    apart: float = 0.0,
    surveys: int = 200,
    respondents: int = 150,
    confidence: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """Share of surveys whose interval holds the truth, bias and mean half-width: one row a WTP."""
    found = []
    for number in range(surveys):
        frame = survey(respondents, seed * 100_000 + number, spread=spread, apart=apart)
        data = ChoiceData.from_long(frame, FORMULA)
        fit = ConditionalLogit(data).fit(cov_type)
        found.append(willingness_to_pay(fit, confidence=confidence, seed=number).set_index("parameter"))
    rows = []
    for name, worth in truth.items():
        row = pd.DataFrame([table.loc[name, ["estimate", "low", "high"]] for table in found]).astype(float)
        covered = float(((row["low"] <= worth) & (worth <= row["high"])).mean())
        width = float((row["high"] - row["low"]).mean() / 2)
        rows.append((name, worth, covered, float(row["estimate"].mean() - worth), width))
    return pd.DataFrame(rows, columns=["parameter", "truth", "covered", "bias", "half_width"])


if __name__ == "__main__":
    for title, spread, apart, cov_type in (
        ("the same tastes, clustered by respondent", 0.0, 0.0, "cluster"),
        ("tastes that differ, clustered by respondent", 0.6, 0.0, "cluster"),
        ("tastes that differ, not clustered, for comparison", 0.6, 0.0, "nonrobust"),
        ("tastes that differ much, clustered by respondent", 0.0, 2.0, "cluster"),
        ("tastes that differ much, not clustered, for comparison", 0.0, 2.0, "nonrobust"),
    ):
        began = time.perf_counter()
        truth = population_worths(spread=spread, apart=apart)
        table = coverage(truth, spread=spread, apart=apart, cov_type=cov_type)
        print(f"{title} ({time.perf_counter() - began:.0f} s)")
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
        print(f"all intervals: {table['covered'].mean():.1%}\n")
