"""How people reach the installation: https, cookies, proxies, and what a request to the address itself brings."""

from __future__ import annotations

import ipaddress
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from wtp.doctor.finding import ERROR, OK, WARNING, Finding, judged
from wtp.settings import DEFAULT_BASE_URL, Settings

_PATIENCE_SECONDS = 3


def checks(settings: Settings) -> Iterator[Finding]:
    """The address, and the proxies in front."""
    parts = urlsplit(settings.base_url)
    secure, here = parts.scheme == "https", _is_this_machine(parts.hostname or "")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        yield Finding("address", ERROR, f"base_url = {settings.base_url!r}", "https and a host name", "mend base_url")
        return
    state = OK if secure or here else ERROR
    yield judged(
        "address",
        settings.base_url + (" (this machine alone)" if here else ""),
        state=state,
        allowed="https (answers and passwords must not travel in the clear)",
        remedy="put a proxy with a certificate in front (wtp deploy caddy) and set base_url to its address",
    )
    yield judged(
        "cookies",
        "sent over https alone" if secure else "sent over http too",
        state=OK if secure or here else ERROR,
        allowed="over https alone",
        remedy="they follow base_url: set it to https://...",
    )
    yield _proxies(settings, secure=secure, here=here)
    if settings.base_url != DEFAULT_BASE_URL and not here:
        yield _reached(settings.base_url, secure=secure)


def _proxies(settings: Settings, *, secure: bool, here: bool) -> Finding:
    if secure and not settings.proxies:
        return Finding(
            "proxies",
            ERROR,
            "proxies = 0 and base_url is https",
            "the number of proxies in front, since wtp serve itself speaks http",
            "set proxies = 1 for one proxy; else nothing tells https, and all people share one rate limit",
        )
    if here and settings.proxies:
        return Finding(
            "proxies",
            WARNING,
            f"proxies = {settings.proxies} and base_url is this machine",
            "0 without a proxy",
            "set base_url to the proxy's address, or proxies = 0: without one anybody can forge X-Forwarded-For",
        )
    return Finding("proxies", OK, f"proxies = {settings.proxies}")


def _reached(base_url: str, *, secure: bool) -> Finding:
    """What a browser would get there, the header that keeps it on https included."""
    check, allowed = "reached at its address", "an answer of /healthz" + (" with HSTS" if secure else "")
    request = urllib.request.Request(base_url.rstrip("/") + "/healthz", headers={"User-Agent": "wtp doctor"})  # noqa: S310  # of the settings
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as reply:  # noqa: S310
            headers, body = reply.headers, reply.read(100)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        return Finding(check, WARNING, f"{base_url}: {reason}", allowed, "start the server, or look at proxy and name")
    if body.strip() != b"ok":
        return Finding(check, ERROR, f"{base_url}: something else answers", allowed, "look at the proxy's target")
    hsts = "Strict-Transport-Security" in headers
    return judged(
        check,
        "answers" + (", with HSTS" if hsts else ", without HSTS"),
        state=ERROR if secure and not hsts else OK,
        allowed=allowed,
        remedy="let the proxy set X-Forwarded-Proto, and set proxies to their number",
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
