"""Data quality as the pages and files show it: the signals of `wtp.quality`, what concerns the study as a whole, and how much the flagged ones matter."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.analysis.record import Analysis, pack, unpack
from wtp.quality.inspection import agreed, dominated, inspect
from wtp.survey.answers import Answers
from wtp.survey.definition import Definition

MANY_LEFT_OUT = 0.15
_CLEARLY_ABOVE_CHANCE = 0.15
_FEWEST_DOMINATED = 0.80
_KEYS = ["segment", "attribute", "from_level", "to_level"]
_FIGURES = {"willingness_to_pay": "worth", "price_limit": "price limit"}


@dataclass(frozen=True, slots=True)
class QualityReport:
    """signals, respondents and cutoffs: see `Quality`, respondents with simulated and source. study: measure (retest, dominated), asked, value, limit, warning."""

    signals: pd.DataFrame
    respondents: pd.DataFrame
    cutoffs: pd.DataFrame
    study: pd.DataFrame

    @property
    def flagged(self) -> tuple[int, ...]:
        """Numbers of the respondents with two or more flags."""
        return tuple(sorted(int(n) for n in self.respondents.loc[self.respondents["flags"] >= 2, "respondent"]))

    def to_json(self) -> str:
        """The whole report as JSON text."""
        return json.dumps({name: pack(getattr(self, name)) for name in _TABLES}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> QualityReport:
        """The report that `to_json` wrote."""
        record = json.loads(text)
        return cls(**{name: unpack(record[name]) for name in _TABLES})


_TABLES = ("signals", "respondents", "cutoffs", "study")


def quality_report(definition: Definition, answers: Answers, *, seed: int = 1) -> QualityReport:
    """Look at everybody who answered a choice task; nobody is left out of anything. Same answers and seed, same report."""
    found = inspect(definition, answers, seed=seed)
    people = found.respondents.reset_index()
    known = {person.number: person for person in answers.respondents}
    people["simulated"] = [known[number].simulated for number in people["respondent"]]
    people["source"] = [known[number].source or "link" for number in people["respondent"]]
    return QualityReport(found.signals, people, found.cutoffs, _study(definition, answers))


def _study(definition: Definition, answers: Answers) -> pd.DataFrame:
    rows = []
    again = agreed(answers.respondents)
    if len(again):
        limit = 1 / definition.choice_tasks.alternatives + _CLEARLY_ABOVE_CHANCE
        rows.append(("retest", len(again), float(again.mean()), limit, bool(again.mean() < limit)))
    asked, missed = dominated(answers.respondents)
    if asked:
        passed = 1 - missed / asked
        rows.append(("dominated", asked, passed, _FEWEST_DOMINATED, passed < _FEWEST_DOMINATED))
    return pd.DataFrame(rows, columns=["measure", "asked", "value", "limit", "warning"])


def compared(before: Analysis, after: Analysis) -> pd.DataFrame:
    """segment, figure, attribute, from_level, to_level, with_all, without_flagged, change, half_interval, moved.

    moved: the figure of the second analysis, of fewer respondents, differs by more than half the width of the first one's interval, so that those left out decide it.
    """
    rows = []
    for table, figure in _FIGURES.items():
        both = [analysis.tables.get(table, pd.DataFrame()) for analysis in (before, after)]
        if not all(len(frame) for frame in both):
            continue
        keys = [key for key in _KEYS if key in both[0].columns]
        first, second = (frame.set_index(keys)[["estimate", "low", "high"]] for frame in both)
        rows.append(first.join(second.add_suffix("_without")).reset_index().assign(figure=figure))
    columns = ["segment", "figure", *_KEYS[1:], "with_all", "without_flagged", "change", "half_interval", "moved"]
    if not rows:
        return pd.DataFrame(columns=columns)
    found = pd.concat(rows, ignore_index=True).rename(
        columns={"estimate": "with_all", "estimate_without": "without_flagged"}
    )
    found["change"] = found["without_flagged"] - found["with_all"]
    found["half_interval"] = (found["high"] - found["low"]) / 2
    found["moved"] = np.abs(found["change"]) > found["half_interval"]
    return found.reindex(columns=columns)
