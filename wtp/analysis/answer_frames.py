"""Answers as frames, one row a respondent who answered: gathered once for everybody, after which segments are rows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from wtp.survey.answers import Respondent
from wtp.survey.attributes import Attribute
from wtp.survey.pages import BestWorstPage, ProfileRatingPage
from wtp.survey.questions import (
    KANO_ITEMS,
    UNSURE,
    ConstantSum,
    Kano,
    MultipleChoice,
    Number,
    OpenText,
    Question,
    Ranking,
    Rating,
    SingleChoice,
    TimeGrid,
)

_LEFT_EARLY = ("screened_out", "over_quota")


def belongs(respondent: Respondent) -> bool:
    """Whether somebody belongs to the study; who was screened out, or came when a quota was full, does not."""
    return respondent.outcome not in _LEFT_EARLY


def _table(rows: dict[int, Any], columns: Sequence[str]) -> pd.DataFrame:
    index = pd.Index(list(rows), name="respondent")
    return pd.DataFrame(list(rows.values()), index=index, columns=list(columns))


def _picked(options: Sequence[str], rows: dict[int, Sequence[str]]) -> pd.DataFrame:
    """0 or 1 for each option."""
    return _table({number: [float(o in picks) for o in options] for number, picks in rows.items()}, options)


def _single(question: SingleChoice, given: dict[int, Any]) -> pd.DataFrame:
    options = [option.id for option in question.options] + ([UNSURE] if question.unsure else [])
    return _picked(options, {number: (value,) for number, value in given.items()})


def _several(question: MultipleChoice, given: dict[int, Any]) -> pd.DataFrame:
    return _picked([option.id for option in question.options], given)


def _times(question: TimeGrid, given: dict[int, Any]) -> pd.DataFrame:
    """Columns (day, band)."""
    cells = [(day.id, band.id) for day in question.days for band in question.bands]
    rows = {n: [float(band in value.get(day, ())) for day, band in cells] for n, value in given.items()}
    frame = _table(rows, [f"{day}.{band}" for day, band in cells])
    return frame.set_axis(pd.MultiIndex.from_tuples(cells), axis=1)


def _items(question: Rating | ConstantSum, given: dict[int, Any]) -> pd.DataFrame:
    ids = [item.id for item in question.items]
    return _table({number: [value.get(item) for item in ids] for number, value in given.items()}, ids).astype(float)


def _ranks(question: Ranking, given: dict[int, Any]) -> pd.DataFrame:
    ids = [item.id for item in question.items]
    rows = {n: [value.index(i) + 1 if i in value else None for i in ids] for n, value in given.items() if value}
    return _table(rows, ids).astype(float)


def _number(question: Number, given: dict[int, Any]) -> pd.DataFrame:
    """value, NaN for "do not know"."""
    return _table({n: [None if value == UNSURE else value] for n, value in given.items()}, ["value"]).astype(float)


def _kano(question: Kano, given: dict[int, Any]) -> pd.DataFrame:
    rows = {n: [value.get(half) for half in KANO_ITEMS] for n, value in given.items()}
    return _table(rows, KANO_ITEMS).astype(float).dropna()


def _text(question: OpenText, given: dict[int, Any]) -> pd.DataFrame:
    """1 where somebody wrote something; the words themselves are in the export alone."""
    return _table({number: [float(bool(str(value).strip()))] for number, value in given.items()}, ["value"])


FRAMES: dict[str, Callable[[Any, dict[int, Any]], pd.DataFrame]] = {
    "single_choice": _single,
    "multiple_choice": _several,
    "time_grid": _times,
    "rating": _items,
    "constant_sum": _items,
    "ranking": _ranks,
    "number": _number,
    "kano": _kano,
    "text": _text,
}


def answer_frame(question: Question, respondents: Sequence[Respondent]) -> pd.DataFrame:
    """The answers to one question of a type in `FRAMES`, one row a respondent who answered it; of an open text, who was asked."""
    asked = isinstance(question, OpenText)
    given = {r.number: r.answers.get(question.id) for r in respondents if question.id in r.answers}
    return FRAMES[question.type](
        question, {n: v or "" if asked else v for n, v in given.items() if asked or v is not None}
    )


def best_worst_frame(page: BestWorstPage, respondents: Sequence[Respondent]) -> pd.DataFrame:
    """respondent, choice_task, item, best, worst, anchor: one row an item shown; items in the author's order."""
    rows = [
        (r.number, n, item, item == answer["best"], item == answer["worst"], answer.get("anchor"))
        for r in respondents
        for n in range(1, page.tasks + 1)
        if (answer := r.answers.get(f"{page.id}-{n}"))
        for item in answer["shown"]
    ]
    frame = pd.DataFrame(rows, columns=["respondent", "choice_task", "item", "best", "worst", "anchor"])
    frame["item"] = pd.Categorical(frame["item"], categories=[item.id for item in page.items])
    return frame[frame["item"].notna()]


def rated_frame(
    page: ProfileRatingPage, attributes: Sequence[Attribute], respondents: Sequence[Respondent]
) -> pd.DataFrame:
    """respondent, rating, price, one column an attribute: one row a rated offer."""
    rows = [
        (r.number, float(answer["rating"]), answer["shown"]["price"], *(answer["shown"][a.id] for a in attributes))
        for r in respondents
        for n in range(1, page.profiles + 1)
        if (answer := r.answers.get(f"{page.id}-{n}")) and answer.get("rating") is not None
    ]
    frame = pd.DataFrame(rows, columns=["respondent", "rating", "price", *(a.id for a in attributes)])
    for attribute in attributes:
        frame[attribute.id] = pd.Categorical(frame[attribute.id], categories=list(attribute.level_ids))
    return frame
