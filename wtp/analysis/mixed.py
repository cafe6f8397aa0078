"""The mixed logit of a study: tastes that are normal over respondents, prices that deter everybody, segment by segment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from wtp.analysis.choice_frame import choice_frame, formula
from wtp.analysis.hierarchical import by_customers
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, MixedLogit, MixedLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE, Note
from wtp.estimation.hierarchical import Progress
from wtp.estimation.parallel import each
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

_DRAWS = 512
_NOT_ESTIMATED = "The mixed logit was not estimated, so amounts come from one average taste a segment: {reason}"
_MODEL = (
    "Tastes are told by a mixed logit: normal over respondents, each attribute by itself; price limits are preliminary."
)


def mixed_logits(
    definition: Definition,
    groups: Mapping[str, Sequence[Respondent]],
    *,
    seed: int,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Mapping[str, MixedLogitResults], tuple[Note, ...]]:
    """Fits by segment name of everybody ("all") and of each segment that is large enough; empty with a note where that cannot be."""
    fits: dict[str, MixedLogitResults] = {}
    notes: list[Note] = []
    large = {name: own for name, own in groups.items() if len(own) >= FULL_SAMPLE}
    random = {attribute.id: "normal" for attribute in definition.attributes} | {"price": "-lognormal"}
    began = time.perf_counter()

    def pieces() -> Iterator[tuple[ChoiceData, Mapping[str, str], int]]:
        for number, data in enumerate(known.values()):
            if progress is not None:
                seconds = time.perf_counter() - began
                left = seconds / number * (len(known) - number) if number else np.nan
                progress(Progress(number, len(known), False, seconds, left, np.nan, np.nan, number + 1, len(known)))
            yield data, random | ({data.names[data.none]: "normal"} if data.none is not None else {}), seed

    known: dict[str, ChoiceData] = {}
    found: dict[str, MixedLogitResults | str] = {}
    for name, own in large.items():
        try:
            data = ChoiceData.from_long(choice_frame(definition, own), formula=formula(definition))
        except (DataError, EstimationError) as error:
            found[name] = str(error)
        else:
            known[name] = by_customers(data, definition, groups) if name == ALL else data
    found |= zip(known, each(_fit, pieces(), threads=False), strict=True)
    for name in large:
        fit = found[name]
        if isinstance(fit, str):
            notes.append(Note("not_estimated", "warning", _NOT_ESTIMATED, {"reason": fit}, name))
        else:
            fits[name] = fit
            notes.append(Note("mixed_logit", "info", _MODEL, {}, name))
            notes += [note.in_segment(name) for note in fit.notes]
    return (fits if ALL in fits else {}), tuple(notes)


def _fit(data: ChoiceData, random: Mapping[str, str], seed: int) -> MixedLogitResults | str:
    """The fit, or why there is none."""
    try:
        return MixedLogit(data, random).fit(_DRAWS, seed)
    except (DataError, EstimationError) as error:
        return str(error)
