"""Pages that ask several times over: best-worst tasks and rated offers, each estimated for everybody and for every segment with 30 respondents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wtp.analysis.answer_frames import belongs, best_worst_frame, rated_frame
from wtp.analysis.disclosure import told
from wtp.analysis.money import steps_from_current
from wtp.analysis.record import ALL, Request
from wtp.errors import DataError, EstimationError
from wtp.estimation import (
    BestWorstLogit,
    BestWorstResults,
    RatingConjoint,
    RatingResults,
    best_worst_choices,
    item_table,
)
from wtp.estimation.conditional_results import quantile
from wtp.estimation.diagnostics import Note
from wtp.pricing import Step, willingness_to_pay
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.pages import BestWorstPage, ProfileRatingPage

_NOT_FITTED = "The answers on page {page} could not be used: {reason}"
_LEAST_SQUARES = "The rated offers on page {page} do not carry the mixed model, or its search did not arrive: they are analysed by least squares within respondents."
_RATED_NOTES = ("dropped", "flat_ratings", "not_converged", "least_squares")
_FEWEST_RATINGS = 4  # a respondent, on average
_DRAWS = 2_000
Fits = dict[tuple[str, str], BestWorstResults] | dict[tuple[str, str], RatingResults]


def best_worst_tables(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], request: Request
) -> tuple[dict[str, pd.DataFrame], dict[tuple[str, str], BestWorstResults], tuple[Note, ...]]:
    """`best_worst`: segment, question (the page), item, utility, share, with an anchor matters, each with its interval; shown, best, worst, respondents. Fits by (segment, page)."""
    frames, fits, notes = [], {}, []
    for page in definition.pages:
        if not isinstance(page, BestWorstPage):
            continue
        for name, frame in _by_segment(best_worst_frame(page, _people(groups)), groups):
            try:
                data = best_worst_choices(frame, anchor="anchor" if page.anchor else None)
                fit = BestWorstLogit(data).fit()
                table = item_table(fit, confidence=request.confidence, draws=_DRAWS, seed=request.seed)
            except (DataError, EstimationError) as error:
                notes.append(_note(page.id, error, name))
                continue
            notes += [note.in_segment(name) for note in fit.notes if note.code in ("rare_item", "anchor_missing")]
            fits[name, page.id] = fit
            table = table.merge(data.counts[["item", "shown", "best", "worst"]], on="item")
            frames.append(_headed(table, name, page.id).assign(respondents=frame["respondent"].nunique()))
    return _as_table("best_worst", frames), fits, tuple(notes)


def rated_offer_tables(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], request: Request
) -> tuple[dict[str, pd.DataFrame], dict[tuple[str, str], RatingResults], tuple[Note, ...]]:
    """`rated_offers`: segment, question (the page), attribute, from_level, to_level, points, points_low, points_high, estimate, low, high, note, respondents.

    points: of the rating scale, against today's level; estimate: the change of the price that would move the rating as much, relative, since nothing was to be bought. Also one row for the
    whole tested price range, points alone. Fits by (segment, page).
    """
    frames, fits, notes = [], {}, []
    terms = " + ".join(f"`{attribute.id}`" for attribute in definition.attributes)
    steps = steps_from_current(definition)
    for page in definition.pages:
        if not isinstance(page, ProfileRatingPage):
            continue
        for name, frame in _by_segment(rated_frame(page, definition.attributes, _people(groups)), groups):
            try:
                fit, said = _rated(frame, f"{terms} + price", page.id)
                table = _points(fit, steps, definition.price.levels, request)
                worth = willingness_to_pay(
                    fit, steps=steps, draws=_DRAWS, confidence=request.confidence, seed=request.seed
                )
            except (DataError, EstimationError) as error:
                notes.append(_note(page.id, error, name))
                continue
            notes += [n.in_segment(name) for n in (*said, *fit.notes) if n.code in _RATED_NOTES]
            fits[name, page.id] = fit
            columns = ["attribute", "from_level", "to_level", "estimate", "low", "high", "note"]
            table = table.merge(worth[columns], on=columns[:3], how="left").fillna({"note": ""})
            frames.append(_headed(table, name, page.id).assign(respondents=fit.respondents))
    return _as_table("rated_offers", frames), fits, tuple(notes)


def _rated(frame: pd.DataFrame, formula: str, page: str) -> tuple[RatingResults, tuple[Note, ...]]:
    """The mixed model, in which respondents differ in level and in what they want; least squares within respondents, with a note, where the answers do not carry it."""
    ratings = len(frame.dropna(subset=["rating"]))
    if ratings >= _FEWEST_RATINGS * frame["respondent"].nunique():
        try:
            fit = RatingConjoint(frame, formula, method="components").fit()
        except EstimationError:
            fit = None
        if fit is not None and fit.converged:
            return fit, ()
    note = Note("least_squares", "info", _LEAST_SQUARES, {"page": page})
    return RatingConjoint(frame, formula, method="ols").fit(), (note,)


def _people(groups: Mapping[str, Sequence[Respondent]]) -> list[Respondent]:
    return [r for r in groups[ALL] if belongs(r)]


def _by_segment(frame: pd.DataFrame, groups: Mapping[str, Sequence[Respondent]]) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each segment that may be shown."""
    rows = {name: frame["respondent"].isin([r.number for r in own]) for name, own in groups.items()}
    sizes = {name: frame.loc[here, "respondent"].nunique() for name, here in rows.items()}
    return [(name, frame[rows[name]]) for name in told(sizes)]


def _points(fit: RatingResults, steps: Sequence[Step], prices: Sequence[float], request: Request) -> pd.DataFrame:
    """Rating points of each step and of the whole tested price range, with intervals."""
    rows, labels = [], []
    levels = {attribute.name: attribute for attribute in fit.data.attributes}
    for step in steps:
        own = levels[step.attribute]
        place = {level: n for n, level in enumerate(own.levels)}
        if step.from_level not in place or step.to_level not in place:
            continue
        rows.append(own.contrasts[place[step.to_level]] - own.contrasts[place[step.from_level]])
        labels.append((step.attribute, step.from_level, step.to_level))
    price = np.zeros(len(fit.data.names))
    price[fit.data.names.index("price")] = prices[-1] - prices[0]
    contrasts = np.vstack([*rows, price])
    labels.append(("price", f"{prices[0]:.15g}", f"{prices[-1]:.15g}"))
    points = contrasts @ fit.params.to_numpy()
    half = quantile(fit, request.confidence) * np.sqrt(np.einsum("sk,kj,sj->s", contrasts, fit.cov_params(), contrasts))
    table = pd.DataFrame(labels, columns=["attribute", "from_level", "to_level"])
    return table.assign(points=points, points_low=points - half, points_high=points + half)


def _headed(table: pd.DataFrame, segment: str, page: str) -> pd.DataFrame:
    table.insert(0, "segment", segment)
    table.insert(1, "question", page)
    return table


def _as_table(name: str, frames: Sequence[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: pd.concat(frames, ignore_index=True)} if frames else {}


def _note(page: str, error: Exception, segment: str) -> Note:
    return Note("page", "warning", _NOT_FITTED, {"page": page, "reason": str(error)}, segment)
