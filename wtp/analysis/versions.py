"""Which versions of a study are counted together, and whether the price moved their choices alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from wtp.analysis.choice_frame import choice_data, choice_frame
from wtp.analysis.record import ALL, CURRENT, POOLED, SAME_CHOICES, Request
from wtp.errors import DataError, EstimationError
from wtp.estimation.diagnostics import SMALLEST_SAMPLE, Note
from wtp.pricing.offers import own_data
from wtp.segments import price_response
from wtp.survey.answers import Answers, Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer
from wtp.survey.load import Survey
from wtp.survey.versions import POOLABLE, SAME, Change, Comparison, compare, same_answers

_UNREADABLE = Comparison("different", (Change("unreadable"),), frozenset())
_COUNTED = (
    "{count} respondents answered earlier versions of this survey and are counted here; what changed since is listed under the versions. Answers to "
    "questions that changed are left out."
)
_NOT_ASKED_FOR = (
    "{count} respondents answered an earlier version whose choices could be counted too, although levels, prices or the number of offers differ; they are left out unless "
    "all versions are asked for."
)
_OTHER_VERSION = "{count} respondents answered another version of this survey, whose choices do not mean the same; they are left out of these figures. Export the raw answers to see them."
_OTHER_RESPONSE = "In version {version} the price moved the choices {ratio:.2f} times as strongly as in the current one (p = {p:.3f}): look at the current version alone before you rely on figures of both."
_CLEAR = 0.05


@dataclass(frozen=True, eq=False, slots=True)
class Versions:
    """respondents: who is counted, with the answers that mean the same today. version: the version of each, by number."""

    respondents: tuple[Respondent, ...]
    version: dict[int, str]
    table: pd.DataFrame
    notes: tuple[Note, ...]


def counted(survey: Survey, answers: Answers, request: Request) -> Versions:
    """Who is counted: the current version; by default also versions with the same choices, whatever else changed; with `versions="all"` all that can be pooled. Never others.

    table: segment, version, use (current, counted, not_counted, different), respondents, changes.
    """
    version = {r.number: _version(r, survey.definition_hash) for r in answers.respondents}
    kinds: dict[str, Comparison] = {}
    for name in version.values():
        if name != survey.definition_hash and name not in kinds:
            older = answers.definitions.get(name)
            kinds[name] = compare(survey.definition, older) if older else _UNREADABLE
    wanted = {SAME_CHOICES: {SAME}, CURRENT: set(), POOLED: {SAME, POOLABLE}}[request.versions]
    taken, numbers = [], {"counted": 0, "not_counted": 0, "different": 0}
    uses = {name: "counted" if k.use in wanted else "not_counted" if k.use != "different" else "different" for name, k in kinds.items()}  # fmt: skip
    for respondent in answers.respondents:
        name = version[respondent.number]
        use = uses.get(name, CURRENT)
        if use == CURRENT:
            taken.append(respondent)
            continue
        numbers[use] += 1
        if use == "counted":
            taken.append(replace(respondent, answers=same_answers(respondent.answers, kinds[name])))
    sizes = pd.Series(version, dtype=object).value_counts()
    rows = [(survey.definition_hash, CURRENT, int(sizes.get(survey.definition_hash, 0)), "")]
    rows += [(name, uses[name], int(sizes[name]), changes_text(k.changes)) for name, k in kinds.items()]
    table = pd.DataFrame(rows, columns=["version", "use", "respondents", "changes"]).assign(segment=ALL)
    notes = [
        Note(code, severity, template, {"count": numbers[use]})
        for code, severity, template, use in (
            ("versions_counted", "info", _COUNTED, "counted"),
            ("versions_not_counted", "info", _NOT_ASKED_FOR, "not_counted"),
            ("other_version", "warning", _OTHER_VERSION, "different"),
        )
        if numbers[use]
    ]
    return Versions(tuple(taken), version, table if kinds else table[:0], tuple(notes))


def _version(respondent: Respondent, current: str) -> str:
    """The version that somebody answered; whoever has chosen nothing and names none counts as of the current one."""
    shown = {choice.definition_hash for choice in respondent.choices} or {respondent.definition_hash or current}
    return shown.pop() if len(shown) == 1 else "several"


def changes_text(changes: Sequence[Change]) -> str:
    """As in "level_added speed.one_hour; words speed.same_day"."""
    return "; ".join(f"{change.kind} {change.where}".strip() for change in changes)


def with_price_response(
    definition: Definition, versions: Versions, current: str, request: Request
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """The table with price_ratio, low, high and p_value of each counted version with 30 respondents, and a note where it differs from the current one."""
    table = versions.table.assign(price_ratio=np.nan, low=np.nan, high=np.nan, p_value=np.nan)
    people = [r for r in versions.respondents if any(c.task.kind == "estimation" for c in r.choices)]
    sizes = pd.Series([versions.version[r.number] for r in people], dtype=object).value_counts()
    enough = [name for name, size in sizes.items() if size >= SMALLEST_SAMPLE]
    if current not in enough or len(enough) < 2:
        return table, ()
    people = [r for r in people if versions.version[r.number] in enough]
    try:
        data = choice_data(definition, choice_frame(definition, people))
        groups = np.array([versions.version[int(number)] for number in data.respondents], dtype=object)
        data = own_data(data, todays_offer(definition))
        found = price_response(data, groups, current, confidence=request.confidence)
    except (DataError, EstimationError):
        return table, ()
    table = versions.table.merge(found.rename(columns={"group": "version"}), on="version", how="left")
    # Bonferroni: the more versions, the more of them differ by chance.
    notes = [
        Note("version_price", "warning", _OTHER_RESPONSE, {"version": name, "ratio": ratio, "p": p})
        for name, ratio, p in zip(found["group"], found["price_ratio"], found["p_value"], strict=True)
        if p * len(found) < _CLEAR
    ]
    return table, tuple(notes)
