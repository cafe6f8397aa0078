"""What a manager takes away from a chart, in plain sentences with their intervals: the best price, limits against competitors, other methods, what to tell."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from flask_babel import gettext

from wtp.web import formats
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.verdicts import note_text


def findings(chart: str, reading: Reading) -> tuple[str, ...]:
    """Sentences above the table of a chart; none where there is nothing to say."""
    makers = {"demand": (_limit, _best_price, _each_segment, _methods, _cautious), "invest": (_wrong, _tell)}
    return tuple(sentence for make in makers.get(chart, ()) for sentence in make(reading))


def _first(reading: Reading, table: str, column: str, value: str) -> pd.Series | None:
    rows = reading.table(table)
    rows = rows[rows[column] == value] if len(rows) else rows
    return rows.iloc[0] if len(rows) else None


def _limit(reading: Reading) -> Iterator[str]:
    rows = reading.table("competitive_limit")
    if len(rows) and pd.notna(rows["estimate"].iloc[0]):
        row = rows.iloc[0]
        yield gettext(
            "Against the described competitors half would still buy at %(limit)s (%(interval)s).",
            limit=reading.money(row["estimate"], 1),
            interval=reading.interval(row["low"], row["high"], 1),
        )


def _best_price(reading: Reading) -> Iterator[str]:
    row = _first(reading, "best_price", "objective", "profit")
    if row is None:
        return
    if row["note"] or pd.isna(row["price"]):
        yield gettext("Profit-best price:") + " " + note_text(str(row["note"]))
        return
    yield gettext(
        "The highest expected profit is at %(price)s (%(interval)s); from %(low)s to %(high)s it is at most 2 %% less.",
        price=reading.money(row["price"], 1),
        interval=reading.interval(row["low"], row["high"], 1),
        low=reading.money(row["flat_low"], 1),
        high=reading.money(row["flat_high"], 1),
    )


def _each_segment(reading: Reading) -> Iterator[str]:
    row = _first(reading, "price_by_segment", "policy", "a price for each segment")
    if row is not None and row["gain"] > 0 and row["objective"] == "profit":
        yield gettext(
            "A price of its own for each segment would earn about %(gain)s a year more than one price for all.",
            gain=reading.money(row["gain"], formats.three_digits(row["gain"])),
        )


def _methods(reading: Reading) -> Iterator[str]:
    rows = reading.table("triangulation")
    if len(rows) < 2:
        return
    names = {
        "conjoint": gettext("choices"),
        "van_westendorp": "Van Westendorp (PME)",
        "gabor_granger": "Gabor-Granger",
        "open_price": gettext("open price"),
    }
    amounts = ", ".join(f"{names[row['method']]} {reading.money(row['estimate'], 1)}" for _, row in rows.iterrows())
    gap = formats.percent(rows["gap"].iloc[0])
    if rows["verdict"].iloc[0] == "agree":
        yield gettext("The methods agree within %(gap)s: %(amounts)s.", gap=gap, amounts=amounts)
    else:
        yield gettext(
            "The methods differ by %(gap)s (%(amounts)s): plan with the lower figure.", gap=gap, amounts=amounts
        )


def _cautious(reading: Reading) -> Iterator[str]:
    rows = reading.table("cautious_limit")
    if len(rows) and pd.notna(rows["cautious"].iloc[0]):
        amount = reading.money(rows["cautious"].iloc[0], 1)
        if pd.isna(rows["cautious_low"].iloc[0]):
            yield gettext(
                "Cautious price limit, by what this company knows of stated and paid prices: %(amount)s.", amount=amount
            )
        else:
            yield gettext(
                "Cautious price limit: %(amount)s. In other studies, not in these answers, people stated about 21 %% more than they paid.",
                amount=amount,
            )


def _wrong(reading: Reading) -> Iterator[str]:
    rows = reading.table("expected_wrong")
    if len(rows):
        yield gettext(
            "Of %(labels)s decided verdicts, %(wrong)s are expected to be wrong.",
            labels=formats.number(rows["labels"].iloc[0], 0),
            wrong=_few(float(rows["expected_wrong"].iloc[0])),
        )


def _tell(reading: Reading) -> Iterator[str]:
    rows = reading.table("hints")
    for _, row in (rows[rows["hint"] == "tell"] if len(rows) else rows).iterrows():
        level = said(
            reading.definition.attribute(row["attribute"])
            .level(reading.definition.attribute(row["attribute"]).current)
            .label
        )
        yield gettext(
            "Tell it: “%(level)s” is there and honoured, but not seen as better than the rival's.", level=level
        )


def _few(count: float) -> str:
    return gettext("fewer than %(number)s", number=formats.number(0.1, 1)) if count < 0.1 else formats.number(count, 1)
