"""Contacts of customers who do not exist, with known structure: what recovery tests find again, and what the demo shows, labelled as simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from wtp.customers.touchpoints import DAYS_A_MONTH
from wtp.survey.contacts import OTHER, contact_codes
from wtp.survey.definition import Definition

REPORTED = "Simulated contact"
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ContactTruth:
    """What is true of simulated contacts.

    rates: segment -> reason -> contacts per 100 customers and month at the start. trends: reason -> change a month (0.05 is 5 per cent). spread: variance of a month's own
    factor, mean 1, by which counts vary more than Poisson counts. frailty: the same of a customer's. mattered, problems: segment -> code -> share. questions, remedies: code -> share;
    asked: share of contacts with a question. solved: remedy -> share. agreement: how often a second coder says what the first said, and else picks by chance.
    """

    rates: Mapping[str, Mapping[str, float]]
    trends: Mapping[str, float]
    mattered: Mapping[str, Mapping[str, float]]
    problems: Mapping[str, Mapping[str, float]]
    questions: Mapping[str, float]
    remedies: Mapping[str, float]
    solved: Mapping[str, float]
    spread: float = 0.03
    frailty: float = 0.5
    asked: float = 0.6
    agreement: float = 0.8


def truth_of(definition: Definition) -> ContactTruth:
    """Structure that follows the definition: the first reasons and questions are the commonest, the first reason rises, what simulated respondents value matters most to them."""
    flat = flat_truth(definition)
    codes = contact_codes(definition)
    assert codes is not None  # noqa: S101 - flat_truth has asked
    reasons, segments = list(codes["reason"]), list(flat.rates)
    falling = _falling(reasons, 0.7)
    rates = {
        segment: {
            reason: 3.0 * falling[reason] * (1.8 if place == number % len(reasons) else 1.0)
            for place, reason in enumerate(reasons)
        }
        for number, segment in enumerate(segments)
    }
    tastes = {one.segment: one for one in definition.simulation.segments} if definition.simulation else {}
    mattered = {
        segment: _shares({item: _taste(tastes.get(segment), item) for item in codes["mattered_most"]})
        for segment in segments
    }
    remedies = list(codes["remedy"])
    return replace(
        flat,
        rates=rates,
        trends=dict.fromkeys(reasons, 0.0) | {reasons[0]: 0.06},
        mattered=mattered,
        questions=_falling([code for code in codes["question"] if code != OTHER], 0.75) | ({OTHER: 0.05} if codes["question"] else {}),
        remedies=_falling(remedies, 0.7),
        solved={remedy: 0.9 - 0.6 * place / max(len(remedies), 1) for place, remedy in enumerate(remedies)},
    )  # fmt: skip


def flat_truth(definition: Definition) -> ContactTruth:
    """No structure at all: every reason, question and item as often as the others, in every segment and month. Core problems are those of the segment."""
    codes = contact_codes(definition)
    if codes is None:
        raise ValueError("contacts: nothing; allowed: a definition with contacts; add the table [contacts].")
    segments = [segment.id for segment in definition.segments] or [""]
    asked = definition.contacts.core_problem if definition.contacts else None
    whens = {segment.id: segment.when for segment in definition.segments}

    def even(names: Mapping[str, object] | list[str]) -> dict[str, float]:
        return {name: 1 / len(names) for name in names}

    return ContactTruth(
        rates={segment: {reason: 6.0 / len(codes["reason"]) for reason in codes["reason"]} for segment in segments},
        trends=dict.fromkeys(codes["reason"], 0.0),
        mattered={segment: even(codes["mattered_most"]) for segment in segments},
        problems={s: even(list(whens.get(s, {}).get(asked or "", ())) or codes["core_problem"]) for s in segments},
        questions=even([code for code in codes["question"] if code != OTHER]),
        remedies=even(codes["remedy"]),
        solved=dict.fromkeys(codes["remedy"], 0.7),
    )


def _falling(names: list[str], by: float) -> dict[str, float]:
    return _shares({name: by**place for place, name in enumerate(names)})


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _taste(taste: object, item: str) -> float:
    """Weight of an item: what its best level is worth; the price weighs as much as steep price sensitivity makes it."""
    if taste is None:
        return 1.0
    worth: Mapping[str, tuple[float, ...]] = taste.worth  # type: ignore[attr-defined]
    largest = max(max(amounts) for amounts in worth.values())
    if item in worth:
        return max(worth[item]) + 0.05 * largest
    return 150 * -taste.price_coefficient * largest / 20 if item == "price" else 0.05 * largest  # type: ignore[attr-defined]


def simulated_contacts(
    definition: Definition,
    customers: Mapping[str, str],
    *,
    months: int,
    seed: int,
    truth: ContactTruth | None = None,
    start: datetime = _START,
) -> pd.DataFrame:
    """Contacts of these customers (number -> segment, "" for none) in time's order, with the columns of the form: happened_at, channel, reason, reported, question,
    mattered_most, impression, core_problem, remedy, solved, minutes, customer. Codes that the study does not have are None."""
    truth, codes = truth or truth_of(definition), contact_codes(definition)
    assert codes is not None  # noqa: S101 - truth_of has asked
    rng = np.random.default_rng([seed, 20])
    numbers, labels = np.array(list(customers)), np.array(list(customers.values()))
    factors = {reason: _factor(rng, truth.spread, months) for reason in codes["reason"]}
    parts = []
    for segment in dict.fromkeys(labels.tolist()):
        own = numbers[labels == segment]
        weights = _factor(rng, truth.frailty, len(own))
        for reason, rate in truth.rates[segment].items():
            course = rate / 100 * len(own) * (1 + truth.trends[reason]) ** np.arange(months) * factors[reason]
            counts = rng.poisson(course)
            days = (np.repeat(np.arange(months), counts) + rng.random(counts.sum())) * DAYS_A_MONTH
            who = rng.choice(own, counts.sum(), p=weights / weights.sum())
            parts.append(pd.DataFrame({"customer": who, "segment": segment, "reason": reason, "days": days}))
    frame = pd.concat(parts, ignore_index=True).sort_values("days", kind="stable").reset_index(drop=True)
    n = len(frame)
    frame["happened_at"] = (pd.Timestamp(start) + pd.to_timedelta(frame["days"], unit="D")).dt.floor("min")
    frame["channel"] = _picked(rng, _falling(list(codes["channel"]), 0.5), n)
    asks = rng.random(n) < truth.asked
    frame["question"] = _picked(rng, truth.questions, n)
    frame.loc[~asks, "question"] = None
    frame["remedy"] = _picked(rng, truth.remedies, n)
    frame["solved"] = rng.random(n) < frame["remedy"].map(truth.solved).to_numpy(dtype=float, na_value=0.5)
    for column, shares in (("mattered_most", truth.mattered), ("core_problem", truth.problems)):
        frame[column] = None
        for segment, rows in frame.groupby("segment").groups.items():
            frame.loc[rows, column] = _picked(rng, shares[str(segment)], len(rows))
    frame["impression"] = np.clip(np.rint(rng.normal(np.where(frame["solved"], 3.6, 2.4), 0.9)), 1, 5).astype(int)
    frame["minutes"] = np.maximum(1, np.rint(rng.lognormal(np.log(8), 0.6, n))).astype(int)
    frame["reported"] = [f"{REPORTED} {number}" for number in range(1, n + 1)]
    columns = ["happened_at", "channel", "reason", "reported", "question", "mattered_most", "impression", "core_problem", "remedy", "solved", "minutes", "customer"]  # fmt: skip
    return frame[columns]


def simulated_codings(
    definition: Definition, contacts: pd.DataFrame, *, agreement: float, seed: int, most: int = 50
) -> pd.DataFrame:
    """What a second coder says of some contacts drawn by chance: contact (their index), reason, mattered_most, core_problem."""
    codes = contact_codes(definition)
    assert codes is not None  # noqa: S101 - there are contacts
    rng = np.random.default_rng([seed, 24])
    drawn = contacts.loc[rng.choice(contacts.index.to_numpy(), min(most, len(contacts)), replace=False)]
    found = {"contact": drawn.index.to_numpy()}
    for field in ("reason", "mattered_most", "core_problem"):
        chance = _picked(rng, {code: 1 / len(codes[field]) for code in codes[field]}, len(drawn))
        found[field] = np.where(rng.random(len(drawn)) < agreement, drawn[field].to_numpy(dtype=object), chance)
    return pd.DataFrame(found)


def _factor(rng: np.random.Generator, variance: float, n: int) -> np.ndarray:
    """Positive factors of mean 1."""
    return rng.gamma(1 / variance, variance, n) if variance else np.ones(n)


def _picked(rng: np.random.Generator, shares: Mapping[str, float], n: int) -> np.ndarray:
    """(n,) codes, None where there are none to pick."""
    if not shares:
        return np.full(n, None, dtype=object)
    names = np.array(list(shares), dtype=object)
    weights = np.array(list(shares.values()))
    return rng.choice(names, n, p=weights / weights.sum())
