"""Respondent covariates as columns: what hierarchical means and class memberships depend on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from formulaic import Formula

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData


def coded_covariates(data: ChoiceData, names: Sequence[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """(N, M) columns and their names: a constant first, the others centred, so that it stands for the average respondent.

    Text is coded in full rank (one column less than levels), numbers are scaled to a standard deviation of 1.
    Raises DataError if a covariate is not in the data or does not vary.
    """
    constant = np.ones((len(data.respondents), 1))
    if not names:
        return constant, ("constant",)
    if isinstance(names, str):
        names = [names]
    frame = data.covariates
    there = [] if frame is None else [str(column) for column in frame.columns]
    unknown = [name for name in names if name not in there]
    if unknown or frame is None:
        raise DataError(
            f"covariates: {', '.join(map(repr, unknown or names))} not in the choice data; found: {', '.join(there) or 'none'}; "
            "name them in ChoiceData.from_long(covariates=[...])."
        )
    matrix = Formula(" + ".join(["1", *(f"`{name}`" for name in names)])).get_model_matrix(frame)
    columns, labels = matrix.to_numpy(dtype=float)[:, 1:], tuple(map(str, matrix.columns[1:]))
    columns = columns - columns.mean(axis=0)
    spread = columns.std(axis=0)
    if not labels or (spread < 1e-12).any():
        same = [label for label, s in zip(labels, spread, strict=True) if s < 1e-12] or list(names)
        raise DataError(
            f"covariates: {', '.join(same)}: the same for every respondent; allowed: columns that vary; drop them."
        )
    numeric = np.array([label.strip("`") in there for label in labels])
    columns[:, numeric] /= spread[numeric]
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise DataError(
            f"covariates: {', '.join(labels)} determine each other; allowed: columns that can be told apart; drop one of them."
        )
    # By rows as the constant alone is, so that nothing is compiled for another order too.
    return np.ascontiguousarray(np.column_stack([constant, columns])), ("constant", *labels)
