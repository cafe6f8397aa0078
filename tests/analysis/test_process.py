"""The process of the workshop's customers: what simulated respondents were given is found again, small groups stay hidden, and without structure nothing is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.simulated import simulated
from wtp.analysis import ALL, Request
from wtp.analysis.process import process_tables
from wtp.analysis.questions import question_tables
from wtp.estimation.synthetic_answers import process_answer
from wtp.export.codebook import codebook
from wtp.segments import declared
from wtp.survey import Answers, Definition, Respondent, Survey, load_survey
from wtp.survey.process import process_questions

QUICK = Request(model="conditional")
Tables = dict[str, pd.DataFrame]
SEGMENTS = ["work", "family", "now_and_then"]


@pytest.fixture(scope="module")
def survey() -> Survey:
    return load_survey(Path(__file__).parents[2] / "surveys" / "workshop")


@pytest.fixture(scope="module")
def answers(survey: Survey) -> Answers:
    return simulated(survey, 360, seed=3)


def groups_of(definition: Definition, answers: Answers) -> dict[str, tuple[Respondent, ...]]:
    membership = declared(definition, answers.respondents)
    own = {s: tuple(r for r in answers.respondents if membership[r.number] == s) for s in SEGMENTS}
    return {ALL: tuple(answers.respondents), **own}


def tables_of(survey: Survey, answers: Answers) -> Tables:
    return process_tables(survey.definition, groups_of(survey.definition, answers), QUICK)


@pytest.fixture(scope="module")
def tables(survey: Survey, answers: Answers) -> Tables:
    return tables_of(survey, answers)


def edited(answers: Answers, edit: Any) -> Answers:
    people = tuple(replace(r, answers={**r.answers, **edit(r)}) for r in answers.respondents)
    return replace(answers, respondents=people)


def truths(definition: Definition, measure: str, count: int = 4000) -> dict[str, list[Any]]:
    """Many answers of each segment's truth."""
    assert definition.simulation is not None
    question, rng = process_questions(definition)[measure], np.random.default_rng(1)
    return {
        s.segment: [process_answer(question, s.process, rng) for _ in range(count)]
        for s in definition.simulation.segments
        if s.process is not None
    }


def test_every_table_is_there_and_every_column_in_the_codebook(survey: Survey, tables: Tables) -> None:
    assert set(tables) == {"process_steps", "process_windows", "window_coverage", "window_value", "process_differences"}
    known = set(codebook(survey.definition).query("table == 'results'")["column"])
    for name, table in tables.items():
        assert set(table.columns) <= known, name
        assert set(table["segment"]) == ({ALL} if name == "process_differences" else {ALL, *SEGMENTS}), name
    assert tables["process_steps"].groupby("segment")["item"].agg(list).map(len).eq(6).all()
    assert list(tables["process_steps"]["item"][:6]) == [step.id for step in survey.definition.process]


def test_questions_of_the_process_have_no_second_table(survey: Survey, answers: Answers) -> None:
    other, _ = question_tables(survey.definition, groups_of(survey.definition, answers), QUICK)
    asked = {question for table in other.values() for question in table["question"]}
    assert asked == {"use", "distance", "importance", "hour_without_car"}


def test_the_truth_of_steps_and_windows_is_found_again(survey: Survey, tables: Tables) -> None:
    """90 per cent intervals; shares of the truth from many answers, so only the field is chance."""
    marks, times = truths(survey.definition, "process_steps"), truths(survey.definition, "service_window")
    rated = truths(survey.definition, "process_satisfaction")
    hits = []
    for row in tables["process_steps"].query("segment != 'all'").to_dict("records"):
        share = np.mean([row["item"] in given for given in marks[row["segment"]]])
        mean = np.mean([given[row["item"]] for given in rated[row["segment"]]])
        hits += [row["low"] <= share <= row["high"], row["satisfaction_low"] <= mean <= row["satisfaction_high"]]
    for row in tables["process_windows"].query("segment != 'all'").to_dict("records"):
        share = np.mean([row["answer"] in given.get(row["item"], ()) for given in times[row["segment"]]])
        hits.append(row["low"] <= share <= row["high"])
    assert len(hits) == 3 * (6 + 6 + 28)
    assert np.mean(hits) >= 0.82, "120 intervals of 90 per cent"


def test_moments_are_found_and_those_to_mend(tables: Tables) -> None:
    steps = tables["process_steps"].set_index(["segment", "item"])
    assert set(steps.loc["work"].query("mend").index) == {"get_about", "pick_up"}
    assert set(steps.loc["family"].query("mend").index) == {"extra_repairs"}
    pleased = steps.loc["now_and_then"]
    assert pleased.loc["extra_repairs", "moment"], "it matters"
    assert not pleased["mend"].any(), "and nobody is disappointed"
    assert not steps[~steps["moment"]]["mend"].any()
    windows = tables["process_windows"].query("leads").groupby("segment")[["item"]].agg(set)["item"]
    assert "saturday" in windows["work"]
    assert not {"saturday", "sunday"} & windows["now_and_then"]


def test_segments_differ_in_what_they_were_given(tables: Tables) -> None:
    found = tables["process_differences"].query("differs")
    assert set(found["subject"]) == {"process_steps", "process_satisfaction", "service_window", "interruption_cost"}
    assert {"get_about", "pick_up", "extra_repairs"} <= set(found.query("subject == 'process_satisfaction'")["item"])
    assert "bring" not in set(found.query("subject == 'process_satisfaction'")["item"]), "alike in all three"


def test_what_windows_serve_and_are_worth(survey: Survey, answers: Answers, tables: Tables) -> None:
    """The named windows serve what they truly serve; the worth is that of the segment's median cost, hours and share."""
    assert survey.definition.simulation is not None
    truth = {s.segment: s.process for s in survey.definition.simulation.segments}
    hits = []
    for name in SEGMENTS:
        process = truth[name]
        assert process is not None
        bands = ["early", "morning", "afternoon", "evening"]
        chances = {(own.day, band): p for own in process.windows for band, p in zip(bands, own.suits, strict=True)}
        own = tables["window_coverage"].query("segment == @name")
        misses = np.cumprod([1 - chances[day, band] for day, band in zip(own["item"], own["answer"], strict=True)])
        hits += list((own["low"] <= 1 - misses) & (1 - misses <= own["high"]))
        assert (own["seen"] >= own["share"]).all(), "who chose flatters"
        customers = next(s.customers for s in survey.definition.segments if s.id == name)
        np.testing.assert_allclose(own["customers_served"], own["share"] * customers)
        worth = tables["window_value"].query("segment == @name")
        assert worth["hours"].unique().tolist() == [4.5]
        np.testing.assert_allclose(worth["together"], worth["cost"] * 450 * own["share"])
        np.testing.assert_allclose(worth["value"].cumsum(), worth["together"])
        last = worth.iloc[2]
        expected = process.hour_cost * 450 * float((1 - misses)[2])  # type: ignore[operator]
        assert last["together_low"] <= expected <= last["together_high"], name
    assert np.mean(hits) >= 0.8


def test_equal_answers_give_equal_figures(survey: Survey, answers: Answers, tables: Tables) -> None:
    for name, table in tables_of(survey, answers).items():
        pd.testing.assert_frame_equal(table, tables[name])


def without_structure(survey: Survey, seed: int) -> Answers:
    """Everybody answers with the same even truth, whatever the segment."""
    definition = survey.definition
    assert definition.simulation is not None
    even = definition.simulation.segments[0].process
    assert even is not None
    flat = even.model_copy(update={"steps": (), "windows": (), "hour_cost": 8.0})
    segments = tuple(s.model_copy(update={"process": flat}) for s in definition.simulation.segments)
    simulation = definition.simulation.model_copy(update={"segments": segments})
    return simulated(
        replace(survey, definition=definition.model_copy(update={"simulation": simulation})), 200, seed=seed
    )


def test_without_structure_nothing_is_claimed(survey: Survey) -> None:
    claims = []
    for seed in range(4):
        found = tables_of(survey, without_structure(survey, seed))
        steps, windows = found["process_steps"], found["process_windows"]
        claims.append((steps["moment"].any(), windows["leads"].any(), found["process_differences"]["differs"].any()))
    # Each is wrong in at most 5 of 100 studies: more than 2 of 12 have a probability below 1 in 50.
    assert np.sum(claims) <= 2, claims


# What may be told


def test_small_groups_and_small_rests_are_hidden(survey: Survey, answers: Answers) -> None:
    groups = groups_of(survey.definition, answers)
    left: Mapping[str, int] = {"work": 29, "family": 80, "now_and_then": 40}
    kept = {r.number for name, count in left.items() for r in groups[name][:count]}
    fewer = replace(answers, respondents=tuple(r for r in answers.respondents if r.number in kept))
    found = tables_of(survey, fewer)
    for name in ("process_steps", "process_windows", "window_coverage", "window_value"):
        assert set(found[name]["segment"]) == {ALL, "family", "now_and_then"}, name
    left = {"work": 5, "family": 80, "now_and_then": 40}
    kept = {r.number for name, count in left.items() for r in groups[name][:count]}
    fewer = replace(answers, respondents=tuple(r for r in answers.respondents if r.number in kept))
    found = tables_of(survey, fewer)
    assert set(found["process_steps"]["segment"]) == {ALL, "family"}, "5 could be worked out else"
    assert "process_differences" not in found, "one segment differs from nobody"
    few = replace(answers, respondents=answers.respondents[:29])
    assert tables_of(survey, few) == {}


def test_who_marks_nothing_or_does_not_know_counts_as_such(survey: Survey, answers: Answers) -> None:
    def edit(person: Respondent) -> dict[str, Any]:
        if person.number % 2:
            return {"moments": ["no_moment"], "hour_without_car": "unsure"}
        return {"moments": None}

    found = tables_of(survey, edited(answers, edit))
    steps = found["process_steps"].query("segment == 'all'")
    assert steps["respondents"].eq(180).all(), "an open question is no answer, none of these is one"
    assert steps["share"].eq(0).all()
    assert not steps["moment"].any()
    value = found["window_value"].query("segment == 'all'")
    assert value["respondents"].eq(180).all(), "half know the cost"
    nobody = edited(answers, lambda _: {"hour_without_car": "unsure"})
    assert "window_value" not in tables_of(survey, nobody)


def test_satisfaction_alone_and_steps_alone_have_their_table(survey: Survey, answers: Answers) -> None:
    pages = survey.definition.pages
    for kept, column, empty in (("moments", "share", "satisfaction"), ("satisfaction", "satisfaction", "share")):
        fewer = tuple(
            p
            for p in pages
            if p.type != "questions" or p.questions[0].id not in {"moments", "satisfaction", "times"} - {kept}
        )
        own = replace(survey, definition=survey.definition.model_copy(update={"pages": fewer}))
        found = tables_of(own, answers)
        assert set(found) == {"process_steps", "process_differences"}
        assert found["process_steps"][column].notna().all()
        assert found["process_steps"][empty].isna().all()
        assert not found["process_steps"]["mend"].any()
