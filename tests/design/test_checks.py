"""Each check before launch: ready on a sound design, and on a design with one planted fault the status that the fault deserves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wtp.design import check_design, diagnostics, search
from wtp.design.checks import FAILED, OUT_OF_DATE, READY, UNUSABLE, WARNING, Check, worst
from wtp.design.efficient import prior_draws
from wtp.estimation.columns import Columns
from wtp.survey import Alternative, ChoiceTask, Definition, Design, load_survey
from wtp.survey.tasks import Prior, Prohibition

WORKSHOP = Path(__file__).parents[2] / "surveys" / "workshop"


@pytest.fixture(scope="module")
def sound() -> tuple[Definition, Design]:
    survey = load_survey(WORKSHOP)
    assert survey.design is not None
    return survey.definition, survey.design


def planned(definition: Definition, **changes: object) -> Definition:
    return definition.model_copy(update={"choice_tasks": definition.choice_tasks.model_copy(update=changes)})


def found(definition: Definition, design: Design) -> dict[str, Check]:
    return {check.name: check for check in check_design(definition, design).checks}


def changed(design: Design, change: Callable[[ChoiceTask], ChoiceTask]) -> Design:
    return Design(
        {version: tuple(change(task) for task in tasks) for version, tasks in design.versions.items()}, "changed"
    )


def with_levels(task: ChoiceTask, **levels: str) -> ChoiceTask:
    return replace(task, alternatives=tuple(replace(a, levels={**a.levels, **levels}) for a in task.alternatives))


def test_a_sound_design_is_ready(sound: tuple[Definition, Design]) -> None:
    checks = found(*sound)
    assert {check.status for check in checks.values()} == {READY}
    assert checks["identified"].values == {"rank": 11, "parameters": 11}
    assert checks["efficiency"].values["share"] == pytest.approx(0.78, abs=0.02)


def test_the_d_error_is_that_of_the_information_task_by_task(sound: tuple[Definition, Design]) -> None:
    """Once more from the labels and prices of the file, with probabilities of one third, and under a prior with its logit probabilities."""
    definition, design = sound
    prior = Prior(
        price_coefficient=-0.03,
        spread=0,
        worth={a.id: tuple(4.0 * i for i in range(len(a.levels))) for a in definition.attributes},
    )
    informed = planned(definition, prior=prior)
    (beta,) = prior_draws(informed)
    prices = definition.price.levels

    def row(alternative: Alternative) -> list[float]:
        coded = [float(alternative.levels[a.id] == level) for a in definition.attributes for level in a.level_ids[1:]]
        return [*coded, (alternative.price - prices[0]) / (prices[-1] - prices[0])]

    assert beta[-1] == pytest.approx(-0.03 * (prices[-1] - prices[0]))
    assert beta[:2] == pytest.approx([0.12, 0.24]), "4 and 8 EUR at 0.03 a EUR"
    expected = []
    for part_worths in (np.zeros(11), beta):
        M = np.zeros((11, 11))
        for tasks in design.versions.values():
            for task in tasks:
                if task.kind != "estimation":
                    continue
                X = np.array([row(a) for a in task.alternatives])
                p = np.exp(X @ part_worths)
                p /= p.sum()
                M += X.T @ (np.diag(p) - np.outer(p, p)) @ X / len(design.versions)
        expected.append(np.linalg.det(M) ** (-1 / 11))
    told = diagnostics(design, informed)
    assert told.d_error == pytest.approx(expected[0], rel=1e-9)
    assert told.prior_d_error == pytest.approx(expected[1], rel=1e-9)
    assert told.random_prior_d_error is not None
    assert told.random_prior_d_error > expected[1]
    assert "under the prior" in str(told)
    assert diagnostics(design, definition).prior_d_error is None
    assert len(Columns.of(definition).codes) == 6


def test_a_design_older_than_the_rules_is_out_of_date(sound: tuple[Definition, Design]) -> None:
    definition, design = sound
    rule = Prohibition(levels={"drop_off": ("night_box",), "window": ("weekend",)})
    check = found(planned(definition, prohibited=(rule,)), design)["rules"]
    broken = sum(
        any(a.levels["drop_off"] == "night_box" and a.levels["window"] == "weekend" for a in task.alternatives)
        for tasks in design.versions.values()
        for task in tasks
    )
    assert (check.status, check.values["broken"]) == (OUT_OF_DATE, broken)
    assert broken > 100


def test_a_level_that_is_never_shown_makes_it_unusable(sound: tuple[Definition, Design]) -> None:
    definition, design = sound
    poor = changed(
        design,
        lambda task: replace(
            task,
            alternatives=tuple(
                replace(
                    a,
                    levels={
                        **a.levels,
                        "window": "saturday" if a.levels["window"] == "weekend" else a.levels["window"],
                    },
                )
                for a in task.alternatives
            ),
        ),
    )
    checks = found(definition, poor)
    assert checks["balance"].status == checks["identified"].status == UNUSABLE
    assert checks["balance"].values["attribute"] == "window"
    assert checks["identified"].values == {"rank": 10, "parameters": 11}
    assert checks["efficiency"].status == FAILED, "there is no D-error"
    assert checks["versions"].status == WARNING


def test_unequal_levels_and_tasks_that_do_not_vary_are_a_warning(sound: tuple[Definition, Design]) -> None:
    definition, design = sound
    poor = changed(design, lambda task: with_levels(task, transport="none") if task.number % 2 else task)
    checks = found(definition, poor)
    assert checks["balance"].status == checks["overlap"].status == WARNING
    assert checks["overlap"].values == {"attribute": "transport", "share": 0.5}
    assert checks["identified"].status == READY


def test_pairs_that_never_meet_are_a_warning(sound: tuple[Definition, Design]) -> None:
    definition, design = sound
    tied = changed(
        design,
        lambda task: replace(
            task,
            alternatives=tuple(
                replace(a, levels={**a.levels, "window": "weekend"}) if a.levels["mobility"] == "loan_car" else a
                for a in task.alternatives
            ),
        ),
    )
    check = found(definition, tied)["pairs"]
    assert (check.status, check.values["never"]) == (WARNING, 2)
    forbidden = Prohibition(levels={"mobility": ("loan_car",), "window": ("weekdays", "saturday")})
    assert found(planned(definition, prohibited=(forbidden,)), tied)["pairs"].values["never"] == 0, (
        "what the author forbids is not missed"
    )


def test_dominated_alternatives_are_counted(sound: tuple[Definition, Design]) -> None:
    definition, design = sound
    number = next(task.number for task in design.versions[1] if task.kind == "estimation")

    def spoil(task: ChoiceTask) -> ChoiceTask:
        one, *others = task.alternatives
        return replace(task, alternatives=(one, replace(one, number=others[0].number), *others[1:]))

    poor = Design(
        {
            v: tuple(spoil(t) if v == 1 and t.number == number else t for t in tasks)
            for v, tasks in design.versions.items()
        },
        "x",
    )
    check = found(definition, poor)["dominated"]
    assert (check.status, check.values["tasks"]) == (WARNING, 1)


def test_few_tasks_a_version_are_a_warning_for_small_segments(sound: tuple[Definition, Design]) -> None:
    definition, _ = sound
    small = planned(definition, tasks=4, alternatives=2, versions=1, repeated=0, holdouts=0)
    checks = found(small, search(small, 1))
    assert checks["versions"].status == WARNING
    assert checks["versions"].values["rank"] <= 4
    assert checks["holdouts"].status == WARNING


@pytest.mark.parametrize("fault", ["different", "estimated", "dominated", "repeated", "count"])
def test_holdouts_that_judge_badly_are_a_warning(sound: tuple[Definition, Design], fault: str) -> None:
    definition, design = sound
    first = design.versions[1]
    held = next(task for task in first if task.kind == "holdout")
    asked = [task for task in first if task.kind == "estimation"]

    def poor(version: int, tasks: tuple[ChoiceTask, ...]) -> tuple[ChoiceTask, ...]:
        if fault == "count":
            return tuple(task for task in tasks if task.kind != "holdout")
        if fault == "repeated":
            return tuple(task for task in tasks if task.kind != "repeat")
        if fault == "dominated":
            dear = next(a for a in held.alternatives if a.price > definition.price.levels[0])
            others = [a for a in held.alternatives if a is not dear]
            best = replace(dear, number=others[0].number, price=definition.price.levels[0])
            spoilt = replace(held, alternatives=(dear, best, *others[1:]))
            return tuple(spoilt if task.number == held.number else task for task in tasks)
        if fault == "estimated":
            return tuple(
                replace(task, alternatives=asked[0].alternatives) if task.number == held.number else task
                for task in tasks
            )
        return tuple(
            replace(task, alternatives=asked[1].alternatives) if version == 2 and task.number == held.number else task
            for task in tasks
        )

    check = found(definition, Design({v: poor(v, tasks) for v, tasks in design.versions.items()}, "x"))["holdouts"]
    assert check.status == WARNING
    assert bool(check.values[fault]) == (fault in {"different", "estimated", "dominated"})


def test_the_worst_status_stands_for_all() -> None:
    assert worst([READY, WARNING, READY]) == WARNING
    assert worst([WARNING, UNUSABLE, OUT_OF_DATE]) == UNUSABLE
    assert worst([FAILED, UNUSABLE]) == FAILED
    assert worst([]) == READY
