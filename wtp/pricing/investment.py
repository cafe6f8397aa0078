"""Invest here, save there: what a step up or down from today's level earns a year, in each draw, by the price route.

Step up: keep the share and raise the price by the worth W of the step: G = N q S (W - dc) - F r / (1 - (1 + r)^-T).
Step down: save dc and give W back: H = N q S (saved dc - W); money sunk into today's level is not recovered.
N customers, q purchases a year, S share that buys today's offer at today's price, dc unit cost, F investment over T years at interest r.
For one pooled segment the equal-share worth equals the ratio W: both utilities move alike. Price route: a lower bound of the best response
with rivals fixed. Labels need 75 respondents and P >= 0.90; a wide interval around 0 is no saving chance (Newton et al. 2004 for the expected wrong labels).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.pricing.money import Money
from wtp.pricing.reservation_price import purchase_share
from wtp.pricing.willingness_to_pay import (
    MOST_WITHOUT_PRICE,
    NO_PRICE_EFFECT,
    AnyFit,
    contrast,
    worth_over_people,
)
from wtp.survey.attributes import Attribute, Level
from wtp.survey.definition import Definition, Economics

DECISION_PROBABILITY = 0.90
SMALLEST_RELEVANT = 0.01
INVEST, SAVE, KEEP, UNDECIDED = "invest", "save", "keep", "undecided"
HONOURED, NOT_HONOURED, EXPECTED, OPEN = "honoured", "not_honoured", "expected", "open"
UP, DOWN = "up", "down"
NEVER_DECIDED = "Worth and cost are about equal: more answers will hardly decide it."
INDICATION = "Fewer than 75 respondents: the amounts are an indication and carry no verdict yet."
INCOMPLETE = "Segments with too few answers are left out."
_COLUMNS = [
    "segment", "attribute", "direction", "from_level", "to_level", "worth", "worth_low", "worth_high", "unit_cost", "investment",
    "gain", "gain_low", "gain_high", "probability", "label", "break_even", "more_answers", "note",
]  # fmt: skip
_Z90 = 1.281552
_HOPELESS = 20


@dataclass(frozen=True, slots=True)
class _Market:
    """One segment in each of R draws: worths of the moves, (R,) each, and how often a year the offer is bought."""

    name: str
    customers: int
    respondents: int
    worth: Mapping[tuple[str, str], np.ndarray]
    share: np.ndarray


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
) -> pd.DataFrame:
    """One row a segment, attribute and direction (up, down) from today's level, and the same for everybody together.

    fits: by segment id, with `everybody` among them; pooled fits, or segments of a hierarchical one. For everybody the segments' gains are summed in each draw and an
    investment is counted once; a segment alone bears it whole where the attribute may differ by segment, else by its share of customers.
    Columns: worth (money a customer and purchase; what a step down puts at risk), unit_cost (negative is saved), investment (once),
    gain (money a year), probability that the gain is above 0, label (one an attribute), break_even (largest unit cost at which a step up,
    smallest saving at which a step down, is right with 90 per cent), more_answers that would decide an undecided one, note.
    """
    customers = {segment.id: segment.customers for segment in definition.segments}
    named = {name: fit for name, fit in fits.items() if name in customers}
    total = sum(customers.values())
    markets = [
        _market(fit, definition, name, customers[name], draws, [seed, i]) for i, (name, fit) in enumerate(named.items())
    ]
    tables = [_table(definition, [market], market.name, market.customers / total, confidence) for market in markets]
    missing = [name for name in customers if name not in named]
    if markets:
        table = _table(definition, markets, everybody, 1.0, confidence)
        if missing:
            table["note"] = table["note"].mask(table["note"] == "", INCOMPLETE)
        tables.insert(0, table)
    elif everybody in fits:
        market = _market(fits[everybody], definition, everybody, max(total, 1), draws, [seed, 0])
        tables.insert(0, _table(definition, [market], everybody, 1.0, confidence))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


def _moves(attribute: Attribute) -> list[tuple[str, Level, Level]]:
    """(direction, from, to): one level up and one level down from today's, where there is one."""
    place = attribute.level_ids.index(attribute.current)
    here = attribute.levels[place]
    up = [(UP, here, attribute.levels[place + 1])] if place + 1 < len(attribute.levels) else []
    down = [(DOWN, here, attribute.levels[place - 1])] if place else []
    return up + down


def _market(fit: AnyFit, definition: Definition, name: str, customers: int, draws: int, seed: Sequence[int]) -> _Market:
    drawn = fit.simulate(draws, seed=int(np.random.SeedSequence(seed).generate_state(1)[0]))
    moves = [(attribute, *move) for attribute in definition.attributes for move in _moves(attribute)]
    contrasts = np.array([
        contrast(fit.data, attribute.id, here.id, there.id) * (1 if direction == UP else -1) for attribute, direction, here, there in moves
    ])  # fmt: skip
    money = Money.of(fit.data, "price", definition.price.current)
    if hasattr(fit, "utility_params"):
        shown = money.drove(fit, drawn.values[:, 0, :])
        worths = money.worth(drawn.values[:, 0, :], contrasts)
    else:
        worths, _, wrong = worth_over_people(drawn, contrasts, money)
        shown = wrong <= MOST_WITHOUT_PRICE
    if not shown:
        worths = np.full_like(worths, np.nan)
    worth = {(attribute.id, direction): worths[:, j] for j, (attribute, direction, _, _) in enumerate(moves)}
    if fit.data.none is None:
        share = np.ones(len(worths))  # without a none option today's customers are taken to stay
    else:
        offer = {attribute.id: attribute.current for attribute in definition.attributes}
        share = purchase_share(fit.data, offer, definition.price.current, drawn)
    return _Market(name, customers, fit.respondents, worth, share)


def _table(
    definition: Definition, markets: Sequence[_Market], name: str, part: float, confidence: float
) -> pd.DataFrame:
    rows = []
    for attribute in definition.attributes:
        borne = 1.0 if attribute.by_segment else part
        moves = [_move(definition, attribute, move, markets, borne, confidence) for move in _moves(attribute)]
        label, more_answers, note = _verdict(moves, definition, sum(market.respondents for market in markets))
        rows += [
            {
                "segment": name,
                "attribute": attribute.id,
                **move.row,
                "label": label,
                "more_answers": more_answers,
                "note": note,
            }
            for move in moves
        ]
    return pd.DataFrame(rows, columns=_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Move:
    """A step with its figures; gain (R,) is empty without economics."""

    direction: str
    worth: np.ndarray
    gain: np.ndarray
    row: Mapping[str, object]


def _move(
    definition: Definition,
    attribute: Attribute,
    move: tuple[str, Level, Level],
    markets: Sequence[_Market],
    borne: float,
    confidence: float,
) -> _Move:
    direction, here, there = move
    sizes = np.array([market.customers for market in markets], dtype=float)
    worths = np.column_stack([market.worth[attribute.id, direction] for market in markets])
    worth = worths @ sizes / sizes.sum()
    economics = definition.economics
    unit_cost = investment_once = np.nan
    gain = np.array([])
    if economics is not None and here.unit_cost is not None and there.unit_cost is not None:
        unit_cost = there.unit_cost - here.unit_cost
        investment_once = max(0.0, (there.investment or 0.0) - (here.investment or 0.0)) * borne
        margin = worths - unit_cost if direction == UP else -unit_cost - worths
        purchases = sizes * economics.purchases_per_year * np.column_stack([market.share for market in markets])
        gain = (purchases * margin).sum(axis=1) - investment_once * annuity_factor(economics)
    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(worth, [tail, 0.5, 1 - tail])
    gain_low, gain_middle, gain_high = np.quantile(gain, [tail, 0.5, 1 - tail]) if len(gain) else (np.nan,) * 3
    certain = 1 - DECISION_PROBABILITY if direction == UP else DECISION_PROBABILITY
    row = {
        "direction": direction,
        "from_level": here.id,
        "to_level": there.id,
        "worth": middle,
        "worth_low": low,
        "worth_high": high,
        "unit_cost": unit_cost,
        "investment": investment_once,
        "gain": gain_middle,
        "gain_low": gain_low,
        "gain_high": gain_high,
        "probability": float((gain > 0).mean()) if len(gain) and not np.isnan(middle) else np.nan,
        "break_even": float(np.quantile(worth, certain)),
    }
    return _Move(direction, worth, gain, row)


def _verdict(moves: Sequence[_Move], definition: Definition, respondents: int) -> tuple[str, float, str]:
    """The label of one attribute; how many more answers would decide it if it is undecided (NaN else); a note."""
    if any(np.isnan(move.worth).any() for move in moves):
        return (UNDECIDED if definition.economics else OPEN), np.nan, NO_PRICE_EFFECT
    if respondents < FULL_SAMPLE:
        return (UNDECIDED if definition.economics else OPEN), np.nan, INDICATION
    if any(not len(move.gain) for move in moves):
        return _without_costs(moves, SMALLEST_RELEVANT * definition.price.current), np.nan, ""
    right = {move.direction: float((move.gain > 0).mean()) for move in moves}
    sure = [move for move in moves if right[move.direction] >= DECISION_PROBABILITY]
    if sure:
        best = max(sure, key=lambda move: float(np.median(move.gain)))
        return (INVEST if best.direction == UP else SAVE), np.nan, ""
    down_loses = 1 - right.get(DOWN, 0.0) >= DECISION_PROBABILITY
    up_loses = 1 - right.get(UP, 0.0) >= DECISION_PROBABILITY
    if down_loses and up_loses:
        return KEEP, np.nan, ""
    open_move = max(moves, key=lambda move: right[move.direction])
    more_answers = _more_answers(open_move.gain, respondents)
    return UNDECIDED, more_answers, NEVER_DECIDED if np.isnan(more_answers) else ""


def _without_costs(moves: Sequence[_Move], smallest: float) -> str:
    """What can be said without costs: whether the step up is honoured, today's level expected or not honoured."""
    by_direction = {move.direction: move.worth for move in moves}
    if UP in by_direction and np.quantile(by_direction[UP], 1 - DECISION_PROBABILITY) > smallest:
        return HONOURED
    if DOWN in by_direction and np.quantile(by_direction[DOWN], DECISION_PROBABILITY) < smallest:
        return NOT_HONOURED
    if DOWN in by_direction and np.quantile(by_direction[DOWN], 1 - DECISION_PROBABILITY) > smallest:
        return EXPECTED
    return OPEN


def _more_answers(gain: np.ndarray, respondents: int) -> float:
    """n (z sd / |mean|)^2 answers in all would make the interval clear 0, since sd falls with the root of n; NaN if that is hopeless."""
    needed = respondents * (_Z90 * gain.std() / abs(gain.mean())) ** 2
    if needed > _HOPELESS * respondents:
        return np.nan
    return float(np.ceil(max(needed - respondents, 10) / 10) * 10)
