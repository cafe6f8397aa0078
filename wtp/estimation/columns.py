"""The columns that a design must tell apart: those of the estimation, with the price from 0 to 1 over its tested range.

Treatment coding of every attribute, by its level number; where an attribute or the price is `per_label`, a block of columns for each label that has it, 0 for
the others. What a label does not have is 0 too: its constant stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from wtp.survey.definition import Definition
from wtp.survey.labels import has, label_attribute, label_of, labels_of, shown_with
from wtp.survey.tasks import Alternative, Taste, price_coefficient_of, worth_of

_Column = tuple[str, str, int]  # name, label of which it is alone or "", level number


@dataclass(frozen=True, slots=True)
class Columns:
    """codes: one array an attribute, the price last, (level numbers, columns), or (labels, level numbers, columns) where it is per label.

    label: place of the attribute that labels the alternatives, or -1. names: K columns, as in "time (rail) 2h". attributes: (K,) place of the attribute of each. valued:
    (P, 2) columns whose worth in money is told, each with the column of the price that tells it.
    """

    codes: tuple[np.ndarray, ...]
    label: int
    names: tuple[str, ...]
    attributes: np.ndarray
    valued: np.ndarray

    @classmethod
    def of(cls, definition: Definition) -> Columns:
        """The columns of a survey."""
        kinds = _kinds(definition)
        prices = np.array(definition.price.levels)
        scaled = (prices - prices[0]) / (prices[-1] - prices[0])
        codes = [_codes(kinds[a], labels_of(definition), len(at.levels)) for a, at in enumerate(definition.attributes)]
        codes.append(_price_codes(scaled, labels_of(definition) if definition.price.per_label else ()))
        label = definition.choice_tasks.labels
        names = [name for kind in kinds for name, _, _ in kind]
        attributes = np.repeat(np.arange(len(kinds)), [len(kind) for kind in kinds])
        return cls(
            codes=tuple(codes),
            label=[a.id for a in definition.attributes].index(label) if label else -1,
            names=tuple(names),
            attributes=attributes,
            valued=_valued(definition, kinds),
        )

    def row(self, definition: Definition, offer: Alternative) -> np.ndarray:
        """(K,) columns of one offer, at any price."""
        prices = definition.price.levels
        number = labels_of(definition).index(label_of(definition, offer.levels)) if self.label >= 0 else 0
        blocks = []
        for attribute, code in zip(definition.attributes, self.codes, strict=False):
            level = offer.levels.get(attribute.id)
            at = len(attribute.levels) if level is None else attribute.level_ids.index(level)
            blocks.append(code[at] if code.ndim == 2 else code[number, at])
        whose = np.eye(len(self.codes[-1]))[number] if self.codes[-1].ndim == 3 else np.ones(1)
        return np.concatenate([*blocks, whose * (offer.price - prices[0]) / (prices[-1] - prices[0])])

    def coded(self, profiles: np.ndarray) -> np.ndarray:
        """(..., K) columns of profiles (..., attributes) of level numbers, the price last."""
        blocks = [
            code[profiles[..., a]] if code.ndim == 2 else code[profiles[..., self.label], profiles[..., a]]
            for a, code in enumerate(self.codes)
        ]
        return np.concatenate(blocks, axis=-1)


def prior_mean(definition: Definition, taste: Taste) -> np.ndarray:
    """(K,) part-worths in logits of stated tastes; the worth of a label is told at today's price, so it is moved to the lowest one."""
    price = definition.price
    span, above = price.levels[-1] - price.levels[0], price.current - price.levels[0]
    labels = label_attribute(definition)
    mean = []
    for a, kind in enumerate(_kinds(definition)):
        for _, own, level in kind:
            if a == len(definition.attributes):
                mean.append(price_coefficient_of(taste, own) * span)
                continue
            attribute = definition.attributes[a]
            valued = attribute.only[0] if len(attribute.only) == 1 else own
            worth = worth_of(taste, attribute.id, valued)
            base = attribute.level_ids.index(shown_with(definition, attribute, own)[0]) if own else 0
            utility = -price_coefficient_of(taste, valued) * (worth[level] - worth[base])
            if labels is not None and attribute.id == labels.id and price.per_label:
                here, first = (price_coefficient_of(taste, labels.level_ids[n]) for n in (level, 0))
                utility -= (here - first) * above
            mean.append(utility)
    return np.array(mean)


def _kinds(definition: Definition) -> list[list[_Column]]:
    """The columns of every attribute, and then of the price."""
    kinds: list[list[_Column]] = []
    for attribute in definition.attributes:
        if not attribute.per_label:
            kinds.append([(f"{attribute.id} {x}", "", n) for n, x in enumerate(attribute.level_ids) if n])
            continue
        own: list[_Column] = []
        for label in labels_of(definition):
            own += [
                (f"{attribute.id} ({label}) {level}", label, attribute.level_ids.index(level))
                for level in shown_with(definition, attribute, label)[1:]
            ]
        kinds.append(own)
    labels = labels_of(definition) if definition.price.per_label else ()
    kinds.append([(f"price ({label})", label, 0) for label in labels] or [("price", "", 0)])
    return kinds


def _codes(columns: Sequence[_Column], labels: Sequence[str], levels: int) -> np.ndarray:
    """One attribute; the last row stands for "not there"."""
    if not any(own for _, own, _ in columns):
        return np.eye(levels + (1 if labels else 0))[:, 1:levels]
    found = np.zeros((len(labels), levels + 1, len(columns)))
    for k, (_, own, level) in enumerate(columns):
        found[labels.index(own), level, k] = 1
    return found


def _price_codes(scaled: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    return np.einsum("gk,l->glk", np.eye(len(labels)), scaled) if labels else scaled[:, None]


def _valued(definition: Definition, kinds: Sequence[Sequence[_Column]]) -> np.ndarray:
    """Columns with the price that values them: their own label's, or each price of a label that has the attribute; labels themselves only where nothing depends on them."""
    starts = [0, *np.cumsum([len(kind) for kind in kinds])]
    prices = {own: starts[-2] + k for k, (_, own, _) in enumerate(kinds[-1])}
    depends = definition.price.per_label or any(a.only or a.per_label for a in definition.attributes)
    pairs = []
    for (start, end), attribute in zip(pairwise(starts), definition.attributes, strict=False):
        if attribute.id == definition.choice_tasks.labels and depends:
            continue
        for k in range(start, end):
            own = kinds[definition.attributes.index(attribute)][k - start][1]
            pairs += [
                (k, at) for label, at in prices.items() if not label or (own in ("", label) and has(attribute, label))
            ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
