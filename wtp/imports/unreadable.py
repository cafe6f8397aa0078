"""Why a file as a whole cannot be read: texts that commands print and pages translate."""

from __future__ import annotations

from typing import Any

from wtp.errors import DataError

# code -> found; allowed; what to do
WHY = {
    "empty": "{place}: the file is empty; allowed: CSV or XLSX with a heading; choose another file.",
    "too_large": "{place}: {size} MB; allowed: at most {most} MB; leave out columns that are not needed, or give the respondents in several files.",
    "too_many": "{place}: more than {rows} rows, {columns} columns or {cells} cells; allowed: at most that; delete empty rows and columns, or give the respondents in several files.",
    "old_workbook": "{place}: an old or encrypted workbook; allowed: XLSX without password, or CSV; save it as one of these.",
    "password": "{place}: protected by a password; allowed: a file without; save it without the password.",
    "damaged": "{place}: the file is damaged; allowed: a whole XLSX or zip; save it again.",
    "bomb": "{place}: unpacks to {size} MB in {parts} parts; allowed: at most {most} MB and {ratio} times the file; save the sheet as CSV.",
    "doctype": "{place}: declares a document type; allowed: XLSX as spreadsheets write it; save the sheet as CSV.",
    "other_zip": "{place}: a zip without {names}; allowed: XLSX, CSV, or the zip of an export of this program; take the file out of the zip.",
    "no_text": "{place}: byte {at} is no text; allowed: text in UTF-8, UTF-16 or Windows-1252, or XLSX; save the file as CSV in UTF-8.",
    "control": "{place}: the control character {sign}; allowed: text, or XLSX; save the file as CSV in UTF-8.",
    "quotes": "{place}, row {row}: quotation marks that do not fit; allowed: one at both ends of a cell and doubled within; mend this row.",
    "long_cell": "{place}, row {row}: a cell of more than {most} characters; allowed: at most that; shorten it, or look for a missing quotation mark.",
    "no_rows": "{place}: no row below the heading; allowed: a heading and a row each below it; check the file.",
    "wide_row": "{place}, row {row}: {cells} cells under {width} headings; allowed: a heading over every cell; look for a missing quotation mark or heading, then mend the row.",
    "line": "{place}, line {row}: found {found}; allowed: {allowed}; export the file again.",
}


class UnreadableError(DataError):
    """A file cannot be read as a table; `template` and `values` make its text in any language."""

    def __init__(self, code: str, place: str, **values: Any) -> None:
        self.template = WHY[code]
        self.values = {"place": place, **values}
        super().__init__(self.template.format(**self.values))
