"""Do conjoint, Gabor-Granger and Van Westendorp say the same? And how cautious should one be about stated prices?

Checks, no averages: each method measures something else, and an average of disagreeing methods is no better than the lower of them. Conjoint leads; a pooled figure is only given
for three or more methods, as a random-effects mean of log prices (DerSimonian and Laird 1986) with its prediction interval.

Hypothetical bias: in 115 effect sizes of 77 studies people stated about 21 per cent more than they paid (Schmidt and Bijmolt 2020). Cautious = stated / 1.21, between
stated / 1.40 and stated: from other studies, not from these data. One's own known share replaces it (`calibration`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t
from statsmodels.stats.meta_analysis import combine_effects

from wtp.errors import DataError

CONJOINT, GABOR_GRANGER, VAN_WESTENDORP, OPEN_PRICE = "conjoint", "gabor_granger", "van_westendorp", "open_price"
METHODS = (CONJOINT, GABOR_GRANGER, VAN_WESTENDORP, OPEN_PRICE)
BIAS, LARGEST_BIAS, SMALLEST_BIAS = 1.21, 1.40, 1.00
SOURCE = "from other studies (Schmidt and Bijmolt 2020), not from these data"
OWN = "from a known share of this company"
AGREE, DISAGREE, SINGLE = "agree", "disagree", "single"
_CLOSE = 0.25
_AGREE = "The methods agree within {gap:.0%}."
_DISAGREE = "The methods disagree by {gap:.0%}: use the lower, {method} at {price:.6g}, because {reason}."
_SINGLE = "Only one method has a figure, so nothing can be compared."
_REASONS = {
    CONJOINT: "the others ask for a price directly, outside of a choice between offers",
    GABOR_GRANGER: "the conjoint limit also counts people who never had to say yes to one fixed offer",
    VAN_WESTENDORP: "many find a price below the other limits too expensive to be considered",
    OPEN_PRICE: "people named lower prices when they had to name one themselves",
}
_TOO_EXPENSIVE = "The conjoint limit is above the price that nine in ten call too expensive."
_MARGINAL = "The safe price is below the price that is marginally cheap."


@dataclass(frozen=True, slots=True)
class Triangulation:
    """methods: method, estimate, low, high, in the order of trust. verdict: agree, disagree or single. sentence: why. checks: what contradicts. gap: highest over lowest less 1.

    template and values make up the sentence, so that a page can say it in its language. pooled: estimate, low, high, prediction_low, prediction_high, or no row.
    """

    methods: pd.DataFrame
    verdict: str
    template: str
    values: Mapping[str, object]
    checks: tuple[str, ...]
    gap: float
    pooled: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return self.template.format(**self.values)


def triangulate(
    methods: Mapping[str, tuple[float, float, float]],
    *,
    too_expensive_90: float = np.nan,
    marginal_cheapness: float = np.nan,
    safe_price: float = np.nan,
    confidence: float = 0.90,
) -> Triangulation:
    """Compare price limits by method, each (estimate, low, high); a method without a figure has NaN and is left out.

    Van Westendorp's figure is the upper end of the plausible range (PME), not a limit of respondents. too_expensive_90: the price that 90 per cent call too expensive; marginal_cheapness: its lower
    crossing; safe_price: of the conjoint. Raises DataError for an unknown method.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise DataError(f"methods {', '.join(unknown)}; allowed: {', '.join(METHODS)}; name these.")
    rows = [(name, *methods[name]) for name in METHODS if name in methods and methods[name][0] > 0]
    table = pd.DataFrame(rows, columns=["method", "estimate", "low", "high"])
    checks = []
    conjoint = dict(zip(table["method"], table["estimate"], strict=True)).get(CONJOINT, np.nan)
    if conjoint > too_expensive_90:
        checks.append(_TOO_EXPENSIVE)
    if safe_price < marginal_cheapness:
        checks.append(_MARGINAL)
    if len(table) < 2:
        return Triangulation(table, SINGLE, _SINGLE, {}, tuple(checks), np.nan, _pooled(table, confidence))
    lowest, highest = table["estimate"].min(), table["estimate"].max()
    gap = float(highest / lowest - 1)
    if gap <= _CLOSE and not checks:
        return Triangulation(table, AGREE, _AGREE, {"gap": gap}, (), gap, _pooled(table, confidence))
    method = str(table["method"].iloc[int(table["estimate"].to_numpy().argmin())])
    values = {"gap": gap, "method": method, "price": float(lowest), "reason": _REASONS[method]}
    return Triangulation(table, DISAGREE, _DISAGREE, values, tuple(checks), gap, _pooled(table, confidence))


def _pooled(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Random-effects mean of log prices of three or more methods, one row; no row for fewer."""
    columns = ["estimate", "low", "high", "prediction_low", "prediction_high"]
    usable = table.dropna()
    usable = usable[(usable["low"] > 0) & (usable["high"] > usable["low"])]
    if len(usable) < 3:
        return pd.DataFrame(columns=columns)
    z = norm.ppf((1 + confidence) / 2)
    errors = np.log(usable["high"] / usable["low"]) / (2 * z)
    found = combine_effects(np.log(usable["estimate"]).to_numpy(), errors.to_numpy() ** 2, method_re="dl")
    middle, spread = float(found.mean_effect_re), float(found.sd_eff_w_re)
    half = z * spread
    wide = t.ppf((1 + confidence) / 2, len(usable) - 2) * float(np.sqrt(spread**2 + max(found.tau2, 0.0)))
    figures = np.exp([middle, middle - half, middle + half, middle - wide, middle + wide])
    return pd.DataFrame([dict(zip(columns, figures, strict=True))])


def cautious(stated: pd.DataFrame, *, own_factor: float | None = None) -> pd.DataFrame:
    """The same figures with cautious, cautious_low, cautious_high and source: stated amounts less what people overstate.

    stated: a column `estimate`. own_factor: stated over paid as this company knows it, instead of other studies' 1.21 (1.00 to 1.40). Raises DataError if it is not above 0.
    """
    if own_factor is not None and not own_factor > 0:
        raise DataError(
            f"own_factor {own_factor!r}; allowed: above 0, such as 1.2 for 20 per cent overstated; mend it."
        )
    estimate = stated["estimate"]
    if own_factor is not None:
        return stated.assign(cautious=estimate / own_factor, cautious_low=np.nan, cautious_high=np.nan, source=OWN)
    ends = np.sort(np.column_stack([estimate / LARGEST_BIAS, estimate / SMALLEST_BIAS]), axis=1)
    return stated.assign(cautious=estimate / BIAS, cautious_low=ends[:, 0], cautious_high=ends[:, 1], source=SOURCE)
