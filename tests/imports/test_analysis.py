"""Imported choices in everything that is made of answers: nothing asks for a design of ours, for page times, or for a purchase question."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest

from tests.export.conftest import frozen, taken
from wtp.analysis import CONDITIONAL, Request, analyse, certainty, quality_report
from wtp.export import FORMATS, Source
from wtp.imports import check, guess, read_file
from wtp.survey import Answers, Respondent, Survey


@pytest.fixture(scope="module")
def own(survey: Survey) -> Answers:
    return frozen(survey)


@pytest.fixture(scope="module")
def mixed(survey: Survey, own: Answers) -> Answers:
    """Sixty of our own, and the same choices imported with none as one more alternative."""
    file = read_file(taken("bayesm", survey, own), "x.zip")
    found = check(survey, file, guess(file, survey.definition))
    assert not found.problems
    people = [
        replace(person, number=100 + n, imported="x.zip (1234abcd), 2026-11-01, anna")
        for n, (_, person) in enumerate(found.people)
    ]
    return Answers(survey.slug, (*own.respondents, *people), "mixed", {survey.definition_hash: survey.definition})


def imported(answers: Answers) -> tuple[Respondent, ...]:
    return tuple(person for person in answers.respondents if person.imported)


@pytest.mark.parametrize("alone", [True, False])
def test_figures_and_certainty_are_made(survey: Survey, mixed: Answers, alone: bool) -> None:
    answers = replace(mixed, respondents=imported(mixed)) if alone else mixed
    analysis = analyse(survey, answers, Request(model=CONDITIONAL))
    assert analysis.respondents == len(answers.respondents)
    worth = analysis.tables["willingness_to_pay"].set_index("segment").loc["all", "estimate"]
    assert worth.notna().any()
    limit = analysis.tables["price_limit"].set_index("segment").loc["all"]
    assert bool(60 < limit["estimate"] < 160) != alone, "withheld below 75 respondents"
    assert len(certainty(survey.definition, analysis.tables, confidence=0.9, half_width=5.0))


def test_quality_looks_at_imported_respondents_too(survey: Survey, mixed: Answers) -> None:
    report = quality_report(survey.definition, mixed)
    people = report.respondents.set_index("respondent")
    assert set(people.loc[100:, "source"]) == {"import"}
    signals = report.signals[report.signals["respondent"] >= 100]
    assert {"likelihood", "position"} <= set(signals["signal"])
    assert not {"fast_choices", "fast_interview"} & set(signals["signal"]), "no page was timed"
    copies = signals[signals["signal"] == "duplicate"]
    assert not copies["flagged"].any(), "equal numbers of choice tasks are no equal tasks"
    never = signals[signals["signal"] == "never_buys"]["respondent"]
    nothing = [p.number for p in imported(mixed) if all(c.picked.is_none for c in p.choices)]
    assert sorted(never) == nothing


@pytest.mark.parametrize("name", [name for name, made in FORMATS.items() if not made.needs_figures])
def test_every_format_takes_them(name: str, survey: Survey, mixed: Answers) -> None:
    file = io.BytesIO()
    FORMATS[name].write(Source.of(survey, mixed), file, None)
    assert file.getvalue()


def test_the_none_option_is_a_row_without_levels_and_price(survey: Survey, mixed: Answers) -> None:
    frame = pd.read_csv(io.BytesIO(taken("choices", survey, mixed)), encoding="utf-8-sig")
    nothing = frame[frame["alternative"] == 0]
    assert len(nothing) == 600
    assert nothing[["price", "brand", "buys"]].isna().all(axis=None)
    assert frame.groupby(["respondent", "choice_task"])["chosen"].sum().eq(1).all()
