"""What is known of the market, put into the simulator: known shares, and how consistent people are outside of the survey.

Own knowledge replaces other studies' factors. Known shares of all offers are met by the reach of each (Berry, Levinsohn and Pakes 1995, equation 6.8: the contraction finds the one
vector of constants); known shares of some by the none option. The scale is the one that predicts held-out choices best: below 1 people were more
consistent in the tasks that were estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq, minimize_scalar, root

from wtp.errors import DataError, EstimationError
from wtp.estimation.choice_data import ChoiceData
from wtp.pricing.share_kernel import share_sums
from wtp.pricing.simulator import Market

_ROUNDS = 20  # of the contraction, before Newton's method takes over
_FARTHEST = 50.0  # utility


def calibrated(market: Market, shares: Mapping[str, float]) -> Market:
    """The market whose mean shares of the named offers are these known ones: by reach where all offers are named, else their sum by the none shift.

    Raises DataError for shares that cannot be, EstimationError if they cannot be met.
    """
    places = [market.place(name) for name in shares]
    known = np.array(list(shares.values()), dtype=float)
    if not len(known) or (known <= 0).any() or (known.sum() >= 1 if market.none else known.sum() > 1 + 1e-9):
        raise DataError(
            f"shares {dict(shares)!r}; allowed: shares above 0 that sum to less than 1, the rest buys nothing; mend them."
        )
    if len(places) < len(market.offers):
        return _none_shifted(market, places, float(known.sum()))
    if not market.none and abs(known.sum() - 1) > 1e-9:
        raise DataError(f"shares sum to {known.sum():g}; allowed: 1, as nobody can buy nothing here; mend them.")
    wanted = np.empty(len(places))
    wanted[places] = known
    people = market.estimate or market.people
    utilities = market.utilities_of(people)
    offers = slice(len(places))

    def gaps(constants: np.ndarray) -> np.ndarray:
        moved = utilities.copy()
        moved[offers] += constants[:, None]
        return np.asarray(np.log(wanted / share_sums(moved, people.weights).mean(axis=0)[offers]))

    added = np.zeros(len(places))
    for _ in range(_ROUNDS):
        added = added + gaps(added)
    if not market.none:
        added -= added[0]  # a constant for all changes nothing
    found = root(
        lambda free: gaps(np.r_[free, added[len(free) :]])[: len(free)],
        added[: len(places) - (not market.none)],
        tol=1e-12,
    )
    added[: len(found.x)] = found.x
    if not np.abs(gaps(added)).max() < 1e-8:
        raise EstimationError(f"shares {dict(shares)!r} were not met; give shares that are less extreme.")
    reach = np.log([offer.reach for offer in market.offers]) + added
    # Reaches count against each other and none; the largest is 1, which moves the none option with them.
    largest = reach.max()
    reached = [replace(o, reach=float(np.exp(x - largest))) for o, x in zip(market.offers, reach, strict=True)]
    return market.with_offers(reached, market.none_shift - largest / market.scale)


def _none_shifted(market: Market, places: Sequence[int], wanted: float) -> Market:
    if not market.none:
        raise DataError(
            "some shares are known, and nobody can buy nothing here; allowed: the shares of all offers; add them."
        )
    people = market.estimate or market.people
    utilities = market.utilities_of(people)
    none = utilities[-1].copy()

    def gap(shift: float) -> float:
        utilities[-1] = none + shift
        return float(share_sums(utilities, people.weights).mean(axis=0)[list(places)].sum() - wanted)

    if gap(-_FARTHEST) < 0:
        raise EstimationError(
            f"a share of {wanted:.1%} cannot be met: even if everybody bought it would be {gap(-_FARTHEST) + wanted:.1%}; check the offers."
        )
    shift = float(brentq(gap, -_FARTHEST, _FARTHEST, xtol=1e-12))
    return market.with_offers(market.offers, market.none_shift + shift / market.scale)


def scaled_to(market: Market, held_out: ChoiceData) -> Market:
    """The market with the scale at which choices that were not estimated are most probable; `held_out`: tasks of the same coding.

    Probabilities are those of the mean over respondents and draws, as the simulator predicts. Raises DataError for data of another coding.
    """
    if held_out.names != market.data.names:
        raise DataError(
            f"held-out tasks have parameters {', '.join(held_out.names)}; allowed: {', '.join(market.data.names)}; code them alike."
        )
    people = market.estimate or market.people.thinned(20_000)
    tasks = [slice(start, start + size) for start, size in zip(held_out.starts, held_out.sizes, strict=True)]
    distinct: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    for task, chosen in zip(tasks, held_out.chosen, strict=True):
        X = held_out.X[task]
        _, counts = distinct.setdefault(X.tobytes(), (X, np.zeros(len(X))))
        counts[chosen - task.start] += 1

    def misfit(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return -sum(
            float(
                counts
                @ np.log(share_sums(np.ascontiguousarray(scale * (X @ people.values.T)), people.weights).mean(axis=0))
            )
            for X, counts in distinct.values()
        )

    return replace(market, scale=float(np.exp(minimize_scalar(misfit, bounds=(-3.0, 3.0), method="bounded").x)))
