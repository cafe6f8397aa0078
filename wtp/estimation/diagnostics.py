"""What an analyst must know about an estimate, as data: notes that say what is wrong, where, what it does, what to do.

Before a fit: identification (rank of the differences within choice tasks), levels never or always chosen, separation (a linear
program, Albert and Anderson 1984). After it: a price coefficient that is not clearly negative, few clusters, small samples.
Notation: N respondents, T choice tasks, A alternative rows, K parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.linalg import eigvalsh, qr
from scipy.optimize import linprog

if TYPE_CHECKING:
    from wtp.estimation.choice_data import ChoiceData

SMALLEST_SAMPLE = 30
FULL_SAMPLE = 75
FEW_CLUSTERS = 50
LARGEST_CONDITION = 30.0
FEWEST_SHOWN = 30
FEWEST_CHOSEN = 5
_FLAT = 1e-7

_ALIASED = (
    "{columns} always change together within the choice tasks, so their effects cannot be told apart; "
    "leave one of them out of the formula or ask tasks in which they differ."
)
_CONSTANT = (
    "{columns} never differs between the alternatives of a choice task, so its effect cannot be estimated; "
    "leave it out of the formula or ask tasks in which it varies."
)
_CONDITION = (
    "Some columns nearly always change together (condition number {condition:.0f}, above {limit:.0f}), so their part-worths are "
    "imprecise; read their intervals before their estimates."
)
_ONE_SIDED = (
    "{attribute} {level}: {how} ({chosen} of {shown} times shown), so the choices separate and no estimate is finite; "
    "merge the level with its neighbour, leave it out, or collect more answers."
)
_SEPARATED = (
    "The choices separate perfectly along {columns}: some combination of them predicts every choice, so no estimate is finite; "
    "merge levels, leave a column out, or collect more answers."
)
_RARE = (
    "{attribute} {level} was chosen {chosen} of {shown} times shown, which is little to estimate from; "
    "its part-worth is imprecise; merge it with its neighbour or collect more answers."
)
_PRICE = (
    "The price did not clearly drive the answers (coefficient {estimate:.4g}, upper 95 % bound {upper:.4g}, not below 0), so no WTP "
    "is shown here; check that prices were visible and wide enough, or collect more answers."
)
_CLUSTERS = (
    "Only {respondents} respondents: standard errors clustered by respondent are optimistic below {limit}; intervals use t with "
    "{df} degrees of freedom; collect more answers before you decide."
)
_TOO_SMALL = "Only {respondents} respondents here; below {limit} no figures of their own are shown; collect more answers or merge segments."
_INDICATION = "{respondents} respondents here: read the figures as an indication; from {limit} respondents on they can carry a decision."


@dataclass(frozen=True, slots=True)
class Note:
    """One remark. `template` is an English sentence with named places, also the key of its translation.

    severity: "info", "warning" (the figure is weak) or "stop" (a figure is withheld). segment: where it holds, None everywhere.
    """

    code: str
    severity: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    segment: str | None = None

    def __str__(self) -> str:
        return self.template.format(**self.values)

    def in_segment(self, segment: str) -> Note:
        """The same note, said of one segment."""
        return replace(self, segment=segment)


def aliased(data: ChoiceData) -> tuple[Note, ...]:
    """Columns whose effects are not identified, by pivoted QR of the within-task differences (A, K)."""
    largest, varied = data.extents
    constant = varied <= 1e-12 * largest
    notes = [Note("constant", "stop", _CONSTANT, {"columns": data.names[k]}) for k in np.flatnonzero(constant)]
    kept = np.flatnonzero(~constant)
    if not len(kept):
        return tuple(notes)
    gram = data.gram[np.ix_(kept, kept)]
    # QR of the Gram matrix (K, K) finds the rank of the (A, K) differences in far less memory; hence the square root of eps.
    triangle, pivots = qr(gram, mode="r", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    rank = int((diagonal > 1e-11 * diagonal[0]).sum())
    for surplus in pivots[rank:]:
        weights = np.linalg.lstsq(gram[:, pivots[:rank]], gram[:, surplus], rcond=None)[0]
        partners = [pivots[i] for i in np.flatnonzero(np.abs(weights) > 1e-6)]
        names = [data.names[kept[k]] for k in sorted([*partners, surplus])]
        notes.append(Note("aliased", "stop", _ALIASED, {"columns": ", ".join(names)}))
    return tuple(notes)


def condition_note(data: ChoiceData) -> tuple[Note, ...]:
    """Warn where columns nearly change together. Only meaningful once `aliased` found nothing."""
    eigenvalues = eigvalsh(data.gram)
    condition = float(np.sqrt(eigenvalues[-1] / max(eigenvalues[0], 1e-300)))
    if condition <= LARGEST_CONDITION:
        return ()
    return (Note("condition", "warning", _CONDITION, {"condition": condition, "limit": LARGEST_CONDITION}),)


def flat(data: ChoiceData, information: np.ndarray) -> bool:
    """Whether the likelihood is nearly flat in some direction, as where it rises for ever: a hint to look for `separation`.

    information: (K, K) negative Hessian at the estimate, held against the sums of squares of the same differences, so that units cancel.
    """
    size = np.sqrt(data.sums_of_squares)
    return bool(eigvalsh(information / size[:, None] / size, data.gram)[0] < _FLAT)


def level_counts(data: ChoiceData) -> pd.DataFrame:
    """How often each level of a categorical attribute was shown and chosen: attribute, level, shown, chosen."""
    picked = np.zeros(len(data.X), dtype=bool)
    picked[data.chosen] = True
    rows = []
    for attribute in data.attributes:
        if attribute.numeric:
            continue
        columns = np.flatnonzero(np.abs(attribute.contrasts).sum(axis=0))
        values = data.X[:, columns]
        real = data.X[:, data.none] == 0 if data.none is not None else np.ones(len(values), dtype=bool)
        for level, contrast in zip(attribute.levels, attribute.contrasts[:, columns], strict=True):
            here = real & (values == contrast).all(axis=1)
            rows.append((attribute.name, str(level), int(here.sum()), int((here & picked).sum())))
    return pd.DataFrame(rows, columns=["attribute", "level", "shown", "chosen"])


def level_notes(counts: pd.DataFrame) -> tuple[Note, ...]:
    """Levels that are seldom chosen or shown; never and always are the business of `separation`."""
    rare = counts[(counts["chosen"] > 0) & (counts["chosen"] < counts["shown"])]
    rare = rare[(rare["chosen"] < FEWEST_CHOSEN) | (rare["shown"] < FEWEST_SHOWN)]
    return tuple(Note("rare_level", "warning", _RARE, row) for row in _records(rare))


def separation(data: ChoiceData, counts: pd.DataFrame) -> tuple[Note, ...]:
    """Directions along which the likelihood rises for ever.

    Maximise sum z'g over z = x_chosen - x_other subject to z'g >= 0, -1 <= g <= 1 (Albert and Anderson 1984; Konis 2007). Such g
    form a cone, so the optimum is 0 or lies on the bounds: (quasi-)separation, whose support names the columns.
    """
    others = np.setdiff1d(np.arange(len(data.X)), data.chosen)
    scale = data.extents[1]
    differences = (data.centred[data.chosen][data.task_of_row[others]] - data.centred[others]) / scale
    differences = np.unique(np.round(differences, 9), axis=0)
    total = differences.sum(axis=0)
    found = linprog(-total, A_ub=-differences, b_ub=np.zeros(len(differences)), bounds=(-1, 1), method="highs")
    # On the bounds or not tells more safely than the value, in which the solver's tolerance adds up over the rows.
    if found.status != 0 or np.abs(found.x).max() < 0.5 or -found.fun <= 1e-6:
        return ()
    columns = [name for name, g in zip(data.names, found.x, strict=True) if abs(g) > 1e-9]
    one_sided = counts[(counts["chosen"] == 0) | (counts["chosen"] == counts["shown"])]
    if one_sided.empty:
        return (Note("separated", "stop", _SEPARATED, {"columns": ", ".join(columns)}),)
    return tuple(
        Note("one_sided", "stop", _ONE_SIDED, {**row, "how": "always chosen" if row["chosen"] else "never chosen"})
        for row in _records(one_sided)
    )


def _records(counts: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in counts.to_dict("records")]


def price_note(estimate: float, std_error: float) -> tuple[Note, ...]:
    """Withhold money figures unless the upper 95 per cent bound of the price coefficient lies below 0."""
    upper = estimate + 1.959964 * std_error
    return (Note("price_not_negative", "stop", _PRICE, {"estimate": estimate, "upper": upper}),) if upper >= 0 else ()


def few_clusters(respondents: int) -> tuple[Note, ...]:
    """Clustered standard errors need clusters."""
    if respondents >= FEW_CLUSTERS:
        return ()
    values = {"respondents": respondents, "limit": FEW_CLUSTERS, "df": respondents - 1}
    return (Note("few_clusters", "warning", _CLUSTERS, values),)


def sample_size_notes(respondents: int) -> tuple[Note, ...]:
    """What a sample of this size may be used for."""
    if respondents < SMALLEST_SAMPLE:
        return (Note("too_small", "stop", _TOO_SMALL, {"respondents": respondents, "limit": SMALLEST_SAMPLE}),)
    if respondents < FULL_SAMPLE:
        return (Note("indication", "warning", _INDICATION, {"respondents": respondents, "limit": FULL_SAMPLE}),)
    return ()


def ordered_separation(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(K,) columns along which an ordered likelihood rises for ever: the linear program of `separation`, with cut points.

    Raising g and cuts d helps every rating c of a profile x if d_c - x'g >= 0 >= d_(c-1) - x'g; a profile's lowest and highest rating suffice.
    """
    last, k = int(codes.max()), X.shape[1]
    cut = np.eye(last)

    def slack(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        up, down = low < last, high > 0
        return np.vstack([np.hstack([-x[up], cut[low[up]]]), np.hstack([x[down], -cut[high[down] - 1]])])

    profiles, place = np.unique(X, axis=0, return_inverse=True)
    ratings = pd.Series(codes).groupby(place.ravel())
    ascending = np.hstack([np.zeros((last - 1, k)), cut[1:] - cut[:-1]])
    tight = np.vstack([slack(profiles, ratings.min().to_numpy(), ratings.max().to_numpy()), ascending])
    gain = slack(X, codes, codes).mean(axis=0)
    found = linprog(-gain, A_ub=-tight, b_ub=np.zeros(len(tight)), bounds=(-1, 1), method="highs")
    none = found.status != 0 or np.abs(found.x).max() < 0.5
    return np.zeros(k, dtype=bool) if none else np.asarray(np.abs(found.x[:k]) > 1e-9)
