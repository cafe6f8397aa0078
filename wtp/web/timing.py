"""How long a page was in front of its respondent: from the moment it was made, signed, to the moment it was saved, both by the server's clock.

The time with the page out of sight comes from the browser and is taken off; it can only shorten the time, never below nothing. Where the server's clock was set
back in between, nobody knows how long it was.
"""

from __future__ import annotations

import time
from functools import cache, lru_cache

from flask import current_app
from itsdangerous import BadSignature, Signer

_LONGEST = 86_400.0
_SECONDS_AN_ITEM = 2.0
_CLOCKS_DIFFER = 1.0  # seconds between two hosts behind one proxy


@cache
def _signer(secret: str) -> Signer:
    return Signer(secret, salt="shown")


def shown_now(step_id: str) -> str:
    """A signed mark for the page that is being made."""
    return _signer(str(current_app.secret_key)).sign(f"{time.time():.2f} {step_id}").decode()


def seconds_shown(mark: str | None, step_id: str, away: str | None) -> float | None:
    """Seconds since the mark was made, those out of sight taken off; None for a mark of another page, none at all, or one of the future."""
    passed = _passed(mark, step_id)
    if passed is None or passed < -_CLOCKS_DIFFER:
        return None
    hidden = float(away) if away and away.isascii() and away.isdecimal() and len(away) < 7 else 0.0
    return round(max(min(passed, _LONGEST) - hidden, 0.0), 2)


def clock_was_set_back(mark: str | None, step_id: str) -> bool:
    """Whether the mark is one of the future."""
    passed = _passed(mark, step_id)
    return passed is not None and passed < -_CLOCKS_DIFFER


def _passed(mark: str | None, step_id: str) -> float | None:
    try:
        made_for, since = _read(str(current_app.secret_key), mark or "")
    except (BadSignature, ValueError):
        return None
    return time.time() - since if made_for == step_id else None


@lru_cache(64)
def _read(secret: str, mark: str) -> tuple[str, float]:
    """A page that is saved asks three times."""
    since, _, made_for = _signer(secret).unsign(mark).decode().partition(" ")
    return made_for, float(since)


def too_fast(seconds: float | None, items: int) -> bool:
    """Whether nobody can have read so many questions in that time: less than two seconds each (Huang, Curran, Keeney, Poposki and DeShon 2012)."""
    return seconds is not None and seconds < _SECONDS_AN_ITEM * items
