"""How results write money, shares and numbers: in the page's language, with no more digits than the figure carries."""

from __future__ import annotations

import math
from typing import Any

from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask
from flask_babel import gettext

from wtp.web.i18n import language

DASH = "–"
NBSP = "\u00a0"
JOINER = "\u2060"
CENT = 0.01


def precision(width: float) -> float:
    """Rounding step of a figure whose interval is this wide: the power of ten below a twentieth of it, cents at the finest."""
    if not 0 < width < math.inf:
        return CENT
    return max(CENT, 10.0 ** math.floor(math.log10(width / 20)))


def three_digits(amount: float) -> float:
    """Rounding step of an amount without an interval: three digits carry what it is known to."""
    return max(CENT, 10.0 ** (math.floor(math.log10(abs(amount))) - 2)) if amount and math.isfinite(amount) else 1.0


def money(amount: float, currency: str, step: float = CENT) -> str:
    """An amount with its currency sign, rounded to `step`; a dash where there is none."""
    if math.isnan(amount):
        return DASH
    number = "#,##0" if step >= 1 else "#,##0.00"
    minus = f"−{JOINER}"  # else a line may end between the minus and the currency sign
    pattern = f"¤{number};{minus}¤{number}" if language() == "en" else f"{number}{NBSP}¤;{minus}{number}{NBSP}¤"
    rounded = round(amount / step) * step + 0.0  # no −0.00
    return str(format_currency(rounded, currency, pattern, locale=language(), currency_digits=False))


def number(value: float, digits: int = 1) -> str:
    """A plain number."""
    if math.isnan(value):
        return DASH
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return str(format_decimal(round(value, digits) + 0.0, f"{pattern};−{JOINER}{pattern}", locale=language()))


def plain(price: float) -> str:
    """A price as addresses and fields write it: no grouping, at most cents, no trailing zeros."""
    return f"{price:.2f}".rstrip("0").rstrip(".")


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 in per cent, as the language writes it."""
    if math.isnan(share):
        return DASH
    space = "" if language() == "en" else NBSP
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + f"{space}%"
    return str(format_percent(share, pattern, locale=language(), decimal_quantization=True))


def points(change: float) -> str:
    """A change of a share in percentage points, with its sign."""
    return ("+" if change > 0 else "") + number(100 * change, 1)


def probability(share: float) -> str:
    """A probability from draws; never 0 or 100 %, which no number of draws can show."""
    if share > 0.99:
        return gettext("over %(percent)s", percent=percent(0.99))
    return gettext("under %(percent)s", percent=percent(0.01)) if share < 0.01 else percent(share)


def init_app(app: Flask) -> None:
    """Make the formats filters of all templates; they see variables alone, since Jinja folds constants once for all languages."""
    filters: dict[str, Any] = {"number": number, "percent": percent, "plain": plain}
    app.jinja_env.filters.update(filters)
