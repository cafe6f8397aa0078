"""The form of a what-if: which levels and prices the offers have, as fields, as a `Scenario`, and as the part of an address that holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FloatField, SelectChoice, SelectField
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, NumberRange

from wtp.analysis import Scenario, today
from wtp.survey import Definition
from wtp.survey.labels import label_of, shown_with, todays_prices
from wtp.web import formats
from wtp.web.i18n import text as said
from wtp.web.market_sections import OWN

_WIDER = (0.5, 2.0)  # how far beyond the tested prices a competitor's may lie


def scenario_form(definition: Definition, sent: MultiDict[str, str]) -> BaseForm:
    """Fields `offer-attribute`, `offer-price` and `competitor-gone`, as in today's market where nothing was sent."""
    lowest, highest = todays_prices(definition)
    market, fields = today(definition), {}
    for offer in market.prices:
        for name, now in market.levels[offer].items():
            possible = _possible(definition, market.levels[offer], name)
            choices = [SelectChoice(x.id, said(x.label)) for x in definition.attribute(name).levels if x.id in possible]
            fields[f"{offer}-{name}"] = SelectField(choices=choices, default=now)
        low, high = (lowest, highest) if offer == OWN else (lowest * _WIDER[0], highest * _WIDER[1])
        limits = NumberRange(
            low, high, _("Enter a price from %(low)s to %(high)s.", low=formats.plain(low), high=formats.plain(high))
        )
        fields[f"{offer}-price"] = FloatField(
            default=market.prices[offer], validators=[InputRequired(limits.message), limits]
        )
        if offer != OWN:
            fields[f"{offer}-gone"] = BooleanField()
    form = BaseForm(fields)
    form.process(sent if any(name in sent for name in form._fields) else None)
    return form


def _possible(definition: Definition, levels: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The levels that an offer could have; its label stays, for another one would be another offer."""
    label = label_of(definition, levels)
    return (
        (label,)
        if name == definition.choice_tasks.labels
        else shown_with(definition, definition.attribute(name), label)
    )


def scenario_of(definition: Definition, form: BaseForm) -> Scenario:
    """The scenario of a valid form."""
    market = today(definition)
    levels = {offer: {name: form[f"{offer}-{name}"].data for name in market.levels[offer]} for offer in market.prices}
    prices = {offer: float(form[f"{offer}-price"].data) for offer in market.prices}
    gone = tuple(offer for offer in market.prices if offer != OWN and form[f"{offer}-gone"].data)
    return Scenario(levels, prices, gone)


def own_offers(form: BaseForm) -> int:
    """How many offers of one's own the selectors can make."""
    own = (field for name, field in form._fields.items() if name.startswith(f"{OWN}-"))
    return math.prod(len(field.choices) for field in own if isinstance(field, SelectField))


def query_of(definition: Definition, scenario: Scenario) -> str:
    """The scenario as the part of an address: what differs from today's market."""
    market = today(definition)
    changed = [
        (f"{offer}-{attribute}", level)
        for offer, own in scenario.levels.items()
        for attribute, level in own.items()
        if level != market.levels[offer][attribute]
    ]
    changed += [
        (f"{offer}-price", formats.plain(price))
        for offer, price in scenario.prices.items()
        if price != market.prices[offer]
    ]
    return urlencode([*changed, *((f"{offer}-gone", "y") for offer in scenario.without)])


def read(definition: Definition, query: str) -> Scenario | None:
    """The scenario of a kept query; None if the survey has changed so that it means nothing any more."""
    form = scenario_form(definition, completed(definition, MultiDict(parse_qsl(query))))
    return scenario_of(definition, form) if form.validate() else None


def completed(definition: Definition, sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """What was sent, with today's market where nothing was."""
    market = today(definition)
    whole = MultiDict(sent)
    for offer, levels in market.levels.items():
        for attribute, level in levels.items():
            whole.setdefault(f"{offer}-{attribute}", level)
        whole.setdefault(f"{offer}-price", formats.plain(market.prices[offer]))
    return whole
