"""How quick is the market simulator? A what-if, a demand curve, elasticities, Nash prices and the best of all offers.

python benchmarks/market.py

1,000 simulated respondents x 500 draws x 6 offers and none, 7 attributes of 3 levels, 5 prices. The same shares in plain numpy (softmax of all utilities) stand beside it, as the one peer that
answers the same question on draws; wanted: a what-if in 100 ms, a demand curve of 50 prices in 1 s, the best of 10,935 offers, all tried, in 5 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import softmax

from wtp.estimation import ChoiceData, Draws
from wtp.estimation.saved import Coding, SavedFit
from wtp.pricing import Market, Offer, best_offers, demand, elasticities, nash_prices

PEOPLE, DRAWS, ATTRIBUTES, PRICES = 1_000, 500, 7, (80.0, 90.0, 100.0, 115.0, 130.0)


def fit() -> SavedFit:
    """Simulated draws of respondents on real columns."""
    rng = np.random.default_rng(0)
    rows = 400
    frame = pd.DataFrame(
        {"respondent": np.repeat(np.arange(rows // 4), 4), "choice_task": 0, "none": np.tile([0, 0, 0, 1], rows // 4)}
    )
    frame["price"] = rng.choice(PRICES, rows)
    for a in range(ATTRIBUTES):
        frame[f"a{a}"] = rng.choice(list("xyz"), rows)
    frame["chosen"] = np.tile([1, 0, 0, 0], rows // 4)
    formula = " + ".join([*(f"a{a}" for a in range(ATTRIBUTES)), "price", "none"])
    data = ChoiceData.from_long(frame, formula)
    values = rng.normal(0, 0.5, (DRAWS, PEOPLE, len(data.names)))
    values[..., data.names.index("price")] = -0.05 * np.exp(rng.normal(0, 0.3, (DRAWS, PEOPLE)))
    values[..., data.names.index("none")] -= 5
    coding = Coding(data.names, data.attributes, data.none, data.price, data.price_form, np.arange(PEOPLE))
    drawn = Draws(values, np.full((1, PEOPLE), 1 / PEOPLE))
    return SavedFit("hierarchical", coding, PEOPLE, "final", drawn, 0)


def timed(name: str, wanted: float, do: Callable[[], object], times: int = 5) -> float:
    """Median seconds of some runs after one to warm up."""
    do()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - began)
    middle = float(np.median(seconds))
    print(f"{name:<44}{middle:>9.3f} s" + (f"   wanted {wanted:g} s" if wanted else ""), flush=True)
    return middle


def main() -> None:
    """Print the figures."""
    offers = [
        Offer(f"o{j}", {f"a{a}": "xyz"[(j + a) % 3] for a in range(ATTRIBUTES)}, (*PRICES, 100.0)[j], unit_cost=60.0)
        for j in range(6)
    ]
    market = Market(fit(), offers)
    market.shares()
    ours = timed(
        "what-if: price and level of one offer",
        0.1,
        lambda: market.change("o0", price=105.0, levels={"a3": "z"}).shares(),
    )
    people, vectors = market.people, market.vectors
    peer = timed(
        "the same shares in plain numpy",
        0,
        lambda: people.mean(softmax(vectors @ people.values.T, axis=0)).mean(axis=1),
    )
    print(f"{'':44}{peer / ours:>9.1f} x")
    timed("demand, revenue and profit at 50 prices", 1, lambda: demand(market, "o0", np.linspace(80, 130, 50)))
    timed("elasticities of 6 offers", 0, lambda: elasticities(market))
    timed("Nash prices of 6 firms, checked", 0, lambda: nash_prices(market), 3)
    timed("best of 10,935 offers, all tried", 5, lambda: best_offers(market, "o0"), 3)


if __name__ == "__main__":
    main()
