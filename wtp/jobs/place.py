"""Where the jobs of an installation are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Database and queue by their addresses, and the instance folder, in which unfinished fits keep their checkpoints.

    results, compute: where contents of results are kept and where fits run, see the settings.
    """

    database_url: str
    queue_url: str
    instance: Path
    results: str = ""
    compute: str = ""

    @property
    def checkpoints(self) -> Path:
        """One folder a job that is under way."""
        return self.instance / "jobs"

    def checkpoint(self, job: int, owner: str) -> Path:
        """The folder in which an owner's fit goes on, with what an earlier owner left there.

        It is taken away from the earlier one, who may live still: he would write into files that another one reads.
        """
        folder = self.checkpoints / str(job)
        own = folder / owner.rpartition(" ")[2]
        folder.mkdir(parents=True, exist_ok=True)
        for before in folder.iterdir():
            if before != own:
                before.rename(own)
        return own
