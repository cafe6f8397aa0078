"""What a section of the results pages consists of, and the words that all of them share."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext

from wtp.web import formats
from wtp.web.reading import Reading


@dataclass(frozen=True, slots=True)
class LaneStep:
    """One step of the customer above, of the supplier below. mark and finding: what it is to customers; marked, satisfaction: figures as shown, empty where there are none; level: 1 (not) to 5 (fully satisfied), 0 unknown."""

    customer: str
    supplier: str
    mark: str
    finding: str
    marked: str
    satisfaction: str
    level: int


@dataclass(frozen=True, slots=True)
class Section:
    """One chart with its table: `rows` are texts as shown, `csv` names the table to download; `missing` says why there is neither; `lead` is the question as it was asked; `lane` are the steps of the customer's process."""

    chart: str
    title: str
    says: str
    not_says: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: str
    missing: str = ""
    drawn: bool = True
    findings: tuple[str, ...] = ()
    lead: str = ""
    lane: tuple[LaneStep, ...] = ()


def shares(low: float, high: float, digits: int = 0) -> str:
    """Both ends of the interval of a share."""
    return gettext("%(low)s to %(high)s", low=formats.percent(low, digits), high=formats.percent(high, digits))


def numbers(low: float, high: float, digits: int = 1) -> str:
    """Both ends of the interval of a number."""
    return gettext("%(low)s to %(high)s", low=formats.number(low, digits), high=formats.number(high, digits))


def interval_head(reading: Reading) -> str:
    """Head of a column of intervals."""
    return gettext("%(percent)s interval", percent=formats.percent(reading.analysis.confidence))


def headed(head: str, reading: Reading) -> str:
    """Head of a column of figures with their intervals."""
    return f"{head}, {interval_head(reading)}"


def share_with_interval(share: float, low: float, high: float) -> str:
    """A share and both ends of its interval."""
    return f"{formats.percent(share)} ({shares(low, high)})"


def too_few() -> str:
    """Why a segment has no figures."""
    return gettext("Too few answers in this segment for figures of its own.")
