"""WHAT TO MEND: looks at an installation from outside and says what a person who runs it should change; it changes nothing itself.

Each module looks at one side: `place` (folders, secret, disk, program), `address` (how people reach it), `kept` (the database and what is in it), `work` (queue, workers,
analyses). Each check is one `Finding`, whether all is well or not.
"""

from wtp.doctor.examine import examine
from wtp.doctor.finding import ERROR, OK, WARNING, Finding, Size

__all__ = ["ERROR", "OK", "WARNING", "Finding", "Size", "examine"]
