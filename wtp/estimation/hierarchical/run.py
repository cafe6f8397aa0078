"""A chain while it runs: its state, the draws it keeps, the quantities that are watched; and all of it saved and loaded again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wtp.errors import EstimationError
from wtp.estimation.hierarchical.kept_draws import KeptDraws
from wtp.estimation.hierarchical.problem import Problem
from wtp.estimation.hierarchical.sampler import Chain
from wtp.estimation.hierarchical.watched import Watched

_STATE = "state.npz"


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Sweeps of a chain, made wherever: the chain after them, what was watched (sweeps, Q), and by their numbers after the warm-up draws that may be kept."""

    chain: Chain
    watched: np.ndarray
    sampled: int
    population: Mapping[int, np.ndarray]
    people: Mapping[int, np.ndarray]


def advance(chain: Chain, coding: np.ndarray, figures: Watched, sweeps: int, offered: int, thin: int) -> Block:
    """Make sweeps of a chain. Of the draws after the warm-up, of which so many were `offered` before, every thin-th one is brought along in single precision."""
    watched, population, people, sampled = [], {}, {}, 0
    for _ in range(sweeps):
        warming = chain.sweeps < chain.warmup
        chain.sweep()
        covariance, coefficients = chain.covariance, _coefficients(chain, coding)
        reported = np.r_[chain.delta.ravel(), figures.figures(coefficients)]
        watched.append(np.r_[reported, np.log(np.diag(covariance)), chain.loglike.sum()])
        if not warming:
            if (offered + sampled) % thin == 0:
                population[sampled] = np.vstack([chain.delta, covariance]).astype(np.float32)
                people[sampled] = coefficients.astype(np.float32)
            sampled += 1
    return Block(chain, np.array(watched), sampled, population, people)


class ChainRun:
    """One chain with what it leaves behind.

    people: coefficients (N, K) on the columns of the data. population: D above S, (M + K, K) on the inside coding. Watched
    quantities a sweep: D (M K) and figures over the respondents, which are reported; log variances (K), log-likelihood.
    """

    def __init__(
        self,
        problem: Problem,
        coding: np.ndarray,
        figures: Watched,
        seed: np.random.SeedSequence,
        warmup: int,
        capacity: int,
        place: Path | None,
    ) -> None:
        n, k, m = problem.shape
        self.chain, self.coding, self.figures = Chain(problem, seed, warmup), coding, figures
        self.people = KeptDraws((n, k), capacity, place)
        self.population = KeptDraws((m + k, k), capacity, place and place.with_name(place.name + "-population"))
        self._watched: list[np.ndarray] = []

    def piece(self, sweeps: int) -> tuple[Any, ...]:
        """The next sweeps, for `advance`."""
        return self.chain, self.coding, self.figures, sweeps, self.people.offered, self.people.thin

    def take(self, made: Block) -> None:
        """Go on from what `advance` made."""
        self.chain = made.chain
        self._watched.extend(made.watched)
        for kept, draws in ((self.population, made.population), (self.people, made.people)):
            for number in range(made.sampled):
                if number in draws:
                    kept.offer(draws[number])
                else:
                    kept.pass_over()

    def warming(self) -> np.ndarray:
        """(sweeps, Q) watched during the warm-up."""
        return np.array(self._watched[: self.chain.warmup])

    def watched(self) -> np.ndarray:
        """(sweeps, Q) watched after the warm-up."""
        return np.array(self._watched[self.chain.warmup :]).reshape(-1, self._width)

    @property
    def reported(self) -> int:
        """How many of the watched quantities are reported; they come first."""
        _, k, m = self.chain.problem.shape
        return m * k + len(self.figures.labels)

    @property
    def _width(self) -> int:
        return self.reported + self.chain.problem.shape[1] + 1


def _coefficients(chain: Chain, coding: np.ndarray) -> np.ndarray:
    theta, signs = chain.theta, chain.problem.signs
    signed = signs != 0
    inside = theta.copy()
    inside[:, signed] = signs[signed] * np.exp(theta[:, signed])
    return np.asarray(inside @ coding.T)


def save(folder: Path, key: str, runs: Sequence[ChainRun]) -> None:
    """Write the state of all chains in one step: a crash leaves the state before or the state after."""
    arrays: dict[str, np.ndarray] = {}
    record: dict[str, object] = {"key": key, "chains": []}
    for c, run in enumerate(runs):
        state = run.chain.snapshot()
        rng = state.pop("rng")
        arrays |= {f"{c}.{name}": value for name, value in state.items()}
        arrays[f"{c}.watched"] = np.array(run._watched).reshape(-1, run._width)
        record["chains"].append(  # type: ignore[attr-defined]
            {"rng": rng, "warmup": run.chain.warmup, "people": run.people.state(), "population": run.population.state()}
        )
    draft = folder / f".{_STATE}"
    with draft.open("wb") as file:
        np.savez(file, record=np.array(json.dumps(record)), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _STATE)
    for run in runs:
        run.people.forget_old()
        run.population.forget_old()


def load(folder: Path, key: str, runs: Sequence[ChainRun]) -> None:
    """Go on from a saved state, or begin anew where there is none. Raises EstimationError if it belongs to another fit."""
    if not (folder / _STATE).is_file():
        for run in runs:
            run.people.begin()
            run.population.begin()
        return
    with np.load(folder / _STATE) as saved:
        record = json.loads(str(saved["record"]))
        if record["key"] != key:
            raise EstimationError(
                f"checkpoint {folder}: it belongs to other data, another model or other arguments; allowed: those it was begun with; "
                "choose another folder, or empty this one."
            )
        for c, (run, own) in enumerate(zip(runs, record["chains"], strict=True)):
            state = {name.removeprefix(f"{c}."): saved[name] for name in saved.files if name.startswith(f"{c}.")}
            run._watched = list(state.pop("watched"))
            run.chain.warmup = own["warmup"]
            run.chain.restore(state | {"rng": own["rng"]})
            run.people.resume(own["people"])
            run.population.resume(own["population"])
