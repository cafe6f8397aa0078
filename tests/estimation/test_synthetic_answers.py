"""Simulated answers have a truth, and nine of ten intervals of the estimators that the analysis uses hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from tests.simulated import one_record
from wtp.estimation import BestWorstLogit, best_worst_choices, constant_sum, item_table, kano
from wtp.estimation.synthetic import draw_respondents
from wtp.estimation.synthetic_answers import best_and_worst, item_utilities, kano_shares, other_answer
from wtp.survey import Definition
from wtp.survey.definition import SimulatedSegment

ITEMS = list("abcde")
TRUTH = {"a": 1.0, "b": 0.5, "c": 0.1, "d": -0.4, "e": -1.0}


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> Definition:
    return one_record(tmp_path_factory.mktemp("surveys")).definition


def segment(definition: Definition) -> SimulatedSegment:
    assert definition.simulation is not None
    return definition.simulation.segments[0]


@pytest.mark.parametrize("anchored", [True, False])
def test_best_worst_tasks_follow_their_utilities(anchored: bool) -> None:
    truth = np.array(list(TRUTH.values()))
    truth = truth if anchored else truth - truth.mean()
    held = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = []
        for person in range(100):
            for task in range(3):
                shown = [ITEMS[i] for i in rng.permutation(5)[:3]]
                said = best_and_worst(TRUTH, shown, rng, anchored=anchored)
                rows += [(person, task, i, i == said["best"], i == said["worst"], said.get("anchor")) for i in shown]
        frame = pd.DataFrame(rows, columns=["respondent", "choice_task", "item", "best", "worst", "anchor"])
        data = best_worst_choices(frame, anchor="anchor" if anchored else None)
        table = item_table(BestWorstLogit(data).fit(), confidence=0.90, draws=10)
        held += list((table["low"] <= truth) & (truth <= table["high"]))
    assert 0.84 <= np.mean(held) <= 0.96


def test_points_lie_round_their_truth(definition: Definition) -> None:
    question = next(q for q in definition.questions if q.id == "budget")
    items = [item.id for item in question.items]  # type: ignore[union-attr]
    truth = 100 * softmax(item_utilities(definition, segment(definition), items))
    held = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        given = [other_answer(definition, question, segment(definition), rng) for _ in range(60)]
        assert all(sum(points.values()) == 100 for points in given)
        frame = pd.DataFrame(
            [(n, item, p) for n, points in enumerate(given) for item, p in points.items()],
            columns=["respondent", "item", "points"],
        )
        table = constant_sum(frame, confidence=0.90, replicates=300, seed=seed).table
        held += list((table["low"] <= truth) & (truth <= table["high"]))
    assert 0.84 <= np.mean(held) <= 0.95


def test_kano_answers_come_in_their_shares(definition: Definition) -> None:
    for name, main in (("hotline", "attractive"), ("training", "one_dimensional")):
        question = next(q for q in definition.questions if q.id == name)
        rng = np.random.default_rng(3)
        given = [other_answer(definition, question, segment(definition), rng) for _ in range(2000)]
        found = kano(np.array([a["with"] for a in given]), np.array([a["without"] for a in given]))
        shares = kano_shares(definition, name)
        assert (found.category, found.decided) == (main, True)
        for category, share in shares.items():
            assert abs(found.counts[category] / 2000 - share) < 4 * np.sqrt(share * (1 - share) / 2000)


def test_an_item_named_like_an_attribute_matters_by_its_worths(definition: Definition) -> None:
    own = segment(definition)
    utilities = dict(
        zip(("speed", "design", "new"), item_utilities(definition, own, ["speed", "design", "new"]), strict=True)
    )
    spans = {name: max(own.worth[name]) - min(own.worth[name]) for name in ("speed", "design")}
    assert (utilities["speed"] > utilities["design"]) == (spans["speed"] > spans["design"])
    assert utilities["new"] == -1
    people = draw_respondents(definition, 3, 1)
    assert all(set(person.answers["sorting"]) >= {"speed", "price"} for person in people)
