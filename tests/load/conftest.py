"""Load needs the shipped server, as the faults do."""

from tests.faults.conftest import start

__all__ = ["start"]
