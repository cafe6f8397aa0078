"""Panels: their respondent's name comes in with the address, and goes back with one of three addresses that the author wrote.

Only the placeholder `{id}` is filled, percent-encoded, so nothing that a respondent sends can lead to another host. A signature is HMAC-SHA-256 in hex over everything of an
address that stands before it, time stamp included (RFC 2104; panels call it a hash of the full URL); the key is the text of the study's panel key.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from wtp.survey.panel import Panel

LONGEST_SECONDS = 5 * 60
AHEAD_SECONDS = 60  # clocks of two houses differ
Wrong = Literal["signature", "expired"]
_LONGEST = 200
_SIGNATURE = re.compile(rb"[0-9A-Fa-f]{64}")
_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


def panel_id(given: str) -> str | None:
    """The panel's name of its respondent, or None if it is none that a panel would give."""
    return given if 0 < len(given) <= _LONGEST and given.isprintable() else None


def back_to_panel(panel: Panel, outcome: str, given: str) -> str:
    """The address of the panel for an outcome: completed, screened_out or over_quota."""
    address = {"completed": panel.completed, "screened_out": panel.screened_out, "over_quota": panel.over_quota}[
        outcome
    ]
    return address.replace("{id}", quote(given, safe=""))


def signature(address: bytes, key: str) -> str:
    """The signature of an address, without it, in 64 small hex digits."""
    return hmac.digest(key.encode(), address, "sha256").hex()


def signed(address: str, panel: Panel, key: str, now: datetime) -> str:
    """An address with its time stamp and, behind everything else, its signature."""
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    stamped = f"{address}{joint}{panel.time_stamp}={int(now.timestamp())}"
    return f"{stamped}&{panel.signature}={signature(stamped.encode(), key)}"


def wrong_with(address: bytes, panel: Panel, keys: Sequence[str], now: datetime) -> Wrong | None:
    """What is wrong with an address that the panel signed, as it was asked for; None if nothing is.

    "signature": missing, not the last parameter, or of another address or key; "expired": a time stamp more than five minutes ago, or more than one minute ahead.
    """
    before, _, given = address.rpartition(f"&{panel.signature}=".encode())
    if not before or not _SIGNATURE.fullmatch(given):
        return "signature"
    # Every key is compared, so that the time tells nothing.
    fits = [hmac.compare_digest(signature(before, key).encode(), given.lower()) for key in keys]
    if not any(fits):
        return "signature"
    stamps = parse_qs(urlsplit(before.decode("latin-1")).query).get(panel.time_stamp, [])
    if len(stamps) != 1 or not _STAMP.fullmatch(stamps[0]):
        return "signature"
    age = now.timestamp() - int(stamps[0])
    return None if -AHEAD_SECONDS <= age <= LONGEST_SECONDS else "expired"
