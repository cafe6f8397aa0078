"""The planted set: 100 honest respondents, 20 random ones, 10 with one position, 10 speeders, 5 copies; who is caught, and whom it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from wtp.design import assign, search
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.quality import Quality, inspect
from wtp.survey import Answers, Choice, Definition, Respondent, load_survey

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"
KINDS = {"honest": 100, "random": 20, "position": 10, "speeder": 10, "copy": 5}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def planted(
    seed: int, tasks: int = 16, folder: Path = SUPPLIER, kinds: dict[str, int] = KINDS
) -> tuple[Definition, Answers, dict[str, list[int]]]:
    """All kinds in one study of so many tasks in all, and who is who."""
    definition = load_survey(folder).definition
    plan = definition.choice_tasks.model_copy(update={"tasks": tasks - 3, "versions": 30})
    definition = definition.model_copy(update={"choice_tasks": plan})
    design, rng = search(definition, seed), np.random.default_rng(seed)
    tastes = draw_respondents(definition, sum(kinds.values()), seed)
    planned = [kind for kind, count in kinds.items() for _ in range(count)]
    found: list[Respondent] = []
    who: dict[str, list[int]] = {kind: [] for kind in kinds}
    for number, (kind, person) in enumerate(zip(planned, tastes, strict=True), 1):
        who[kind].append(number)
        began = NOW + timedelta(minutes=number)
        if kind == "copy":
            found.append(replace(found[int(rng.integers(100))], number=number, started_at=began, completed_at=began))
            continue
        version = 1 + number % 30
        choices, seconds = [], {}
        pace = np.exp(0.3 * rng.standard_normal()) * (0.25 if kind == "speeder" else 1)
        for order, task in enumerate(assign(design.versions[version], rng), 1):
            chosen, buys = choose(person, task, rng)
            if kind in {"random", "speeder"}:
                chosen = task.alternatives[int(rng.integers(len(task.alternatives)))].number
            if kind == "position":
                chosen = task.alternatives[1].number
            choices.append(Choice(task, order, chosen, buys, version, "hash", began))
            seconds[f"choice task {order}"] = float(pace * 14 * np.exp(0.4 * rng.standard_normal()))
        found.append(
            Respondent(
                number, True, "en", version, began, began, person.answers, tuple(choices),
                outcome="completed", seconds=seconds,
            )
        )  # fmt: skip
    return definition, Answers("planted", tuple(found), "hash"), who


@pytest.fixture(scope="module")
def inspected() -> list[tuple[Quality, dict[str, list[int]]]]:
    made = [planted(seed) for seed in (1, 2, 3, 4)]
    return [(inspect(definition, answers), who) for definition, answers, who in made]


def rate(inspected: list[tuple[Quality, dict[str, list[int]]]], kind: str, least: int) -> float:
    """Share of a kind with at least so many flags, over all studies."""
    return float(np.mean([(quality.respondents.loc[who[kind], "flags"] >= least).mean() for quality, who in inspected]))


@pytest.mark.parametrize("kind", ["random", "position", "speeder", "copy"])
def test_at_least_four_in_five_of_each_kind_are_caught(
    inspected: list[tuple[Quality, dict[str, list[int]]]], kind: str
) -> None:
    assert rate(inspected, kind, 1) >= 0.8


def test_hardly_any_honest_respondent_is_flagged_twice(inspected: list[tuple[Quality, dict[str, list[int]]]]) -> None:
    assert rate(inspected, "honest", 2) <= 0.05
    assert rate(inspected, "honest", 1) <= 0.15


def test_each_kind_is_caught_by_its_own_signal(inspected: list[tuple[Quality, dict[str, list[int]]]]) -> None:
    for quality, who in inspected:
        flags = quality.signals[quality.signals["flagged"]]
        by_signal = {name: set(group["respondent"]) for name, group in flags.groupby("signal")}
        assert by_signal["position"] >= set(who["position"])
        assert by_signal["duplicate"] == set(who["copy"])
        assert len(by_signal["fast_choices"] & set(who["speeder"])) >= 8


def test_no_more_false_alarms_than_told(inspected: list[tuple[Quality, dict[str, list[int]]]]) -> None:
    """At most 5 per cent of consistent respondents are lost by the likelihood alone; here fewer are (1 to 2 per cent)."""
    lost = [
        quality.signals.query("signal == 'likelihood' and flagged")["respondent"].isin(who["honest"]).sum()
        for quality, who in inspected
    ]
    assert sum(lost) / 400 <= 0.05


def test_the_table_tells_what_a_cut_off_costs(inspected: list[tuple[Quality, dict[str, list[int]]]]) -> None:
    for quality, _ in inspected:
        table = quality.cutoffs
        assert table["false_alarms"].tolist() == [0.01, 0.02, 0.05, 0.10]
        assert table["cutoff"].is_monotonic_increasing
        assert table["catches"].is_monotonic_increasing
        assert table["cutoff"].between(1 / 3 - 0.15, 0.9).all()


def test_fewer_tasks_catch_fewer() -> None:
    long, short = (inspect(*planted(5, tasks)[:2]).cutoffs for tasks in (16, 8))
    assert short["catches"].iloc[2] < long["catches"].iloc[2]
    definition, answers, _ = planted(5, 8)
    assert set(inspect(definition, answers).respondents["suggestion"]) <= {"keep", "look"}


def test_nothing_is_said_about_few_or_nobody() -> None:
    definition, answers, _ = planted(6)
    few = inspect(definition, replace(answers, respondents=answers.respondents[:5]))
    assert not few.signals["signal"].isin(["likelihood", "fast_choices", "fast_interview"]).any()
    assert few.cutoffs.empty
    assert inspect(definition, replace(answers, respondents=())).respondents.empty


def test_traps_and_equal_words(inspected: list[tuple[Quality, dict[str, list[int]]]]) -> None:
    definition, answers, _ = planted(7)
    marked = replace(answers.respondents[0], signs=("honeypot",))
    quality = inspect(definition, replace(answers, respondents=(marked, *answers.respondents[1:])))
    flags = quality.signals.query("flagged and signal == 'honeypot'")
    assert flags["respondent"].tolist() == [marked.number]
