"""Wrong tries, counted for all processes and hosts of an installation together: in Redis where the queue of background analyses is, else in the database.

Only what fails is counted: whoever gets in, or has a valid link or token, costs no query and is not kept out by others behind the same address. Keys are hashes by the
instance's secret, so that no address is stored; a forged X-Forwarded-For changes none, since Werkzeug names the address (`security.protect`).
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from ipaddress import ip_address, ip_network
from typing import Any, NoReturn

from flask import Flask, abort, current_app, request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from wtp.store import Database
from wtp.store.counted_tries import CountedTries
from wtp.web import running

ACCOUNT, ADDRESS, GUESSES = parse("5 per 15 minutes"), parse("50 per 15 minutes"), parse("10 per minute")
_REDIS_SECONDS = 2


class Attempts:
    """Counts of what failed. While Redis is away every process counts for itself, so that people still get in."""

    def __init__(self, storage: Storage) -> None:
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())

    def count(self, limit: RateLimitItem, key: str) -> bool:
        """Count one more; whether it is within the limit."""
        try:
            return self._shared.hit(limit, key)
        except StorageError:
            return self._own.hit(limit, key)

    def wait(self, limit: RateLimitItem, key: str) -> int:
        """Seconds until one may try again; 0 for now."""
        try:
            stats = self._shared.get_window_stats(limit, key)
        except StorageError:
            stats = self._own.get_window_stats(limit, key)
        return 0 if stats.remaining else max(1, math.ceil(stats.reset_time - time.time()))

    def forget(self) -> None:
        """Begin anew."""
        for counted in (self._shared, self._own):
            counted.storage.reset()


def init_app(app: Flask, queue: str, database: Database) -> None:
    """Count in Redis if that is where the queue is, else in the database."""
    timeouts: dict[str, Any] = {"socket_timeout": _REDIS_SECONDS, "socket_connect_timeout": _REDIS_SECONDS}
    storage = RedisStorage(queue, wrap_exceptions=True, **timeouts) if queue else CountedTries(database=database)
    app.extensions["wtp_attempts"] = Attempts(storage)


def refuse_if_spent(name: str) -> None:
    """Answer 429 if there were too many wrong tries for an account, or from an address."""
    waits = [_attempts().wait(limit, key) for limit, key in _of_login(name)]
    if wait := max(waits):
        raise TooManyRequests(retry_after=wait)


def failed(name: str) -> bool:
    """Count a wrong password, code or answer; whether it was the last one that the account is allowed for now."""
    for limit, key in _of_login(name):
        _attempts().count(limit, key)
    return _attempts().wait(ACCOUNT, _key("account", name.casefold())) > 0


def guessed() -> int:
    """Count a link or token that is none; seconds to wait if there were too many from this address, else 0."""
    key = _key("guess", _address())
    return 0 if _attempts().count(GUESSES, key) else _attempts().wait(GUESSES, key) or 1


def nothing_there() -> NoReturn:
    """Answer 404 to whoever comes with a link that is none, and 429 to an address that does so more than ten times a minute."""
    if wait := guessed():
        raise TooManyRequests(retry_after=wait)
    abort(404)


def forget() -> None:
    """Forget every wrong try of the installation."""
    _attempts().forget()


def _of_login(name: str) -> tuple[tuple[RateLimitItem, str], ...]:
    return (ACCOUNT, _key("account", name.casefold())), (ADDRESS, _key("address", _address()))


def _attempts() -> Attempts:
    found: Attempts = current_app.extensions["wtp_attempts"]
    return found


def _key(*parts: str) -> str:
    text = "\0".join(parts).encode(errors="surrogatepass")
    return hmac.new(running.secret().encode(), text, hashlib.sha256).hexdigest()


def _address() -> str:
    """The address that asks; of IPv6 its network, since each customer of a provider has a whole one."""
    given = request.remote_addr or ""
    try:
        found = ip_address(given)
    except ValueError:
        return given
    return given if found.version == 4 else str(ip_network((found, 64), strict=False))
