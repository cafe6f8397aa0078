"""The question types on the pages: `KINDS` has one entry a type.

An entry says which fields it has, the macro of `respond/draw.html` that draws them, how a saved value comes back into the fields, and how the fields
become the value that `wtp.survey.questions` describes. A field is called `q-<question>` or `q-<question>-<item>`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import Field, HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.fields.core import UnboundField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from wtp.survey.questions import (
    KANO_ITEMS,
    UNSURE,
    VAN_WESTENDORP_ITEMS,
    Asked,
    ConstantSum,
    GaborGranger,
    Kano,
    MultipleChoice,
    Number,
    OpenPrice,
    OpenText,
    Ranking,
    Rating,
    SingleChoice,
    TimeGrid,
    VanWestendorp,
)
from wtp.web.i18n import amount_text, language, parse_amount, text

_HIGHEST_AMOUNT = 1e9
Fields: TypeAlias = "dict[str, UnboundField[Any]]"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a question type is to the pages."""

    fields: Callable[[Any], Fields]
    restore: Callable[[Any, Any], dict[str, Any]]
    value: Callable[[Any, BaseForm], Any]


def _needed(form: BaseForm, required: bool | str) -> bool:
    """Whether an answer must be given now: `ask` asks once, on the second time the respondent means it."""
    return required is True or (required == "ask" and form["asked"].data != "yes")


def one_of(
    allowed: Collection[str], required: bool | str, words: Callable[[], str]
) -> Callable[[BaseForm, Field], None]:
    """Validator: one of these values, or nothing where nothing is required."""

    def check(form: BaseForm, field: Field) -> None:
        if not field.data:
            if _needed(form, required):
                raise ValidationError(words())
        elif field.data not in allowed:
            raise ValidationError(_("Choose one of the answers shown."))

    return check


def _radio(question: Asked, name: str, label: str, allowed: Collection[str], words: Callable[[], str]) -> Fields:
    return {name: RadioField(label, validators=[one_of(allowed, question.required, words)], validate_choice=False)}


def _choice_fields(question: SingleChoice) -> Fields:
    allowed = {option.id for option in question.options} | ({UNSURE} if question.unsure else set())
    return _radio(question, f"q-{question.id}", text(question.label), allowed, lambda: _("Choose an answer."))


def _several_fields(question: MultipleChoice) -> Fields:
    allowed = {option.id for option in question.options}
    alone = {option.id for option in question.options if option.alone}

    def check(form: BaseForm, field: Field) -> None:
        picked = set(field.data or ())
        if not picked <= allowed:
            raise ValidationError(_("Choose one of the answers shown."))
        if picked & alone and len(picked) > 1:
            label = next(text(option.label) for option in question.options if option.id in picked & alone)
            raise ValidationError(
                _("“%(answer)s” does not go with other answers; choose one or the other.", answer=label)
            )
        if picked & alone:
            return
        if not picked and not _needed(form, question.required):
            return
        if len(picked) < question.fewest:
            raise ValidationError(
                ngettext("Choose at least %(num)s answer.", "Choose at least %(num)s answers.", question.fewest)
            )
        if len(picked) > question.most:
            raise ValidationError(
                ngettext("Choose at most %(num)s answer.", "Choose at most %(num)s answers.", question.most)
            )

    return {f"q-{question.id}": SelectMultipleField(text(question.label), validators=[check], validate_choice=False)}


def _several_value(question: MultipleChoice, form: BaseForm) -> list[str] | None:
    picked = set(form[f"q-{question.id}"].data or ())
    return sorted(picked) or None


def _rating_fields(question: Rating) -> Fields:
    allowed = {str(point) for point in range(question.scale.low, question.scale.high + 1)}
    allowed |= {UNSURE} if question.unsure else set()
    fields: Fields = {}
    for item in question.items:
        words = lambda: _("Choose a number on the scale.")  # noqa: E731
        fields |= _radio(question, f"q-{question.id}-{item.id}", text(item.label), allowed, words)
    return fields


def _rating_value(question: Rating, form: BaseForm) -> dict[str, int | None] | None:
    typed = {item.id: form[f"q-{question.id}-{item.id}"].data for item in question.items}
    return {item: None if point == UNSURE else int(point) for item, point in typed.items() if point} or None


def _rating_restore(question: Rating, value: dict[str, int | None]) -> dict[str, str]:
    return {f"q-{question.id}-{item}": UNSURE if p is None else str(p) for item, p in value.items()}


def _number_fields(question: Number) -> Fields:
    def check(form: BaseForm, field: Field) -> None:
        unsure = question.unsure is not None and form[f"q-{question.id}-unsure"].data == "yes"
        typed = (field.data or "").strip()
        if not typed:
            if _needed(form, question.required) and not unsure:
                raise ValidationError(_("Type a number."))
            return
        if unsure:
            raise ValidationError(_("Type a number or tick the box below, not both."))
        value = parse_amount(typed, language())
        if value is None or (question.whole and not value.is_integer()):
            example = amount_text(12 if question.whole else 99.5, language())
            raise ValidationError(_("Type a number in figures, as in %(example)s.", example=example))
        if not question.low <= value <= question.high:
            low, high = amount_text(question.low, language()), amount_text(question.high, language())
            raise ValidationError(_("Type a number from %(low)s to %(high)s.", low=low, high=high))

    fields: Fields = {f"q-{question.id}": StringField(text(question.label), validators=[check])}
    if question.unsure:
        fields[f"q-{question.id}-unsure"] = HiddenField("")
    return fields


def _number_value(question: Number, form: BaseForm) -> float | str | None:
    if question.unsure and form[f"q-{question.id}-unsure"].data == "yes":
        return UNSURE
    return parse_amount(form[f"q-{question.id}"].data or "", language())


def _number_restore(question: Number, value: float | str) -> dict[str, str]:
    if value == UNSURE:
        return {f"q-{question.id}-unsure": "yes"}
    return {f"q-{question.id}": amount_text(float(value), language())}


def _names(question: Any, items: Sequence[Any]) -> list[str]:
    return [f"q-{question.id}-{item.id}" for item in items]


def _ranking_fields(question: Ranking) -> Fields:
    names = _names(question, question.items)
    ranks = {str(rank) for rank in range(1, question.ranks + 1)}

    def check(form: BaseForm, field: Field) -> None:
        given = [form[name].data for name in names if form[name].data]
        if field.data and field.data not in ranks:
            raise ValidationError(_("Choose one of the answers shown."))
        if field.data and given.count(field.data) > 1:
            raise ValidationError(_("Rank %(rank)s is given twice; every rank goes to one line.", rank=field.data))
        missing = sorted(ranks - set(given), key=int)
        if field.name == names[0] and missing and (given or _needed(form, question.required)):
            raise ValidationError(_("Give each of the ranks 1 to %(last)s to one line.", last=question.ranks))

    return {
        name: StringField(text(item.label), validators=[check])
        for name, item in zip(names, question.items, strict=True)
    }


def _ranking_value(question: Ranking, form: BaseForm) -> list[str] | None:
    given = {item.id: form[f"q-{question.id}-{item.id}"].data for item in question.items}
    return sorted((item for item, rank in given.items() if rank), key=lambda item: int(given[item])) or None


def _sum_fields(question: ConstantSum) -> Fields:
    names = _names(question, question.items)

    def check(form: BaseForm, field: Field) -> None:
        typed = {name: (form[name].data or "").strip() for name in names}
        amounts = {name: 0.0 if not typed[name] else parse_amount(typed[name], language()) for name in names}
        if amounts[field.name] is None:
            raise ValidationError(_("Type a number in figures, as in %(example)s.", example="20"))
        known = [amount for amount in amounts.values() if amount is not None]
        if field.name != names[0] or len(known) < len(names):
            return
        total = sum(known)
        asked = any(typed.values()) or _needed(form, question.required)
        if asked and abs(total - question.total) > 1e-6:
            now, wanted = amount_text(total, language()), amount_text(question.total, language())
            raise ValidationError(_("Together it is %(total)s now; it must be %(wanted)s.", total=now, wanted=wanted))

    return {
        name: StringField(text(item.label), validators=[check])
        for name, item in zip(names, question.items, strict=True)
    }


def _sum_value(question: ConstantSum, form: BaseForm) -> dict[str, float] | None:
    typed = {item.id: (form[f"q-{question.id}-{item.id}"].data or "").strip() for item in question.items}
    return {item: parse_amount(t, language()) or 0.0 for item, t in typed.items()} if any(typed.values()) else None


def plain(typed: str) -> str:
    """Text as both databases can keep it: no control characters, no half characters, one kind of line break."""
    lines = typed.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return "".join(sign for sign in lines if sign in "\n\t" or unicodedata.category(sign) != "Cc").strip()


def _text_fields(question: OpenText) -> Fields:
    def check(form: BaseForm, field: Field) -> None:
        length = len(plain(field.data or ""))
        if not length and _needed(form, question.required):
            raise ValidationError(_("Write a few words."))
        if length > question.longest:
            raise ValidationError(
                _("Please shorten it to %(most)s characters; it has %(now)s.", most=question.longest, now=length)
            )

    return {f"q-{question.id}": StringField(text(question.label), validators=[check])}


def _time_fields(question: TimeGrid) -> Fields:
    names, allowed = _names(question, question.days), {band.id for band in question.bands}

    def check(form: BaseForm, field: Field) -> None:
        if not set(field.data or ()) <= allowed:
            raise ValidationError(_("Choose one of the answers shown."))
        nothing = not any(form[name].data for name in names)
        if field.name == names[0] and nothing and _needed(form, question.required):
            raise ValidationError(_("Choose at least one time."))

    return {
        name: SelectMultipleField(text(day.label), validators=[check], validate_choice=False)
        for name, day in zip(names, question.days, strict=True)
    }


def _time_value(question: TimeGrid, form: BaseForm) -> dict[str, list[str]] | None:
    picked = {day.id: set(form[f"q-{question.id}-{day.id}"].data or ()) for day in question.days}
    order = [band.id for band in question.bands]
    return {day: [band for band in order if band in bands] for day, bands in picked.items() if bands} or None


def kano_answers() -> list[tuple[str, str]]:
    """The five answers to each half of a Kano pair."""
    return [
        ("1", _("I like it")),
        ("2", _("I expect it")),
        ("3", _("I do not care")),
        ("4", _("I can live with it")),
        ("5", _("I dislike it")),
    ]


def _kano_fields(question: Kano) -> Fields:
    fields: Fields = {}
    for item in KANO_ITEMS:
        label = text(question.with_it if item == "with" else question.without_it)
        words = lambda: _("Choose an answer.")  # noqa: E731
        fields |= _radio(question, f"q-{question.id}-{item}", label, set("12345"), words)
    return fields


def _kano_value(question: Kano, form: BaseForm) -> dict[str, int] | None:
    typed = {item: form[f"q-{question.id}-{item}"].data for item in KANO_ITEMS}
    return {item: int(answer) for item, answer in typed.items() if answer} or None


def _check_amount(field: Field, needed: bool) -> None:
    if not (field.data or "").strip():
        if needed:
            raise ValidationError(_("Type a price."))
        return
    value = parse_amount(field.data, language())
    if value is None or value > _HIGHEST_AMOUNT:
        example = amount_text(99.5, language())
        raise ValidationError(_("Type a price in figures, as in %(example)s.", example=example))


def _price_fields(question: VanWestendorp) -> Fields:
    names = [f"q-{question.id}-{item}" for item in VAN_WESTENDORP_ITEMS]

    def amount(form: BaseForm, field: Field) -> None:
        _check_amount(field, _needed(form, question.required) or any((form[name].data or "").strip() for name in names))

    def rising(form: BaseForm, field: Field) -> None:
        """Ask once when the four prices do not rise; whoever keeps them means them."""
        prices = [parse_amount(form[name].data or "", language()) for name in names]
        known = [price for price in prices if price is not None]
        if len(known) == len(names) and known != sorted(known) and field.data != "yes":
            field.data = "yes"
            raise ValidationError(
                _(
                    "Usually these four prices rise from the first to the last. Please look at them once more; if you mean them so, continue."
                )
            )

    fields: Fields = {
        f"q-{question.id}-{item}": StringField(text(getattr(question, item)), validators=[amount])
        for item in VAN_WESTENDORP_ITEMS
    }
    fields[f"q-{question.id}-checked"] = HiddenField("", validators=[rising])
    return fields


def _price_value(question: VanWestendorp, form: BaseForm) -> dict[str, float] | None:
    typed = {item: form[f"q-{question.id}-{item}"].data or "" for item in VAN_WESTENDORP_ITEMS}
    prices = {item: parse_amount(amount, language()) for item, amount in typed.items()}
    return {item: price for item, price in prices.items() if price is not None} or None


def _ladder_fields(question: GaborGranger) -> Fields:
    check = one_of({"1", "0"}, question.required, lambda: _("Choose an answer."))
    return {
        f"q-{question.id}-{item}": RadioField(amount_text(price, language()), validators=[check], validate_choice=False)
        for item, price in question.items.items()
    }


def _ladder_value(question: GaborGranger, form: BaseForm) -> dict[str, int] | None:
    typed = {item: form[f"q-{question.id}-{item}"].data for item in question.items}
    return {item: int(answer) for item, answer in typed.items() if answer} or None


def _open_fields(question: OpenPrice) -> Fields:
    def amount(form: BaseForm, field: Field) -> None:
        _check_amount(field, _needed(form, question.required))

    return {f"q-{question.id}": StringField(text(question.label), validators=[amount])}


def _whole(question: Any, value: Any) -> dict[str, Any]:
    return {f"q-{question.id}": value}


def _by_item(question: Any, value: dict[str, Any]) -> dict[str, Any]:
    return {f"q-{question.id}-{item}": part for item, part in value.items()}


def _by_item_text(question: Any, value: dict[str, Any]) -> dict[str, Any]:
    return _by_item(question, {item: str(part) for item, part in value.items()})


def _amounts(value: dict[str, float]) -> dict[str, str]:
    return {item: amount_text(amount, language()) for item, amount in value.items()}


KINDS: dict[str, Kind] = {
    "single_choice": Kind(_choice_fields, _whole, lambda question, form: form[f"q-{question.id}"].data or None),
    "multiple_choice": Kind(_several_fields, _whole, _several_value),
    "rating": Kind(_rating_fields, _rating_restore, _rating_value),
    "number": Kind(_number_fields, _number_restore, _number_value),
    "ranking": Kind(
        _ranking_fields,
        lambda question, value: _by_item_text(question, {item: rank for rank, item in enumerate(value, 1)}),
        _ranking_value,
    ),
    "constant_sum": Kind(_sum_fields, lambda question, value: _by_item(question, _amounts(value)), _sum_value),
    "text": Kind(_text_fields, _whole, lambda question, form: plain(form[f"q-{question.id}"].data or "") or None),
    "time_grid": Kind(_time_fields, _by_item, _time_value),
    "kano": Kind(_kano_fields, _by_item_text, _kano_value),
    "gabor_granger": Kind(_ladder_fields, _by_item_text, _ladder_value),
    "open_price": Kind(
        _open_fields,
        lambda question, value: _whole(question, amount_text(value, language())),
        lambda question, form: parse_amount(form[f"q-{question.id}"].data or "", language()),
    ),
    "van_westendorp": Kind(
        _price_fields,
        lambda question, value: _by_item(question, _amounts(value) | {"checked": "yes"}),
        _price_value,
    ),
}
