"""What a hierarchical sampler works on: differences from the chosen alternatives, covariates, prior; and where it starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.hierarchical import kernel

_RIDGE = 1 / 25  # prior precision of the pooled start, on coefficients of the order of 1


@dataclass(frozen=True, eq=False)
class Problem:
    """Arrays of the sampler, on the inside coding.

    rows, first_row, first_task: see `kernel`. Z: (N, M). signs: (K,) 0, 1 or -1. mean: (M, K) prior mean D0. precision: (M,)
    diagonal of A. freedom, scale: nu and V (K, K) of the inverse Wishart prior. learned: (K,) groups of coefficients whose part of V is multiplied by a
    factor that the answers decide, -1 where V is as given.
    """

    rows: np.ndarray
    first_row: np.ndarray
    first_task: np.ndarray
    Z: np.ndarray
    signs: np.ndarray
    mean: np.ndarray
    precision: np.ndarray
    freedom: float
    scale: np.ndarray
    learned: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, K, M)."""
        return len(self.Z), len(self.rows), self.Z.shape[1]

    @property
    def choices(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """rows, first_row, first_task: the first arguments of the kernels."""
        return self.rows, self.first_row, self.first_task

    def workspace(self) -> np.ndarray:
        """Scratch memory of the kernels, one a thread."""
        return np.empty((3, int(np.diff(self.first_row[self.first_task]).max())))


def differences(data: ChoiceData, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """rows (K, A'), first_row (T + 1,), first_task (N + 1,) of `kernel`: others less chosen, coded by columns (K, K)."""
    others = np.ones(len(data.X), dtype=bool)
    others[data.chosen] = False
    task = data.task_of_row[others]
    rows = np.ascontiguousarray(((data.X[others] - data.X[data.chosen][task]) @ columns).T)
    first_row = np.r_[0, np.cumsum(data.sizes - 1)].astype(np.int64)
    return rows, first_row, np.r_[data.first_tasks, len(data.starts)].astype(np.int64)


def pooled_mode(rows: np.ndarray, first_row: np.ndarray, first_task: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (K,) of all respondents together with a weak ridge, and their information (K, K); finite even where choices separate."""
    n, k = len(first_task) - 1, len(rows)
    work = np.empty((3, int(np.diff(first_row[first_task]).max())))
    values, gradients, curvature = np.empty(n), np.empty((n, k)), np.empty((n, k, k))
    plain = np.zeros(k)

    def at(b: np.ndarray) -> float:
        kernel.loglikes(rows, first_row, first_task, np.tile(b, (n, 1)), plain, gradients, work, values)
        return float(values.sum() - 0.5 * _RIDGE * b @ b)

    b, value = np.zeros(k), at(np.zeros(k))
    total = np.eye(k)
    for _ in range(50):
        kernel.information(rows, first_row, first_task, np.tile(b, (n, 1)), plain, work, curvature)
        total = curvature.sum(axis=0) + _RIDGE * np.eye(k)
        slope = gradients.sum(axis=0) - _RIDGE * b
        move = np.linalg.solve(total, slope)
        if slope @ move < 1e-8:
            break
        size, new = 1.0, at(b + move)
        while new < value and size > 1e-6:
            size /= 2
            new = at(b + size * move)
        b, value = b + size * move, new
    return b, total
