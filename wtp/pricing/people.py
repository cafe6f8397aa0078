"""Respondents in draws as the market simulator takes them, and the summary of figures over draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from wtp.estimation.draws import Draws


@dataclass(frozen=True, eq=False)
class People:
    """Draws of respondents, flat: values (R N, K), weights (R or 1, N)."""

    values: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, drawn: Draws) -> People:
        """Of draws (R, N, K)."""
        values = np.ascontiguousarray(drawn.values, dtype=float)
        weights = np.ascontiguousarray(drawn.weights, dtype=float)
        return cls(values.reshape(-1, values.shape[2]), weights)

    @property
    def draws(self) -> int:
        """R."""
        return int(len(self.values) // self.weights.shape[1])

    def thinned(self, most: int) -> People:
        """Every so many draws, so that there are at most about so many respondents and draws."""
        step = max(1, len(self.values) // most)
        if step == 1:
            return self
        kept = np.arange(0, self.draws, step)
        values = self.values.reshape(self.draws, self.weights.shape[1], -1)[kept]
        weights = self.weights if len(self.weights) == 1 else self.weights[kept]
        return People(values.reshape(-1, self.values.shape[1]), weights)

    def mean(self, figures: np.ndarray) -> np.ndarray:
        """(..., R) weighted means over respondents of figures (..., R N)."""
        shaped = figures.reshape(*figures.shape[:-1], self.draws, -1)
        return np.asarray((shaped * self.weights).sum(axis=-1))

    @cached_property
    def flat_weights(self) -> np.ndarray:
        """(R N,) weights summing to 1 over all draws together."""
        shape = (self.draws, self.weights.shape[1])
        return np.ascontiguousarray(np.broadcast_to(self.weights, shape)).ravel() / self.draws


def summary_of(drawn: np.ndarray, exact: np.ndarray | None, confidence: float) -> pd.DataFrame:
    """estimate, low, high over draws (R, n): the mean, or the exact figures (n,) where they are known."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    estimate = drawn.mean(axis=0) if exact is None else exact
    return pd.DataFrame({"estimate": estimate, "low": low, "high": high})
