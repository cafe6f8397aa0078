"""Up to which price: reservation prices of respondents, the price upper limit of a segment, and the share still buying.

R_i = (u_i(offer at price 0) - n_i) / a_i is the price at which respondent i is indifferent between the offer and not buying (Jedidi and Zhang
2002), n the none utility, a minus the price coefficient. Within each draw of a hierarchical fit weighted quantiles over respondents, across draws median and
interval: the safe price (three quarters would still buy), the price upper limit (half would), the stretch price (a quarter would). Never a
mean, and never a number outside of the tested prices.

From a pooled logit there is only a preliminary figure: the price at which P(p) = 1 / (1 + exp(n - u(offer) - b p)) is one half. It is the limit of the
*average* utility, not the median of the respondents' own reservation prices: with heterogeneous tastes it is biased (in simulations 0.59 instead of 0.77
of the tested range), so it is always marked preliminary and never called more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.estimation.draws import Draws, draw_quantiles, weighted_quantiles
from wtp.estimation.hierarchical.results import FINAL as CONVERGED
from wtp.pricing.money import Money
from wtp.pricing.offers import Offer, levels_vector, offer_vector, own_data, own_fit
from wtp.pricing.willingness_to_pay import MOST_WITHOUT_PRICE, NO_PRICE_EFFECT, AnyFit, Step

FINAL, PRELIMINARY, WITHHELD = "final", "preliminary", "withheld"
STILL_BUY = {"safe": 0.75, "limit": 0.5, "stretch": 0.25}
_WATERFALL = [
    "attribute", "from_level", "to_level", "limit", "low", "high", "change", "change_low", "change_high", "note",
]  # fmt: skip
_OTHER_LIMITS = ("safe", "safe_low", "safe_high", "stretch", "stretch_low", "stretch_high")
NO_NONE = "The study has no none option, so only differences between offers are known, not an absolute price limit."
INDICATION = "Fewer than 75 respondents: the amounts are an indication, and there is no price limit yet."
ABOVE = "More than half would still buy at the highest tested price: the limit lies above it."
PRIOR = "The limit rests on what was assumed of the spread of tastes as much as on the answers; collect more answers."
BELOW = "Fewer than half would buy at the lowest tested price: the limit lies below it."


HierarchicalFit = AnyFit  # whose respondents differ


def reservation_prices(
    data: ChoiceData,
    offer: Mapping[str, str],
    drawn: Draws,
    *,
    price: str = "price",
    rivals: Sequence[Offer] = (),
) -> np.ndarray:
    """(R, N) reservation prices of an offer (attribute -> level) in draws of respondents; infinite where a higher price does not deter.

    Without rivals against not buying; with rivals against the best of them and not buying (where the study asked for it).
    """
    data = own_data(data, offer)
    money = Money.of(data, price)
    prices = np.empty(drawn.values.shape[:2])
    for start, values, _ in drawn.blocks():
        utility = _above_best(data, money, offer, rivals, values)
        prices[start : start + len(values)] = money.indifferent(values, utility)
    return prices


def _above_best(
    data: ChoiceData, money: Money, offer: Mapping[str, str], rivals: Sequence[Offer], params: np.ndarray
) -> np.ndarray:
    """(...) utility of an offer at price 0 above the best rival and not buying, for parameters (..., K)."""
    others = [offer_vector(data, money, rival) for rival in rivals]
    if data.none is not None:
        others.append(np.eye(len(data.names))[data.none])
    return np.asarray(params @ levels_vector(data, offer) - (params @ np.array(others).T).max(axis=-1))


def price_limits(
    fit: HierarchicalFit,
    offer: Mapping[str, str],
    tested: tuple[float, float],
    *,
    price: str = "price",
    confidence: float = 0.90,
    draws: int = 2_000,
    sensitivity: Sequence[HierarchicalFit] = (),
    rivals: Sequence[Offer] = (),
) -> pd.DataFrame:
    """One row: estimate, low, high (the price upper limit), status, note, and the same of the safe and the stretch price.

    A pooled fit has one taste: its limit is `price_limit_pooled`, preliminary, and it has no safe and no stretch price.

    tested: lowest and highest tested price; outside of them an estimate is withheld and the note says on which side the limit lies; interval ends
    beyond them are cut off there. rivals: the limit is against the best of them, not only against not buying. sensitivity: the same respondents under other priors (`prior_sensitivity`): the intervals of safe and stretch price, which lean on
    the prior, are the union of all, and a note says where the limit itself moves by more than half its interval. status: "final", "preliminary" (the chains have not quite converged, or a
    mixture of latent classes, which is coarse) or "withheld".
    """
    fit, sensitivity = own_fit(fit, offer), [own_fit(other, offer) for other in sensitivity]
    if hasattr(fit, "utility_params"):
        return price_limit_pooled(fit, offer, tested, price=price, confidence=confidence, rivals=rivals)
    if fit.data.none is None and not rivals:
        return _limit(np.nan, np.nan, np.nan, NO_NONE)
    if _without_price(fit, price, draws):
        return _limit(np.nan, np.nan, np.nan, NO_PRICE_EFFECT)
    if fit.respondents < FULL_SAMPLE:
        return _limit(np.nan, np.nan, np.nan, INDICATION)
    tail = (1 - confidence) / 2
    (low, middle, high), *others = (
        draw_quantiles(limits_of(each, offer, price=price, draws=draws, rivals=rivals), [tail, 0.5, 1 - tail])
        for each in (fit, *sensitivity)
    )
    moves = max((abs(float(other[1, 1] - middle[1])) for other in others), default=0.0)
    leans = moves > (high[1] - low[1]) / 2
    for other in others:
        low[[0, 2]], high[[0, 2]] = np.minimum(low, other[0])[[0, 2]], np.maximum(high, other[2])[[0, 2]]
    low, high = np.clip(low, *tested), np.clip(high, *tested)
    inside = (middle >= tested[0]) & (middle <= tested[1])
    shown = np.where(inside, middle, np.nan)
    low, high = np.where(middle < tested[0], np.nan, low), np.where(middle > tested[1], np.nan, high)
    note = (PRIOR if leans else "") if inside[1] else ABOVE if middle[1] > tested[1] else BELOW
    final = getattr(fit, "status", "") == CONVERGED
    status = WITHHELD if not inside[1] else FINAL if final else PRELIMINARY
    row = {"estimate": shown[1], "low": low[1], "high": high[1], "status": status, "note": note}
    for j, name in ((0, "safe"), (2, "stretch")):
        row |= {name: shown[j], f"{name}_low": low[j], f"{name}_high": high[j]}
    return pd.DataFrame([row])


def _without_price(fit: HierarchicalFit, price: str, draws: int) -> bool:
    """Whether a higher price does not deter more than a few respondents, so that nothing may be said about prices."""
    money, drawn = Money.of(fit.data, price), fit.simulate(draws)
    wrong = sum(float((weights * ~money.deters(values)).sum()) for _, values, weights in drawn.blocks())
    return wrong / len(drawn.values) > MOST_WITHOUT_PRICE


def reservation_price(
    fit: AnyFit,
    offer: Mapping[str, str],
    tested: tuple[float, float] | None = None,
    *,
    price: str = "price",
    confidence: float = 0.90,
    rivals: Sequence[Offer] = (),
) -> pd.DataFrame:
    """The price upper limit of an offer (attribute -> level) from any kind of fit: `price_limits` where respondents differ, else the preliminary `price_limit_pooled`.

    tested: lowest and highest tested price, by default those of the data.
    """
    span = Money.of(own_data(fit.data, offer), price).form.tested
    ends = tested or (span[0], span[-1])
    return price_limits(fit, offer, ends, price=price, confidence=confidence, rivals=rivals)


def overstatement(
    fit: HierarchicalFit,
    offer: Mapping[str, str],
    at: float,
    known_share: float,
    *,
    price: str = "price",
    confidence: float = 0.90,
    draws: int = 2_000,
    rivals: Sequence[Offer] = (),
) -> pd.DataFrame:
    """One row: factor, low, high: stated over paid, from a sale that is known: that share of customers really buys the offer at the price `at`.

    The price that the same share says it would pay, over the price it pays. It replaces the factor of other studies in `cautious`. Raises DataError for a share or price that is none, or data without
    a none option and rivals.
    """
    if not (0 < known_share < 1 and at > 0):
        raise DataError(
            f"known_share {known_share!r} at {at!r}; allowed: a share between 0 and 1, a price above 0; mend them."
        )
    if fit.data.none is None and not rivals:
        raise DataError(f"overstatement: {NO_NONE} allowed: a study with a none option, or rivals.")
    stated = _still_bought_by(fit.data, offer, fit.simulate(draws), [known_share], price, rivals)[:, 0]
    tail = (1 - confidence) / 2
    middle, low, high = draw_quantiles(stated / at, [0.5, tail, 1 - tail])
    return pd.DataFrame([{"factor": middle, "low": low, "high": high}])


def limits_of(
    fit: HierarchicalFit,
    offer: Mapping[str, str],
    *,
    price: str = "price",
    draws: int = 2_000,
    rivals: Sequence[Offer] = (),
) -> np.ndarray:
    """(R, 3) safe price, price upper limit and stretch price of an offer in each draw."""
    return _still_bought_by(fit.data, offer, fit.simulate(draws), list(STILL_BUY.values()), price, rivals)


def _still_bought_by(
    data: ChoiceData, offer: Mapping[str, str], drawn: Draws, shares: Sequence[float], price: str, rivals: Sequence[Offer]
) -> np.ndarray:  # fmt: skip
    """(R, n) prices at which shares of the respondents still buy an offer, in each draw."""
    prices = reservation_prices(data, offer, drawn, price=price, rivals=rivals)
    weights = np.broadcast_to(drawn.weights, prices.shape)
    # The price at which a share still buys is the quantile of its complement.
    return weighted_quantiles(prices[:, :, None], weights, [1 - share for share in shares])[:, :, 0].T


def limit_waterfall(
    fit: HierarchicalFit,
    offer: Mapping[str, str],
    steps: Sequence[Step],
    tested: tuple[float, float],
    *,
    price: str = "price",
    confidence: float = 0.90,
    draws: int = 500,
) -> pd.DataFrame:
    """attribute, from_level, to_level, limit, low, high, change, change_low, change_high, note: the price upper limit of the offer (first row), then after one step
    after the other, the one that adds most first.

    Each change is the difference of the two limits within each draw. Beyond the tested prices a limit is withheld, and so is a change that leads there.
    """
    fit = own_fit(fit, offer)
    if fit.data.none is None or fit.respondents < FULL_SAMPLE or _without_price(fit, price, draws):
        return pd.DataFrame(columns=_WATERFALL)

    drawn = fit.simulate(draws)

    def limit(levels: Mapping[str, str]) -> np.ndarray:
        return _still_bought_by(fit.data, levels, drawn, [STILL_BUY["limit"]], price, ())[:, 0]

    here = dict(offer)
    reached = [limit(here)]
    names = [("", "", "")]
    left = list(steps)
    while left:
        found = [limit({**here, step.attribute: step.to_level}) for step in left]
        best = int(np.argmax([np.median(own) for own in found]))
        step = left.pop(best)
        names.append((step.attribute, here[step.attribute], step.to_level))
        here[step.attribute] = step.to_level
        reached.append(found[best])
        left = [other for other in left if other.attribute != step.attribute]
    tail = (1 - confidence) / 2
    limits = np.column_stack(reached)
    levels = draw_quantiles(limits, [0.5, tail, 1 - tail])
    with np.errstate(invalid="ignore"):
        changes = np.diff(limits, axis=1, prepend=limits[:, :1])
    moves = draw_quantiles(np.nan_to_num(changes, posinf=np.inf, neginf=-np.inf), [0.5, tail, 1 - tail])
    moves[:, 0] = np.nan
    outside = (levels[0] < tested[0]) | (levels[0] > tested[1])
    table = pd.DataFrame(
        [(*name, *level, *move) for name, level, move in zip(names, levels.T, moves.T, strict=True)],
        columns=_WATERFALL[:-1],
    )
    table[["low", "high"]] = table[["low", "high"]].clip(*tested)
    table.loc[outside, ["limit", "low", "high", "change", "change_low", "change_high"]] = np.nan
    note = np.where(outside & (levels[0] > tested[1]), ABOVE, np.where(outside, BELOW, ""))
    return table.assign(note=note)


def still_buying_people(
    fit: HierarchicalFit,
    offer: Mapping[str, str],
    prices: Sequence[float],
    *,
    price: str = "price",
    confidence: float = 0.90,
) -> pd.DataFrame:
    """price, share, low, high: share of respondents whose reservation price of the offer is at least each price; no row without a none option or where the price did not drive the answers."""
    fit = own_fit(fit, offer)
    if fit.data.none is None or _without_price(fit, price, 2_000):
        return _no_demand()
    drawn = fit.simulate()
    own = reservation_prices(fit.data, offer, drawn, price=price)
    shares = np.stack([(drawn.weights * (own >= at)).sum(axis=1) for at in prices])
    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(shares, [tail, 0.5, 1 - tail], axis=1)
    return pd.DataFrame({"price": np.asarray(prices, dtype=float), "share": middle, "low": low, "high": high})


def _no_demand() -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype=float) for column in ("price", "share", "low", "high")})


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
    fit = own_fit(fit, offer)
    simulated, money = fit.simulate(draws, seed).values[:, 0, :], Money.of(fit.data, price)
    if fit.data.none is None or not money.drove(fit, simulated):
        return _no_demand()
    grid = np.asarray(prices, dtype=float)
    share = _share(fit.data, offer, grid, money, fit.utility_params[None, :])[0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(_share(fit.data, offer, grid, money, simulated), [tail, 1 - tail], axis=0)
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
    rivals: Sequence[Offer] = (),
) -> pd.DataFrame:
    """estimate, low, high, status, note: one row, the price at which the pooled share still buying is one half.

    Withheld below 75 respondents. rivals: half against the best of them or nothing. tested: lowest and highest tested price. Outside of them the estimate is withheld and the note says on which side it lies; interval
    ends beyond them are cut off there.
    """
    fit = own_fit(fit, offer)
    simulated, money = fit.simulate(draws, seed).values[:, 0, :], Money.of(fit.data, price)
    if fit.data.none is None and not rivals:
        return _limit(np.nan, np.nan, np.nan, NO_NONE)
    if not money.drove(fit, simulated):
        return _limit(np.nan, np.nan, np.nan, NO_PRICE_EFFECT)
    if fit.respondents < FULL_SAMPLE:
        return _limit(np.nan, np.nan, np.nan, INDICATION)
    params = np.asarray(fit.utility_params, dtype=float)
    limit = float(money.indifferent(params, _above_best(fit.data, money, offer, rivals, params)))
    tail = (1 - confidence) / 2
    clear = simulated[money.deters(simulated)]
    own = money.indifferent(clear, _above_best(fit.data, money, offer, rivals, clear))
    low, high = np.clip(
        np.quantile(np.clip(own, tested[0] - money.span, tested[1] + money.span), [tail, 1 - tail]), *tested
    )
    if limit > tested[1]:
        return _limit(np.nan, low, np.nan, ABOVE)
    if limit < tested[0]:
        return _limit(np.nan, np.nan, high, BELOW)
    return _limit(limit, low, high, "")


def _limit(estimate: float, low: float, high: float, note: str) -> pd.DataFrame:
    status = WITHHELD if np.isnan(estimate) else PRELIMINARY
    row = {"estimate": estimate, "low": low, "high": high, "status": status, "note": note}
    return pd.DataFrame([row | dict.fromkeys(_OTHER_LIMITS, np.nan)])


def _offer_less_none(data: ChoiceData, offer: Mapping[str, str]) -> np.ndarray:
    """(K,) so that its product with the parameters is u(offer at price 0) - n."""
    vector = levels_vector(data, offer)
    vector[data.none] -= 1
    return vector


def _share(
    data: ChoiceData, offer: Mapping[str, str], prices: np.ndarray, money: Money, params: np.ndarray
) -> np.ndarray:
    """(R, P) shares at P prices for parameters (R, K)."""
    utility = (params @ _offer_less_none(data, offer))[:, None]
    falls = [money.form.utility(float(at), params[:, list(money.columns)]) for at in prices]
    return np.asarray(expit(utility + np.column_stack(falls)))
