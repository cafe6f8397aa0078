"""What is wrong with a file, place by place: found, allowed, what to do. Errors keep it out; notes only tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

ERROR, NOTE = "error", "note"
MOST = 50_000
# code -> what is wrong
WHAT = {
    "no_column": "The mapping has no column for this.",
    "missing_respondent": "The respondent is missing.",
    "long_respondent": "The name of the respondent is too long or holds signs that are no text.",
    "missing_task": "The choice task is missing.",
    "unknown_level": "This is no level of the attribute.",
    "missing_level": "The attribute has no value.",
    "surplus_level": "Offers of this label do not have the attribute.",
    "price_unreadable": "The price is no number.",
    "price_ambiguous": "This number can be read in two ways.",
    "price_outside": "The price is outside the prices of the study.",
    "price_between": "The price is not one of the prices of the study.",
    "chosen_unreadable": "It does not say whether or what was chosen.",
    "none_chosen": "Nothing is chosen in this choice task.",
    "several_chosen": "More than one alternative is chosen in this choice task.",
    "same_alternative": "An alternative stands twice in its choice task.",
    "too_few": "The choice task has fewer than two offers.",
    "too_many": "The choice task has more offers than the study shows.",
    "sizes_differ": "Choice tasks have different numbers of offers.",
    "several_none": "The choice task has more than one none option.",
    "none_not_asked": "The study has no none option, but the file does.",
    "buying_unknown": "The study asks whether one would buy, the file does not say it.",
    "buying_missing": "This choice task does not say whether one would buy; its choice between the offers counts.",
    "buys_unreadable": "It does not say yes or no about buying.",
    "kind_unknown": "This is no kind of choice task.",
    "order_unreadable": "The place of the choice task is no whole number of its own.",
    "simulated_unreadable": "It does not say yes or no about being simulated.",
    "no_choices": "The file holds no choice task.",
    "many_tasks": "Somebody answered more choice tasks than can be taken.",
    "option_unknown": "This is no answer to the question.",
    "answer_unreadable": "This is no number.",
    "answer_outside": "The number is outside what the question allows.",
    "answer_long": "The text is too long.",
    "answer_partial": "Some parts of the answer are missing.",
    "answers_differ": "Rows of one respondent give different answers.",
    "answers_of_nobody": "These answers belong to nobody who chose.",
    "already_here": "These respondents are in the study already; they stay as they are.",
    "nothing_new": "All respondents of the file are in the study already.",
    "purchase_text": "The text is missing or too long.",
    "purchase_date": "This is no day of a purchase.",
    "purchase_amount": "This is no amount of money.",
    "purchase_attribute": "This is no attribute of the study.",
    "purchase_truth": "It does not say yes or no.",
    "purchase_step": "A step up was taken that was not offered.",
    "purchase_ambiguous": "These amounts can be read in two ways.",
    "missing_column": "A column that is needed is not in the file.",
    "unknown_column": "This column has no meaning here; it is left out.",
    "missing_value": "This must not be empty.",
    "unknown_code": "This is none of the codes of the study.",
    "date_unreadable": "This is no date, or one that can be read in two ways.",
    "date_outside": "The time is in the future, or before the year 2000.",
    "number_outside": "This is no whole number, or one outside what is allowed.",
    "truth_unreadable": "It does not say yes or no.",
    "text_long": "The text is too long, or holds signs that are no text.",
}
# code -> what to do
REMEDY = {
    "no_column": "Choose the column in the mapping.",
    "missing_respondent": "Fill in the respondent, or remove the row.",
    "long_respondent": "Use a name of up to 200 characters.",
    "missing_task": "Fill in the number of the choice task.",
    "unknown_level": "Say in the mapping which level it means, or mend the cell.",
    "missing_level": "Fill in the level; of a none option all attributes and the price stay empty.",
    "surplus_level": "Empty the cell, or mend the label.",
    "price_unreadable": "Write a number, without words.",
    "price_ambiguous": "Say in the mapping whether decimals follow a point or a comma.",
    "price_outside": "Mend the price, or add it to the prices of the study first.",
    "price_between": "Say in the mapping which price it means, or add it to the prices of the study first.",
    "chosen_unreadable": "Write 1 for the chosen alternative and 0 for the others, or its number.",
    "none_chosen": "Mark the chosen alternative, or say in the mapping that nothing chosen means none of these.",
    "several_chosen": "Mark one alternative a choice task; look whether two tasks share a number.",
    "same_alternative": "Remove the double, or give the second task a number of its own.",
    "too_few": "Add the missing rows, or remove the choice task.",
    "too_many": "Look whether two tasks share a number; else raise the number of alternatives of the study.",
    "sizes_differ": "Nothing, if the survey was made so; else look for missing rows.",
    "several_none": "Remove all but one.",
    "none_not_asked": "Import into a study with a none option, or remove the rows of the none option.",
    "buying_unknown": "Choose the column that says it or the none option; or import into a study without none option.",
    "buying_missing": "Nothing, if it was not answered; else fill it in.",
    "buys_unreadable": "Write 1 or 0, yes or no.",
    "kind_unknown": "Use one of the kinds allowed, or no such column.",
    "order_unreadable": "Number the choice tasks of a respondent from 1.",
    "simulated_unreadable": "Write true or false.",
    "no_choices": "Check the layout and the columns in the mapping.",
    "many_tasks": "Look whether several respondents share a name.",
    "option_unknown": "Say in the mapping which answer it means, or mend the cell.",
    "answer_unreadable": "Write a number, or leave the cell empty.",
    "answer_outside": "Mend the number, or leave the cell empty.",
    "answer_long": "Shorten it.",
    "answer_partial": "Fill in all parts, or leave all of them empty.",
    "answers_differ": "Make the rows equal, or give two respondents two names.",
    "answers_of_nobody": "Nothing, if they chose nothing; else look for differing names.",
    "already_here": "Nothing; to replace them, take the earlier import back first.",
    "nothing_new": "Choose another file, or take the earlier import back first.",
    "purchase_text": "Fill it in, or shorten it.",
    "purchase_date": "Write year-month-day, or day.month.year.",
    "purchase_amount": "Write a number, without words.",
    "purchase_attribute": "Use the id or the name of an attribute, or leave the cell empty.",
    "purchase_truth": "Write 1 or 0, yes or no, or leave the cell empty.",
    "purchase_step": "Mend one of the two cells.",
    "purchase_ambiguous": "Write decimals with them, or leave out what parts the thousands.",
    "missing_column": "Add it, or rename the column that holds it.",
    "unknown_column": "Nothing, if it is not needed; else rename it to one of those allowed.",
    "missing_value": "Fill it in, or remove the row.",
    "unknown_code": "Mend the cell, or add the code to the study first.",
    "date_unreadable": "Write year-month-day, or day.month.year.",
    "date_outside": "Mend the time.",
    "number_outside": "Write a whole number, or leave the cell empty.",
    "truth_unreadable": "Write yes or no, or leave the cell empty.",
    "text_long": "Shorten it.",
}
_NOTES = {"sizes_differ", "buying_missing", "answers_of_nobody", "already_here", "unknown_column"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One place that is wrong, or `count` places where the same was found, the first of them at `row` (0: the whole file)."""

    code: str
    row: int = 0
    column: str = ""
    found: str = ""
    allowed: str = ""
    respondent: str = ""
    count: int = 1

    @property
    def severity(self) -> str:
        """error or note."""
        return NOTE if self.code in _NOTES else ERROR

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"row {self.row}" if self.row else "", self.column) if part) or "file"
        more = f" ({self.count} times)" if self.count > 1 else ""
        found = f" found {self.found!r};" if self.found else ""
        allowed = f" allowed: {self.allowed};" if self.allowed else ""
        return f"{place}: {WHAT[self.code]}{found}{allowed} {REMEDY[self.code]}{more}"


class Tried:
    """A file that was tried; problems: each place."""

    __slots__ = ()
    problems: tuple[Problem, ...]

    @property
    def gathered(self) -> tuple[Problem, ...]:
        """The same found in the same column once."""
        return gathered(self.problems)

    @property
    def errors(self) -> int:
        """How many places keep the file out."""
        return sum(problem.count for problem in self.problems if problem.severity == ERROR)


def short(text: object, longest: int = 80) -> str:
    """What was found, short enough for a line."""
    shown = " ".join(str(text).split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def gathered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same found in the same column once, with the first row and how often; errors first, in the file's order."""
    found: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        key = (problem.code, problem.column, problem.found)
        first = found.get(key)
        found[key] = replace(first, count=first.count + problem.count) if first else problem
    return tuple(sorted(found.values(), key=lambda p: (p.severity == NOTE, p.row)))


def problems_frame(problems: Iterable[Problem]) -> pd.DataFrame:
    """Each place in a row: severity, row, column, respondent, problem, found, allowed, remedy."""
    rows = [
        (p.severity, p.row or None, p.column, p.respondent, WHAT[p.code], p.found, p.allowed, REMEDY[p.code])
        for p in problems
    ]
    columns = ["severity", "row", "column", "respondent", "problem", "found", "allowed", "remedy"]
    return pd.DataFrame(rows, columns=columns).astype({"row": "Int64"})
