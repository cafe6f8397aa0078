"""Segments against everybody: partial pooling of their figures, and whether they differ in taste or only in consistency.

Partial pooling (empirical Bayes): the figure of a small segment moves towards the common mean by how little it knows, W~ = (W0 / t2 + W_s / se2) / (1 / t2 + 1 / se2), with t2 the
variance between segments by DerSimonian and Laird (1986). Where segments do not differ (t2 = 0) all have the common mean.

Swait and Louviere (1993): segments may have the same tastes and differ in the scale of the error term alone. Then part-worths differ and money does not: so segments are
compared in money or probabilities, never in part-worths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import chi2, norm

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogit

_LABEL = "assumes independent answers; with several answers a respondent it finds differences too often"


def partially_pooled(table: pd.DataFrame, *, by: list[str], confidence: float = 0.90) -> pd.DataFrame:
    """The table with pooled, pooled_low, pooled_high, weight: each segment's own weight, 1 where it stands on its own.

    table: segment, the columns `by` (one group of figures for each of their combinations), estimate, std_error.
    """
    z = norm.ppf((1 + confidence) / 2)
    parts = []
    for _, own in table.groupby(by, sort=False):
        variance = own["std_error"].to_numpy() ** 2
        w = 1 / variance
        common = float((w * own["estimate"]).sum() / w.sum())
        q = float((w * (own["estimate"] - common) ** 2).sum())
        between = max(0.0, (q - (len(own) - 1)) / (w.sum() - (w**2).sum() / w.sum())) if len(own) > 1 else np.inf
        mean_w = 1 / (variance + between) if np.isfinite(between) else w
        middle = float((mean_w * own["estimate"]).sum() / mean_w.sum())
        weight = between / (between + variance) if np.isfinite(between) else np.ones(len(own))
        pooled = weight * own["estimate"] + (1 - weight) * middle
        # The common mean is uncertain too (Morris 1983).
        error = np.sqrt(weight * variance + (1 - weight) ** 2 / mean_w.sum())
        parts.append(
            own.assign(pooled=pooled, pooled_low=pooled - z * error, pooled_high=pooled + z * error, weight=weight)
        )
    return pd.concat(parts) if parts else table.assign(pooled=[], pooled_low=[], pooled_high=[], weight=[])


@dataclass(frozen=True, slots=True)
class ScaleTest:
    """scales: segment, scale (the first is 1). tastes, scale: (statistic, degrees of freedom, p). label: what the p-values assume."""

    scales: pd.DataFrame
    tastes: tuple[float, int, float]
    scale: tuple[float, int, float]
    label: str = _LABEL


def scale_test(data: ChoiceData, segments: np.ndarray) -> ScaleTest:
    """Do segments (N,), one a respondent, differ in tastes, or in scale alone?

    tastes: separate logits against one with a scale of each segment. scale: that against one logit for all, which only means something if the tastes do not differ. Raises
    DataError for fewer than two segments, or weights, of which there is no likelihood ratio.
    """
    if data.weights is not None:
        raise DataError(
            "scale test: weighted respondents have no likelihood ratio; allowed: data without weights; leave them out."
        )
    codes, names = pd.factorize(np.asarray(segments), sort=True)
    if len(names) < 2 or (codes < 0).any() or len(codes) != len(data.respondents):
        raise DataError(
            "scale test: allowed: two or more segments, one a respondent; leave out respondents without one."
        )
    separate = sum(ConditionalLogit(data.subset(codes == s)).fit().llf for s in range(len(names)))
    of_task = codes[data.respondent]
    of_row = of_task[data.task_of_row]

    def loss(log_scales: np.ndarray) -> tuple[float, np.ndarray]:
        """Less the log-likelihood that the best tastes reach at these scales, and its slopes: by the envelope theorem those at these tastes."""
        scales = np.exp(np.r_[0.0, log_scales])
        model = ConditionalLogit(replace(data, X=data.X * scales[of_row][:, None]))
        fit = model.fit()
        slopes = np.bincount(of_task, model.score_obs(fit.params) @ fit.params.to_numpy(), len(names))
        return -float(fit.llf), -slopes[1:]

    k, s = data.X.shape[1], len(names)
    found = minimize(loss, np.zeros(s - 1), method="BFGS", jac=True)
    pooled = -loss(np.zeros(s - 1))[0]
    scales = pd.DataFrame({"segment": names, "scale": np.exp(np.r_[0.0, found.x])})
    return ScaleTest(
        scales,
        _ratio(2 * (separate + found.fun), (s - 1) * (k - 1)),
        _ratio(2 * (-found.fun - pooled), s - 1),
    )


def price_response(data: ChoiceData, groups: np.ndarray, reference: str, *, confidence: float = 0.90) -> pd.DataFrame:
    """group, price_ratio, low, high, p_value: how strongly the price moves the choices of each group (N,), one a respondent, where the reference is 1.

    One logit with the same tastes for all but an interaction of group with price, and with the none option where there is one (without it the price of a group would also carry how often it
    buys at all), clustered by respondent; intervals by the delta method. A ratio away from 1 means another sensitivity or another scale of the error term, as between versions of a survey whose
    words changed the task. Raises DataError without a price or another group.
    """
    others = sorted({str(group) for group in groups} - {reference})
    if data.price is None or not others:
        raise DataError("price response; allowed: a linear price and at least two groups; leave the comparison out.")
    price = data.names.index(data.price)
    of_row = groups[data.respondent[data.task_of_row]]
    inside = [(k, other) for k in (price, data.none) if k is not None for other in others]
    columns = [data.X[:, k] * (of_row == other) for k, other in inside]
    names = (*data.names, *(f"{data.names[k]} in {other}" for k, other in inside))
    wider = replace(
        data,
        X=np.column_stack([data.X, *columns]),
        names=names,
        attributes=(),
        price=None,
        price_form=None,
        labels=None,
    )
    fit = ConditionalLogit(wider).fit()
    params, covariance = fit.params.to_numpy(), fit.cov_params().to_numpy()
    z = norm.ppf((1 + confidence) / 2)
    rows = []
    for n, other in enumerate(others, len(data.names)):
        ratio = 1 + params[n] / params[price]
        slope = np.zeros(len(params))
        slope[[price, n]] = -params[n] / params[price] ** 2, 1 / params[price]
        half = z * float(np.sqrt(slope @ covariance @ slope))
        rows.append((other, ratio, ratio - half, ratio + half, float(fit.pvalues.iloc[n])))
    return pd.DataFrame(rows, columns=["group", "price_ratio", "low", "high", "p_value"])


def _ratio(statistic: float, freedom: int) -> tuple[float, int, float]:
    return max(statistic, 0.0), freedom, float(chi2.sf(max(statistic, 0.0), freedom))
