"""How pages write money, shares and texts: by the page's language, with no more digits than the figure carries."""

from __future__ import annotations

import math
from typing import Any

from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask
from markupsafe import Markup, escape

from wtp.web.i18n import locale

DASH = "–"


def money(amount: float, currency: str, digits: int = 2) -> str:
    """An amount with its currency sign; a dash where there is none."""
    if amount is None or math.isnan(amount):
        return DASH
    pattern = "¤#,##0" if locale() == "en" else "#,##0 ¤"
    decimals = "." + "0" * digits if digits else ""
    return str(
        format_currency(
            amount, currency, pattern.replace("#,##0", f"#,##0{decimals}"), locale=locale(), currency_digits=False
        )
    )


def price(amount: float, currency: str) -> str:
    """A price as customers see it: cents only where there are some."""
    return money(amount, currency, 0 if float(amount).is_integer() else 2)


def number(value: float, digits: int = 1) -> str:
    """A plain number."""
    if value is None or math.isnan(value):
        return DASH
    return str(
        format_decimal(round(value, digits), format="#,##0" + ("." + "0" * digits if digits else ""), locale=locale())
    )


def percent(share: float) -> str:
    """A share of 1 as whole per cent."""
    return DASH if share is None or math.isnan(share) else str(format_percent(share, format="#,##0 %", locale=locale()))


def paragraphs(text: str) -> Markup:
    """An author's plain text: blank lines part paragraphs, everything is escaped."""
    return Markup("").join(
        Markup("<p>{}</p>").format(escape(part.strip())) for part in text.split("\n\n") if part.strip()
    )


def init_formats(app: Flask) -> None:
    """Make the formats filters and functions of all templates."""
    filters: dict[str, Any] = {
        "money": money,
        "price": price,
        "number": number,
        "percent": percent,
        "paragraphs": paragraphs,
    }
    app.jinja_env.filters.update(filters)
    # Jinja folds filters of constants once for all languages; our filters only ever see variables.
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
