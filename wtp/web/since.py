"""What changed since last time: the figures of a page against the last ones of the same kind that were of other answers or of another survey, in a sentence a segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from flask_babel import format_date, gettext

from wtp.analysis import Analysis, Changed, changed
from wtp.charts.investment import NAMES
from wtp.store import Database, results, told
from wtp.store.results import Kept
from wtp.web import formats
from wtp.web.analyses import is_final, parsed
from wtp.web.reading import Reading

_BASIS = ("answers_hash", "definition_hash", "definition_fingerprint")


@dataclass(frozen=True, slots=True)
class Since:
    """What is compared: fingerprints, when the earlier one was made, of how many respondents, and what changed."""

    earlier: str
    now: str
    made_at: datetime
    respondents: int
    changed: Changed

    @property
    def head(self) -> str:
        """Since when, and of how many respondents the figures were then."""
        day = format_date(self.made_at, "long")
        return gettext(
            "Last time: %(day)s, %(respondents)s respondents.",
            day=day,
            respondents=formats.number(self.respondents, 0),
        )


def last_time(database: Database, analysis: Analysis, *, told_alone: bool) -> Since | None:
    """The comparison with the last figures before these; None if these are the first, or were kept before this was recorded. told_alone: only with figures that readers of results may see."""
    with database.read() as connection:
        kept = results.made(connection, analysis.study)
        if told_alone:
            seen = told.fingerprints(connection, analysis.study)
            kept = tuple(each for each in kept if each.fingerprint in seen)
        pair = _pair(kept, analysis)
        content = results.load(connection, pair[0].fingerprint) if pair else None
    if pair is None or content is None:
        return None
    earlier, now = pair
    respondents = int(earlier.made["respondents"])
    return Since(
        earlier.fingerprint, now.fingerprint, earlier.created_at, respondents, changed(parsed(content), analysis)
    )


def _pair(kept: tuple[Kept, ...], analysis: Analysis) -> tuple[Kept, Kept] | None:
    """The last one before the shown one that is final or quick like it, of the same set, and rests on something else; and the shown one."""
    of = (analysis.answers_hash, analysis.definition_hash, analysis.request.seed, list(analysis.request.without), analysis.request.versions)  # fmt: skip
    shown = [
        each for each in kept
        if of == tuple(each.made[key] for key in ("answers_hash", "definition_hash", "seed", "without", "versions")) and is_final(each.made) == _is_final(analysis)
    ]  # fmt: skip
    if not shown:
        return None
    now = shown[0]
    for each in kept:
        same_kind = (each.kind, is_final(each.made)) == (now.kind, is_final(now.made))
        same_set = each.made["versions"] == now.made["versions"]
        other = any(each.made[key] != now.made[key] for key in _BASIS)
        if each.created_at <= now.created_at and same_kind and same_set and other:
            return each, now
    return None


def _is_final(analysis: Analysis) -> bool:
    rows = analysis.tables["segments"]
    return "estimator" in rows and is_final({"estimator": str(rows["estimator"].iloc[0])})


def sentences(since: Since, reading: Reading) -> tuple[str, ...]:
    """What changed in the segment of a reading."""
    return (*_limit(since.changed.limits, reading), *_verdicts(since.changed.verdicts, reading))


def _limit(table: pd.DataFrame, reading: Reading) -> Iterator[str]:
    rows = table[table["segment"] == reading.segment]
    if rows.empty:
        return
    row = rows.iloc[0]
    before, after = (pd.notna(row[f"estimate_{side}"]) for side in (1, 2))
    if not (before or after):
        return
    if not after:
        yield gettext("The price upper limit is withheld now; it was %(limit)s.", limit=reading.money(row["estimate_1"], 1))  # fmt: skip
    elif not before:
        yield gettext("The price upper limit was withheld then.")
    elif row["overlap"]:
        yield gettext(
            "The price upper limit was %(limit)s (%(interval)s): no clear change.",
            limit=reading.money(row["estimate_1"], 1),
            interval=reading.interval(row["low_1"], row["high_1"], 1),
        )
    else:
        patterns = gettext("The price upper limit rose from %(limit)s (%(interval)s)."), gettext("The price upper limit fell from %(limit)s (%(interval)s).")  # fmt: skip
        yield patterns[int(row["difference"] < 0)] % {
            "limit": reading.money(row["estimate_1"], 1),
            "interval": reading.interval(row["low_1"], row["high_1"], 1),
        }


def _verdicts(table: pd.DataFrame, reading: Reading) -> Iterator[str]:
    rows = table[table["segment"] == reading.segment]
    moved = rows[rows["moved_by"] != ""]
    if len(rows) and moved.empty:
        yield gettext("No verdict moved.")
    for _, row in moved.iterrows():
        then, now = (
            gettext(NAMES[row[side]]) if row[side] in NAMES else gettext("withheld") for side in ("label_1", "label_2")
        )
        attribute = reading.labels.get(row["attribute"], row["attribute"])
        yield gettext("%(attribute)s: “%(then)s” then, “%(now)s” now.", attribute=attribute, then=then, now=now)
