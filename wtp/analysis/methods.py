"""One comparison of all ways of asking what matters: ratings, best-worst tasks, points, places, rated offers and choices of the same respondents.

Items of best-worst pages, constant sums and rankings take part if their ids are those of attributes (the price included). How much an attribute matters: the mean rating, the utility of
the item, the geometric centre of its points, minus its mean place, and of choices and rated offers its importance, the range of its part-worths. The choices are what the others are held against:
"said important, does not pay" is an attribute that they rank clearly lower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wtp.analysis.answer_frames import answer_frame, belongs
from wtp.analysis.disclosure import told
from wtp.analysis.record import ALL, Request
from wtp.estimation import BestWorstResults, RatingResults, ranking_table
from wtp.estimation.agreement import Method, method_ranks, rank_correlations
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.importance import importance_draws
from wtp.estimation.stated_importance import log_shares, resampled
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.questions import ConstantSum, Ranking, Rating

CHOICES, RATINGS, BEST_WORST, POINTS, PLACES, RATED = (
    "choices",
    "ratings",
    "best_worst",
    "points",
    "places",
    "rated_offers",
)
_DRAWS = 1_000


def method_tables(
    definition: Definition,
    groups: Mapping[str, Sequence[Respondent]],
    request: Request,
    *,
    choices: Mapping[str, ConditionalLogitResults],
    best_worst: Mapping[tuple[str, str], BestWorstResults],
    rated: Mapping[tuple[str, str], RatingResults],
) -> dict[str, pd.DataFrame]:
    """`methods`: ranks by segment, method, attribute and the verdict against the choices; `method_agreement`: rank correlations of every pair of methods. None with a single method."""
    ranks, correlations = [], []
    said = _said(definition, groups, request)
    for name in groups:
        methods = {CHOICES: _chosen(choices[name], request)} if name in choices else {}
        methods |= said.get(name, {})
        items = (_items(definition, fit, request) for (segment, _), fit in best_worst.items() if segment == name)
        offers = (_chosen(fit, request) for (segment, _), fit in rated.items() if segment == name)
        for method, fitted in ((BEST_WORST, items), (RATED, offers)):
            first = next(filter(None, fitted), None)
            methods |= {method: first} if first else {}
        pairs = rank_correlations(methods, confidence=request.confidence)
        if pairs.empty:
            continue
        correlations.append(pairs.assign(segment=name))
        ranks.append(method_ranks(methods, reference=CHOICES, confidence=request.confidence).assign(segment=name))
    tables = {"methods": ranks, "method_agreement": correlations}
    return {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items() if frames}


def _attributes(definition: Definition) -> list[str]:
    return [attribute.id for attribute in definition.attributes] + ["price"]


def _chosen(fit: ConditionalLogitResults | RatingResults, request: Request) -> Method:
    return Method(*importance_draws(fit, _DRAWS, request.seed))


def _items(definition: Definition, fit: BestWorstResults, request: Request) -> Method | None:
    known = _attributes(definition)
    at = [n for n, item in enumerate(fit.data.items) if item in known]
    if not at:
        return None
    contrasts = fit.data.contrasts[at]
    drawn = np.asarray(fit.simulate(_DRAWS, request.seed).values[:, 0])
    return Method([str(fit.data.items[n]) for n in at], contrasts @ fit.params.to_numpy(), drawn @ contrasts.T)


def _said(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], request: Request
) -> dict[str, dict[str, Method]]:
    """Methods by segment of the first importance rating, constant sum and ranking whose items are attributes."""
    known = _attributes(definition)
    people = [r for r in groups[ALL] if belongs(r)]
    found: dict[str, dict[str, Method]] = {}
    for kind, method in ((Rating, RATINGS), (ConstantSum, POINTS), (Ranking, PLACES)):
        for question in definition.questions:
            if not isinstance(question, kind) or not {item.id for item in question.items} <= set(known):
                continue
            if getattr(question, "measures", None) != ("importance" if kind is Rating else None):
                continue
            frame = answer_frame(question, people)
            frame = frame if isinstance(question, Ranking) else frame.dropna()
            parts = {name: frame[frame.index.isin([r.number for r in own])] for name, own in groups.items()}
            for name in told({name: len(part) for name, part in parts.items()}):
                found.setdefault(name, {}).setdefault(method, _of_answers(method, parts[name], request))
    return found


def _of_answers(method: str, frame: pd.DataFrame, request: Request) -> Method:
    items = list(map(str, frame.columns))
    if method == PLACES:
        result = ranking_table(frame, replicates=_DRAWS, seed=request.seed)
        return Method(items, -result.table["place"].to_numpy(), result.draws)
    values = frame.to_numpy(dtype=float)
    values = log_shares(values, float(values.sum(axis=1)[0])) if method == POINTS else values
    return Method(items, values.mean(axis=0), resampled(values, _DRAWS, request.seed))
