"""Expectations, scripts and strengths from answers to tables: known structure is found again, nothing is claimed without, and small groups stay unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from tests.simulated import ORDERS, RATED, expected, simulated
from wtp.analysis import Analysis, Request, analyse
from wtp.analysis.expectations import expectation_tables, strengths_table
from wtp.export.codebook import codebook
from wtp.survey import Answers, Respondent, Survey

QUICK = Request(model="conditional")
TABLES = {"expectation_gaps", "expectation_reliability", "script_order", "script_agreement", "script_segments"}


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return expected(tmp_path_factory.mktemp("surveys"))


@pytest.fixture(scope="module")
def answers(survey: Survey) -> Answers:
    return simulated(survey, 300, seed=3)


@pytest.fixture(scope="module")
def found(survey: Survey, answers: Answers) -> Analysis:
    return analyse(survey, answers, QUICK)


def groups_of(survey: Survey, answers: Answers) -> dict[str, Sequence[Respondent]]:
    segments = {s.id: [r for r in answers.respondents if r.answers["core_problem"] in s.when["core_problem"]] for s in survey.definition.segments}  # fmt: skip
    return {"all": answers.respondents, **segments}


def test_known_gaps_are_found_within_their_intervals(found: Analysis) -> None:
    table = found.tables["expectation_gaps"]
    truth = table["attribute"].map({name: means[1] - means[0] for name, means in RATED.items()})
    assert ((table["gap_low"] <= truth) & (truth <= table["gap_high"])).mean() >= 0.8
    assert ((table["together_low"] <= truth) & (truth <= table["together_high"])).all()
    verdicts = table.set_index(["segment", "attribute"])["verdict"]
    everybody = verdicts["all"]
    assert everybody["speed"] == "missed"
    assert everybody["competence"] == "exceeded"
    assert (everybody.drop(["speed", "competence"]) == "").all()
    assert table.loc[table["segment"] == "all", "pooled_gap"].isna().all(), "everybody is what segments move to"
    own = table[table["segment"] != "all"]
    assert (own["pooled_gap_high"] - own["pooled_gap_low"] < own["gap_high"] - own["gap_low"]).all()
    for score in ("expected", "met"):
        means = table["attribute"].map({name: means[score == "met"] for name, means in RATED.items()})
        assert ((table[score] - means).abs() < 0.45).all()
    assert found.table("expectation_reliability", "all")["respondents"][0] >= 30


def test_the_order_of_each_segment_is_found(found: Analysis) -> None:
    order = found.tables["script_order"]
    for segment, events in ORDERS.items():
        assert tuple(order.loc[order["segment"] == segment, "item"]) == events
    agreed = found.tables["script_agreement"]
    assert agreed["differs"].all(), "there is a common order in each segment"
    apart = found.tables["script_segments"].set_index(["segment", "other"])["differs"]
    assert apart.to_dict() == {("uptime", "cost"): True, ("uptime", "growth"): True, ("cost", "growth"): False}


def test_what_to_tell_and_what_to_fix(found: Analysis) -> None:
    table = found.table("strengths", "all").set_index("attribute")
    assert table["verdict"][["speed", "range", "competence", "price"]].tolist() == ["tell", "fix", "keep_tell", ""]
    truth = pd.Series({name: means[2] - means[3] for name, means in RATED.items()})
    held = (table["gap_low"] <= truth) & (truth <= table["gap_high"])
    assert held.mean() >= 0.7
    assert table["impact"]["speed"] == pytest.approx(table["value"]["speed"] * table["pooled_gap"]["speed"])
    worth = found.table("importance_performance", "all").set_index("attribute")["value"]
    assert table["value"].drop("price").to_dict() == pytest.approx(worth.to_dict())
    hints = found.tables["hints"]
    assert ("all", "speed", "tell") in set(hints[["segment", "attribute", "hint"]].itertuples(index=False, name=None))


def test_the_codebook_explains_every_column(found: Analysis, survey: Survey) -> None:
    explained = set(codebook(survey.definition).query("table == 'results'")["column"])
    for name in (*TABLES, "strengths"):
        assert set(found.tables[name].columns) <= explained, name
    assert Analysis.from_json(found.to_json()).tables["strengths"].equals(found.tables["strengths"])


def test_without_structure_nothing_is_claimed(tmp_path: Any) -> None:
    survey = expected(tmp_path, structure=False)
    answers = simulated(survey, 150, seed=4)
    groups = groups_of(survey, answers)
    tables = expectation_tables(survey.definition, groups, QUICK)
    assert (tables["expectation_gaps"]["verdict"] == "").all()
    assert not tables["script_agreement"]["differs"].any()
    assert not tables["script_segments"]["differs"].any()
    worth = tables["expectation_gaps"][["segment", "attribute"]].assign(value=5.0, value_low=4.0, value_high=6.0)
    verdicts = strengths_table(survey.definition, groups, worth, QUICK)["verdict"]
    assert (verdicts == "undecided").all()


def test_what_was_asked_here_is_told_nowhere_else(found: Analysis) -> None:
    assert found.tables.keys() >= TABLES
    assert not {"expected", "met"} & set(found.tables["answer_ratings"]["question"])
    assert {"own", "leader"} <= set(found.tables["answer_ratings"]["question"])
    assert "rankings" not in found.tables


def changed(answers: Answers, change: Callable[[Respondent], dict[str, Any]]) -> Answers:
    people = tuple(replace(r, answers={**r.answers, **change(r)}) for r in answers.respondents)
    return replace(answers, respondents=people)


def test_small_groups_stay_unseen(survey: Survey, answers: Answers) -> None:
    """29 of a segment rated: it has no row, and no other segment from which they could be worked out has one."""
    seen: dict[str, int] = {}

    def few_of_uptime(respondent: Respondent) -> dict[str, Any]:
        segment = respondent.answers["core_problem"]
        seen[segment] = seen.get(segment, 0) + 1
        few = segment == "downtime" and seen[segment] > 5
        return {"met": None, "order_of_events": None, "leader": None} if few else {}

    groups = groups_of(survey, changed(answers, few_of_uptime))
    tables = expectation_tables(survey.definition, groups, QUICK)
    # 5 of uptime are left beside cost and growth: the smaller of these two is hidden with them
    for name in ("expectation_gaps", "script_order"):
        assert set(tables[name]["segment"]) == {"all", "cost"}, name
    assert "script_segments" not in tables
    assert set(strengths_table(survey.definition, groups, pd.DataFrame(), QUICK)["segment"]) == {"all", "cost"}


def test_do_not_know_counts_for_neither_rating(survey: Survey, answers: Answers) -> None:
    only = changed(answers, lambda r: {"leader": {**r.answers["leader"], "brand": None if r.number > 20 else 4}})
    table = strengths_table(survey.definition, {"all": only.respondents}, pd.DataFrame(), QUICK)
    assert "brand" not in set(table["attribute"]), "20 know the rival's brand"
    assert len(table) == 6
    known = sum(r.answers["own"]["speed"] is not None and r.answers["leader"]["speed"] is not None for r in answers.respondents)  # fmt: skip
    assert table.set_index("attribute")["respondents"]["speed"] == known < 300


def test_ratings_on_different_scales_are_not_compared(survey: Survey, answers: Answers) -> None:
    raw = survey.definition.model_dump()
    rival = next(q for page in raw["pages"] for q in page.get("questions", []) if q["id"] == "leader")
    rival["scale"] = {**rival["scale"], "high": 10}
    raw["simulation"] = None
    definition = type(survey.definition).model_validate(raw)
    assert strengths_table(definition, {"all": answers.respondents}, pd.DataFrame(), QUICK).empty
