"""What respondents answered beside the choices, question by question and by segment: shares, numbers, ratings, points, places, Kano categories.

Segments with fewer than 30 answers to a question are withheld, and those from which so few could be worked out (`disclosure`). Open texts are counted alone; the words are in the export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from wtp.analysis.answer_frames import FRAMES, answer_frame, belongs
from wtp.analysis.disclosure import told
from wtp.analysis.record import ALL, Request
from wtp.errors import DataError
from wtp.estimation import constant_sum, kano, ranking_table
from wtp.estimation.diagnostics import SMALLEST_SAMPLE, Note
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.measures import EXPECTATION, EXPERIENCE, SCRIPT
from wtp.survey.questions import (
    INTERRUPTION_WINDOW,
    PROCESS_SATISFACTION,
    PROCESS_STEPS,
    SERVICE_WINDOW,
    ConstantSum,
    Question,
)

_REPLICATES = 1_000
_BLOCK = 4_000_000  # numbers of a bootstrap at a time
# What these measure has tables and sections of its own.
ELSEWHERE = (
    *("purchase_intent", EXPECTATION, EXPERIENCE, SCRIPT),
    *(PROCESS_STEPS, PROCESS_SATISFACTION, SERVICE_WINDOW, INTERRUPTION_WINDOW),
)
_NOT_USED = "Question {question}: {reason}"


def question_tables(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], request: Request
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Tables by name, each with the columns segment and question first, and notes."""
    members = {name: [r.number for r in own if belongs(r)] for name, own in groups.items()}
    people = [r for r in groups[ALL] if belongs(r)]
    found: dict[str, list[pd.DataFrame]] = {}
    notes: list[Note] = []
    for question in definition.questions:
        if question.type not in FRAMES or getattr(question, "measures", None) in ELSEWHERE:
            continue
        frame = answer_frame(question, people)
        parts = {name: frame[frame.index.isin(own)] for name, own in members.items()}
        table, make = _MAKERS[question.type]
        for name in told({name: len(part) for name, part in parts.items()}):
            try:
                made, more = make(question, parts[name], request)
            except DataError as error:
                notes.append(
                    Note("question", "warning", _NOT_USED, {"question": question.id, "reason": str(error)}, name)
                )
                continue
            made.insert(0, "segment", name)
            made.insert(1, "question", question.id)
            found.setdefault(table, []).append(made.assign(respondents=len(parts[name])))
            notes += [note.in_segment(name) for note in more]
    return {name: pd.concat(frames, ignore_index=True) for name, frames in found.items()}, tuple(notes)


_Made = tuple[pd.DataFrame, Sequence[Note]]


def _shares(question: Question, frame: pd.DataFrame, request: Request) -> _Made:
    """item (the day of a time grid), answer, count, share with its Wilson (1927) interval."""
    counts, n = frame.sum(), len(frame)
    low, high = proportion_confint(counts.to_numpy(), n, alpha=1 - request.confidence, method="wilson")
    cells = frame.columns if isinstance(frame.columns, pd.MultiIndex) else [("", answer) for answer in frame.columns]
    table = pd.DataFrame(list(cells), columns=["item", "answer"])
    return table.assign(count=counts.to_numpy().astype(int), share=counts.to_numpy() / n, low=low, high=high), ()


def _numbers(question: Question, frame: pd.DataFrame, request: Request) -> _Made:
    """middle: the median with its bootstrap interval; mean, quartiles, and how many do not know."""
    values = frame["value"].dropna().to_numpy()
    unsure = len(frame) - len(values)
    nothing = float("nan")
    row = dict.fromkeys(("middle", "low", "high", "mean", "lower_quartile", "upper_quartile"), nothing)
    if len(values) >= SMALLEST_SAMPLE:
        tail = (1 - request.confidence) / 2
        low, high = np.quantile(_medians(values, request.seed), [tail, 1 - tail])
        lower, upper = np.quantile(values, [0.25, 0.75])
        row = {"middle": float(np.median(values)), "low": low, "high": high, "mean": float(values.mean()), "lower_quartile": lower, "upper_quartile": upper}  # fmt: skip
    return pd.DataFrame([row | {"unsure": unsure}]), ()


def _medians(values: np.ndarray, seed: int) -> np.ndarray:
    """Medians of samples drawn with replacement."""
    rng, n = np.random.default_rng([seed, 8]), len(values)
    size = max(1, _BLOCK // n)
    sizes = [min(size, _REPLICATES - done) for done in range(0, _REPLICATES, size)]
    return np.concatenate([np.median(values[rng.integers(0, n, (part, n))], axis=1) for part in sizes])


def _ratings(question: Question, frame: pd.DataFrame, request: Request) -> _Made:
    """item, mean with its t interval, how many do not know."""
    rows = []
    for item in frame.columns:
        values = frame[item].dropna()
        enough = len(values) >= SMALLEST_SAMPLE
        mean = float(values.mean()) if enough else float("nan")
        varies = enough and values.std() > 0
        low, high = DescrStatsW(values).tconfint_mean(alpha=1 - request.confidence) if varies else (mean, mean)
        rows.append((item, mean, low, high, len(frame) - len(values)))
    return pd.DataFrame(rows, columns=["item", "mean", "low", "high", "unsure"]), ()


def _points(question: ConstantSum, frame: pd.DataFrame, request: Request) -> _Made:
    """As `constant_sum`: item, mean, centre, low, high, zeros and ranks."""
    long = frame.rename_axis("respondent").reset_index().melt("respondent", var_name="item", value_name="points")
    result = constant_sum(
        long, total=question.total, confidence=request.confidence, replicates=_REPLICATES, seed=request.seed
    )
    return result.table, [note for note in result.notes if note.code != "few"]


def _places(question: Question, frame: pd.DataFrame, request: Request) -> _Made:
    """As `ranking_table`: item, first, share and place with intervals; agreement is Kendall's W of the question."""
    result = ranking_table(frame, confidence=request.confidence, replicates=_REPLICATES, seed=request.seed)
    w, low, high = result.agreement
    return result.table.assign(agreement=w, agreement_low=low, agreement_high=high), result.notes


def _kano(question: Question, frame: pd.DataFrame, request: Request) -> _Made:
    """Counts by category, the category if it clearly leads (Fong), better and worse with intervals."""
    result = kano(
        frame["with"].to_numpy(), frame["without"].to_numpy(), confidence=request.confidence, seed=request.seed
    )
    row: dict[str, Any] = {**result.counts, "category": result.category, "decided": result.decided}
    for name, figures in (("better", result.better), ("worse", result.worse)):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), figures, strict=True))
    return pd.DataFrame([row]), ()


def _texts(question: Question, frame: pd.DataFrame, request: Request) -> _Made:
    """How many wrote something."""
    return _shares(question, frame.rename(columns={"value": "answered"}), request)[0].drop(columns="item"), ()


_MAKERS: dict[str, tuple[str, Callable[[Any, pd.DataFrame, Request], _Made]]] = {
    "single_choice": ("answer_shares", _shares),
    "multiple_choice": ("answer_shares", _shares),
    "time_grid": ("answer_shares", _shares),
    "number": ("answer_numbers", _numbers),
    "rating": ("answer_ratings", _ratings),
    "constant_sum": ("constant_sums", _points),
    "ranking": ("rankings", _places),
    "kano": ("kano", _kano),
    "text": ("answer_texts", _texts),
}
