"""What is taken away: one study's survey, its respondents some at a time, and its analysis; every format writes the same tables of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from wtp.analysis import Analysis
from wtp.export.codebook import codebook
from wtp.export.frames import AnswerFrames, design_frame, levels_frame
from wtp.survey.answers import Answers, Respondent
from wtp.survey.definition import Definition
from wtp.survey.load import Survey

BATCH = 2_000
ANSWER_TABLES = ("respondents", "choices", "times")


def _nothing(_: Collection[str]) -> Mapping[str, Definition]:
    return {}


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """One study at one moment.

    batches: each call gives all respondents anew, in the order of their numbers. analysis: None leaves figures out. left_out: numbers of those whom an analyst left out of the figures. state: changes whenever an answer does. definitions: of hashes, the versions of the survey that were answered, by their hash. beside: tables of what staff recorded, by name.
    """

    survey: Survey
    batches: Callable[[], Iterator[Sequence[Respondent]]]
    respondents: int
    simulated: int
    analysis: Analysis | None = None
    left_out: frozenset[int] = frozenset()
    state: str = ""
    definitions: Callable[[Collection[str]], Mapping[str, Definition]] = _nothing
    beside: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def of(cls, survey: Survey, answers: Answers, analysis: Analysis | None = None) -> Source:
        """Of answers that are all in memory."""
        people = answers.respondents

        def batches() -> Iterator[Sequence[Respondent]]:
            return iter([people[first : first + BATCH] for first in range(0, len(people), BATCH)])

        left_out = frozenset(analysis.request.without) if analysis else frozenset()
        return cls(
            survey,
            batches,
            len(people),
            answers.simulated,
            analysis,
            left_out,
            answers.hash,
            lambda _: answers.definitions,
        )

    def chunks(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """(table, rows) of every table; those of answers come in parts, each of its tables again and again. Every table comes at least once, so its columns are known."""
        yield from self.small_tables().items()
        yield from self.answer_chunks(*ANSWER_TABLES)

    def answer_chunks(self, *names: str) -> Iterator[tuple[str, pd.DataFrame]]:
        """The same of some tables of answers: first without a row, then of one batch of respondents after the other."""
        made = AnswerFrames(self.survey.definition, self.left_out)
        for batch in itertools.chain([()], self.batches()):
            for name in names:
                yield name, made.table(name, batch)

    def small_tables(self) -> dict[str, pd.DataFrame]:
        """Everything but the answers: codebook, levels, design, and the tables of figures, each row labelled with how many respondents are simulated."""
        definition = self.survey.definition
        tables = {"codebook": codebook(definition), "levels": levels_frame(definition)}
        if self.survey.design:
            tables["design"] = design_frame(self.survey.design, definition)
        if self.analysis:
            label = {
                "left_out_respondents": len(self.analysis.request.without),
                "simulated_respondents": self.analysis.simulated,
            }
            tables |= {name: frame.assign(**label) for name, frame in self.analysis.tables.items()}
            tables |= self.analysis.people
        return {**tables, **self.beside}

    def facts(self) -> dict[str, Any]:
        """What a file says of itself, wherever its format has a place for it."""
        survey, economics = self.survey, self.survey.definition.economics
        facts: dict[str, Any] = {
            "study": survey.slug,
            "definition": survey.definition_hash,
            "design": survey.design.hash if survey.design else None,
            "state": self.state,
            "respondents": self.respondents,
            "simulated_respondents": self.simulated,
            "left_out_respondents": len(self.left_out),
            "currency": survey.definition.currency,
            "illustrative_costs": bool(economics and economics.illustrative),
        }
        if self.analysis:
            asked = self.analysis.request
            facts |= {"seed": asked.seed, "confidence": asked.confidence, "answers": self.analysis.answers_hash}
        return facts

    def about(self) -> str:
        """The same in words, some lines of text."""
        facts = self.facts()
        lines = []
        if self.simulated:
            lines.append("SIMULATED ANSWERS: not the answers of real persons; rows carry the column simulated.")
        lines.append(f"Study: {facts['study']}, definition {facts['definition']}")
        if self.state:
            lines.append(f"State of the answers: {self.state}")
        lines.append(f"Respondents: {self.respondents}, of them simulated: {self.simulated}")
        if self.left_out:
            lines.append(f"Left out of all figures: {len(self.left_out)} respondents, marked in the table respondents.")
        lines.append("Missing values are empty cells. The codebook names every column and code.")
        if facts["illustrative_costs"]:
            lines.append("Costs are illustrative: gains and invest / save labels are an example.")
        if self.analysis and "individual_part_worths" not in self.analysis.people:
            lines.append(
                f"No part-worths of single respondents: the figures are the quick ones; wtp analyse surveys/{facts['study']} makes the full ones."
            )
        return "\n".join(lines) + "\n"
