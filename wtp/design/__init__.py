"""Which choice tasks are shown: search of a design, its diagnostics, and what each respondent sees of it."""

from wtp.design.assignment import assign
from wtp.design.checks import check_design
from wtp.design.efficiency import diagnostics
from wtp.design.method import search

__all__ = ["assign", "check_design", "diagnostics", "search"]
