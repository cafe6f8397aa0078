"""Texts that an author writes once per language.

A wording is a table with one entry a language, `{ en = "Price", de = "Preis" }`. Every language that the survey
declares must be there: a respondent never falls back into another language in the middle of an interview.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def _in_every_language(texts: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    languages: tuple[str, ...] = (info.context or {}).get("languages", ())
    missing = [language for language in languages if language not in texts]
    surplus = [language for language in texts if languages and language not in languages]
    if missing or surplus:
        raise PydanticCustomError(
            "wording",
            "{found}",
            {
                "found": f"texts in {', '.join(texts) or 'no language'}",
                "allowed": f"one text in each of {', '.join(languages)}",
                "remedy": "add " + " and ".join(missing) if missing else "remove " + " and ".join(surplus),
            },
        )
    for language, text in texts.items():
        control = next((sign for sign in text if unicodedata.category(sign) == "Cc" and sign not in "\n\t"), None)
        if control:
            raise PydanticCustomError(
                "control_character",
                "{found}",
                {
                    "found": f"the control character {control!r} in {language}",
                    "allowed": "printable text and line breaks",
                    "remedy": "remove it",
                },
            )
    return texts


Wording = Annotated[dict[Language, Text], AfterValidator(_in_every_language)]
