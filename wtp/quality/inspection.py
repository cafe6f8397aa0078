"""All signals of all respondents, each with its value, its limit and whether it is a flag; what one respondent's flags together suggest.

Nothing is left out automatically and no single flag suggests it; both signals of speed count as one flag, and so do both of copied texts. Signals: speed (median choice task below 40 per cent of the study's median, interview below a third of it, both
from 30 respondents with times on), position (one place in the order shown far more often than chance: binomial p times places < 0.001), likelihood
(root likelihood below the study's own cut-off, from 8 choice tasks on), duplicate (95 per cent of at least 20 comparable answers equal another respondent's),
words (the same open text as somebody else's), pasted (texts that were pasted), straight_lining (one point for 90 per cent of at least six items, a flag only if a reversed item is among them), honeypot (a field
was filled that no person sees), attention (another option than the one asked for). Shown and no flag: retest (whether the repeated choice task was answered the same; one disagreement says little about one
person) and never_buys (who buys nothing is a customer one does not have). No signal looks at a price that a respondent states, which leaving out would change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from wtp.quality.likelihood import root_likelihood
from wtp.survey.answers import Answers, Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import belongs
from wtp.survey.questions import GaborGranger, OpenPrice, OpenText, Rating, SingleChoice, VanWestendorp

_FEWEST_TIMES = 30
_FEWEST_EQUAL = 20
_EQUAL = 0.95
_LONG_ENOUGH = 20
_FEWEST_ITEMS = 6
_SAME_POINT = 0.9
_ONE_KIND = {"fast_interview": "fast_choices", "pasted": "words"}  # one behaviour counts once
_PRICES = (GaborGranger, OpenPrice, VanWestendorp)
_COLUMNS = ["respondent", "signal", "value", "limit", "flagged"]


@dataclass(frozen=True, slots=True)
class Quality:
    """signals: respondent, signal, value, limit, flagged. respondents: flags, suggestion (keep, look, leave_out) by respondent. cutoffs: see RootLikelihood."""

    signals: pd.DataFrame
    respondents: pd.DataFrame
    cutoffs: pd.DataFrame

    @property
    def flagged(self) -> frozenset[int]:
        """Respondents with two or more flags, to compare results with and without them."""
        return frozenset(self.respondents.index[self.respondents["flags"] >= 2])


def inspect(definition: Definition, answers: Answers, *, seed: int = 1) -> Quality:
    """Look at everybody who answered a choice task. Same answers and seed, same result; never raises for few or odd answers."""
    counted = (person.without_warm_up for person in answers.respondents)
    people = [r for r in counted if r.choices and _known_tasks(definition, r)]
    rng = np.random.default_rng(seed)
    likelihood = root_likelihood(definition, people, rng) if people else None
    finders = (_speed, _position, _duplicates, _words, _lines, _traps, _beside)
    frames = [find(definition, people) for find in finders]
    cutoffs = pd.DataFrame(columns=["false_alarms", "cutoff", "catches"])
    if likelihood is not None:
        cutoffs = likelihood.cutoffs
        frame = pd.DataFrame(
            {"respondent": likelihood.rlh.index, "signal": "likelihood", "value": likelihood.rlh.values}
        )
        frames.append(frame.assign(limit=likelihood.cutoff, flagged=frame["value"] < likelihood.cutoff))
    signals = pd.concat([f for f in frames if len(f)], ignore_index=True) if people else pd.DataFrame(columns=_COLUMNS)
    signals = signals.sort_values(["respondent", "signal"], ignore_index=True)
    flagged = signals[signals["flagged"].astype(bool)]
    kinds = flagged["signal"].replace(_ONE_KIND).groupby(flagged["respondent"]).nunique()
    flags = kinds.reindex([r.number for r in people], fill_value=0).astype(int)
    flags.index.name = "respondent"
    long_enough = definition.choice_tasks.counted >= 12
    suggestion = np.where(flags >= 2, "leave_out" if long_enough else "look", np.where(flags == 1, "look", "keep"))
    return Quality(signals, pd.DataFrame({"flags": flags, "suggestion": suggestion}, index=flags.index), cutoffs)


def _known_tasks(definition: Definition, person: Respondent) -> bool:
    """Whether the tasks that the person saw are in today's levels; an edited survey leaves older ones out."""
    return all(
        belongs(definition, alternative.levels) for choice in person.choices[:1] for alternative in choice.task.offers
    )


def _frame(rows: Sequence[tuple[int, str, float, float, bool]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=_COLUMNS)


def _speed(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    choices = {r.number: [s for step, s in r.seconds.items() if step.startswith("choice task ")] for r in people}
    tasks = pd.Series(
        {number: float(np.median(seconds)) for number, seconds in choices.items() if seconds}, dtype=float
    )
    whole = pd.Series({r.number: sum(r.seconds.values()) for r in people if r.seconds and r.completed_at}, dtype=float)
    frames = []
    for name, found, share in (("fast_choices", tasks, 0.4), ("fast_interview", whole, 1 / 3)):
        if len(found) >= _FEWEST_TIMES:
            limit = share * float(found.median())
            frame = pd.DataFrame({"respondent": found.index, "signal": name, "value": found.to_numpy(), "limit": limit})
            frames.append(frame.assign(flagged=frame["value"] < limit))
    return pd.concat(frames, ignore_index=True) if frames else _frame([])


def _position(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    places = definition.choice_tasks.alternatives
    rows = []
    for person in people:
        shown = [
            [a.number for a in c.task.alternatives].index(c.chosen) for c in person.choices if not c.picked.is_none
        ]
        if not shown:
            continue
        most, asked = int(np.bincount(shown).max()), len(shown)
        limit = next((n for n in range(1, asked + 1) if places * binom.sf(n - 1, asked, 1 / places) < 0.001), asked + 1)
        rows.append((person.number, "position", float(most), float(limit), most >= limit))
    return _frame(rows)


def _duplicates(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    """The largest share of answers equal to another respondent's: question by question, and task by task where both saw the same."""
    cells: list[dict[str, str]] = []
    prices = {question.id for question in definition.questions if isinstance(question, _PRICES)}
    for person in people:
        mine: dict[str, str] = {}
        for question, value in person.answers.items():
            if question in prices:
                continue
            parts = value.items() if isinstance(value, dict) else [("", value)]
            mine |= {f"{question}.{item}": repr(part) for item, part in parts if part is not None}
        for choice in person.choices:
            shown = f"version {choice.design_version} task {choice.task.number}"
            if not choice.design_version:  # imported: the number alone does not say what was shown
                shown = str([(*a.levels.values(), a.price) for a in choice.task.alternatives])
            mine[f"{shown} {choice.task.kind}"] = str((choice.chosen, choice.buys))
        cells.append(mine)
    frame = pd.DataFrame(cells, dtype=object)
    codes = np.column_stack([pd.factorize(frame[column])[0] for column in frame]) if len(frame.columns) else None
    rows = []
    for n, person in enumerate(people):
        if codes is None:
            break
        both = (codes >= 0) & (codes[n] >= 0)
        compared = both.sum(axis=1)
        equal = np.where(
            compared >= _FEWEST_EQUAL, (both & (codes == codes[n])).sum(axis=1) / np.maximum(compared, 1), 0.0
        )
        # Of two equal ones the later is the copy.
        earlier = np.array([other.started_at < person.started_at or o < n for o, other in enumerate(people)])
        earlier[n] = False
        share = float(equal[earlier].max(initial=0.0))
        rows.append((person.number, "duplicate", share, _EQUAL, share >= _EQUAL))
    return _frame(rows)


def _words(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    rows: list[tuple[int, str, float, float, bool]] = []
    for question in definition.questions:
        if not isinstance(question, OpenText):
            continue
        said = {
            r.number: "".join(filter(str.isalnum, str(r.answers.get(question.id) or ""))).casefold() for r in people
        }
        counts = pd.Series(said).value_counts()
        rows += [
            (number, "words", float(counts[words]), 2.0, bool(counts[words] >= 2))
            for number, words in said.items()
            if len(words) >= _LONG_ENOUGH
        ]
    return _frame(rows)


def _lines(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    """The largest share of a rating's items that got the same point, over the ratings of six items or more."""
    rows = []
    ratings = [q for q in definition.questions if isinstance(q, Rating) and len(q.items) >= _FEWEST_ITEMS]
    for person in people:
        found: list[tuple[bool, float]] = []
        for question in ratings:
            given = person.answers.get(question.id) or {}
            points = pd.Series({item: point for item, point in given.items() if isinstance(point, int | float)})
            if len(points) < _FEWEST_ITEMS:
                continue
            most = points.mode().iloc[0]
            same = float((points == most).mean())
            reversed_too = any(points.get(item) == most for item in question.reversed)
            found.append((same >= _SAME_POINT and reversed_too, same))
        if found:
            flagged, share = max(found)
            rows.append((person.number, "straight_lining", share, _SAME_POINT, flagged))
    return _frame(rows)


def _beside(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    """What is shown and never flagged: the repeated choice task, and who would buy nothing."""
    again = agreed(people)
    rows = [
        (person.number, "retest", float(again[person.number]), 1.0, False)
        for person in people
        if person.number in again
    ]
    for person in people:
        asked = [choice.would_buy for choice in person.choices if choice.would_buy is not None]
        if asked and not any(asked):
            rows.append((person.number, "never_buys", 1.0, 1.0, False))
    return _frame(rows)


def agreed(respondents: Sequence[Respondent]) -> pd.Series:
    """1 or 0 by respondent number, of those who answered a choice task and its repetition: whether the same offer was chosen again."""
    found: dict[int, float] = {}
    for person in respondents:
        firsts = {c.task.number: c.picked for c in person.choices if c.task.kind != "repeat"}
        for again in person.choices:
            first = firsts.get(again.task.repeats or 0) if again.task.kind == "repeat" else None
            if first is not None:
                same = (first.levels, first.price) == (again.picked.levels, again.picked.price)
                found[person.number] = float(same)
    return pd.Series(found, dtype=float, name="agreed")


def dominated(respondents: Sequence[Respondent]) -> tuple[int, int]:
    """How many choice tasks showed the same offer at two prices, and in how many of them the dearer one was chosen."""
    asked = missed = 0
    for person in respondents:
        for choice in person.without_warm_up.choices:
            twins = [a for a in choice.task.offers if a.levels == choice.picked.levels]
            pairs = {tuple(sorted(a.levels.items())) for a in choice.task.offers}
            if len(pairs) < len(choice.task.offers) and not choice.picked.is_none:
                asked += 1
                missed += min(a.price for a in twins) < choice.picked.price
    return asked, missed


def _traps(definition: Definition, people: Sequence[Respondent]) -> pd.DataFrame:
    rows = [(r.number, "honeypot", 1.0, 1.0, True) for r in people if "honeypot" in r.signs]
    texts = {f"pasted:{question.id}" for question in definition.questions if isinstance(question, OpenText)}
    for person in people:
        pasted = len(texts & set(person.signs))
        if pasted:
            rows.append((person.number, "pasted", float(pasted), 1.0, True))
    for question in definition.questions:
        if isinstance(question, SingleChoice) and question.attention:
            rows += [
                (r.number, "attention", 1.0, 1.0, True)
                for r in people
                if r.answers.get(question.id) not in {None, question.attention}
            ]
    return _frame(rows)
