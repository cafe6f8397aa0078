"""Mistakes in the list of pages: which must be there, in which place, and what their questions may be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wtp.survey.pages import ChoiceTaskPage, ConsentPage, QuestionPage, ThanksPage

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

# What tables of respondents call their own columns.
_TAKEN_BY_RESPONDENTS = (
    *("respondent", "simulated", "language", "design_version", "started_at", "completed_at", "outcome", "source"),
    "imported",
)


def page_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """(key, found, allowed, remedy) of pages that are missing, twice or in the wrong place, and of questions whose ids are taken."""
    mistakes: list[tuple[str, str, str, str]] = []
    kinds = [page.type for page in definition.pages]
    rules: list[tuple[int, type[Any], str]] = [(0, ConsentPage, "consent"), (len(kinds) - 1, ThanksPage, "thanks")]
    for place, page_type, name in rules:
        if not isinstance(definition.pages[place], page_type) or kinds.count(name) != 1:  # type: ignore[arg-type]
            where = "first" if place == 0 else "last"
            mistakes.append(
                ("pages", ", ".join(kinds), f"one {name} page, the {where} one", f"move or add the {name} page")
            )
    if kinds.count("choice_tasks") != 1:
        mistakes.append(("pages", ", ".join(kinds), "one page of type choice_tasks", "add it where the choices belong"))
    for p, page in enumerate(definition.pages):
        dual = definition.choice_tasks.none == "dual"
        if isinstance(page, ChoiceTaskPage) and dual != (page.purchase_question is not None):
            found = "no purchase question" if dual else "a purchase question"
            mistakes.append(
                (
                    f"pages[{p}].purchase_question",
                    found,
                    'one if choice_tasks.none = "dual", else none',
                    "add or remove it",
                )
            )
        for q, question in enumerate(page.questions if isinstance(page, QuestionPage) else ()):
            if question.id in _TAKEN_BY_RESPONDENTS:
                key = f"pages[{p}].questions[{q}].id"
                allowed = f"any id but {', '.join(_TAKEN_BY_RESPONDENTS)}"
                mistakes.append((key, question.id, allowed, "rename the question"))
    ids = [question.id for question in definition.questions]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        mistakes.append(
            ("pages", f"question {', '.join(twice)} twice", "every question with an id of its own", "rename one")
        )
    return mistakes
