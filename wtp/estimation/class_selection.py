"""How many latent classes: the criteria over a range of numbers, a rule, and a sentence.

Rule: the lowest BIC (ln of the respondents) among the numbers of classes whose fit arrived at a finite optimum and whose smallest class holds 30
respondents and 8 per cent; among those within 10 points of it the fewest classes. There is no likelihood-ratio test: one class less lies on the boundary,
where its distribution is not chi-square. AIC3 and CAIC stand beside BIC: AIC3 tends to more, CAIC to fewer classes (Andrews and Currim 2003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from wtp.errors import EstimationError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import Note
from wtp.estimation.latent_class import LatentClassLogit, StartProgress
from wtp.estimation.latent_results import LatentClassResults, smallest_class

NEAR = 10.0
_CHOSEN = "{classes} classes: the lowest BIC ({bic:.1f}) of {tried}."
_FEWER = "{classes} classes: BIC {bic:.1f}, within {near:.0f} points of the lowest ({lowest:.1f} at {other} classes), so fewer classes say as much."
_TOO_SMALL = "BIC is lower with {classes} classes ({bic:.1f}), but the smallest then holds {respondents:.0f} respondents ({share:.1%}): too few to act on."
_NO_BOUNDS = "BIC is lower with {classes} classes ({bic:.1f}), but the part-worths of a class then have no bounds."
_NONE = "No number of classes of {tried} has classes large enough to act on (at least {limit:.0f} respondents); collect more answers or use one class."


@dataclass(frozen=True, eq=False, slots=True)
class ClassSelection:
    """Fits over a range of class numbers.

    table: classes, log_likelihood, parameters, aic, bic, caic, aic3, entropy_r2, smallest_share, best_found_in_starts, converged: one row a number
    of classes. classes: the number chosen, None if no number will do. verdict: why. notes: which number was passed over, and why. fits: by number of classes.
    """

    table: pd.DataFrame
    classes: int | None
    verdict: Note
    notes: tuple[Note, ...]
    fits: Mapping[int, LatentClassResults]

    @property
    def best(self) -> LatentClassResults:
        """The fit with the chosen number of classes. Raises EstimationError if none will do."""
        if self.classes is None:
            raise EstimationError(str(self.verdict))
        return self.fits[self.classes]


def select_classes(
    data: ChoiceData,
    classes: Iterable[int] = range(1, 7),
    *,
    membership: Sequence[str] | None = None,
    starts: int = 10,
    seed: int = 1,
    progress: Callable[[int, StartProgress], None] | None = None,
) -> ClassSelection:
    """Fit every number of classes, and choose one.

    progress: called with the number of classes being fitted, and how far it is. Raises EstimationError for numbers that are none, or that the
    respondents do not suffice for.
    """
    numbers = sorted(set(classes))
    if not numbers:
        raise EstimationError(
            "classes: no number; allowed: one or more whole numbers from 1; name a range such as 1-6."
        )
    models = {number: LatentClassLogit(data, number, membership) for number in numbers}
    fits = {
        number: model.fit(starts, seed, None if progress is None else partial(progress, number))
        for number, model in models.items()
    }
    table = pd.DataFrame([_row(number, fit) for number, fit in fits.items()])
    chosen, verdict, notes = _choose(fits)
    return ClassSelection(table, chosen, verdict, notes, fits)


def _row(number: int, fit: LatentClassResults) -> dict[str, object]:
    return {
        "classes": number,
        "log_likelihood": fit.llf,
        "parameters": fit.df_model,
        "aic": fit.aic,
        "bic": fit.bic,
        "caic": fit.caic,
        "aic3": fit.aic3,
        "entropy_r2": fit.entropy_r2,
        "smallest_share": fit.smallest_share,
        "best_found_in_starts": fit.best_found,
        "converged": fit.converged,
    }


def _choose(fits: Mapping[int, LatentClassResults]) -> tuple[int | None, Note, tuple[Note, ...]]:
    people = next(iter(fits.values())).respondents
    limit = smallest_class(people)
    bounded = {n: fit.converged and not fit.ridge for n, fit in fits.items()}
    usable = [n for n, fit in fits.items() if bounded[n] and (n == 1 or fit.smallest_share * people >= limit)]
    bic = {n: float(fit.bic) for n, fit in fits.items()}
    tried = ", ".join(map(str, fits))
    if not usable:
        return None, Note("no_classes", "warning", _NONE, {"tried": tried, "limit": limit}), ()
    lowest = min(usable, key=lambda n: bic[n])
    chosen = min(n for n in usable if bic[n] <= bic[lowest] + NEAR)
    values = {
        "classes": chosen,
        "bic": bic[chosen],
        "tried": tried,
        "near": NEAR,
        "lowest": bic[lowest],
        "other": lowest,
    }
    verdict = Note("classes", "info", _CHOSEN if chosen == lowest else _FEWER, values)
    passed_over = [n for n in fits if n not in usable and bic[n] < bic[lowest]]
    if not passed_over:
        return chosen, verdict, ()
    other = min(passed_over, key=lambda n: bic[n])
    share = fits[other].smallest_share
    values = {"classes": other, "bic": bic[other], "share": share, "respondents": share * people}
    return chosen, verdict, (Note("passed_over", "info", _TOO_SMALL if bounded[other] else _NO_BOUNDS, values),)
