"""What a file most likely means for a survey: its layout, what each column is, and which columns answer which question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from wtp.imports.answers import column_name, items_of
from wtp.imports.mapping import ALTERNATIVE, LEVEL, LONG, RESPONDENTS, TASK, TASKS, Mapping
from wtp.imports.picks import pick_of
from wtp.imports.rows import columns_of, prepared
from wtp.imports.sawtooth import ATTRIBUTE
from wtp.imports.tables import File, Table
from wtp.imports.values import AMBIGUOUS, NOTHING, decimal_mark, plain, truth_of
from wtp.survey.definition import Definition

# What columns are called by the programs that write them, without signs and capitals.
_CALLED = {
    "respondent": ("respondent", "respondentid", "respid", "resp", "sysrespnum", "participant", "participantid", "responseid", "respnum", "caseid", "case", "id", "userid", "person", "personid", "panelid", "panelistid", "teilnehmer", "teilnehmerid", "befragter", "befragtennummer", "lfdn", "uuid", "subject", "subjectid"),
    "task": ("choicetask", "task", "taskid", "tasknumber", "qes", "choiceset", "choicesetid", "set", "scenario", "obsid", "chid", "observation", "questionnumber", "question", "cs", "auswahlaufgabe", "aufgabe", "qid"),
    "alternative": ("alternative", "alternativeid", "alternativenumber", "alt", "altid", "concept", "conceptid", "slot", "option", "profile", "card", "konzept", "angebot"),
    "chosen": ("chosen", "choice", "response", "selected", "ischosen", "waschosen", "choicemade", "pick", "picked", "gewaehlt", "gewählt", "auswahl", "wahl", "answer"),
    "buys": ("buys", "wouldbuy", "purchase", "purchaseintent", "dualresponse", "dualnone", "kauf", "wuerdekaufen", "würdekaufen"),
    "none": ("none", "isnone", "noneoption", "noneofthese", "keine", "keinsdavon"),
    "available": ("available", "availability", "av", "avail"),
    "kind": ("kind",),
    "order": ("order", "taskorder"),
    "simulated": ("simulated",),
    "language": ("language", "userlanguage", "sprache"),
}  # fmt: skip
_DIGITS = re.compile(r"\d{1,4}")
_MOST_PATTERNS = 200
_MOSTLY = 0.9


def patterns_of(columns: Sequence[str]) -> tuple[str, ...]:
    """What columns have in common that differ in one or two numbers: price_1, price_2 as price_{alternative} and price_{task}, by how many they are."""
    known = set(columns)
    counts: dict[str, int] = {}
    for column in columns:
        spans = [match.span() for match in _DIGITS.finditer(column)][:4]
        made = []
        for n, (start, end) in enumerate(spans):
            made += [column[:start] + place + column[end:] for place in (ALTERNATIVE, TASK)]
            for later, stop in spans[n + 1 :]:
                for first, second in ((TASK, ALTERNATIVE), (ALTERNATIVE, TASK)):
                    made.append(column[:start] + first + column[end:later] + second + column[stop:])
        for pattern in made:
            counts[pattern] = counts.get(pattern, 0) + 1
    found = sorted(
        (pattern for pattern, count in counts.items() if count > 1 and pattern not in known),
        key=lambda p: (-counts[p], p),
    )
    return tuple(found[:_MOST_PATTERNS])


def bare(text: str) -> str:
    """A heading without capitals, blanks and signs."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def guess(file: File, definition: Definition, layout: str = "", table_name: str = "") -> Mapping:
    """The mapping that fits best; what it cannot tell is left empty. layout, table_name: given by somebody who knows."""
    table = prepared(file.table(table_name) if table_name else _choices_table(file), definition)
    tried = (layout,) if layout else (LONG, RESPONDENTS, TASKS)
    made = min((_as(one, table, definition) for one in tried), key=lambda one: _missing(one, definition))
    answers_table = _answers_table(file, table, made)
    answers, names = _answers(answers_table or table, definition), set(made.columns().values())
    answers = {name: column for name, column in answers.items() if column not in names}
    made = made.model_copy(
        update={
            "answers": answers,
            "answers_table": answers_table.name if answers_table and answers else "",
            "table": table.name,
        }
    )
    return made.model_copy(update=_how(table, made, definition))


def _choices_table(file: File) -> Table:
    """The first table that has a column for what was chosen."""
    for table in file.tables:
        if _called("chosen", table.columns) and _called("respondent", table.columns):
            return table
    return file.tables[0]


def _answers_table(file: File, choices: Table, made: Mapping) -> Table | None:
    """Another table with the same respondents, one row each."""
    for table in file.tables:
        if table.name != choices.name and made.respondent in table.columns and table.cells[made.respondent].is_unique:
            return table
    return None


def _missing(made: Mapping, definition: Definition) -> tuple[int, int]:
    """How much a layout cannot say; with equal gaps, the simpler one."""
    wanted = ["respondent", "chosen", *(["task"] if made.layout == LONG else [])]
    gaps = sum(not getattr(made, role) for role in wanted)
    gaps += sum(not made.attributes.get(name) for name in [*(a.id for a in definition.attributes), "price"])
    return gaps, (LONG, RESPONDENTS, TASKS).index(made.layout)


def _as(layout: str, table: Table, definition: Definition) -> Mapping:
    columns = table.columns
    if layout == LONG:
        roles = {role: _called(role, columns) for role in _CALLED}
        attributes = _attributes(columns, definition, columns)
        if not any(attributes.values()):
            attributes = _in_order(columns, definition)
        return Mapping.model_validate({"layout": "long", **roles, "attributes": attributes})
    offered = [pattern for pattern in patterns_of(columns) if _varies(pattern, layout)]
    roles = {role: _called(role, columns) for role in ("respondent", "simulated", "language")}
    if layout == TASKS:
        roles |= {role: _called(role, columns) for role in ("task", "chosen", "buys", "kind", "order")}
        roles |= {role: _called(role, [p for p in offered if ALTERNATIVE in p]) for role in ("none", "available")}
        attributes = _attributes(offered, definition, columns, ALTERNATIVE)
        return Mapping.model_validate({"layout": "tasks", **roles, "attributes": attributes})
    tasks = [pattern for pattern in patterns_of(columns) if TASK in pattern and ALTERNATIVE not in pattern]
    roles |= {role: _called(role, tasks) for role in ("buys",)}
    roles["chosen"] = _called("chosen", tasks) or _chosen_by_content(table, tasks)
    shown = {task for task, _ in columns_of(roles["chosen"], columns)}
    most = definition.choice_tasks.alternatives
    fitting = [pattern for pattern in offered if _is_of(pattern, columns, shown, most)]
    attributes = _attributes(fitting, definition, columns, ALTERNATIVE)
    return Mapping.model_validate({"layout": "respondents", **roles, "attributes": attributes})


def _is_of(pattern: str, columns: Sequence[str], tasks: set[int], alternatives: int) -> bool:
    """Whether a pattern has the tasks in which something was chosen, and no more alternatives than the study: of two numbers in a heading either may be the task."""
    found = columns_of(pattern, columns)
    return {task for task, _ in found} >= tasks and max((k for _, k in found), default=0) <= alternatives


def _varies(pattern: str, layout: str) -> bool:
    return ALTERNATIVE in pattern and (TASK in pattern) == (layout == RESPONDENTS)


def _stem(pattern: str) -> str:
    """A pattern as it is called without its numbers and the words that go with them."""
    text = pattern.replace(TASK, " ").replace(ALTERNATIVE, " ").replace(LEVEL, " ").casefold()
    words = [word for word in re.split(r"[^\w]+|_", text) if word]
    beside = {
        "alt",
        "alternative",
        "concept",
        "option",
        "task",
        "t",
        "a",
        "q",
        "f",
        "profile",
        "choice",
        "set",
        "cs",
        "aufgabe",
        "angebot",
    }
    return "".join(word for word in words if word not in beside) or "".join(words)


def _called(role: str, columns: Iterable[str]) -> str:
    """The column that is called as a role is, the commoner name first."""
    names: dict[str, str] = {}
    for column in columns:
        for name in (bare(column), _stem(column)) if "{" in column else (bare(column),):
            names.setdefault(name, column)
    return next((names[name] for name in _CALLED[role] if name in names), "")


def _attributes(
    offered: Sequence[str], definition: Definition, columns: Sequence[str], needs: str = ""
) -> dict[str, str]:
    """Attribute -> column or pattern by id or label; else its 0/1 columns, one a level."""
    by_name: dict[str, str] = {}
    for column in offered:
        for name in (bare(column), _stem(column)):
            by_name.setdefault(name, column)
    found = {}
    wordings = [(a.id, a.label, a.level_ids) for a in definition.attributes] + [("price", definition.price.label, ())]
    for name, label, levels in wordings:
        hit = next((by_name[key] for key in (bare(name), *map(bare, label.values())) if key in by_name), "")
        ends = (f"_{needs}", f".{needs}", "") if needs else ("",)
        tried = [f"{name}{sign}{LEVEL}{end}" for sign in ("_", ".") for end in ends]
        for pattern in tried if not hit else ():
            marks = [columns_of(pattern.replace(LEVEL, level), columns) for level in levels]
            if sum(map(bool, marks)) >= max(1, len(levels) - 1):
                hit = pattern
                break
        found[name] = hit
    return found


def _in_order(columns: Sequence[str], definition: Definition) -> dict[str, str]:
    """Attributes without a name, as attribute 1 or A1: in the order of the study, the price last."""
    names = [*(a.id for a in definition.attributes), "price"]
    for called in (ATTRIBUTE, "Att{}", "A{}", "Attribute{}", "Attribute {}", "att{}", "attr{}"):
        if all(called.format(n) in columns for n in range(1, len(names) + 1)):
            return {name: called.format(n) for n, name in enumerate(names, 1)}
    return {}


def _chosen_by_content(table: Table, tasks: Sequence[str]) -> str:
    """The columns of which every value can mean an alternative, as C1, C2: the most of them."""
    best, most = "", 1
    for pattern in tasks:
        found = columns_of(pattern, table.columns)
        values = {value for column in found.values() for value in pd.unique(table.cells[column]) if value}
        numbers = [pick_of(value, {}) for value in values]
        fits = bool(values) and len(values) <= 12 and all(n in {"none"} or (n and int(n) <= 12) for n in numbers)
        if fits and len(found) > most:
            best, most = pattern, len(found)
    return best


def _how(table: Table, made: Mapping, definition: Definition) -> dict[str, object]:
    """Marks or numbers, a none option without rows, and the decimal mark, from what the columns hold."""
    changes: dict[str, object] = {}
    if made.chosen and made.layout == LONG:
        marked = table.cells[made.chosen].map(truth_of).notna().mean()
        changes["chosen_is"] = "mark" if marked > _MOSTLY else "number"
    if made.layout != LONG and made.chosen:
        changes["chosen_is"] = "number"
        if definition.choice_tasks.none == "dual" and not made.none:
            changes["none_option"] = _picks_none(table, made)
    if pattern := made.attributes.get("price"):
        columns = columns_of(pattern, table.columns).values()
        answers = [column for column in made.answers.values() if column in table.columns]
        mark = decimal_mark(value for column in (*columns, *answers) for value in pd.unique(table.cells[column]))
        changes["decimal"] = "" if mark == AMBIGUOUS else mark
    return changes


def _picks_none(table: Table, made: Mapping) -> bool:
    """Whether somebody picked nothing: in words, or by a number that no alternative has."""
    values = {
        value
        for column in columns_of(made.chosen, table.columns).values()
        for value in pd.unique(table.cells[column])
        if value
    }
    if any(plain(value) in NOTHING for value in values):
        return True
    numbers = {k for pattern in made.attributes.values() for _, k in columns_of(pattern, table.columns)} - {0}
    return any(pick.isdecimal() and int(pick) not in numbers for pick in (pick_of(value, {}) for value in values))


def _answers(table: Table, definition: Definition) -> dict[str, str]:
    """Column of our own table of respondents -> column, by the same name or by the text of the question."""
    names = {bare(column): column for column in reversed(table.columns)}
    found = {}
    for question in definition.questions:
        for item in items_of(question):
            wanted = [column_name(question.id, item), *([] if item else question.label.values())]
            if hit := next((names[bare(name)] for name in wanted if bare(name) in names), ""):
                found[column_name(question.id, item)] = hit
    return found
