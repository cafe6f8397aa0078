"""Purchases beside choices: as covariates, as a check of what the tastes foretell, and as part of the analysis where they are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analysis.conftest import Answer
from wtp.analysis import Request, analyse, hierarchical
from wtp.analysis.choice_frame import choice_data, choice_frame
from wtp.analysis.purchases import _not_worked_out, offered_steps, purchase_covariates, up_selling
from wtp.customers.purchases import known_of
from wtp.estimation.hierarchical import HierarchicalLogit, HierarchicalResults
from wtp.estimation.synthetic import draw_respondents
from wtp.estimation.synthetic_purchases import simulated_purchases
from wtp.survey import Respondent, Survey

COUNT = 160


@pytest.fixture(scope="module")
def people(survey: Survey, answer: Answer) -> tuple[Respondent, ...]:
    """Respondents of whom all but the last ten are linked to what they bought."""
    bought = simulated_purchases(survey.definition, draw_respondents(survey.definition, COUNT, 9), date(2026, 11, 1), 3)
    known = known_of(bought, dict.fromkeys(range(5), "cost"))
    respondents = answer(COUNT).respondents
    return tuple(replace(r, known=known.get(r.number - 1, {}) if r.number <= COUNT - 10 else {}) for r in respondents)


@pytest.fixture(scope="module")
def fit(survey: Survey, people: tuple[Respondent, ...]) -> HierarchicalResults:
    data = choice_data(survey.definition, choice_frame(survey.definition, people))
    return HierarchicalLogit(data, signs={"price": -1}).fit(draws=400, warmup=400, seed=1)


def known(people: tuple[Respondent, ...], change: Mapping[str, Any]) -> tuple[Respondent, ...]:
    return tuple(replace(r, known={**r.known, **change}) for r in people)


def test_covariates_stand_for_the_mean_where_nothing_is_known(people: tuple[Respondent, ...]) -> None:
    frame = purchase_covariates(people)
    assert list(frame) == ["bought_families", "bought_step_ups", "bought_discount"]
    assert frame.notna().all(axis=None)
    unlinked = frame["bought_families"].iloc[-10:]
    assert unlinked.to_numpy() == pytest.approx(frame["bought_families"].iloc[:-10].mean())
    assert frame["bought_families"].iloc[0] == pytest.approx(np.log1p(people[0].known["families"]))


def test_what_is_known_of_few_or_the_same_of_all_is_no_covariate(people: tuple[Respondent, ...]) -> None:
    few = tuple(replace(r, known=r.known if r.number <= 74 else {}) for r in people)
    assert purchase_covariates(few).empty
    assert "bought_families" not in purchase_covariates(known(people, {"families": 2}))
    assert len(purchase_covariates(few).index) == COUNT


def test_steps_up_are_foretold_by_worth(
    survey: Survey, people: tuple[Respondent, ...], fit: HierarchicalResults
) -> None:
    offers = offered_steps(survey.definition, people)
    assert set(offers["from_level"]) <= {a.current for a in survey.definition.attributes}
    found = up_selling(survey.definition, fit, offers, 0.90)
    assert len(found) == 10
    assert found["customers"].min() >= 10
    assert found["offers"].sum() == len(offers)
    assert found["forecast"].is_monotonic_increasing
    assert np.corrcoef(found["forecast"], found["taken"])[0, 1] > 0.7
    assert found["taken"].iloc[-3:].mean() > found["taken"].iloc[:3].mean() + 0.2
    assert ((found["low"] <= found["taken"]) & (found["taken"] <= found["high"])).all()


def test_steps_taken_by_chance_are_not_foretold(
    survey: Survey, people: tuple[Respondent, ...], fit: HierarchicalResults
) -> None:
    offers = offered_steps(survey.definition, people)
    rng = np.random.default_rng(2)
    slopes = []
    for _ in range(40):
        found = up_selling(survey.definition, fit, offers.assign(taken=rng.random(len(offers)) < 0.5), 0.90)
        slopes.append(np.corrcoef(found["forecast"], found["taken"])[0, 1])
    assert abs(np.mean(slopes)) < 0.2


def test_a_group_that_could_be_worked_out_is_not_told() -> None:
    table = pd.DataFrame({"segment": ["all", "a", "b", "all", "a"], "figure": ["up"] * 3 + ["down"] * 2, "customers": [45, 20, 20, 30, 30]})  # fmt: skip
    kept = _not_worked_out(table, "figure").groupby("figure")["segment"].agg(list).to_dict()
    assert kept == {"up": ["all", "a"], "down": ["all", "a"]}, "the five of neither segment, and nobody"
    assert _not_worked_out(table[table["segment"] != "all"], "figure").empty, (
        "nothing of a part where nothing is told of everybody"
    )


def test_few_customers_are_no_groups(survey: Survey, people: tuple[Respondent, ...], fit: HierarchicalResults) -> None:
    offers = offered_steps(survey.definition, people[:9])
    assert up_selling(survey.definition, fit, offers, 0.90).empty
    assert offered_steps(survey.definition, known(people[:1], {"steps": [["price", 1.0, True]]})).empty


def test_an_analysis_uses_purchases_that_are_known(
    survey: Survey, answer: Answer, people: tuple[Respondent, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in (("_MOST_SWEEPS", 200), ("_MOST_WARMUP", 100), ("_MOST_SWEEPS_OF_OTHERS", 200), ("_WARMUP_OF_OTHERS", 100)):  # fmt: skip
        monkeypatch.setattr(hierarchical, name, few)
    few = tuple(replace(r, known=people[0].known | r.known) for r in people[:90])
    analysis = analyse(survey, replace(answer(COUNT), respondents=few), Request(model="hierarchical"))
    gain = analysis.tables["purchase_gain"].set_index("purchases")
    assert list(gain.index) == ["with", "without"]
    assert (gain["customers"] == 90).all()
    assert (gain["log_score"] > np.log(1 / 3)).all()
    assert analysis.tables["up_selling"]["customers"].min() >= 10
    effects = analysis.tables["purchase_effects"]
    assert set(effects["covariate"]) == {"bought_families", "bought_step_ups", "bought_discount"}
    assert effects["r_hat"].notna().all()
    codes = {note.code for note in analysis.notes}
    assert {"purchases", "not_compared"} <= codes  # of 90 no groupings can be compared


def test_purchases_that_tell_nothing_of_their_own_leave_the_figures_as_they_are(
    survey: Survey, people: tuple[Respondent, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Families that follow from the segment cannot be told apart from it; the fit without purchases stands all the same."""
    for name, few in (
        ("_MOST_SWEEPS", 60),
        ("_MOST_WARMUP", 60),
        ("_MOST_SWEEPS_OF_OTHERS", 60),
        ("_WARMUP_OF_OTHERS", 60),
    ):
        monkeypatch.setattr(hierarchical, name, few)
    monkeypatch.setattr("wtp.estimation.hierarchical.logit._FIRST_WARMUP", 60)
    place = {"downtime": 1, "cost": 2, "growth": 3}
    same = tuple(replace(r, known={"families": place[r.answers["core_problem"]]}) for r in people[:90])
    members = {"all": same} | {s.id: tuple(r for r in same if r.answers["core_problem"] in s.when["core_problem"]) for s in survey.definition.segments}  # fmt: skip
    found, notes = hierarchical.hierarchical(survey.definition, members, seed=1)
    assert found is not None
    assert found.with_purchases is None
    assert "purchases_left_out" in {note.code for note in notes}
