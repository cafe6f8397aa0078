"""What ps and top show of a process of the server."""

from __future__ import annotations

from pathlib import Path

_COMM = Path("/proc/self/comm")


def name_process(name: str) -> None:
    """Give the running process a name of at most 15 letters, on Linux; elsewhere it keeps its own."""
    if _COMM.exists():
        _COMM.write_text(name, encoding="ascii")
