"""Panels: their respondent's name comes in with the address, and goes back with one of three addresses that the author wrote.

Only the placeholder `{id}` is filled, percent-encoded, so nothing that a respondent sends can lead to another host.
"""

from __future__ import annotations

from urllib.parse import quote

from wtp.survey.definition import Panel

_LONGEST = 200


def panel_id(given: str) -> str | None:
    """The panel's name of its respondent, or None if it is none that a panel would give."""
    return given if 0 < len(given) <= _LONGEST and given.isprintable() else None


def back_to_panel(panel: Panel, outcome: str, given: str) -> str:
    """The address of the panel for an outcome: completed, screened_out or over_quota."""
    address = {"completed": panel.completed, "screened_out": panel.screened_out, "over_quota": panel.over_quota}[
        outcome
    ]
    return address.replace("{id}", quote(given, safe=""))
