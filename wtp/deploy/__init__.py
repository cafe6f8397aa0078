"""HOW IT IS RUN: files for systemd, for containers and for the proxy in front, filled in from the settings; OPERATIONS.md is the guide to all of it.

The files are templates in `files/`; what stands in them is decided here, in one place: one proxy that sets X-Forwarded-* itself, buffers requests and replies and keeps /metrics inside,
a user without rights, and no secret in any file but `.env`, which only its owner reads.
"""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined

from wtp import __version__
from wtp.errors import SettingsError
from wtp.settings import Settings

KINDS = {
    "systemd": ("wtp.service", "wtp-backup.service", "wtp-backup.timer"),
    "compose": ("compose.yaml", "Dockerfile", "Dockerfile.dockerignore", "Caddyfile", "settings.toml", ".env"),
    "caddy": ("Caddyfile",),
    "nginx": ("wtp.conf",),
}
SECRET_FILES = {".env"}
UPLOAD_MEGABYTES = 12  # a little more than the largest import
CONNECTIONS_RESERVED = 20  # for commands, backups and whoever looks into PostgreSQL
_SOURCE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the installation is to run. upstreams: where the proxy finds `wtp serve`; several hosts are several of them."""

    out: Path
    workers: int = 3
    analysts: int = 1
    threads: int = 8
    port: int = 8000
    user: str = "wtp"
    backups: Path = Path("/var/backups/wtp")
    upstreams: tuple[str, ...] = ()


def files(kind: str, settings: Settings, plan: Plan) -> dict[str, str]:
    """The files of a kind, by name. Raises SettingsError where the settings do not say at which https address people come."""
    address = urlsplit(settings.base_url)
    if kind != "systemd" and (address.scheme != "https" or not address.hostname):
        raise SettingsError(
            f"base_url: found {settings.base_url!r}; allowed: https and a host name; set it in {settings.instance / 'settings.toml'} first."
        )
    inside, checkout = kind == "compose", (_SOURCE / "requirements.lock").exists()
    known = {
        "version": __version__,
        "host": address.hostname or "",
        "base_url": settings.base_url.rstrip("/"),
        "language": settings.staff_language,
        "instance": settings.instance,
        "surveys": settings.surveys,
        "program": Path(sys.executable).with_name("wtp"),
        "source": os.path.relpath(_SOURCE, plan.out) if checkout else ".",
        "here_from_source": os.path.relpath(plan.out, _SOURCE) if checkout else ".",
        "surveys_from_here": os.path.relpath(settings.surveys, plan.out),
        "plan": plan,
        "upstreams": ("wtp:8000",) if inside else plan.upstreams or (f"127.0.0.1:{plan.port}",),
        "upload": UPLOAD_MEGABYTES,
        "connections": plan.workers * (plan.threads + 1) + 3 * plan.analysts + CONNECTIONS_RESERVED,
        "password": secrets.token_urlsafe(32),
    }
    templates = resources.files("wtp.deploy") / "files"
    environment = Environment(
        autoescape=False,  # noqa: S701  # no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return {
        name: environment.from_string((templates / f"{name.lstrip('.')}.jinja").read_text(encoding="utf-8")).render(
            known
        )
        for name in KINDS[kind]
    }
