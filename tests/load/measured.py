"""What processes cost: processor seconds, memory and open files of a process with all its children, from /proc; and the databases that are measured."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Use:
    """processor: seconds so far, those of ended children included; memory: bytes resident; files: open file handles."""

    processor: float
    memory: int
    files: int


def use(root: int, *, but: str = "") -> Use:
    """What a process and all that it started use; without those whose name is `but`."""
    parents: dict[int, tuple[int, float, int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            name, _, rest = stat.partition("(")[2].rpartition(")")
            fields = rest.split()
            spent = sum(map(int, fields[11:15])) / _TICK
            parents[int(entry.name)] = int(fields[1]), spent, int(fields[21]) * _PAGE, name
    family = {root}
    while more := {pid for pid, (parent, *_) in parents.items() if parent in family} - family:
        family |= more
    members = [pid for pid in family if pid in parents and (not but or parents[pid][3] != but)]
    files = 0
    for pid in members:
        try:
            files += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
    return Use(sum(parents[pid][1] for pid in members), sum(parents[pid][2] for pid in members), files)
