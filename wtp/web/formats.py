"""How results write money, shares and numbers: in the page's language, with no more digits than the figure carries."""

from __future__ import annotations

import math
from typing import Any

from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask

from wtp.web.i18n import language

DASH = "–"
NBSP = "\u00a0"


def money(amount: float, currency: str, digits: int = 2) -> str:
    """An amount with its currency sign; a dash where there is none."""
    if math.isnan(amount):
        return DASH
    number = "#,##0" + ("." + "0" * digits if digits else "")
    pattern = f"¤{number};−¤{number}" if language() == "en" else f"{number}{NBSP}¤;−{number}{NBSP}¤"
    rounded = round(amount, digits) + 0.0  # no −0.00
    return str(format_currency(rounded, currency, pattern, locale=language(), currency_digits=False))


def number(value: float, digits: int = 1) -> str:
    """A plain number."""
    if math.isnan(value):
        return DASH
    return str(
        format_decimal(round(value, digits), "#,##0" + ("." + "0" * digits if digits else ""), locale=language())
    )


def percent(share: float) -> str:
    """A share of 1 as whole per cent."""
    return DASH if math.isnan(share) else str(format_percent(share, f"#,##0{NBSP}%", locale=language()))


def init_app(app: Flask) -> None:
    """Make the formats filters of all templates; they see variables alone, since Jinja folds constants once for all languages."""
    filters: dict[str, Any] = {"number": number, "percent": percent}
    app.jinja_env.filters.update(filters)
