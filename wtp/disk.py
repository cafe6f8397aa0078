"""How much room is left where answers are kept; the one place that says what is too little."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

_LOW_BYTES = 1_000_000_000
_LOW_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system."""

    free: int
    total: int

    @property
    def is_low(self) -> bool:
        """Whether somebody should see to it: less than 1 GB or 5 % is free."""
        return self.free < max(_LOW_BYTES, _LOW_SHARE * self.total)

    @property
    def words(self) -> str:
        """For people who run the installation."""
        return f"{self.free / 1e9:.1f} GB of {self.total / 1e9:.1f} GB free ({self.free / max(self.total, 1):.0%})"


def space(folder: Path) -> Space:
    """The file system of a folder, or of the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return Space(usage.free, usage.total)
