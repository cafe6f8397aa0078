"""What a file's columns mean for a study: made by guessing, changed on the mapping page, kept as TOML for `--map`.

In layouts with several alternatives or choice tasks a row, a column stands for many: `price_{alternative}` for price_1, price_2 and so on, `choice_{task}` for
choice_1, choice_2; `{level}` for the 0/1 columns of an attribute's levels.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import tomlkit
from pydantic import Field, ValidationError

from wtp.errors import DataError
from wtp.survey.attributes import Record
from wtp.survey.toml_text import read_toml

LONG, TASKS, RESPONDENTS = "long", "tasks", "respondents"
LAYOUTS = (LONG, TASKS, RESPONDENTS)
NONE = "none"  # what a value of the choice column means where none of the offers was chosen
TASK, ALTERNATIVE, LEVEL = "{task}", "{alternative}", "{level}"
# Columns of a choice task beside its attributes, in the order of the page.
ROLES = (
    "respondent",
    "task",
    "alternative",
    "chosen",
    "buys",
    "none",
    "available",
    "kind",
    "order",
    "simulated",
    "language",
)
_MOST_BYTES = 1_000_000


class Mapping(Record):
    """One way to read a file into a study.

    layout: long (a row an alternative), tasks (a row a choice task) or respondents (a row a respondent). table, answers_table: sheets of choices and of
    answers, the first and the same if empty. decimal: "." or ",", empty where it does not matter. Roles and `attributes` (the price among them) name columns, or
    patterns with {task}, {alternative}, {level}; empty: the file has no such column. `chosen_is`: a mark on the chosen row, or the number of the alternative.
    levels: attribute -> value found -> id of the level, for values that are not known by themselves. picks: value of the choice column -> number of the alternative, or "none". answers: column of
    our table of respondents (question, or question.item) -> column; options: question -> value found -> id of the option. none_option: each task also had none of these, without a row.
    """

    layout: Literal["long", "tasks", "respondents"] = "long"
    table: str = ""
    answers_table: str = ""
    decimal: Literal["", ".", ","] = ""
    respondent: str = ""
    task: str = ""
    alternative: str = ""
    chosen: str = ""
    chosen_is: Literal["mark", "number"] = "mark"
    buys: str = ""
    none: str = ""
    available: str = ""
    kind: str = ""
    order: str = ""
    simulated: str = ""
    language: str = ""
    none_option: bool = False
    attributes: dict[str, str] = Field(default_factory=dict)
    levels: dict[str, dict[str, str]] = Field(default_factory=dict)
    picks: dict[str, str] = Field(default_factory=dict)
    answers: dict[str, str] = Field(default_factory=dict)
    options: dict[str, dict[str, str]] = Field(default_factory=dict)

    def columns(self) -> dict[str, str]:
        """Role or attribute -> column, of those that are given."""
        roles = {role: str(getattr(self, role)) for role in ROLES}
        return {name: column for name, column in {**roles, **self.attributes}.items() if column}

    def to_toml(self) -> str:
        """The text that `mapping_of` reads; what is as without a mapping is left out."""
        return tomlkit.dumps(self.model_dump(exclude_defaults=True))


def mapping_of(text: str, place: str) -> Mapping:
    """A mapping from its TOML or JSON. Raises DataError naming every key that is wrong."""
    if len(text) > _MOST_BYTES:
        raise DataError(f"{place}: {len(text):,} characters; allowed: at most {_MOST_BYTES:,}; choose another file.")
    try:
        content: Any = json.loads(text) if text.lstrip().startswith("{") else read_toml(text)
        return Mapping.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10])
        raise DataError(
            f"{place}: {wrong}; allowed: a mapping as the mapping page saves it; mend these keys."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: {error}; allowed: TOML or JSON; mend the place named.") from error
