"""Draws of all respondents that a sampler keeps: in memory, or in a file whose size, not the memory, grows with them.

At most `capacity` draws are kept; when they are full, every second one is dropped and from then on every second one offered is kept. The
draws that remain are evenly spaced, however long the sampler runs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np


class KeptDraws:
    """Draws (n, N, K) of one chain in single precision."""

    def __init__(self, shape: tuple[int, int], capacity: int, file: Path | None = None) -> None:
        self.shape, self.capacity, self._base = shape, max(2, capacity - capacity % 2), file
        self.offered, self.thin, self.count = 0, 1, 0
        self.old: list[Path] = []
        if file is None:
            self._memory = np.empty((self.capacity, *shape), dtype=np.float32)

    def offer(self, draw: np.ndarray) -> bool:
        """Keep a draw (N, K), or pass it over; says which."""
        self.offered += 1
        if (self.offered - 1) % self.thin:
            return False
        if self.count == self.capacity:
            self._halve()
            if (self.offered - 1) % self.thin:
                return False
        if self._base is None:
            self._memory[self.count] = draw
        else:
            with self._file(self.thin).open("ab") as file:
                file.write(draw.astype(np.float32).tobytes())
        self.count += 1
        return True

    def pass_over(self) -> None:
        """A draw that was made and is not kept; its maker looked at `thin`, which only doubles, so it would never have been."""
        self.offered += 1

    def array(self) -> np.ndarray:
        """(n, N, K), read-only; a memory map if the draws stand in a file."""
        if self._base is None:
            kept = self._memory[: self.count].view()
            kept.flags.writeable = False
            return kept
        return np.memmap(self._file(self.thin), dtype=np.float32, mode="r", shape=(self.count, *self.shape))

    def state(self) -> dict[str, int]:
        """How many were offered and kept; `resume` goes on from it."""
        return {"offered": self.offered, "thin": self.thin, "count": self.count}

    def begin(self) -> None:
        """Empty the file, whatever an earlier run left in it."""
        self._file(1).write_bytes(b"")

    def resume(self, state: dict[str, int]) -> None:
        """Go on from the file after an interruption: what was written after the state was taken is cut off."""
        self.offered, self.thin, self.count = (int(state[name]) for name in ("offered", "thin", "count"))
        with self._file(self.thin).open("r+b") as file:
            file.truncate(self.count * self._record)

    def forget_old(self) -> None:
        """Delete files that a saved state no longer needs."""
        for path in self.old:
            path.unlink(missing_ok=True)
        self.old.clear()

    @property
    def _record(self) -> int:
        return 4 * self.shape[0] * self.shape[1]

    def _file(self, thin: int) -> Path:
        if self._base is None:
            raise ValueError("draws in memory have no file")
        return self._base.with_suffix(f".{thin}.f4")

    def _halve(self) -> None:
        self.thin *= 2
        self.count = self.capacity // 2
        if self._base is None:
            self._memory[: self.count] = self._memory[::2].copy()
            return
        # A new file: a state saved before still finds its own.
        before, after = self._file(self.thin // 2), self._file(self.thin)
        with before.open("rb") as source, after.open("wb") as target:
            for k in range(self.count):
                source.seek(2 * k * self._record)
                target.write(source.read(self._record))
        self.old.append(before)
