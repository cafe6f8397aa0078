"""What a check says: where it looked, what it found, what is allowed, what to do."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check; `remedy` is empty if all is well."""

    check: str
    state: str
    found: str
    allowed: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """How the server is started: hosts, processes for pages and for analyses on each, and threads of a process for pages."""

    hosts: int = 1
    workers: int = 2
    analysts: int = 1
    threads: int = 8


def judged(check: str, found: str, *, state: str, allowed: str, remedy: str) -> Finding:
    """A finding whose advice is left out where nothing is wrong."""
    return Finding(check, state, found) if state == OK else Finding(check, state, found, allowed, remedy)
