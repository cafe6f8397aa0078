"""What every reply carries and every request must pass: CSRF token, size limits, headers, cookies, trusted proxies.

No page has inline script; inline styles are allowed on chart pages alone (`allow_chart_styles`), since the chart library sets them.
Referrer-Policy is no-referrer, so that a personal link never reaches another site; browsers then send no usable Origin or Referer
either, which is why the CSRF token alone decides (OWASP, synchroniser token).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from flask import Flask, Response, abort, current_app, g, has_app_context, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from wtp.settings import Settings
from wtp.web import attempts
from wtp.web.running import asked_now

MAX_BODY = 1_000_000
MAX_FORM = 100_000
MAX_UPLOAD = 11_000_000  # a file of an import, and the form around it
_UPLOADS = {"imports.give", "contact_files.give", "purchase_files.give"}
_TAKE_FILES = _UPLOADS | {"workbench.upload"}
MAX_FORM_PARTS = 1_000
MAX_ADDRESS = 4_096
MAX_FIELD = 10_000
PAGES_A_MINUTE = 120  # of one respondent
# What may be longer, up to the size of a form: beginnings of names of fields by endpoint. A question judges its own text, so that nothing of what a respondent typed is lost.
_LONGER = {"workbench.save_source": "text", "field.invite": "people", "respond.save": "q-", "respond.draft": "q-"}

_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
# What no page of ours uses, and neither does what it is shown in.
_NEVER_USED = ", ".join(f"{feature}=()" for feature in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture"))  # fmt: skip

_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", _NEVER_USED),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class LongFieldError(HTTPException):
    """A field of a form holds more than MAX_FIELD characters."""

    code = 413


class _Limiter(Limiter):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._minute = 0
        self._pages: Counter[str] = Counter()  # that each respondent sent in this minute

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        """As the library does; respondents' pages, whose limits are those of single views, are spared the search for others: a twentieth of a page's time."""
        if not (in_middleware and request.blueprint == "respond"):
            super()._check_request_limit(callable_name, in_middleware)

    def wait(self, token: str) -> int:
        """Count a page of a respondent; seconds to wait for who sends more than anybody can read, else 0. The library's own count would start a thread for every page."""
        minute, second = divmod(int(time.time()), 60)
        if minute != self._minute:
            self._minute, self._pages = minute, Counter()
        self._pages[token] += 1
        return 60 - second if self.enabled and self._pages[token] > PAGES_A_MINUTE else 0

    def reset(self) -> None:
        """Forget what was asked, and what was guessed of the application at hand, if one is."""
        super().reset()
        self._pages.clear()
        if has_app_context():
            attempts.forget()


csrf = CSRFProtect()
# How much one caller may ask of a process. Guesses of passwords, codes and links are counted for all processes together: `attempts`.
limiter = _Limiter(get_remote_address, storage_uri="memory://")


def starts_allowed() -> str:
    """How many interviews may begin from one address by the open link: a company behind one address fits in, a flood does not."""
    settings: Settings = current_app.extensions["wtp_settings"]
    return f"{settings.starts_per_minute} per minute"


def protect(app: Flask, settings: Settings) -> None:
    """Switch all of it on."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        SESSION_COOKIE_NAME="wtp",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a pause of an hour must not cost what was typed
        WTF_CSRF_SSL_STRICT=False,  # asks for a Referer, which our own policy keeps browsers from sending
    )
    app.before_request(_short_addresses)
    app.before_request(_larger_for_uploads)  # before the token is looked for in the body
    csrf.init_app(app)
    app.context_processor(lambda: {"csrf_token": _csrf_token})
    app.before_request(_forms_alone)
    app.before_request(_short_fields)
    limiter.init_app(app)
    app.after_request(_headers)
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def _csrf_token() -> str:
    """The token of the session, as the library signs it; it is as good as the session lasts, so that not every page signs it anew."""
    kept = session.get("csrf_token")
    return _signed(str(current_app.secret_key), kept) if kept else generate_csrf()


@lru_cache(4096)
def _signed(secret: str, kept: str) -> str:
    """`kept` is the session's, which the library signs by `secret`."""
    return str(generate_csrf())


def _short_addresses() -> None:
    """Longer than any that our pages make; proxies differ in what they pass on."""
    asked = asked_now()
    if len(asked.environ.get("PATH_INFO", "")) + len(asked.query_string) > MAX_ADDRESS:
        abort(414)


def _larger_for_uploads() -> None:
    """Who is logged in may send files where files are taken."""
    if request.endpoint in _UPLOADS and "_user_id" in session:
        request.max_content_length = MAX_UPLOAD


def _forms_alone() -> None:
    """Pages are sent forms: no JSON, and no files but where files are asked for. Form classes would read both."""
    asked = asked_now()
    of_page = not asked.path.startswith("/api/")
    if of_page and (asked.is_json or (asked.endpoint not in _TAKE_FILES and asked.files)):
        abort(400)


def _short_fields() -> None:
    """No field of a form is longer than anybody types, but for those where whole files are pasted; line breaks count once, as in the texts that are kept."""
    asked = asked_now()
    longer = _LONGER.get(asked.endpoint or "", "\0")
    for name, text in asked.form.items(multi=True):
        long = len(text) > MAX_FIELD and len(text.replace("\r\n", "\n")) > MAX_FIELD
        if len(name) > MAX_FIELD or (long and not name.startswith(longer)):
            raise LongFieldError


def allow_chart_styles() -> None:
    """Let the page that is being made have style attributes, and make pictures of its charts to download."""
    g.chart_styles = True


def allow_frames(sites: Sequence[str]) -> None:
    """Let these sites, such as https://www.example.com, show the page that is being made in a frame; by default nobody may."""
    if sites:
        g.frame_ancestors = " ".join(sites)


@lru_cache
def _policy(chart_styles: bool, frame_ancestors: str) -> str:
    policy = dict(_POLICY)
    if chart_styles:
        policy["style-src"] = "'self' 'unsafe-inline'"
        policy["img-src"] += " blob:"
    if frame_ancestors:
        policy["frame-ancestors"] = frame_ancestors
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _headers(response: Response) -> Response:
    asked = asked_now()
    response.headers["Content-Security-Policy"] = _policy("chart_styles" in g, g.get("frame_ancestors", ""))
    response.headers.extend(_ALWAYS)
    if asked.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if asked.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
