"""Texts that a spreadsheet would run as a formula get an apostrophe in front; numbers stay numbers."""

from __future__ import annotations

import re

import pandas as pd

_SIGNS = "=+\\-@＝＋－＠"
# A cell starts where the text does, and for a spreadsheet that parts cells or rows elsewhere than we do also after ; tab and line break.
_FORMULA = re.compile(f"^(?=[{_SIGNS}\t\r\n])|([;\t\r\n])(?=[{_SIGNS}])")


def neutralised(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy whose text cells and headers cannot start a formula (OWASP, CSV injection)."""
    safe = frame.rename(columns=lambda name: safe_text(str(name)))
    for column, values in safe.items():
        if isinstance(values.dtype, pd.CategoricalDtype):
            safe[column] = values.cat.rename_categories(safe_text)
        elif not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_datetime64_any_dtype(values):
            safe[column] = values.map(safe_text, na_action="ignore")
    return safe


def safe_text(value: object) -> object:
    """A text that starts no formula; anything else as it is."""
    return _FORMULA.sub(lambda found: f"{found[1] or ''}'", value) if isinstance(value, str) else value
