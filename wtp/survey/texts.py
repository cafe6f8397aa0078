"""All texts of a survey that is being written: where each one stands, and what it says in each language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtp.survey.editing import Place

# Keys whose value is a text in each language, anywhere in a definition.
WORDINGS = frozenset(
    [
        "title",
        "offer",
        "label",
        "unit",
        "description",
        "text",
        "agree",
        "question",
        "purchase_question",
        "best",
        "worst",
        "anchor",
        "help",
        "unsure",
        "with_it",
        "without_it",
        "low_label",
        "high_label",
        "too_cheap",
        "cheap",
        "expensive",
        "too_expensive",
        "yes",
        "no",
        "why",
        "logo_text",
        "supplier",
        "controller",
        "purpose",
        "rival",
    ]
)


@dataclass(frozen=True, slots=True)
class Text:
    """One text; `texts` by language as far as they are there. Equal texts in two languages are often a forgotten translation."""

    place: Place
    texts: Mapping[str, str]

    def missing(self, languages: Sequence[str]) -> list[str]:
        """The languages in which nothing is said."""
        return [language for language in languages if not self.texts.get(language, "").strip()]

    def same(self, languages: Sequence[str]) -> bool:
        """Whether two languages say the same words."""
        said = [self.texts[language].strip() for language in languages if self.texts.get(language, "").strip()]
        return len(set(said)) < len(said)


def languages_of(content: Mapping[str, Any]) -> list[str]:
    """The languages that a definition declares, read leniently."""
    found = content.get("languages")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def texts_of(content: Mapping[str, Any]) -> tuple[Text, ...]:
    """All texts, in the order of the file."""
    return tuple(_found(content, ()))


def without_languages(content: Mapping[str, Any], languages: Sequence[str]) -> dict[Place, Any]:
    """The changes that take away what is said in other languages than these."""
    return {
        (*text.place, language): None
        for text in texts_of(content)
        for language in text.texts
        if language not in languages
    }


def _found(content: Any, place: Place) -> Iterator[Text]:
    if isinstance(content, list):
        for number, entry in enumerate(content):
            yield from _found(entry, (*place, number))
    elif isinstance(content, Mapping):
        for key, value in content.items():
            if key in WORDINGS and isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values()):
                yield Text((*place, key), value)
            elif key not in {"when", "worth"}:
                yield from _found(value, (*place, key))
