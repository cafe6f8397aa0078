"""Designs with labelled alternatives: rules kept in every task, columns those of the estimation, and diagnostics among the offers that can have a level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wtp.design import check_design, diagnostics, search
from wtp.design.checks import READY
from wtp.design.efficient import prior_draws
from wtp.design.exchange import mean_error
from wtp.design.rules import rules_of
from wtp.errors import DesignError
from wtp.estimation import ChoiceData
from wtp.estimation.coding import design_levels
from wtp.estimation.columns import Columns
from wtp.survey import Definition, load_survey
from wtp.survey.labels import belongs, prices_with
from wtp.survey.tasks import Design, LabelTaste, Prior, Prohibition

FORMULA = "mode + time:mode + seat + transfers + parking + price:mode"
PRIOR = Prior(
    price_coefficient=-0.04,
    spread=0.5,
    worth={"mode": (0, 5, -5), "time": (0, 8, 16), "seat": (0, 5), "transfers": (0, 6, 12), "parking": (0, 7)},
    per_label=(LabelTaste(label="bus", price_coefficient=-0.08, worth={"time": (0, 3, 6)}),),
)


@pytest.fixture(scope="module")
def definition() -> Definition:
    return load_survey(Path(__file__).parents[1] / "modes").definition


def planned(definition: Definition, **changes: object) -> Definition:
    return definition.model_copy(update={"choice_tasks": definition.choice_tasks.model_copy(update=changes)})


def long_frame(definition: Definition, design: Design) -> pd.DataFrame:
    """The estimation tasks, each chosen first."""
    rows = [
        {"respondent": version, "choice_task": task.number, "chosen": int(n == 0), "price": a.price, **a.levels}
        for version, tasks in design.versions.items()
        for task in tasks
        if task.kind == "estimation"
        for n, a in enumerate(task.alternatives)
    ]
    frame = pd.DataFrame(rows)
    for attribute in definition.attributes:
        frame[attribute.id] = pd.Categorical(frame[attribute.id], categories=list(attribute.level_ids))
    return frame


@pytest.mark.parametrize(
    "changes",
    [
        {"versions": 60},
        {"versions": 60, "alternatives": 2},
        {"versions": 4, "method": "efficient", "seconds": 2.0},
        {"versions": 4, "method": "efficient", "seconds": 2.0, "alternatives": 2, "prior": PRIOR, "criterion": "C"},
    ],
)
def test_every_task_keeps_the_labels_and_the_rules(definition: Definition, changes: dict[str, object]) -> None:
    wanted = planned(definition, **changes)
    design = search(wanted, 3)
    assert len(design.versions) == changes["versions"]
    shown = set()
    for tasks in design.versions.values():
        for task in tasks:
            labels = [a.levels["mode"] for a in task.alternatives]
            assert len(set(labels)) == len(labels) == wanted.choice_tasks.alternatives
            for a in task.alternatives:
                assert belongs(wanted, a.levels)
                assert a.price in prices_with(wanted, a.levels["mode"])
                assert (a.levels["mode"], a.levels["time"]) != ("bus", "h3")
                shown |= set(a.levels.items())
    known = {(a.id, level) for a in wanted.attributes for level in a.level_ids}
    assert shown == known
    found = diagnostics(design, wanted)
    assert found.rank == found.parameters == 14
    assert found.dominated_tasks == 0


def test_the_columns_are_those_of_the_estimation(definition: Definition) -> None:
    design = search(planned(definition, versions=12), 1)
    columns = Columns.of(definition)
    profiles = design_levels(design, definition)
    data = ChoiceData.from_long(long_frame(definition, design), FORMULA, labels="mode")
    X = columns.coded(profiles).reshape(-1, len(columns.names))
    named = {name.replace(" (", "(") for name in columns.names}
    assert len(named) == len(data.names) == 14
    span = definition.price.levels[-1] - definition.price.levels[0]
    for k, name in enumerate(columns.names):
        if name.startswith("price"):
            own = data.X[:, data.names.index(name)]
            there = own > 0
            assert X[there, k] == pytest.approx((own[there] - definition.price.levels[0]) / span)
            assert not X[~there, k].any()
        else:
            attribute, level = name.rsplit(" ", 1)
            assert (X[:, k] == data.X[:, data.names.index(f"{attribute}[T.{level}]")]).all(), name
    offer = next(iter(design.versions.values()))[0].alternatives[0]
    assert columns.row(definition, offer) == pytest.approx(columns.coded(profiles)[0, 0, 0])


def test_errors_are_those_of_the_information_task_by_task(definition: Definition) -> None:
    informed = planned(definition, versions=6, prior=PRIOR)
    design = search(informed, 1)
    columns, profiles = Columns.of(informed), design_levels(design, informed)
    X = columns.coded(profiles).reshape(-1, 3, 14)
    draws = prior_draws(informed)
    assert (draws[:, columns.attributes == 5] < 0).all(), "every price deters"
    errors, variances = [], []
    for beta in draws:
        p = np.exp(X @ beta)
        p /= p.sum(axis=1, keepdims=True)
        mean = np.einsum("tj,tjk->tk", p, X)
        M = np.einsum("tj,tjk,tjl->kl", p, X, X) - mean.T @ mean
        errors.append(np.linalg.det(M) ** (-1 / 14))
        V = np.linalg.inv(M)
        total = 0.0
        for k, price in columns.valued:
            g = np.zeros(14)
            g[k], g[price] = -1 / beta[price], beta[k] / beta[price] ** 2
            total += g @ V @ g
        variances.append(total)
    levels = profiles.reshape(-1, *profiles.shape[2:])
    told = {"label": columns.label, "valued": columns.valued}
    assert mean_error(columns.codes, levels, draws, **told) == pytest.approx(np.mean(errors), rel=1e-8)
    assert mean_error(columns.codes, levels, draws, "C", **told) == pytest.approx(np.mean(variances), rel=1e-8)
    assert diagnostics(design, informed).prior_d_error == pytest.approx(6 * np.mean(errors), rel=1e-8)
    worths = [(columns.names[k], columns.names[price]) for k, price in columns.valued]
    assert ("transfers one", "price (rail)") in worths
    assert ("transfers one", "price (bus)") in worths
    assert ("transfers one", "price (car)") not in worths, "a car has no transfers"
    assert ("seat reserved", "price (rail)") in worths
    assert ("time (bus) h4", "price (bus)") in worths
    assert not any(name.startswith("mode") for name, _ in worths), "a label has no one worth"
    assert len(worths) == 5 + 1 + 4 + 1


def test_a_prior_tells_a_label_at_todays_price(definition: Definition) -> None:
    """Two offers at today's price, all else at first levels, differ by the stated worth of the label and nothing else."""
    informed = planned(definition, prior=PRIOR.model_copy(update={"spread": 0}))
    (beta,), columns = prior_draws(informed), Columns.of(informed)
    place = dict(zip(columns.names, beta, strict=True))
    span, above = 80.0, (60 - 20) / 80
    assert place["price (bus)"] == pytest.approx(-0.08 * span)
    rail, bus = place["price (rail)"] * above, place["mode bus"] + place["price (bus)"] * above
    assert bus - rail == pytest.approx(0.04 * -5)
    assert place["time (bus) h4"] == pytest.approx(0.08 * 3)
    assert place["time (rail) h3"] == pytest.approx(0.04 * 16)
    assert place["transfers direct"] == pytest.approx(0.04 * 12)


def test_a_level_counts_among_the_offers_that_could_have_it(definition: Definition) -> None:
    design = search(definition, 1)
    checked = check_design(definition, design)
    rows = {row.attribute: row for row in checked.diagnostics.balance}
    frame = long_frame(definition, design)
    for attribute in definition.attributes:
        counts = frame[attribute.id].value_counts()
        assert rows[attribute.id].counts == tuple(counts[level] for level in attribute.level_ids)
    assert max(row.deviation for row in rows.values()) < 0.05, "80 and 100 are prices of two modes, 20 of one"
    assert rows["price"].counts[0] < 0.5 * rows["price"].counts[1]
    assert sum(rows["seat"].counts) == sum(rows["parking"].counts) == 240, "one offer of three"
    assert rows["seat"].overlap == 0.0
    assert checked.unchanged["seat"] == 0.0, "never two offers that have it"
    pairs = {(pair.attribute, pair.other) for pair in checked.pairs}
    assert ("seat", "parking") not in pairs, "no offer can have both"
    assert all(pair.never == 0 for pair in checked.pairs)
    statuses = {check.name: check.status for check in checked.checks}
    assert {name for name, status in statuses.items() if status != READY} <= {"efficiency"}, statuses
    # A design of other rules is told.
    other = definition.model_copy(update={"attributes": tuple(a.model_copy(update={"only": ("rail",)}) if a.id == "transfers" else a for a in definition.attributes)})  # fmt: skip
    assert next(c for c in check_design(other, design).checks if c.name == "rules").status != READY


def test_an_attribute_that_cannot_be_told_from_its_label_is_unusable(definition: Definition) -> None:
    """Where a label shows one level alone, its constant is all there is; nothing is aliased."""
    alone = Prohibition(levels={"mode": ("car",), "time": ("h5", "h3")})
    one = planned(definition, versions=8, prohibited=(*definition.choice_tasks.prohibited, alone))
    names = Columns.of(one).names
    assert not any(name.startswith("time (car)") for name in names)
    found = diagnostics(search(one, 1), one)
    assert found.rank == found.parameters == 12


def test_rules_that_leave_nothing_are_told_without_blaming_the_labels(definition: Definition) -> None:
    slow = Prohibition(levels={"mode": ("rail", "car"), "time": ("h3",)})
    prohibited = (*definition.choice_tasks.prohibited, slow)
    with pytest.raises(DesignError, match=r"without choice_tasks\.(at_most_once|prohibited)"):
        search(planned(definition, at_most_once=("time",), prohibited=prohibited), 1)
    rules = rules_of(definition)
    names = [name for name, _ in rules.parts()]
    assert "choice_tasks.at_most_once" not in names
    assert rules.without(set(names)).at_most_once.tolist() == [True] + 5 * [False], "labels stay apart"
    assert rules.without(set(names)).forbidden[0, 1, 2, 0], "a car has no seat, whatever rule is dropped"
