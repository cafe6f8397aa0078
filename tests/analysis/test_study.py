"""`analyse`: what is estimated, on what, what is withheld; equal inputs, equal figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from tests.analysis.conftest import Answer
from wtp.analysis import Analysis, Request, analyse
from wtp.analysis.choice_frame import choice_frame, formula, holdout_hit_rate, retest_agreement
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.survey import Answers, Survey

QUICK = Request(model="conditional")


@pytest.fixture(scope="module")
def analysis(quick: Analysis) -> Analysis:
    return quick


def test_the_tables_cover_every_segment(analysis: Analysis) -> None:
    segments = {"all", "uptime", "cost", "growth"}
    for name in (
        "part_worths",
        "importance",
        "willingness_to_pay",
        "demand",
        "price_limit",
        "investment",
        "van_westendorp_points",
    ):
        assert set(analysis.tables[name]["segment"]) == segments, name
    sizes = analysis.table("segments").set_index("segment")["respondents"]
    assert sizes["all"] == 240 == sizes.drop("all").sum()
    assert (analysis.respondents, analysis.completed, analysis.simulated) == (240, 240, 240)
    assert len(analysis.table("willingness_to_pay", "cost")) == 12
    assert len(analysis.table("investment", "cost")) == 12


def test_the_likelihood_is_both_blocks_of_dual_response(survey: Survey, answers: Answers) -> None:
    """An independent, plain likelihood: P(j | J) P(yes | j), one loop a choice, maximised by BFGS."""
    definition = survey.definition
    people = answers.respondents[:60]
    levels = [(a.id, level) for a in definition.attributes for level in a.level_ids[1:]]

    def code(alternative: object) -> np.ndarray:
        shown = alternative.levels  # type: ignore[attr-defined]
        return np.array([float(shown[a] == level) for a, level in levels] + [alternative.price / 100])  # type: ignore[attr-defined]

    blocks = []
    for person in people:
        for choice in person.choices:
            if choice.task.kind == "estimation":
                coded = {a.number: code(a) for a in choice.task.alternatives}
                others = np.array([x for n, x in coded.items() if n != choice.chosen])
                blocks.append((coded[choice.chosen], others, 1.0 if choice.buys else -1.0))

    def minus(params: np.ndarray) -> float:
        beta, none = params[:-1], params[-1]
        total = 0.0
        for chosen, others, sign in blocks:
            total += np.log1p(np.exp(others @ beta - chosen @ beta).sum())
            total += np.log1p(np.exp(-sign * (chosen @ beta - none)))
        return total

    data = ChoiceData.from_long(choice_frame(definition, people), formula(definition))
    fit = ConditionalLogit(data).fit()
    ours = fit.params.to_numpy().copy()
    ours[list(data.names).index("price")] *= 100
    assert list(data.names)[-2:] == ["price", "none"]
    assert -minus(ours) == pytest.approx(fit.llf, rel=1e-10)
    found = minimize(minus, np.zeros(len(ours)), method="BFGS", options={"gtol": 1e-3})
    np.testing.assert_allclose(found.x, ours, atol=2e-3)


def test_holdouts_and_repeats_never_enter_the_estimates(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    def scramble(person: object) -> object:
        choices = tuple(
            c if c.task.kind == "estimation" else replace(c, chosen=c.task.alternatives[0].number, buys=False)
            for c in person.choices  # type: ignore[attr-defined]
        )
        return replace(person, choices=choices)  # type: ignore[type-var]

    other = analyse(survey, replace(answers, respondents=tuple(scramble(r) for r in answers.respondents)), QUICK)  # type: ignore[arg-type]
    for name in ("part_worths", "willingness_to_pay", "importance", "investment", "demand"):
        pd.testing.assert_frame_equal(other.tables[name], analysis.tables[name])
    assert not other.tables["segments"].equals(analysis.tables["segments"])


def test_equal_inputs_give_equal_figures_and_other_seeds_other_intervals(
    survey: Survey, answers: Answers, analysis: Analysis
) -> None:
    assert analyse(survey, answers, QUICK).to_json() == analysis.to_json()
    other = analyse(survey, answers, replace(QUICK, seed=2)).tables["willingness_to_pay"]
    mine = analysis.tables["willingness_to_pay"]
    assert other["estimate"].equals(mine["estimate"])
    assert not other["low"].equals(mine["low"])


def test_the_record_survives_json_to_the_last_digit(analysis: Analysis) -> None:
    again = Analysis.from_json(analysis.to_json())
    for name, table in analysis.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, check_exact=True)
    assert again.notes == analysis.notes
    assert (again.request, again.summaries, again.currency) == (analysis.request, analysis.summaries, analysis.currency)


def test_small_segments_are_withheld_and_said(survey: Survey, answer: Answer) -> None:
    analysis = analyse(survey, answer(100), QUICK)
    sizes = analysis.table("segments").set_index("segment")
    small = sizes.index[sizes["respondents"] < 30]
    assert 0 < len(small) < 3
    assert set(sizes.loc[small, "weight_of_evidence"]) == {"none"}
    for name in ("willingness_to_pay", "importance", "investment", "van_westendorp_points", "stated_importance"):
        assert not set(small) & set(analysis.tables[name]["segment"]), name
    assert {note.segment for note in analysis.notes if note.code == "too_small"} == set(small)
    indication = sizes.index[sizes["weight_of_evidence"] == "indication"]
    assert {note.segment for note in analysis.notes if note.code == "indication"} == set(indication)


def test_nobody_yet_is_no_error(survey: Survey) -> None:
    analysis = analyse(survey, Answers(survey.slug, (), "none"), QUICK)
    assert [note.code for note in analysis.notes] == ["nobody", "too_small", "too_small", "too_small"]
    assert analysis.tables["willingness_to_pay"].empty
    assert Analysis.from_json(analysis.to_json()).tables["segments"]["respondents"].sum() == 0


def test_answers_to_another_version_of_the_survey_are_left_out_and_counted(
    survey: Survey, answers: Answers, analysis: Analysis
) -> None:
    old = [
        replace(r, number=1000 + r.number, choices=tuple(replace(c, definition_hash="old") for c in r.choices))
        for r in answers.respondents[:50]
    ]
    mixed = analyse(survey, replace(answers, respondents=(*answers.respondents, *old)), QUICK)
    pd.testing.assert_frame_equal(mixed.tables["willingness_to_pay"], analysis.tables["willingness_to_pay"])
    note = next(note for note in mixed.notes if note.code == "other_version")
    assert str(note).startswith("50 respondents")


def test_answers_that_cannot_be_estimated_are_a_note_not_a_crash(survey: Survey, answers: Answers) -> None:
    always_first = tuple(
        replace(
            r,
            choices=tuple(
                replace(c, chosen=max(c.task.alternatives, key=lambda a: -a.price).number, buys=True) for c in r.choices
            ),
        )
        for r in answers.respondents
    )
    analysis = analyse(survey, replace(answers, respondents=always_first), QUICK)
    assert {note.code for note in analysis.notes} >= {"not_estimated"}
    assert analysis.tables["willingness_to_pay"].empty


def test_hit_rate_and_retest_by_hand(survey: Survey, answers: Answers) -> None:
    people = answers.respondents[:40]
    cheapest = [
        min(c.task.alternatives, key=lambda a: a.price).number == c.chosen
        for r in people
        for c in r.choices
        if c.task.kind == "holdout"
    ]
    ties = any(
        len({a.price for a in c.task.alternatives}) < 3 for r in people for c in r.choices if c.task.kind == "holdout"
    )
    hit_rate, chance = holdout_hit_rate(people, lambda alternative: -alternative.price)
    assert chance == pytest.approx(1 / 3)
    if not ties:
        assert hit_rate == pytest.approx(np.mean(cheapest))
    same = []
    for r in people:
        again = next(c for c in r.choices if c.task.kind == "repeat")
        first = next(c for c in r.choices if c.task.number == again.task.repeats)
        same.append(again.chosen == first.chosen)
    assert retest_agreement(people) == pytest.approx(np.mean(same))
