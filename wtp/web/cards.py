"""The overview: one segment at a glance, on the page and in the report."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from flask_babel import gettext

from wtp.web.reading import Reading
from wtp.web.since import Since, sentences
from wtp.web.verdicts import Verdict, note_text, verdicts


@dataclass(frozen=True, slots=True)
class Card:
    """One segment at a glance."""

    segment: str
    respondents: int
    evidence: str
    limit: str
    limit_is_final: bool
    today: str
    verdicts: tuple[Verdict, ...]
    since: tuple[str, ...] = ()
    sure: str = ""


def card_of(reading: Reading, since: Since | None = None, sure: str = "") -> Card:
    """The segment of this reading at a glance; since: what to compare it with, if anything; sure: how sure that is, in a sentence."""
    row = reading.table("segments").iloc[0]
    return Card(
        reading.segment,
        int(row["respondents"]),
        str(row["weight_of_evidence"]),
        _limit_sentence(reading),
        bool((reading.table("price_limit").get("status", pd.Series(dtype=str)) == "final").any()),
        _today(reading),
        verdicts(reading),
        sentences(since, reading) if since else (),
        sure,
    )


def _today(reading: Reading) -> str:
    """Today's price beside the limit: how much room there is, if that is clear."""
    limits = reading.table("price_limit")
    if limits.empty or pd.isna(limits["estimate"].iloc[0]):
        return ""
    price, row = reading.definition.price.current, limits.iloc[0]
    shown = reading.price(price)
    room = reading.money(abs(row["estimate"] - price), 1)
    if row["low"] > price:
        return gettext("Today's price is %(price)s, %(room)s below it.", price=shown, room=room)
    if row["high"] < price:
        return gettext("Today's price is %(price)s, %(room)s above it.", price=shown, room=room)
    return gettext("Today's price, %(price)s, is as high as that within the interval.", price=shown)


def _limit_sentence(reading: Reading) -> str:
    limits = reading.table("price_limit")
    if limits.empty:
        return gettext("No price limit: too few answers, or a study without none option.")
    row = limits.iloc[0]
    if pd.isna(row["estimate"]):
        return note_text(str(row["note"]))
    return gettext(
        "Half would still buy today's offer at %(limit)s (%(interval)s).",
        limit=reading.money(row["estimate"], 1),
        interval=reading.interval(row["low"], row["high"], 1),
    )
