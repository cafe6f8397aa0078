"""What every reply carries and every request must pass: CSRF token, size limits, headers, cookies, trusted proxies.

No page has inline script; inline styles are allowed on chart pages alone (`allow_chart_styles`), since the chart library sets them.
Referrer-Policy is no-referrer, so that a personal link never reaches another site; browsers then send no usable Origin or Referer
either, which is why the CSRF token alone decides (OWASP, synchroniser token).
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, g, has_app_context, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from wtp.settings import Settings
from wtp.web import attempts

MAX_BODY = 1_000_000
MAX_FORM = 100_000
MAX_UPLOAD = 11_000_000  # a file of an import, and the form around it
_UPLOADS = {"imports.give", "contact_files.give", "purchase_files.give"}
MAX_FORM_PARTS = 1_000

_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


class _Limiter(Limiter):
    def reset(self) -> None:
        """Forget what was asked, and what was guessed of the application at hand, if one is."""
        super().reset()
        if has_app_context():
            attempts.forget()


csrf = CSRFProtect()
# How much one caller may ask of a process. Guesses of passwords, codes and links are counted for all processes together: `attempts`.
limiter = _Limiter(get_remote_address, storage_uri="memory://")


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
    app.before_request(_larger_for_uploads)  # before the token is looked for in the body
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(_headers)
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def _larger_for_uploads() -> None:
    """Who is logged in may send files where files are taken."""
    if request.endpoint in _UPLOADS and "_user_id" in session:
        request.max_content_length = MAX_UPLOAD


def allow_chart_styles() -> None:
    """Let the page that is being made have style attributes, and make pictures of its charts to download."""
    g.chart_styles = True


def allow_frames(sites: Sequence[str]) -> None:
    """Let these sites, such as https://www.example.com, show the page that is being made in a frame; by default nobody may."""
    if sites:
        g.frame_ancestors = " ".join(sites)


def _headers(response: Response) -> Response:
    policy = dict(_POLICY)
    if g.get("chart_styles"):
        policy["style-src"] = "'self' 'unsafe-inline'"
        policy["img-src"] += " blob:"
    if allowed := g.get("frame_ancestors"):
        policy["frame-ancestors"] = allowed
    response.headers["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in policy.items())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
