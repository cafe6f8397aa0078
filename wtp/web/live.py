"""A finding as it is now, wherever it stands: on the pages of results, or on that of before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for

from wtp.store.measures import LONGEST, tidy
from wtp.web import results, waves
from wtp.web.reading import Reading
from wtp.web.section import Section
from wtp.web.sections import section
from wtp.web.waves_sections import sections_about_waves


@dataclass(frozen=True, slots=True)
class Live:
    """The section of a chart, and where it stands."""

    section: Section
    address: str

    @property
    def finding(self) -> str:
        """Its sentence, as a measure keeps it."""
        return tidy(str(self.section.title))[: LONGEST["finding"]]


def live_finding(chart: str, reading: Reading, asked: Mapping[str, str]) -> Live | None:
    """The finding of a chart in a segment; None if the study has none such, or nothing to say there. asked: the rest of the address, as `results.kept` has it."""
    state: dict[str, Any] = {
        "slug": reading.survey.slug,
        "segment": reading.segment,
        "_anchor": f"title-{chart}",
        **asked,
    }
    own = results.that_has(chart, reading)
    if own is not None and (page := results.page_of(chart, reading)):
        found, address = section(chart, own), url_for("results.detail", page=page, **state)
    elif (
        waves.is_about_waves(chart)
        and (both := waves.both_waves(reading, asked)) is not None
        and chart in sections_about_waves(both)
    ):
        found, address = waves.section_of(chart, both), url_for("waves.page", **state)
    else:
        return None
    return Live(found, address) if found.rows and not found.missing else None
