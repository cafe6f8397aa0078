"""Choice data in the layouts of other software: read back by each layout's own rules, not by our writer's, the choices have the same likelihood.

Biogeme, xlogit, R's survival and bayesm were given these very files; what they found stands in `tests/golden/layouts.json`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.discrete.conditional_models import ConditionalLogit as Peer

from tests.export.conftest import frozen, taken
from tests.export.test_files import files_of, read
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.export.layouts import LAYOUTS
from wtp.survey import Answers, Survey

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "layouts.json").read_text(encoding="utf-8"))
NUMBER = 14  # parameters: two levels of six attributes, price, none
BOTH, SINGLE = ("logitr", "mlogit", "apollo", "biogeme", "xlogit"), ("bayesm",)


@pytest.fixture(scope="module")
def people(survey: Survey) -> Answers:
    return frozen(survey)


@pytest.fixture(scope="module")
def own(survey: Survey, people: Answers) -> Any:
    """Our fit of both questions of every task."""
    frame = choice_frame(survey.definition, people.respondents)
    return ConditionalLogit(ChoiceData.from_long(frame, formula=formula(survey.definition))).fit()


@pytest.fixture(scope="module")
def own_single(survey: Survey, people: Answers) -> Any:
    """Our fit with none as one more alternative, put together from the answers themselves."""
    rows = []
    for r in people.respondents:
        for c in r.choices:
            if c.task.kind == "estimation":
                rows += [(r.number, c.task.number, a.number == c.chosen and c.buys, *a.levels.values(), a.price, 0.0) for a in c.task.alternatives]  # fmt: skip
                lowest = [attribute.level_ids[0] for attribute in survey.definition.attributes]
                rows.append((r.number, c.task.number, not c.buys, *lowest, 0.0, 1.0))
    names = [attribute.id for attribute in survey.definition.attributes]
    frame = pd.DataFrame(rows, columns=["respondent", "choice_task", "chosen", *names, "price", "none"])
    for attribute in survey.definition.attributes:
        frame[attribute.id] = pd.Categorical(frame[attribute.id], categories=list(attribute.level_ids))
    return ConditionalLogit(ChoiceData.from_long(frame, formula=formula(survey.definition))).fit()


def likelihood(y: Any, X: pd.DataFrame, group: Any) -> float:
    """Of statsmodels' own conditional logit."""
    assert X.shape[1] == NUMBER
    scale = np.where(X.columns == "price", 0.1, 1.0)
    fit = Peer(np.asarray(y), X.to_numpy(dtype=float) * scale, groups=np.asarray(group)).fit(method="newton", disp=0)
    return float(fit.llf)


def rows_of(name: str, content: dict[str, bytes]) -> tuple[pd.Series, pd.DataFrame, pd.Series]:
    """y, X, observation of a layout's file, by what its program documents."""
    data = read(content["choices.csv"])
    if name in {"logitr", "mlogit"}:
        observation = data["obsID" if name == "logitr" else "chid"]
        assert observation.is_monotonic_increasing
        assert (observation.diff().dropna() <= 1).all(), "observations count on, their rows together"
        keys = {"id", "simulated", "obsID", "chid", "altID", "alt", "choice"}
        X = data.drop(columns=keys, errors="ignore").select_dtypes("number")
        return data["choice"].astype(int), X, observation
    if name == "xlogit":
        assert (data.groupby("observation").size() == data["slot"].max()).all(), (
            "every observation has every alternative"
        )
        assert (data.loc[data["available"] == 0, "chosen"] == 0).all()
        there = data[data["available"] == 1]
        keys = ["observation", "slot", "respondent", "simulated", "available", "chosen"]
        return there["chosen"], there.drop(columns=keys), there["observation"]
    if name == "bayesm":
        assert (data.groupby(["respondent", "task"], sort=False)["slot"].agg(list).map(tuple) == (1, 2, 3, 4)).all()
        return data["chosen"], data.drop(columns=["respondent", "simulated", "task", "slot", "chosen"]), data.index // 4
    assert all(pd.api.types.is_numeric_dtype(data[column]) for column in data), "numbers only"
    places = sorted(int(column.removeprefix("av_")) for column in data if column.startswith("av_"))
    long = []
    for place in places:
        mine = [c for c in data if c.endswith(f"_{place}") and c != f"av_{place}"]
        part = data[mine].set_axis([c.removesuffix(f"_{place}") for c in mine], axis=1)
        assert (part[data[f"av_{place}"] == 0] == 0).all(axis=None)
        part = part.assign(y=(data["choice"] == place).astype(int), observation=data["observation"])
        long.append(part[data[f"av_{place}"] == 1])
    every = pd.concat(long).sort_values("observation", kind="stable")
    assert (every.groupby("observation")["y"].sum() == 1).all(), "what was chosen is available"
    return every["y"], every.drop(columns=["y", "observation"]), every["observation"]


@pytest.mark.parametrize("name", [*BOTH, *SINGLE])
def test_choices_read_back_by_the_layouts_rules_have_our_likelihood(
    name: str, survey: Survey, people: Answers, own: Any, own_single: Any
) -> None:
    content = files_of(taken(name, survey, people))
    ours = own_single if name in SINGLE else own
    assert likelihood(*rows_of(name, content)) == pytest.approx(ours.llf, abs=1e-6)
    assert read(content["choices.csv"])["simulated"].eq(1).all()
    assert content["README.txt"].startswith(b"SIMULATED ANSWERS")
    scripts = [file for file in content if file.startswith("fit_")]
    assert len(scripts) == 1
    assert scripts[0].encode() in content["README.txt"]


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_other_software_found_the_same_in_these_very_files(
    name: str, survey: Survey, people: Answers, own: Any, own_single: Any
) -> None:
    theirs, ours = GOLDEN[name], own_single if name in SINGLE else own
    written = files_of(taken(name, survey, people))["choices.csv"]
    assert hashlib.sha256(written).hexdigest() == theirs["sha256"], "the file has changed: run make_layouts.py again"
    assert theirs["log_likelihood"] == pytest.approx(ours.llf, abs=1e-6)
    mine = {term.replace("[T.", "_").rstrip("]").replace("`", ""): value for term, value in ours.params.items()}
    named = {key.replace("[", "_").rstrip("]"): value for key, value in mine.items()}
    assert set(named) == set(theirs["params"])
    for key, value in theirs["params"].items():
        assert value == pytest.approx(named[key], abs=2e-4 if name == "bayesm" else 2e-5), key


def sawtooth_labels(text: str) -> list[list[str]]:
    """Levels by attribute of an .att file."""
    return [block.splitlines()[1:] for block in text.strip().split("\n\n")]


def sawtooth_tasks(text: str, *, constant_sum: bool) -> list[tuple[int, list[list[int]], int]]:
    """(respondent, concepts as level numbers, place chosen) of a .cho or .chs file; none is a concept of zeros."""
    numbers = iter([[int(word) for word in line.split()] for line in text.splitlines()])
    found = []
    for respondent, extra, attributes, tasks, none in numbers:
        assert none == 1
        assert next(numbers) == [1] * extra, "simulated"
        for _ in range(tasks):
            concepts, *depth = next(numbers)
            assert depth == ([] if constant_sum else [1])
            lines = [next(numbers) for _ in range(concepts)]
            if constant_sum:
                assert sum(line[-1] for line in lines) == 1
                chosen = next(place for place, line in enumerate(lines, 1) if line[-1])
                lines = [line[:-1] for line in lines]
            else:
                chosen, _ = next(numbers)
                lines.append([0] * attributes)
            assert all(len(line) == attributes for line in lines)
            found.append((respondent, lines, chosen))
    return found


@pytest.mark.parametrize(("file", "constant_sum"), [("study.cho", False), ("study.chs", True)])
def test_sawtooth_files_have_the_same_likelihood(
    file: str, constant_sum: bool, survey: Survey, people: Answers, own: Any, own_single: Any
) -> None:
    content = {name: text.decode() for name, text in files_of(taken("sawtooth", survey, people)).items()}
    labels = sawtooth_labels(content["study.att"])
    definition = survey.definition
    assert [len(block) for block in labels] == [
        *(len(a.levels) for a in definition.attributes),
        len(definition.price.levels),
    ]
    assert labels[1][2] == definition.attributes[1].levels[2].label["en"]
    prices = [float(text) for text in labels[-1]]
    rows = []
    for observation, (_, concepts, chosen) in enumerate(sawtooth_tasks(content[file], constant_sum=constant_sum)):
        for place, levels in enumerate(concepts, 1):
            dummies = [int(level == n) for level, block in zip(levels, labels[:-1], strict=False) for n in range(2, len(block) + 1)]  # fmt: skip
            price = prices[levels[-1] - 1] if levels[-1] else 0.0
            rows.append((observation, int(place == chosen), *dummies, price, int(not any(levels))))
    frame = pd.DataFrame(rows).rename(columns={NUMBER: "price"})
    ours = own if constant_sum else own_single
    assert likelihood(frame[1], frame.drop(columns=[0, 1]), frame[0]) == pytest.approx(ours.llf, abs=1e-6)


def test_the_sawtooth_design_is_the_design(survey: Survey, people: Answers) -> None:
    assert survey.design is not None
    design = read(files_of(taken("sawtooth", survey, people))["design.csv"])
    assert list(design.columns[:3]) == ["Version", "Task", "Concept"]
    tasks = [task for task in survey.design.versions[3] if task.kind == "estimation"]
    mine = design[design["Version"] == 3]
    assert len(mine) == len(tasks) * survey.definition.choice_tasks.alternatives
    row = mine[(mine["Task"] == 2) & (mine["Concept"] == 1)].iloc[0]
    first = next(a for a in tasks[1].alternatives if a.number == 1)
    speed = survey.definition.attribute("speed")
    assert speed.level_ids[row["speed"] - 1] == first.levels["speed"]
    assert survey.definition.price.levels[row["price"] - 1] == first.price


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_nobody_yet_is_an_empty_file_with_its_note(name: str, survey: Survey) -> None:
    nobody = files_of(taken(name, survey, Answers(survey.slug, (), "")))
    assert b"Respondents: 0" in nobody["README.txt"]
    if name == "sawtooth":
        assert nobody["study.cho"] == b""
    else:
        assert len(read(nobody["choices.csv"])) == 0
        assert len(read(nobody["choices.csv"]).columns) > NUMBER


@pytest.mark.parametrize("name", ["logitr", "xlogit", "biogeme", "bayesm"])
def test_a_study_without_none_option_has_no_column_and_no_place_for_it(
    name: str, survey: Survey, people: Answers
) -> None:
    plan = survey.definition.choice_tasks.model_copy(update={"none": "without"})
    plain = replace(survey, definition=survey.definition.model_copy(update={"choice_tasks": plan}))
    unasked = [replace(r, choices=tuple(replace(c, buys=None) for c in r.choices)) for r in people.respondents[:5]]
    data = read(files_of(taken(name, plain, Answers("supplier", tuple(unasked), "")))["choices.csv"])
    tasks = 5 * plan.tasks
    if name == "biogeme":
        assert len(data) == tasks
        assert sorted(c for c in data if c.startswith("av_")) == ["av_1", "av_2", "av_3"]
    else:
        assert len(data) == tasks * 3
    assert not [column for column in data if column.startswith("none") and data[column].any()]
