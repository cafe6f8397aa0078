"""What runs in the background: analyses that take minutes, started from a page, kept alive through crashes and restarts.

`start_analysis` writes a job with a copy of the answers and puts its number into the queue; `work` is the life of the worker process that `wtp serve` starts; the fit runs in a
process of its own, which the worker watches, and ends if the job is cancelled.
"""

from wtp.jobs.erased import clear_away
from wtp.jobs.place import Place
from wtp.jobs.process import name_process
from wtp.jobs.queue import JobQueue, open_queue
from wtp.jobs.start import (
    cancel_analysis,
    keep_analysis,
    key_of_people,
    key_of_simulator,
    keys_of,
    start_analysis,
    write_ahead,
)
from wtp.jobs.worker import work

__all__ = [
    "JobQueue",
    "Place",
    "cancel_analysis",
    "clear_away",
    "keep_analysis",
    "key_of_people",
    "key_of_simulator",
    "keys_of",
    "name_process",
    "open_queue",
    "start_analysis",
    "work",
    "write_ahead",
]
