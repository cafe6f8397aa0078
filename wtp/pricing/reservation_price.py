"""What a pooled logit can say about a price limit: a preliminary demand curve of one named offer against not buying.

Share still buying at price p: P(p) = 1 / (1 + exp(n - u(offer) - b p)) with the none utility n and the price coefficient b. The price at
which it is one half is the limit of the *average* utility, not the median of the respondents' own reservation prices: with heterogeneous
tastes it is biased (in simulations 0.59 instead of 0.77 of the tested range), so it is always marked preliminary and never called more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.estimation.draws import krinsky_robb
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT, level_row, price_drove

PRELIMINARY, WITHHELD = "preliminary", "withheld"
NO_NONE = "The study has no none option, so only differences between offers are known, not an absolute price limit."
INDICATION = "Fewer than 75 respondents: the amounts are an indication, and there is no price limit yet."
ABOVE = "More than half would still buy at the highest tested price: the limit lies above it."
BELOW = "Fewer than half would buy at the lowest tested price: the limit lies below it."


def still_buying(
    fit: ConditionalLogitResults,
    offer: Mapping[str, str],
    prices: Sequence[float],
    *,
    price: str = "price",
    draws: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """price, share, low, high: predicted share that would buy the offer rather than nothing, at each price.

    offer: attribute -> level. No row where the data have no none option or the price did not drive the answers.
    """
    simulated = krinsky_robb(fit, draws, seed)[:, 0, :]
    if fit.data.none is None or not price_drove(fit, price, simulated):
        return pd.DataFrame({column: pd.Series(dtype=float) for column in ("price", "share", "low", "high")})
    grid = np.asarray(prices, dtype=float)
    share = _share(fit.data, offer, grid, price, fit.params.to_numpy()[None, :])[0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(_share(fit.data, offer, grid, price, simulated), [tail, 1 - tail], axis=0)
    return pd.DataFrame({"price": grid, "share": share, "low": low, "high": high})


def price_limit_pooled(
    fit: ConditionalLogitResults,
    offer: Mapping[str, str],
    tested: tuple[float, float],
    *,
    price: str = "price",
    draws: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """estimate, low, high, status, note: one row, the price at which the pooled share still buying is one half.

    Withheld below 75 respondents. tested: lowest and highest tested price. Outside of them the estimate is withheld and the note says on which side it lies; interval
    ends beyond them are cut off there.
    """
    simulated = krinsky_robb(fit, draws, seed)[:, 0, :]
    if fit.data.none is None:
        return _limit(np.nan, np.nan, np.nan, NO_NONE)
    if not price_drove(fit, price, simulated):
        return _limit(np.nan, np.nan, np.nan, NO_PRICE_EFFECT)
    if fit.respondents < FULL_SAMPLE:
        return _limit(np.nan, np.nan, np.nan, INDICATION)
    vector, k = _offer_less_none(fit.data, offer), fit.data.names.index(price)
    params = fit.params.to_numpy()
    limit = float(vector @ params / -params[k])
    tail = (1 - confidence) / 2
    low, high = np.clip(np.quantile(simulated @ vector / -simulated[:, k], [tail, 1 - tail]), *tested)
    if limit > tested[1]:
        return _limit(np.nan, low, np.nan, ABOVE)
    if limit < tested[0]:
        return _limit(np.nan, np.nan, high, BELOW)
    return _limit(limit, low, high, "")


def purchase_share(
    fit: ConditionalLogitResults, offer: Mapping[str, str], at: float, draws: np.ndarray, *, price: str = "price"
) -> np.ndarray:
    """(R,) share that would buy the offer at one price, in each draw (R, K)."""
    return _share(fit.data, offer, np.array([at]), price, draws)[:, 0]


def _limit(estimate: float, low: float, high: float, note: str) -> pd.DataFrame:
    status = WITHHELD if np.isnan(estimate) else PRELIMINARY
    return pd.DataFrame({"estimate": [estimate], "low": [low], "high": [high], "status": [status], "note": [note]})


def _offer_less_none(data: ChoiceData, offer: Mapping[str, str]) -> np.ndarray:
    """(K,) so that its product with the parameters is u(offer at price 0) - n."""
    vector = np.sum([level_row(data, attribute, level) for attribute, level in offer.items()], axis=0)
    vector[data.none] -= 1
    return np.asarray(vector)


def _share(
    data: ChoiceData, offer: Mapping[str, str], prices: np.ndarray, price: str, params: np.ndarray
) -> np.ndarray:
    """(R, P) shares at P prices for parameters (R, K)."""
    k = data.names.index(price)
    utility = (params @ _offer_less_none(data, offer))[:, None] + params[:, [k]] * prices
    return np.asarray(1 / (1 + np.exp(-utility)))
