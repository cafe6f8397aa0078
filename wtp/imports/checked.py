"""The dry run: a file, a mapping and a survey in; who would be added out, and every problem by its row. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from wtp.imports.answers import read_answers
from wtp.imports.levels import read_levels
from wtp.imports.mapping import LONG, ROLES
from wtp.imports.mapping import Mapping as Columns
from wtp.imports.picks import read_picks
from wtp.imports.problems import ERROR, MOST, Problem, Tried, short
from wtp.imports.rows import alternative_rows, check_columns, prepared
from wtp.imports.tables import File
from wtp.imports.tasks import Made, people_of
from wtp.imports.values import each, truth_of
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.load import Survey

LONGEST_ID = 200
Report = Callable[..., None]


@dataclass(frozen=True, eq=False, slots=True)
class Checked(Tried):
    """people: (name in the file, respondent) of those who would be added, numbered from 1. problems: each place; `errors` keep the file out."""

    people: tuple[tuple[str, Respondent], ...]
    problems: tuple[Problem, ...]
    known: int = 0

    @property
    def choices(self) -> int:
        """Choice tasks that would be added."""
        return sum(len(person.choices) for _, person in self.people)

    @property
    def answers(self) -> int:
        """Answers to other questions that would be added."""
        return sum(value is not None for _, person in self.people for value in person.answers.values())

    @property
    def simulated(self) -> int:
        """Simulated respondents among them."""
        return sum(person.simulated for _, person in self.people)


def check(
    survey: Survey,
    file: File,
    columns: Columns,
    *,
    known: Iterable[str] = (),
    simulated: bool = False,
    now: datetime | None = None,
) -> Checked:
    """Try a file on a survey. known: names of respondents of earlier imports, who stay as they are. simulated: all of these answers are.

    Raises DataError if the mapping names a table or a column that the file does not have; whatever is wrong within is a problem.
    """
    definition, now = survey.definition, now or datetime.now(UTC)
    problems: list[Problem] = []
    table = prepared(file.table(columns.table), definition)

    def report(
        code: str,
        row: int = 0,
        column: str = "",
        found: object = "",
        allowed: str = "",
        respondent: str = "",
        count: int = 1,
    ) -> None:
        if len(problems) < MOST:
            problems.append(
                Problem(code, int(row), column, short(found), short(allowed, 200), short(respondent, 40), count)
            )

    for attribute in (*(a.id for a in definition.attributes), "price"):
        if not columns.attributes.get(attribute):
            report("no_column", column=attribute)
    check_columns(table, columns)
    for role in ("respondent", "chosen", *(["task"] if columns.layout == LONG else [])):
        if not getattr(columns, role):
            report("no_column", column=role)
    if any(problem.code == "no_column" and problem.column in ROLES for problem in problems):
        return Checked((), tuple(problems))
    rows = _named(alternative_rows(table, columns, definition), columns, report)
    levels = read_levels(rows, columns, definition, report)
    picks = read_picks(rows, levels.none, columns, report)
    made = people_of(rows, levels, picks, columns, definition, report) if len(rows) else {}
    if not made and not any(p.severity == ERROR for p in problems):
        report("no_choices")
    answers_table = file.table(columns.answers_table) if columns.answers_table else table
    values = read_answers(answers_table, columns, definition, report, list(made))
    marked = _simulated(rows, columns, report)
    there = set(known)
    new = {name: one for name, one in made.items() if name not in there}
    if len(made) > len(new):
        report("already_here", count=len(made) - len(new))
        if not new and not any(problem.severity == ERROR for problem in problems):
            report("nothing_new")
    people = tuple(
        (
            name,
            _respondent(
                number,
                survey,
                one,
                values.get(name, {}),
                simulated or name in marked,
                _language(rows, one, columns, definition),
                now,
            ),
        )
        for number, (name, one) in enumerate(new.items(), 1)
    )
    return Checked(people, tuple(sorted(problems, key=lambda p: p.row)), len(made) - len(new))


def _named(rows: pd.DataFrame, columns: Columns, report: Report) -> pd.DataFrame:
    """The rows that name their respondent and their task; the others are reported."""
    long = each(rows["respondent"], lambda name: len(name) > LONGEST_ID or not name.isprintable())
    wrong = pd.Series(long, index=rows.index, dtype=bool)
    for column, role, code, bad in (
        (columns.respondent, "respondent", "missing_respondent", rows["respondent"].eq("")),
        (columns.respondent, "respondent", "long_respondent", wrong),
        (columns.task, "task", "missing_task", rows["task"].eq("")),
    ):
        for row in rows.loc[bad].drop_duplicates("row").itertuples():
            report(code, row.row, column, getattr(row, role))
    return rows[rows["respondent"].ne("") & ~wrong & rows["task"].ne("")].reset_index(drop=True)


def _simulated(rows: pd.DataFrame, columns: Columns, report: Report) -> frozenset[str]:
    """Names of those whom the file calls simulated; one row is enough."""
    if not columns.simulated or rows.empty:
        return frozenset()
    said = {text: truth_of(text) for text in pd.unique(rows["simulated"])}
    for row in rows[rows["simulated"].map(lambda text: said[text] is None).astype(bool)].itertuples():
        report("simulated_unreadable", row.row, columns.simulated, row.simulated, "true, false", row.respondent)
    marked = rows["simulated"].map(lambda text: said[text] is True).astype(bool)
    return frozenset(rows.loc[marked, "respondent"])


def _language(rows: pd.DataFrame, one: Made, columns: Columns, definition: Definition) -> str:
    """The language of the interview if the survey has it, else its first."""
    said = str(rows.loc[one.first, "language"]).casefold()[:2] if columns.language else ""
    return said if said in definition.languages else definition.languages[0]


def _respondent(
    number: int, survey: Survey, one: Made, values: Mapping[str, Any], simulated: bool, language: str, now: datetime
) -> Respondent:
    return Respondent(
        number=number,
        simulated=simulated,
        language=language,
        design_version=0,
        started_at=now,
        completed_at=now,
        answers=values,
        choices=one.choices(survey.definition_hash, now),
        outcome="completed",
        source="import",
        definition_hash=survey.definition_hash,
    )
