"""Everything that can be taken away, by name: what the command `wtp export --format` and the page of downloads offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from wtp.export.bundle import write_bundle
from wtp.export.csv_files import write_choices_csv, write_csv_zip
from wtp.export.layouts import LAYOUTS
from wtp.export.parquet_files import write_parquet_zip
from wtp.export.source import Source
from wtp.export.spss import write_sav_zip
from wtp.export.study_json import write_json
from wtp.export.workbook import write_xlsx

ZIP = "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_Write = Callable[[Source, IO[bytes], str | None], None]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to take a study away.

    write: (source, open file, language of labels). figures: it holds results, so it waits for the stopping rule; `Source.analysis` None leaves them out, but where `needs_figures`. part: what is in it, where that is not
    everything. respondent_bytes, choice_bytes: about how large it becomes, for each respondent and each choice.
    """

    name: str
    suffix: str
    mimetype: str
    write: _Write
    figures: bool
    part: str = ""
    respondent_bytes: int = 0
    choice_bytes: int = 0
    needs_figures: bool = False


def _plain(write: Callable[[Source, IO[bytes]], None]) -> _Write:
    return lambda source, file, _: write(source, file)


FORMATS: dict[str, Format] = {
    made.name: made
    for made in (
        Format("csv", "zip", ZIP, _plain(write_csv_zip), True, "", 200, 40),
        Format("xlsx", "xlsx", XLSX, write_xlsx, True, "", 300, 180),
        Format("parquet", "zip", ZIP, _plain(write_parquet_zip), True, "", 200, 30),
        Format("sav", "zip", ZIP, write_sav_zip, True, "", 250, 60),
        Format("json", "json", "application/json", _plain(write_json), True, "", 700, 450),
        Format("notebook", "zip", ZIP, write_bundle, True, "", 900, 250, needs_figures=True),
        Format("choices", "csv", "text/csv", _plain(write_choices_csv), False, "choices", 0, 330),
        *(Format(name, "zip", ZIP, _plain(write), False, "choices", 0, 60) for name, write in LAYOUTS.items()),
    )
}
