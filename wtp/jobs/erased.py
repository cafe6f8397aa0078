"""What follows an erasure that is committed: outside the tables nothing of the person may be left either."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from wtp.jobs.place import Place
from wtp.store import Database, erasure


def clear_away(database: Database, place: Place, jobs: Iterable[int] = ()) -> bool:
    """Bring the list in the instance folder up to date, delete checkpoints of the cancelled jobs, empty the database's log; False if somebody still reads what was there before.

    The worker does the same within seconds for what is left over, as when the process ended in between, or a fit wrote until it was stopped.
    """
    with database.read() as connection:
        erasure.keep_list(connection, place.instance)
    for job in jobs:
        shutil.rmtree(place.checkpoints / str(job), ignore_errors=True)
    return database.empty_log()
