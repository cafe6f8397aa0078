"""How much do some respondents matter? The quick pooled figures with and without them, side by side."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from wtp.analysis.quality_report import compared
from wtp.analysis.record import CONDITIONAL, Request
from wtp.analysis.study import analyse
from wtp.survey.answers import Answers
from wtp.survey.load import Survey


def influence(survey: Survey, answers: Answers, without: Collection[int], request: Request) -> pd.DataFrame:
    """`compared` for everybody against everybody but some.

    Both are the pooled conditional logit's, whatever the final estimator is; nothing is stored and nobody is left out of anything else.
    """
    everybody = replace(request, model=CONDITIONAL, without=())
    fewer = replace(everybody, without=tuple(sorted(without)))
    return compared(*(analyse(survey, answers, asked) for asked in (everybody, fewer)))
