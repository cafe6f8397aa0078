"""Labelled alternatives: which attribute labels them, what an offer of a label has, and every contradiction about it.

With `choice_tasks.labels = "mode"` each label stands at most once in a choice task. An attribute may exist for some labels `only`, or have part-worths
`per_label`; the price may have a coefficient `per_label`. An offer has no level of an attribute that its label lacks: the key is missing in its levels, the cell of
`design.csv` and of exported choices is empty. Without labels every function here answers as if there were one kind of offer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wtp.survey.attributes import Attribute
from wtp.survey.tasks import Taste

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

_Mistakes = Iterator[tuple[str, str, str, str]]


def label_attribute(definition: Definition) -> Attribute | None:
    """The attribute that labels the alternatives, None where alternatives bear none."""
    return next((a for a in definition.attributes if a.id == definition.choice_tasks.labels), None)


def labels_of(definition: Definition) -> tuple[str, ...]:
    """The labels in the author's order; none in a study without."""
    labels = label_attribute(definition)
    return labels.level_ids if labels else ()


def label_of(definition: Definition, levels: Mapping[str, str]) -> str:
    """The label of an offer, by its levels; "" in a study without."""
    return levels.get(definition.choice_tasks.labels or "", "")


def has(attribute: Attribute, label: str) -> bool:
    """Whether offers of a label have an attribute."""
    return not attribute.only or label in attribute.only


def belongs(definition: Definition, levels: Mapping[str, str]) -> bool:
    """Whether an offer has a known level of exactly the attributes that its label has."""
    label = label_of(definition, levels)
    wanted = {a.id: a.level_ids for a in definition.attributes if has(a, label)}
    return wanted.keys() == levels.keys() and all(level in wanted[name] for name, level in levels.items())


def shown_with(definition: Definition, attribute: Attribute, label: str) -> tuple[str, ...]:
    """The levels of an attribute that offers of a label may show, by `only` and `prohibited`."""
    if not has(attribute, label):
        return ()
    labels, out = definition.choice_tasks.labels, set()
    for rule in definition.choice_tasks.prohibited:
        if labels in rule.levels and attribute.id in rule.levels and label in rule.levels[labels]:
            out |= set(rule.levels[attribute.id])
    return tuple(level for level in attribute.level_ids if level not in out)


def prices_with(definition: Definition, label: str) -> tuple[float, ...]:
    """The prices that offers of a label may bear, by `prohibited` and `conditional_prices`."""
    plan, prices = definition.choice_tasks, definition.price.levels
    if not label:
        return prices
    for rule in plan.prohibited:
        if label in rule.levels.get(plan.labels or "", ()) and len(rule.levels) == 1:
            prices = tuple(price for price in prices if price not in rule.prices)
    for only in plan.conditional_prices:
        if label in only.levels.get(plan.labels or "", ()):
            prices = tuple(price for price in prices if price in only.prices)
    return prices


def values_alone(attribute: Attribute) -> bool:
    """Whether the part-worths of an attribute are those of one label each, whose price then tells their worth."""
    return attribute.per_label or len(attribute.only) == 1


def todays_prices(definition: Definition) -> tuple[float, float]:
    """Lowest and highest price tested for offers like today's."""
    prices = prices_with(definition, label_of(definition, todays_offer(definition)))
    return prices[0], prices[-1]


def todays_offer(definition: Definition) -> dict[str, str]:
    """Attribute -> level of today's offer: of the attributes that its label has."""
    labels = label_attribute(definition)
    label = labels.current if labels else ""
    return {a.id: a.current for a in definition.attributes if has(a, label)}


def reference(definition: Definition, attribute: Attribute, label: str) -> str:
    """The level with which others are compared in offers of a label ("": of all): `current`, or the first one where the label never shows that."""
    if not label:
        return attribute.current
    shown = shown_with(definition, attribute, label)
    return attribute.current if attribute.current in shown or not shown else shown[0]


def label_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """(key, found, allowed, remedy) of every contradiction about labels."""
    plan, labels = definition.choice_tasks, label_attribute(definition)
    if labels is not None:
        parts = (_attributes, _today, _rules, _tastes, _not_yet)
        return [mistake for part in parts for mistake in part(definition, labels)]
    if plan.labels is not None:
        known = ", ".join(a.id for a in definition.attributes)
        return [("choice_tasks.labels", plan.labels, known, "name the attribute that labels the alternatives")]
    keys = [f"attributes[{n}].only" for n, a in enumerate(definition.attributes) if a.only]
    keys += [f"attributes[{n}].per_label" for n, a in enumerate(definition.attributes) if a.per_label]
    keys += ["price.per_label"] if definition.price.per_label else []
    keys += [f"{key}.per_label" for key, taste in _stated(definition) if taste.per_label]
    remedy = "name the attribute that labels the alternatives as choice_tasks.labels, or remove it"
    return [(key, "labels meant, yet none declared", "this key with choice_tasks.labels", remedy) for key in keys]


def _attributes(definition: Definition, labels: Attribute) -> _Mistakes:
    """Attributes whose `only` and `per_label` cannot be meant."""
    plan, known = definition.choice_tasks, ", ".join(labels.level_ids)
    if len(labels.levels) < plan.alternatives:
        found = f"{labels.id} with {len(labels.levels)} levels"
        yield "choice_tasks.labels", found, f"at least {plan.alternatives} levels", "show fewer alternatives"
    for n, attribute in enumerate(definition.attributes):
        key = f"attributes[{n}]"
        if attribute.id == labels.id:
            if attribute.only or attribute.per_label:
                found = f"{attribute.id}, which labels the alternatives"
                yield (
                    f"{key}.{'only' if attribute.only else 'per_label'}",
                    found,
                    "another attribute",
                    "remove it: every offer has a label",
                )
            continue
        unknown = [label for label in attribute.only if label not in labels.level_ids]
        if unknown:
            yield f"{key}.only", ", ".join(unknown), known, "name labels"
        elif attribute.only and set(attribute.only) == set(labels.level_ids):
            yield (
                f"{key}.only",
                "every label",
                f"some of {known}",
                "remove it: without it all labels have the attribute",
            )
        elif len(attribute.only) == 1 and attribute.per_label:
            yield f"{key}.per_label", "per_label for one label alone", "two labels or more", "remove per_label"
        for label in labels.level_ids:
            if has(attribute, label) and not shown_with(definition, attribute, label):
                found = f"no level of {attribute.id} with {label}"
                yield key, found, "one or more", f'leave {label} out of "only", or prohibit fewer levels'


def _today(definition: Definition, labels: Attribute) -> _Mistakes:
    """Levels and prices that today's offer cannot have by the rules, and too few prices for a label."""
    today = labels.current
    for n, attribute in enumerate(definition.attributes):
        shown = shown_with(definition, attribute, today)
        if (
            attribute.id != labels.id
            and shown
            and attribute.current in attribute.level_ids
            and attribute.current not in shown
        ):
            found = f"{attribute.current} with {today}, which choice_tasks.prohibited rules out"
            yield f"attributes[{n}].current", found, ", ".join(shown), "name a level that today's offer can have"
    for label in labels.level_ids:
        prices = prices_with(definition, label)
        if len(prices) < 2:
            found = f"{len(prices)} prices with {label}"
            yield "choice_tasks.conditional_prices", found, "at least 2", "leave more prices to each label"
        elif label == today and not prices[0] <= definition.price.current <= prices[-1]:
            found, allowed = (
                f"{definition.price.current:.15g}",
                f"{prices[0]:.15g} to {prices[-1]:.15g}, the prices of {label}",
            )
            yield "price.current", found, allowed, "test prices on both sides of today's price"


def _not_yet(definition: Definition, labels: Attribute) -> _Mistakes:
    """What is not supported with labels."""
    for n, page in enumerate(definition.pages):
        if page.type == "profile_rating":
            yield (
                f"pages[{n}].type",
                "offers to rate",
                "choice tasks alone",
                "remove the page: with labels offers are not rated yet",
            )


def _rules(definition: Definition, labels: Attribute) -> _Mistakes:
    """Rules about a level that a label never has."""
    plan = definition.choice_tasks
    limited = {a.id: a.only for a in definition.attributes if a.only and a.id != labels.id}
    for n, rule in enumerate(plan.prohibited):
        mine = rule.levels.get(labels.id, ())
        for name, only in limited.items():
            never = [label for label in mine if label not in only]
            if name in rule.levels and never:
                key = f"choice_tasks.prohibited[{n}].levels.{labels.id}"
                yield key, f"{', '.join(never)} with {name}", ", ".join(only), f"leave out: these never have {name}"
        others = [name for name in rule.levels if name in limited]
        if len(others) == 2 and not set(limited[others[0]]) & set(limited[others[1]]):
            found = f"{others[0]} with {others[1]}"
            yield (
                f"choice_tasks.prohibited[{n}]",
                found,
                "attributes that meet in one offer",
                "remove the rule: no label has both",
            )
    for name in plan.at_most_once:
        if name in limited:
            yield "choice_tasks.at_most_once", name, "attributes of all labels", "leave it out"


def _stated(definition: Definition) -> Iterator[tuple[str, Taste]]:
    if definition.choice_tasks.prior:
        yield "choice_tasks.prior", definition.choice_tasks.prior
    for s, segment in enumerate(definition.simulation.segments if definition.simulation else ()):
        yield f"simulation.segments[{s}]", segment


def _tastes(definition: Definition, labels: Attribute) -> _Mistakes:
    """Tastes for labels that are none, or for what a label does not have."""
    for key, taste in _stated(definition):
        named = [own.label for own in taste.per_label]
        for n, own in enumerate(taste.per_label):
            place = f"{key}.per_label[{n}]"
            if own.label not in labels.level_ids:
                yield f"{place}.label", own.label, ", ".join(labels.level_ids), "name a label"
                continue
            if named.index(own.label) != n:
                yield f"{place}.label", f"{own.label} again", "every label once", "join the two"
            if own.price_coefficient is not None and not definition.price.per_label:
                found = "a price coefficient of its own"
                yield f"{place}.price_coefficient", found, "with price.per_label = true", "set that, or remove it"
            yield from _amounts(definition, labels, own.worth, own.label, f"{place}.worth")


def _amounts(
    definition: Definition, labels: Attribute, worth: Mapping[str, Sequence[float]], label: str, place: str
) -> _Mistakes:
    own = {a.id: a for a in definition.attributes if values_alone(a) and has(a, label) and a.id != labels.id}
    for name, amounts in worth.items():
        if name not in own:
            allowed = ", ".join(own) or f"no attribute: none is per_label or of {label} alone"
            yield f"{place}.{name}", f"{name} for {label}", allowed, "remove it, or make the attribute per_label"
        elif len(amounts) != len(own[name].levels) or amounts[0] != 0:
            allowed = f"{len(own[name].levels)} amounts, the first 0"
            yield f"{place}.{name}", str(list(amounts)), allowed, f"one for each of {', '.join(own[name].level_ids)}"
