"""The machine: program, instance folder, secret key, disk, surveys."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import stat
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import sqlalchemy as sa

from wtp import __version__
from wtp.disk import space
from wtp.doctor.finding import ERROR, OK, WARNING, Finding, judged
from wtp.settings import SECRET_BYTES, Settings
from wtp.survey import inspect_survey
from wtp.survey.load import DEFINITION_FILE

_LIBRARIES = ("flask", "sqlalchemy", "waitress", "numpy", "pandas", "statsmodels")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def checks(settings: Settings) -> Iterator[Finding]:
    """Everything that can be seen without the database."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    yield Finding("program", OK, f"wtp {__version__}, Python {platform.python_version()}, {versions}")
    yield _instance(settings.instance)
    yield _secret(settings.instance / "secret_key")
    yield from _settings_file(settings)
    yield from _database_file(settings)
    for check, folder in (("disk", settings.instance), ("disk of the surveys", settings.surveys)):
        if folder.is_dir():
            yield _disk(check, folder)
    yield from _surveys(settings.surveys)
    yield from _extras(settings)


def _instance(folder: Path) -> Finding:
    allowed = "a folder that this user can write and others cannot open (0700 or 0750)"
    if not folder.is_dir():
        return Finding(
            "instance folder", ERROR, f"{folder}: missing", allowed, "start wtp serve once, or set WTP_INSTANCE"
        )
    mode, can_write = stat.S_IMODE(folder.stat().st_mode), os.access(folder, os.W_OK | os.X_OK)
    state = ERROR if not can_write else WARNING if mode & 0o007 else OK
    found = f"{folder}: {mode:04o}" + ("" if can_write else ", not writable")
    remedy = f"chmod 0750 {folder}" if can_write else "give it to the user that runs wtp serve"
    return judged("instance folder", found, state=state, allowed=allowed, remedy=remedy)


def _secret(path: Path) -> Finding:
    allowed = f"at least {SECRET_BYTES} bytes, readable by its owner alone (0600)"
    if not path.exists():
        return Finding("secret key", WARNING, f"{path}: missing", allowed, "wtp serve makes it at its first start")
    mode, length = stat.S_IMODE(path.stat().st_mode), path.stat().st_size
    found = f"{path}: {length} bytes, {mode:04o}"
    if length < SECRET_BYTES:
        return Finding("secret key", ERROR, found, allowed, "delete the file to get a new one; all sessions then end")
    return judged(
        "secret key", found, state=ERROR if mode & 0o077 else OK, allowed=allowed, remedy=f"chmod 0600 {path}"
    )


def _settings_file(settings: Settings) -> Iterator[Finding]:
    """Its address of a database may hold a password."""
    path = settings.instance / "settings.toml"
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    holds = any(sa.make_url(url).password for url in (settings.database, settings.queue) if url)
    yield judged(
        "settings file",
        f"{path}: {mode:04o}{', with a password' if holds else ''}",
        state=ERROR if holds and mode & 0o077 else OK,
        allowed="0600 where it holds a password",
        remedy=f"chmod 0600 {path}",
    )


def _database_file(settings: Settings) -> Iterator[Finding]:
    url = sa.make_url(settings.database_url)
    path = Path(str(url.database))
    if url.get_backend_name() != "sqlite" or not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    hidden = not stat.S_IMODE(path.parent.stat().st_mode) & 0o007
    yield judged(
        "database file",
        f"{path}: {mode:04o}",
        state=WARNING if mode & 0o007 and not hidden else OK,
        allowed="closed to other users (0640), or in a folder that is",
        remedy=f"chmod 0640 {path}",
    )


def _disk(check: str, folder: Path) -> Finding:
    here = space(folder)
    return judged(
        check,
        f"{folder}: {here.words}",
        state=WARNING if here.is_low else OK,
        allowed="more than 1 GB and 5 % free",
        remedy="free space, or make the disk larger; when it is full, answers are refused with a page that says so",
    )


def _surveys(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield Finding("surveys", ERROR, f"{folder}: missing", "a folder with one folder a survey", "set surveys")
        return
    found = sorted(path.parent for path in folder.glob(f"*/{DEFINITION_FILE}"))
    for survey in found:
        _, mistakes = inspect_survey(survey)
        if mistakes:
            yield Finding(
                f"survey {survey.name}",
                ERROR,
                f"{len(mistakes)} mistakes, the first: {mistakes[0]}",
                "none",
                f"wtp check {survey} lists them; until then the study goes on as it was",
            )
    yield judged(
        "surveys",
        f"{folder}: {len(found)}",
        state=OK if found else WARNING,
        allowed="at least one",
        remedy="make one under /manage/new",
    )


def _extras(settings: Settings) -> Iterator[Finding]:
    """Optional parts, where the settings need them; without those of the PDF its link answers in words."""
    pdf = importlib.util.find_spec("weasyprint") is not None
    browser = next((name for name in _BROWSERS if shutil.which(name)), None)
    found = f"weasyprint {'there' if pdf else 'missing'}, {browser or 'no browser for charts'}"
    yield judged(
        "PDF reports",
        found,
        state=OK if pdf and browser else WARNING,
        allowed="wtp[pdf] and chromium",
        remedy="install both if reports are wanted as PDF; PowerPoint needs neither",
    )
    needed = {"psycopg": settings.database_url.startswith("postgresql"), "redis": bool(settings.queue)}
    for module, extra in (("psycopg", "postgres"), ("redis", "redis")):
        if needed[module]:
            there = importlib.util.find_spec(module) is not None
            yield judged(
                f"client {module}",
                "there" if there else "missing",
                state=OK if there else ERROR,
                allowed="installed",
                remedy=f"install wtp[{extra}]",
            )
