"""The session cookie: as Flask makes it, and valid also where the clock says that it comes from the future.

A clock is set back, or two hosts behind one proxy do not agree by a second: Flask would take such a cookie for expired, and whoever is answering would stand before the door.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from flask import Flask, Response
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes

_COOKIES_KEPT = 1024


@cache
def _key_of(secret: bytes, salt: bytes) -> bytes:
    return hmac.digest(secret, salt, "sha1")


class _Signer(TimestampSigner):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # The cookie comes with every page, and is another one only where something changed in it. What is not valid is not kept.
        self._checked: Any = lru_cache(_COOKIES_KEPT)(super().unsign)

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The library's own, which every page would derive anew from what never changes."""
        return _key_of(self.secret_keys[-1] if secret_key is None else want_bytes(secret_key), self.salt)

    def unsign(  # type: ignore[override]
        self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False
    ) -> tuple[bytes, datetime] | bytes:
        """What was signed. Raises SignatureExpired if that is longer ago than max_age."""
        value, signed_at = self._checked(signed_value, return_timestamp=True)
        age = self.get_timestamp() - signed_at.timestamp()
        if max_age is not None and age > max_age:
            raise SignatureExpired(f"signed {age:.0f} seconds ago", payload=value, date_signed=signed_at)
        return (value, signed_at) if return_timestamp else value


class Cookie(SecureCookieSessionInterface):
    """Flask's own, with that signer."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], URLSafeTimedSerializer | None] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """What reads and writes the cookie."""
        keys = (app.secret_key, *(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if keys not in self._made:
            serializer = super().get_signing_serializer(app)
            if serializer is not None:
                serializer.signer = _Signer
                serializer.make_signer = cache(serializer.make_signer)  # type: ignore[method-assign]
            self._made = {keys: serializer}
        return self._made[keys]

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Flask's own; where nothing changed, as on most pages, it would work the cookie out all the same. Our sessions are never permanent."""
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")
