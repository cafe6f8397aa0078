"""Invest here, save there: what a step up or down from today's level earns a year, in each draw, by two routes.

Price route (one can charge for it): keep the share and raise the price by the competitive worth W of the step: G = N q S (W - dc) - F r / (1 - (1 + r)^-T); a step down
saves dc and gives W back. It is a lower bound of the best response with rivals fixed. Share route (the price cannot move): G = N q [S' (m - dc) - S m] - the same.
N customers, q purchases a year, S share that buys today's offer at today's price among the described competitors and nothing, S' after the step, m today's margin, dc unit
cost, F investment over T years at interest r; money sunk into today's level is not recovered. Everybody is one market: all respondents, each segment weighted by its customers,
and one price for all; so its W is the one of `competitive_worth`, and a surcharge of its own for each segment would earn more. W is the competitive worth (`competition`), with one pooled taste and no
competitor the ratio of the coefficients; without a none option and competitors it is the trade-off value, and S is 1.

Labels need 75 respondents and P >= 0.90; a wide interval around 0 is no saving chance. The expected number of wrong labels is the sum of their own
probabilities of being wrong, right if the model is (Newton et al. 2004; Mueller, Parmigiani and Rice 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.pricing.competition import equal_share_estimate, equal_share_worth
from wtp.pricing.money import Money
from wtp.pricing.offers import Offer, own_fit
from wtp.pricing.simulator import Market
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT, AnyFit, Step, contrast, worth_draws
from wtp.survey.attributes import Attribute, Level
from wtp.survey.definition import Definition, Economics
from wtp.survey.labels import label_of, shown_with, todays_offer

DECISION_PROBABILITY = 0.90
SMALLEST_RELEVANT = 0.01
INVEST, SAVE, KEEP, UNDECIDED = "invest", "save", "keep", "undecided"
HONOURED, NOT_HONOURED, EXPECTED, OPEN = "honoured", "not_honoured", "expected", "open"
UP, DOWN = "up", "down"
PRICE_ROUTE, SHARE_ROUTE = "price", "share"
OWN = "own"
NEVER_DECIDED = "Worth and cost are about equal: more answers will hardly decide it."
INDICATION = "Fewer than 75 respondents: the amounts are an indication and carry no verdict yet."
_COLUMNS = [
    "segment", "attribute", "direction", "from_level", "to_level", "worth", "worth_low", "worth_high", "unit_cost", "investment",
    "gain", "gain_low", "gain_high", "probability", "share_gain", "share_gain_low", "share_gain_high", "share_probability",
    "label", "wrong", "break_even", "more_answers", "worth_of_knowing", "note",
]  # fmt: skip
_Z90 = 1.281552
_HOPELESS = 20
_MOST_PAIRS = 500_000  # respondents times draws


@dataclass(frozen=True, slots=True)
class _Segment:
    """One segment in each of R draws: worths of the moves and the shares after them, (R,) each, and today's share; point: worths at the estimates of a pooled fit."""

    name: str
    customers: int
    respondents: int
    worth: Mapping[tuple[str, str], np.ndarray]
    point: Mapping[tuple[str, str], float]
    share: np.ndarray
    share_after: Mapping[tuple[str, str], np.ndarray]


def annuity_factor(economics: Economics) -> float:
    """Yearly cost of one unit of money invested over the planning years."""
    rate, years = economics.interest_rate, economics.planning_years
    return 1 / years if rate == 0 else float(rate / (1 - (1 + rate) ** -years))


def investment(
    fits: Mapping[str, AnyFit],
    definition: Definition,
    *,
    everybody: str = "all",
    draws: int = 10_000,
    confidence: float = 0.90,
    seed: int = 0,
    route: str | None = None,
    none_shift: float = 0.0,
) -> pd.DataFrame:
    """One row a segment, attribute and direction (up, down) from today's level, and the same for everybody together, first.

    fits: by segment id, with `everybody` among them (segments weighted by their customers); pooled fits, or segments of a hierarchical one. Everybody bears an investment once; a
    segment alone bears it whole where the attribute may differ by segment, else by its share of customers.
    Columns: worth (money a customer and purchase; what a step down puts at risk), unit_cost (negative is saved), investment (once),
    gain (money a year, price route), probability that the gain is above 0, share_gain and share_probability (share route), label (one an attribute, by the `route`: "price" or
    "share", by default the survey's), wrong (probability that the label is wrong), worth_of_knowing (money a year by which certainty would improve the decision, at most), break_even (largest unit cost at which a step up,
    smallest saving at which a step down, is right with 90 per cent), more_answers that would decide an undecided one, note. none_shift: of the markets, where a share is known.
    """
    customers = {segment.id: segment.customers for segment in definition.segments}
    named = {name: fit for name, fit in fits.items() if name in customers}
    total = sum(customers.values())
    if route is None:
        route = definition.economics.route if definition.economics else PRICE_ROUTE
    if route not in (PRICE_ROUTE, SHARE_ROUTE):
        raise DataError(f"route {route!r}; allowed: {PRICE_ROUTE}, {SHARE_ROUTE}; name one of these.")
    parts = [(name, fit, customers[name], 1.0 if not total else customers[name] / total) for name, fit in named.items()]
    if everybody in fits:
        parts.insert(0, (everybody, fits[everybody], max(total, 1), 1.0))
    tables = [
        _table(definition, _segment(fit, definition, name, count, draws, seed, none_shift), part, confidence, route)
        for name, fit, count, part in parts
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


def _moves(definition: Definition, attribute: Attribute) -> list[tuple[str, Level, Level]]:
    """(direction, from, to): one level up and one level down from today's, where there is one.

    Where alternatives bear labels, those that today's label has; the label itself never moves, for that would be another offer.
    """
    offer = todays_offer(definition)
    if attribute.id not in offer or attribute.id == definition.choice_tasks.labels:
        return []
    shown = shown_with(definition, attribute, label_of(definition, offer))
    rising = [level for level in attribute.rising if level.id in shown or not definition.choice_tasks.labels]
    place = [level.id for level in rising].index(attribute.current)
    up = [(UP, rising[place], rising[place + 1])] if place + 1 < len(rising) else []
    down = [(DOWN, rising[place], rising[place - 1])] if place else []
    return up + down


def todays_market(
    fit: AnyFit, definition: Definition, *, draws: int = 500, seed: int = 0, none_shift: float = 0.0
) -> Market:
    """Today's own offer, called "own", among the described competitors, as a fit or one of its segments sees them."""
    economics = definition.economics
    levels = todays_offer(definition)
    cost = economics.unit_cost if economics else float("nan")
    offers = [Offer(OWN, levels, definition.price.current, unit_cost=cost)]
    offers += [
        Offer(
            rival.id, rival.levels, rival.price, unit_cost=float("nan") if rival.unit_cost is None else rival.unit_cost
        )
        for rival in definition.competitors
    ]
    return Market(fit, offers, draws=draws, seed=seed, none_shift=none_shift)


def draws_for(fit: AnyFit, draws: int = 10_000) -> int:
    """How many draws of a fit the figures of today's market take: all of a pooled one, fewer of many respondents."""
    return draws if hasattr(fit, "utility_params") else min(draws, max(50, _MOST_PAIRS // fit.respondents))


def _segment(
    fit: AnyFit, definition: Definition, name: str, customers: int, draws: int, seed: int, none_shift: float
) -> _Segment:
    fit = own_fit(fit, todays_offer(definition))
    moves = [(attribute.id, *move) for attribute in definition.attributes for move in _moves(definition, attribute)]
    steps = [Step(attribute, here.id, there.id) for attribute, _, here, there in moves]
    point: np.ndarray | None = None
    if fit.data.none is None and not definition.competitors:
        worths, point, share, after = _alone(fit, definition, steps, draws, seed)
    else:
        market = todays_market(fit, definition, draws=draws_for(fit, draws), seed=seed, none_shift=none_shift)
        price, span = definition.price.current, market.money_of(OWN).span
        place = market.place(OWN)
        share = market.share_draws()[:, place]
        changes = np.array([contrast(fit.data, step.attribute, step.from_level, step.to_level) for step in steps])
        after = market.shares_with(place, changes)[0]
        if market.price_clear:
            bounds = price - span, price + span
            worths = equal_share_worth(market, OWN, steps, bounds=bounds).clip(-span, span)
            exact = equal_share_estimate(market, OWN, steps, bounds=bounds)
            point = None if exact is None else exact.clip(-span, span)
        else:
            worths = np.full_like(after, np.nan)
    signs = [1 if direction == UP else -1 for _, direction, _, _ in moves]
    keys = [(attribute, direction) for attribute, direction, _, _ in moves]
    middle = np.median(worths, axis=0) if point is None else point
    return _Segment(
        name,
        customers,
        fit.respondents,
        {key: sign * worths[:, j] for j, (key, sign) in enumerate(zip(keys, signs, strict=True))},
        {key: float(sign * middle[j]) for j, (key, sign) in enumerate(zip(keys, signs, strict=True))},
        share,
        {key: after[:, j] for j, key in enumerate(keys)},
    )


def _alone(
    fit: AnyFit, definition: Definition, steps: Sequence[Step], draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]:
    """Trade-off values in draws and at the estimates of a pooled fit, and shares of 1, where nothing else can be chosen: today's customers are taken to stay."""
    drawn = fit.simulate(draws, seed=seed)
    money = Money.of(fit.data, "price", definition.price.current)
    contrasts = np.array([contrast(fit.data, step.attribute, step.from_level, step.to_level) for step in steps])
    worths, point = worth_draws(fit, drawn, contrasts, money)
    return worths, point, np.ones(len(worths)), np.ones_like(worths)


def _table(definition: Definition, market: _Segment, part: float, confidence: float, route: str) -> pd.DataFrame:
    rows = []
    for attribute in definition.attributes:
        borne = 1.0 if attribute.by_segment else part
        moves = [
            _move(definition, attribute, move, market, borne, confidence, route)
            for move in _moves(definition, attribute)
        ]
        if not moves:
            continue
        verdict = _verdict(moves, definition, market.respondents)
        rows += [{"segment": market.name, "attribute": attribute.id, **move.row, **verdict} for move in moves]
    return pd.DataFrame(rows, columns=_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Move:
    """A step with its figures; gain (R,), by the route of the labels, is empty without economics."""

    direction: str
    worth: np.ndarray
    gain: np.ndarray
    row: Mapping[str, object]


def _move(
    definition: Definition,
    attribute: Attribute,
    move: tuple[str, Level, Level],
    market: _Segment,
    borne: float,
    confidence: float,
    route: str,
) -> _Move:
    direction, here, there = move
    key = attribute.id, direction
    worth, share, after = market.worth[key], market.share, market.share_after[key]
    economics = definition.economics
    unit_cost = investment_once = np.nan
    gains = {PRICE_ROUTE: np.array([]), SHARE_ROUTE: np.array([])}
    if economics is not None and here.unit_cost is not None and there.unit_cost is not None:
        unit_cost = there.unit_cost - here.unit_cost
        investment_once = max(0.0, (there.investment or 0.0) - (here.investment or 0.0)) * borne
        purchases = market.customers * economics.purchases_per_year
        margin = definition.price.current - economics.unit_cost
        charged = worth - unit_cost if direction == UP else -unit_cost - worth
        yearly = investment_once * annuity_factor(economics)
        gains[PRICE_ROUTE] = purchases * share * charged - yearly
        gains[SHARE_ROUTE] = purchases * (after * (margin - unit_cost) - share * margin) - yearly
        if np.isnan(worth).any():
            gains[SHARE_ROUTE] = np.full(len(worth), np.nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(worth, [tail, 1 - tail])
    middle = market.point[key]
    certain = 1 - DECISION_PROBABILITY if direction == UP else DECISION_PROBABILITY
    row: dict[str, object] = {
        "direction": direction,
        "from_level": here.id,
        "to_level": there.id,
        "worth": middle,
        "worth_low": low,
        "worth_high": high,
        "unit_cost": unit_cost,
        "investment": investment_once,
        "break_even": float(np.quantile(worth, certain)),
    }
    for name, gain in zip(("", "share_"), gains.values(), strict=True):
        ends = np.quantile(gain, [tail, 0.5, 1 - tail]) if len(gain) else (np.nan,) * 3
        row |= dict(zip((f"{name}gain_low", f"{name}gain", f"{name}gain_high"), ends, strict=True))
        row[f"{name}probability"] = float((gain > 0).mean()) if len(gain) and not np.isnan(middle) else np.nan
    return _Move(direction, worth, gains[route], row)


def _verdict(moves: Sequence[_Move], definition: Definition, respondents: int) -> dict[str, object]:
    """label of one attribute, the probability that it is wrong; how many more answers would decide it if it is undecided (NaN else); a note."""
    nothing = UNDECIDED if definition.economics else OPEN
    if any(np.isnan(move.worth).any() for move in moves):
        return _said(nothing, note=NO_PRICE_EFFECT)
    if respondents < FULL_SAMPLE:
        return _said(nothing, note=INDICATION)
    if any(not len(move.gain) for move in moves):
        return _without_costs(moves, SMALLEST_RELEVANT * definition.price.current)
    right = {move.direction: float((move.gain > 0).mean()) for move in moves}
    sure = [move for move in moves if right[move.direction] >= DECISION_PROBABILITY]
    knowing = max(_worth_of_knowing(move.gain) for move in moves)
    if sure:
        best = max(sure, key=lambda move: float(np.median(move.gain)))
        return _said(INVEST if best.direction == UP else SAVE, 1 - right[best.direction], knowing=knowing)
    if all(1 - right.get(direction, 0.0) >= DECISION_PROBABILITY for direction in (UP, DOWN)):
        stays = np.all([move.gain <= 0 for move in moves], axis=0)
        return _said(KEEP, 1 - float(stays.mean()), knowing=knowing)
    open_move = max(moves, key=lambda move: right[move.direction])
    more = _more_answers(open_move.gain, respondents)
    return _said(UNDECIDED, more=more, knowing=knowing, note=NEVER_DECIDED if np.isnan(more) else "")


def _said(
    label: str, wrong: float = np.nan, *, more: float = np.nan, knowing: float = np.nan, note: str = ""
) -> dict[str, object]:
    return {"label": label, "wrong": wrong, "more_answers": more, "worth_of_knowing": knowing, "note": note}


def _worth_of_knowing(gain: np.ndarray) -> float:
    """E max(G, 0) - max(E G, 0): the expected value of perfect information about one step."""
    return float(np.maximum(gain, 0).mean() - max(gain.mean(), 0.0))


def _without_costs(moves: Sequence[_Move], smallest: float) -> dict[str, object]:
    """What can be said without costs: whether the step up is honoured, today's level expected or not honoured."""
    worth = {move.direction: move.worth for move in moves}
    sure = {
        HONOURED: float((worth[UP] > smallest).mean()) if UP in worth else 0.0,
        NOT_HONOURED: float((worth[DOWN] < smallest).mean()) if DOWN in worth else 0.0,
        EXPECTED: float((worth[DOWN] > smallest).mean()) if DOWN in worth else 0.0,
    }
    for label, probability in sure.items():
        if probability >= DECISION_PROBABILITY:
            return _said(label, 1 - probability)
    return _said(OPEN)


def expected_wrong(table: pd.DataFrame) -> pd.DataFrame:
    """segment, labels, expected_wrong, share: how many attributes have a label that decides something, and how many of these labels are expected to be wrong."""
    decided = table.drop_duplicates(["segment", "attribute"]).dropna(subset="wrong")
    found = decided.groupby("segment", sort=False)["wrong"].agg(labels="size", expected_wrong="sum").reset_index()
    return found.assign(share=found["expected_wrong"] / found["labels"])


def _more_answers(gain: np.ndarray, respondents: int) -> float:
    """n (z sd / |mean|)^2 answers in all would make the interval clear 0, since sd falls with the root of n; NaN if that is hopeless."""
    needed = respondents * (_Z90 * gain.std() / abs(gain.mean())) ** 2
    if needed > _HOPELESS * respondents:
        return np.nan
    return float(np.ceil(max(needed - respondents, 10) / 10) * 10)
