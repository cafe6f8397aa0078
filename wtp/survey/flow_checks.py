"""Mistakes in the flow of an interview: conditions that ask too late, answers piped before they are given, ladders that share a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wtp.survey.pages import InformationPage, QuestionPage
from wtp.survey.piping import named_in
from wtp.survey.questions import ConstantSum, GaborGranger, MultipleChoice, Number

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

_Mistakes = Iterator[tuple[str, str, str, str]]


def flow_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """(key, found, allowed, remedy) of every condition or piped answer that cannot be known yet, and of every question that cannot be answered."""
    return [*_too_early(definition), *_impossible(definition)]


def _too_early(definition: Definition) -> _Mistakes:
    asked: list[str] = []
    places = {
        q.id: p for p, page in enumerate(definition.pages) if isinstance(page, QuestionPage) for q in page.questions
    }
    for p, page in enumerate(definition.pages):
        block = getattr(page, "shuffle", None)
        # A page that may come first within its shuffled neighbours knows nothing of them.
        known = [
            q for q in asked if not block or getattr(definition.pages[places[q]], "shuffle", None) != block
        ]  # fmt: skip
        yield from _when(f"pages[{p}].when", getattr(page, "when", None), known)
        if isinstance(page, QuestionPage | InformationPage):
            yield from _piped(f"pages[{p}].title", page.title, known)
            yield from _piped(f"pages[{p}].text", page.text, known)
        if isinstance(page, QuestionPage):
            for q, question in enumerate(page.questions):
                key = f"pages[{p}].questions[{q}]"
                yield from _when(f"{key}.when", question.when, known)
                yield from _piped(f"{key}.label", question.label, known)
                yield from _piped(f"{key}.help", question.help, known)
            asked += [question.id for question in page.questions]


def _when(key: str, when: Mapping[str, Any] | None, known: list[str]) -> _Mistakes:
    for question in when or ():
        if question not in known:
            allowed = f"questions of earlier pages: {', '.join(known) or 'none'}"
            yield f"{key}.{question}", "a question that is not answered yet", allowed, "ask it on an earlier page"


def _piped(key: str, wording: Mapping[str, str] | None, known: list[str]) -> _Mistakes:
    for question in sorted({name for text in (wording or {}).values() for name in named_in(text)} - set(known)):
        allowed = f"answers of earlier pages: {', '.join(known) or 'none'}"
        yield key, f"{{answer:{question}}}", allowed, "name a question of an earlier page"


def _impossible(definition: Definition) -> _Mistakes:
    for p, page in enumerate(definition.pages):
        for q, question in enumerate(page.questions if isinstance(page, QuestionPage) else ()):
            key = f"pages[{p}].questions[{q}]"
            if isinstance(question, GaborGranger) and question.ladder and len(page.questions) > 1:  # type: ignore[union-attr]
                yield f"{key}.ladder", "a ladder beside other questions", "a page of its own", "move it to its own page"
            elif isinstance(question, MultipleChoice):
                several = len([option for option in question.options if not option.alone])
                if question.fewest > min(question.most, several):
                    yield (
                        f"{key}.fewest",
                        str(question.fewest),
                        f"at most {min(question.most, several)}",
                        "ask for fewer",
                    )
            elif isinstance(question, Number) and question.low >= question.high:
                yield f"{key}.low", f"{question.low:g}", f"below {question.high:g}", "lower it, or raise high"
            elif isinstance(question, ConstantSum) and question.total < len(question.items):
                yield f"{key}.total", str(question.total), f"at least {len(question.items)}", "raise it"
