"""A mistake in what an author wrote: where it is, what was found, what is allowed, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake; `str()` is the line that `wtp check` prints."""

    file: str
    key: str
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}, {self.key}: found {self.found}; allowed: {self.allowed}; {self.remedy}."
