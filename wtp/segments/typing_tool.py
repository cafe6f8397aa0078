"""A typing tool: the few questions that tell to which segment somebody belongs, with an honest hit rate.

Naive Bayes over the answers (each counted with one more respondent, so that nothing is impossible), questions added one by one as long as the hit rate in cross-validation grows.
The selection is repeated within each fold of an outer cross-validation: that hit rate is the one to expect of new people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.segments.profile import is_number

_FOLDS = 10
_BANDS = 4
_LEAST_GAIN = 0.005


@dataclass(frozen=True, slots=True)
class TypingTool:
    """questions: step, question, hit_rate (in cross-validation, after this question). hit_rate: to expect of new people; chance: of always naming the largest segment.

    scores: segment, question, answer, score; a person belongs where the sum of his answers' scores (and of the rows without a question) is highest.
    """

    questions: pd.DataFrame
    hit_rate: float
    chance: float
    scores: pd.DataFrame

    def segment_of(self, answers: dict[str, object]) -> str:
        """The segment of somebody with these answers (question -> answer); unknown answers count for nothing."""
        table = self.scores
        base = table[table["question"] == ""]
        total = dict(zip(base["segment"], base["score"], strict=True))
        for question, answer in answers.items():
            rows = table[(table["question"] == question) & (table["answer"] == str(answer))]
            for segment, score in zip(rows["segment"], rows["score"], strict=True):
                total[segment] += score
        return str(max(total, key=total.__getitem__))


def typing_tool(segments: pd.Series, answers: pd.DataFrame, *, most: int = 4, seed: int = 0) -> TypingTool:
    """Choose up to `most` questions (columns of answers, by respondent) that predict the segment. Numbers are cut into four bands.

    Raises DataError for fewer than two segments or 20 respondents.
    """
    known = segments.dropna()
    frame = answers.reindex(known.index)
    codes, names = pd.factorize(known.to_numpy(), sort=True)
    if len(names) < 2 or len(codes) < 2 * _FOLDS:
        raise DataError(
            f"typing tool: {len(names)} segments, {len(codes)} respondents; allowed: 2 or more, {2 * _FOLDS} or more; ask more people."
        )
    columns, labels = _coded(frame)
    rng = np.random.default_rng([seed, 31])
    folds = rng.permutation(len(codes)) % _FOLDS
    picked, rates = _selected(columns, codes, len(names), folds, most)
    hits = 0
    for fold in range(_FOLDS):
        train, test = folds != fold, folds == fold
        inner = rng.permutation(int(train.sum())) % _FOLDS
        own, _ = _selected(columns[train], codes[train], len(names), inner, most)
        hits += int((_predicted(columns, codes, len(names), own, train)[test] == codes[test]).sum())
    questions = pd.DataFrame({
        "step": range(1, len(picked) + 1), "question": [frame.columns[j] for j in picked], "hit_rate": rates
    })  # fmt: skip
    return TypingTool(
        questions,
        hits / len(codes),
        float(np.bincount(codes).max() / len(codes)),
        _scores(columns, labels, codes, names, picked, frame),
    )


def _coded(frame: pd.DataFrame) -> tuple[np.ndarray, list[list[str]]]:
    """(N, Q) codes of the answers, -1 for none, and their words."""
    columns, labels = [], []
    for name in frame.columns:
        values = frame[name]
        if is_number(values) and values.nunique() > _BANDS + 3:
            values = pd.qcut(values, _BANDS, duplicates="drop").astype(str).where(values.notna())
        codes, words = pd.factorize(values, sort=False)
        columns.append(codes)
        labels.append([str(word) for word in words])
    return np.column_stack(columns) if columns else np.empty((len(frame), 0), dtype=int), labels


def _selected(
    columns: np.ndarray, codes: np.ndarray, count: int, folds: np.ndarray, most: int
) -> tuple[list[int], list[float]]:
    """Questions added while the hit rate over the folds grows, and the hit rates."""
    picked: list[int] = []
    rates: list[float] = []
    best = np.bincount(codes).max() / len(codes)
    while len(picked) < most:
        left = [j for j in range(columns.shape[1]) if j not in picked]
        found = [(_hit_rate(columns, codes, count, [*picked, j], folds), -j) for j in left]
        if not found or max(found)[0] < best + _LEAST_GAIN:
            break
        best, place = max(found)
        picked.append(-place)
        rates.append(float(best))
    return picked, rates


def _hit_rate(columns: np.ndarray, codes: np.ndarray, count: int, picked: list[int], folds: np.ndarray) -> float:
    hits = 0
    for fold in range(_FOLDS):
        test = folds == fold
        hits += int((_predicted(columns, codes, count, picked, ~test)[test] == codes[test]).sum())
    return hits / len(codes)


def _tables(columns: np.ndarray, codes: np.ndarray, count: int, j: int, train: np.ndarray) -> np.ndarray:
    """(segments, answers) log probability of each answer of a question."""
    answered = train & (columns[:, j] >= 0)
    table = np.ones((count, int(columns[:, j].max(initial=0)) + 1))
    np.add.at(table, (codes[answered], columns[answered, j]), 1)
    return np.asarray(np.log(table / table.sum(axis=1, keepdims=True)))


def _predicted(columns: np.ndarray, codes: np.ndarray, count: int, picked: list[int], train: np.ndarray) -> np.ndarray:
    """(N,) segment of everybody, learned from some."""
    total = np.tile(np.log(np.bincount(codes[train], minlength=count) + 1.0), (len(codes), 1))
    for j in picked:
        table = np.column_stack([_tables(columns, codes, count, j, train), np.zeros(count)])  # -1: no answer, no score
        total += table[:, columns[:, j]].T
    return np.asarray(total.argmax(axis=1))


def _scores(
    columns: np.ndarray, labels: list[list[str]], codes: np.ndarray, names: np.ndarray, picked: list[int], frame: pd.DataFrame
) -> pd.DataFrame:  # fmt: skip
    everybody = np.ones(len(codes), dtype=bool)
    sizes = np.log(np.bincount(codes, minlength=len(names)) + 1.0)
    rows = [(str(name), "", "", float(size)) for name, size in zip(names, sizes, strict=True)]
    for j in picked:
        table = _tables(columns, codes, len(names), j, everybody)
        rows += [
            (str(name), str(frame.columns[j]), word, float(table[s, a]))
            for s, name in enumerate(names)
            for a, word in enumerate(labels[j])
        ]
    return pd.DataFrame(rows, columns=["segment", "question", "answer", "score"])
