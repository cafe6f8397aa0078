"""Mistakes in how the choice tasks are to be found: rules about levels that do not exist, a criterion without a prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

_Mistakes = Iterator[tuple[str, str, str, str]]


def design_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """(key, found, allowed, remedy) of every rule of choice_tasks that cannot be meant."""
    return list(_mistakes(definition))


def _mistakes(definition: Definition) -> _Mistakes:
    plan, prices = definition.choice_tasks, definition.price.levels
    known = {attribute.id: attribute.level_ids for attribute in definition.attributes}
    for n, rule in enumerate(plan.prohibited):
        key = f"choice_tasks.prohibited[{n}]"
        yield from _levels(key, rule.levels, known)
        yield from _prices(key, rule.prices, prices)
        if len(rule.levels) + bool(rule.prices) != 2:
            found = f"{len(rule.levels)} attributes" + (" and prices" if rule.prices else "")
            yield key, found, "two attributes, or one and prices", "prohibit pairs"
    for n, only in enumerate(plan.conditional_prices):
        key = f"choice_tasks.conditional_prices[{n}]"
        yield from _levels(key, only.levels, known)
        yield from _prices(key, only.prices, prices)
    for name in plan.at_most_once:
        levels = prices if name == "price" else known.get(name)
        if levels is None:
            yield "choice_tasks.at_most_once", name, ", ".join([*known, "price"]), "name an attribute"
        elif len(levels) < plan.alternatives:
            found = f"{name} with {len(levels)} levels"
            yield "choice_tasks.at_most_once", found, f"at least {plan.alternatives} levels", "show fewer alternatives"
    if plan.criterion == "C" and plan.prior is None:
        yield "choice_tasks.criterion", "C without a prior", "C with choice_tasks.prior", "add the prior, or use D"
    if plan.prior:
        for name, levels in known.items():
            amounts = plan.prior.worth.get(name)
            if amounts is None or len(amounts) != len(levels) or amounts[0] != 0:
                found = "missing" if amounts is None else str(list(amounts))
                allowed = f"{len(levels)} amounts, the first 0"
                yield f"choice_tasks.prior.worth.{name}", found, allowed, f"one for each of {', '.join(levels)}"
        for name in plan.prior.worth.keys() - known.keys():
            yield f"choice_tasks.prior.worth.{name}", "no such attribute", ", ".join(known), "remove it"


def _levels(key: str, named: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> _Mistakes:
    for attribute, levels in named.items():
        if attribute not in known:
            yield f"{key}.levels.{attribute}", "no such attribute", ", ".join(known), "name an attribute"
        elif unknown := [level for level in levels if level not in known[attribute]]:
            yield f"{key}.levels.{attribute}", ", ".join(unknown), ", ".join(known[attribute]), "name its levels"


def _prices(key: str, named: Sequence[float], known: Sequence[float]) -> _Mistakes:
    if unknown := [price for price in named if price not in known]:
        found = ", ".join(f"{price:.15g}" for price in unknown)
        yield f"{key}.prices", found, ", ".join(f"{price:.15g}" for price in known), "name tested prices"
