"""Load needs the shipped server, as the faults do."""

from tests.faults.conftest import fork, start

__all__ = ["fork", "start"]
