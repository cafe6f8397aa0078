"""Languages of the pages: which one, how to switch, and money and numbers as people there write them.

English is the source language of our own texts; a survey brings its texts in each of its languages. The language of a page is the one asked
for (`?lang=`), else that of the session, else on survey pages what the browser prefers, else the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from babel.numbers import format_currency, format_decimal, get_decimal_symbol
from babel.support import Translations
from flask import Flask, current_app, g, request, session
from flask_babel import Babel, refresh
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from wtp.survey import Survey
from wtp.web.running import asked_now

INTERFACE_LANGUAGES = ("en", "de")
_TRANSLATIONS = Path(__file__).parent / "translations"
_LONGEST_AMOUNT = 20
_PLAIN = re.compile(r"[0-9]+")
_WITH_DECIMALS = re.compile(r"([0-9]+)[.,]([0-9]{1,2})")
_GROUPED = re.compile(r"([0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3})*)(?:([.,])([0-9]{1,2}))?")


def translate(app: Flask) -> None:
    """Give every page its language."""
    Babel(app, locale_selector=language)
    app.jinja_env.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals["_"] = _said
    app.before_request(_choose)
    app.context_processor(_words)


def _words() -> dict[str, Any]:
    """What every template has; bound to the page's language, which a page asks for a hundred times."""
    spoken = language()
    return {"language": spoken, "language_links": _language_links, "text": saying(spoken), "_": _phrases(spoken)}


@cache
def _translations(code: str) -> NullTranslations:
    return Translations.load(_TRANSLATIONS, [code])


def _gettext(message: str) -> str:
    """What templates say, from the catalogue that is at hand: to ask the library who speaks takes three times as long."""
    return _translations(language()).gettext(message)


@lru_cache(4096)
def _kept(code: str, message: str, escapes: bool, complete: bool) -> str:
    words = _translations(code).gettext(message)
    if escapes:
        words = Markup(words)  # noqa: S704  our own words, with the markup that is in them
    return words % {} if complete else words


@cache
def _phrases(code: str) -> Callable[..., str]:
    """The extension's own `_` in a language, from words that are kept: a page says twenty of them. What is put into them is escaped."""

    @pass_eval_context
    def said(how: EvalContext, message: str, /, **variables: Any) -> str:
        words = _kept(code, message, bool(how.autoescape), not variables)
        return words % variables if variables else words

    return said


@pass_eval_context
def _said(how: EvalContext, message: str, /, **variables: Any) -> str:
    """The same in the page's language, for macros, which have not what a page has."""
    return _phrases(language())(how, message, **variables)


def _ngettext(singular: str, plural: str, n: int) -> str:
    return _translations(language()).ngettext(singular, plural, n)


def language() -> str:
    """Code of the page's language."""
    return str(g.get("language", INTERFACE_LANGUAGES[0]))


def speak(code: str) -> None:
    """Make the page that is being made in this language, and offer no other."""
    g.language, g.languages = code, (code,)
    refresh()


@contextmanager
def spoken(code: str) -> Iterator[None]:
    """Speak another language within the block, whatever the page's own is."""
    own, g.language = language(), code
    refresh()
    try:
        yield
    finally:
        g.language = own
        refresh()


def text(wording: Mapping[str, str]) -> str:
    """An author's text in the page's language; on pages in a language that the survey has not, in its first one."""
    return saying(language())(wording)


def saying(code: str) -> Callable[[Mapping[str, str]], str]:
    """What gives an author's text in a language; in a language that the survey has not, in its first one."""
    return lambda wording: wording.get(code) or next(iter(wording.values()))


@lru_cache(4096)
def money(amount: float, currency: str, in_language: str) -> str:
    """An amount with its currency, without decimals if it is whole: 100 €, €99.50."""
    pattern = Locale(in_language).currency_formats["standard"].pattern
    if float(amount).is_integer():
        pattern = pattern.replace(".00", "")
    return str(format_currency(amount, currency, format=pattern, locale=in_language, currency_digits=False))


def amount_text(amount: float, in_language: str) -> str:
    """An amount as a person would type it: 99,5 in German."""
    return str(format_decimal(amount, "0.##", locale=in_language))


def parse_amount(typed: str, in_language: str) -> float | None:
    """The amount that a person means, or None: 1.234,56 and 1,234.56 both, since keyboards follow the phone and not the page.

    A lone separator before three digits (1.234) groups thousands where the language groups so; in the other language it could mean
    either, so it is refused rather than guessed.
    """
    found = re.sub(r"[\s\u00a0\u202f'’]|€|EUR|\$", "", typed)
    if len(found) > _LONGEST_AMOUNT:
        return None
    if _PLAIN.fullmatch(found):
        return float(found)
    if match := _WITH_DECIMALS.fullmatch(found):
        return float(Decimal(f"{match[1]}.{match[2]}"))
    match = _GROUPED.fullmatch(found)
    if match is None or match[2] == match[3]:
        return None
    whole, separator, decimals = match[1], match[2], match[4]
    alone = decimals is None and whole.count(separator) == 1
    if alone and separator == get_decimal_symbol(in_language):
        return None
    return float(Decimal(f"{whole.replace(separator, '')}.{decimals or 0}"))


def _languages() -> tuple[str, ...]:
    """The languages that the page exists in, its default first."""
    asked = asked_now()
    if asked.blueprint == "respond":
        surveys: Mapping[str, Survey] = current_app.extensions["wtp_surveys"]
        survey = surveys.get((asked.view_args or {}).get("slug", ""))
        return survey.definition.languages if survey else INTERFACE_LANGUAGES
    default = current_app.extensions["wtp_settings"].staff_language
    return (default, *(code for code in INTERFACE_LANGUAGES if code != default))


def _choose() -> None:
    # Programs have one language and no session.
    asked = asked_now()
    if asked.path.startswith("/api/") and asked.blueprint != "api_page":
        g.language = INTERFACE_LANGUAGES[0]
        return
    languages = g.languages = _languages()
    if (wanted := asked.args.get("lang")) in languages:
        session["language"] = wanted
    kept = session.get("language")
    if kept not in languages:
        kept = preferred(asked.headers.get("Accept-Language"), languages) if asked.blueprint == "respond" else None
    g.language = kept or languages[0]


@lru_cache(64)  # few: a client may send words as long as all headers may be
def preferred(accepted: str | None, languages: tuple[str, ...]) -> str | None:
    """Which of these a browser prefers by its Accept-Language, None for none: every page brings the same words on that."""
    return parse_accept_header(accepted, LanguageAccept).best_match(languages)


def _language_links() -> Sequence[dict[str, Any]]:
    """The page in each of its languages: code, name in that language, address, whether it is the one shown."""
    languages = g.get("languages") or _languages()  # a page that is made beforehand is asked for by nobody
    if len(languages) < 2:
        return []
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return [
        {
            "code": code,
            "name": language_name(code, code),
            "href": "?" + urlencode([*kept, ("lang", code)]),
            "current": code == language(),
        }
        for code in sorted(languages)
    ]


@cache
def language_name(code: str, in_language: str) -> str:
    """What a language is called in this one: Deutsch, German."""
    return (Locale(code).get_display_name(in_language) or code).title()
