"""Earlier answers within later texts: `{answer:core_problem}` becomes the label of what was picked, or the words that were typed.

It is a plain replacement in a text, before the page escapes it like any other: an answer never becomes markup and nothing is evaluated.
In a text that the page reads as Markdown every sign of an answer that could mean something there gets a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from wtp.survey.questions import MultipleChoice, Question, SingleChoice
from wtp.survey.wording import Wording

_PLACE = re.compile(r"\{answer:([a-z][a-z0-9_]{0,39})\}")
_BEGIN = "{answer:"
_MISSING = "…"
_MEANS_SOMETHING = re.compile(r"([!-/:-@\[-`{-~])")  # CommonMark 0.31, 2.4: a backslash makes ASCII punctuation literal


def named_in(text: str) -> set[str]:
    """The questions whose answers a text wants."""
    return set(_PLACE.findall(text))


def has_places(wording: Wording) -> bool:
    """Whether a text wants an answer at all; most do not."""
    return any(_BEGIN in text for text in wording.values())


def piped(
    wording: Wording, questions: Iterable[Question], answers: Mapping[str, Any], *, markdown: bool = False
) -> Wording:
    """The wording with the answers filled in, in each language; within a text in Markdown they stay what they are."""
    if not has_places(wording):
        return wording
    by_id = {question.id: question for question in questions}

    def filled(text: str, language: str) -> str:
        def words(place: re.Match[str]) -> str:
            said = _words(by_id.get(place[1]), answers.get(place[1]), language)
            return literal(said) if markdown else said

        return _PLACE.sub(words, text)

    return {language: filled(text, language) for language, text in wording.items()}


def literal(text: str) -> str:
    """A text of one line that shows in Markdown as it is."""
    return _MEANS_SOMETHING.sub(r"\\\1", " ".join(text.split()))


def _words(question: Question | None, value: Any, language: str) -> str:
    if value is None or question is None:
        return _MISSING
    if isinstance(question, SingleChoice | MultipleChoice):
        picked = value if isinstance(value, list) else [value]
        return ", ".join(option.label[language] for option in question.options if option.id in picked) or _MISSING
    return f"{value:.15g}" if isinstance(value, float) else str(value) if isinstance(value, str | int) else _MISSING
