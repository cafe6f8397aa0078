"""Declared segments: the author's rules on the answers to profile questions, decided before the field.

A respondent belongs to the first segment all of whose conditions his answers fulfil; who fits none has no segment and counts only among
everybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition


def declared(definition: Definition, respondents: Sequence[Respondent]) -> pd.Series[str]:
    """Segment id by respondent number; missing where no segment fits."""
    found = {respondent.number: _segment(definition, respondent) for respondent in respondents}
    return pd.Series(found, dtype="str", name="segment")


def _segment(definition: Definition, respondent: Respondent) -> str | None:
    for segment in definition.segments:
        if all(respondent.answers.get(question) in options for question, options in segment.when.items()):
            return segment.id
    return None
