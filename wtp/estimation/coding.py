"""Levels and columns: treatment coding inside the pooled logit, zero-centred level utilities outside.

Treatment coding has L - 1 columns and a base level at 0; zero-centred utilities sum to 0 over the levels. Differences between
levels, all that WTP needs, are the same. Where a prior is involved the columns must be orthonormal sum-to-zero contrasts Q, Q'Q = I and
Q'1 = 0, since iid N(0, t^2) on treatment columns would give the base level less variance than the others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults, quantile
from wtp.estimation.labelled import Labels, average_offer, told
from wtp.survey.definition import Definition
from wtp.survey.tasks import Design

PER_UNIT = "per unit"


def sum_to_zero_contrasts(levels: int) -> np.ndarray:
    """Orthonormal contrasts Q (L, L-1) with Q'Q = I and Q'1 = 0, from the QR decomposition of [1 | I]."""
    full = np.linalg.qr(np.column_stack([np.ones(levels), np.eye(levels)[:, : levels - 1]]))[0]
    return np.asarray(full[:, 1:])


def design_levels(design: Design, definition: Definition) -> np.ndarray:
    """(versions, tasks, J, attributes + 1) level numbers of the estimation tasks, the price last; one past the last level where an offer has none."""
    places = {
        a.id: {None: len(a.levels)} | {level: i for i, level in enumerate(a.level_ids)} for a in definition.attributes
    }
    prices = {price: i for i, price in enumerate(definition.price.levels)}
    return np.array(
        [
            [
                [[*(places[a][j.levels.get(a)] for a in places), prices[j.price]] for j in task.alternatives]
                for task in tasks
                if task.kind == "estimation"
            ]
            for tasks in design.versions.values()
        ]
    )


def prior_coding(data: ChoiceData) -> np.ndarray:
    """(K, K) matrix T with params = T @ g: from coefficients g on which an independent prior is fair to those of the data's columns.

    Categorical attributes have orthonormal contrasts inside, numeric ones a tested range of sqrt(2), as two levels have, so that neither the
    base level nor the unit of a price matters. The none constant is measured against the average profile at the average
    price, not against the base levels at price 0. The choices see X @ T with coefficients g.
    """
    X, none = data.X, data.none
    real = X[:, none] == 0 if none is not None else np.ones(len(X), dtype=bool)
    spread = np.ptp(X[real], axis=0)
    for attribute in data.labels.attributes if data.labels else ():
        if attribute.numeric:  # among the offers that have it
            spread[data.names.index(attribute.name)] = np.ptp(attribute.levels)
    back = np.diag(np.where(spread > 0, np.sqrt(2) / np.where(spread > 0, spread, 1.0), 1.0))
    average = X[real].mean(axis=0)
    for attribute in data.attributes:
        if attribute.numeric:
            continue
        own = np.flatnonzero(np.abs(attribute.contrasts).sum(axis=0))
        contrasts = attribute.contrasts[:, own]
        average[own] = contrasts.mean(axis=0)
        if len(own) == len(contrasts) - 1:
            inside = sum_to_zero_contrasts(len(contrasts)).T @ (contrasts - average[own])
            back[np.ix_(own, own)] = np.linalg.inv(inside)
    if data.labels is not None:
        # A label is measured by its average offer, too, not by the first levels and a price of 0.
        _at_average_offers(data, data.labels, average, back)
    if none is not None:
        average[none] = 0.0
        back[none] = average @ back
        back[none, none] = 1.0
    return back


def _at_average_offers(data: ChoiceData, labels: Labels, average: np.ndarray, back: np.ndarray) -> None:
    """Change `average` (K,) and `back` (K, K) in place, so that a coefficient of a label is about its average offer.

    Of a column that a label alone has, less its mean in that label's offers, u = x - mean [label]; [label] is a sum of the label's own columns and, of the first label, 1 less all others and none.
    """
    constants = next(a for a in labels.attributes if a.name == labels.column)
    own = np.flatnonzero(np.abs(constants.contrasts).sum(axis=0))
    offers = np.array([average_offer(labels, str(label)) for label in constants.levels])
    offers[:, own] = 0.0
    average[:] = offers.mean(axis=0)
    average[own] = constants.contrasts[:, own].mean(axis=0)
    # The constant of a label is that of its average offer less the other columns' part, against the first label's.
    others = np.setdiff1d(np.arange(len(average)), [*own, *([] if data.none is None else [data.none])])
    for k in own:
        label = int(np.flatnonzero(constants.contrasts[:, k])[0])
        first = int(np.flatnonzero(constants.contrasts[:, own].sum(axis=1) == 0)[0])
        back[k] -= (offers[label] - offers[first])[others] @ back[others]


def zero_centred(utilities: np.ndarray) -> np.ndarray:
    """Level utilities (..., L) less their mean over the levels."""
    return np.asarray(utilities - utilities.mean(axis=-1, keepdims=True))


def part_worths(fit: ConditionalLogitResults, *, confidence: float = 0.95) -> pd.DataFrame:
    """Zero-centred level utilities with their own standard errors, in logits.

    Columns attribute, level, estimate, std_error, low, high. The standard error of a level is sqrt(c'Vc) with its contrast c, so the base
    level has one too. A numeric attribute is one row, its level "per unit" (utility per currency unit for the price).
    """
    params, covariance = fit.params.to_numpy(), fit.cov_params().to_numpy()
    rows: list[tuple[str, str, float, float]] = []
    for attribute in told(fit.data):
        if attribute.numeric:
            k = fit.data.names.index(attribute.name)
            rows.append((attribute.name, PER_UNIT, float(params[k]), float(np.sqrt(covariance[k, k]))))
            continue
        contrasts = attribute.contrasts - attribute.contrasts.mean(axis=0)
        errors = np.sqrt(np.einsum("lk,kj,lj->l", contrasts, covariance, contrasts))
        rows += [
            (attribute.name, str(level), float(u), float(e))
            for level, u, e in zip(attribute.levels, contrasts @ params, errors, strict=True)
        ]
    table = pd.DataFrame(rows, columns=["attribute", "level", "estimate", "std_error"])
    half = quantile(fit, confidence) * table["std_error"]
    return table.assign(low=table["estimate"] - half, high=table["estimate"] + half)
