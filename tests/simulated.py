"""Simulated answers without a database, the two studies that ask everything, and one with labelled alternatives."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from wtp.design import assign, search
from wtp.estimation.synthetic import choose, draw_respondents, rate, sort_items
from wtp.survey import Answers, Choice, Respondent, Survey, load_survey, steps
from wtp.survey.design_file import format_design
from wtp.survey.editing import edited
from wtp.survey.measures import SIMULATED
from wtp.survey.pages import BestWorstPage, ProfileRatingPage

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TESTS = Path(__file__).parent


def every_question(place: Path) -> Survey:
    """The study with every type of question once, in a folder "every", its design found."""
    folder = place / "every"
    shutil.copytree(TESTS / "every_question", folder)
    definition = load_survey(folder).definition
    (folder / "design.csv").write_text(format_design(search(definition, 1), definition), encoding="utf-8")
    return load_survey(folder)


def modes(place: Path) -> Survey:
    """The study with labelled alternatives in a folder "modes", its design found."""
    folder = place / "modes"
    shutil.copytree(TESTS / "modes", folder)
    definition = load_survey(folder).definition
    (folder / "design.csv").write_text(format_design(search(definition, 1), definition), encoding="utf-8")
    return load_survey(folder)


def one_record(place: Path) -> Survey:
    """The supplier study with every way of asking what matters, in a folder "one"."""
    return _supplier_with(place / "one", TESTS / "one_record" / "pages.toml")


# Mean ratings by attribute: expectation, experience, this company, its rival.
RATED = {
    "range": (5.0, 5.0, 4.2, 5.2),
    "speed": (6.0, 4.6, 4.4, 5.4),
    "price": (4.5, 4.5, 5.0, 4.0),
    "financing": (4.0, 4.0, 4.0, 4.0),
    "competence": (4.6, 5.4, 5.5, 4.5),
    "brand": (5.0, 5.0, 4.8, 4.8),
    "design": (4.0, 4.0, 5.2, 4.2),
}
ORDERS = {
    "uptime": ("call", "date", "delivery", "offer", "invoice"),
    "cost": ("call", "offer", "date", "delivery", "invoice"),
    "growth": ("call", "offer", "date", "delivery", "invoice"),
}


def expected(place: Path, *, structure: bool = True) -> Survey:
    """The supplier study with expectation, experience, a script and a rated rival, in a folder "expected"; simulated answers follow RATED and ORDERS, or without structure nothing."""
    return _supplier_with(place / "expected", TESTS / "expected" / "pages.toml", _truths() if structure else {})


def _truths() -> dict[tuple[str | int, ...], Any]:
    rated = [{"id": name, **dict(zip(SIMULATED, means, strict=True))} for name, means in RATED.items()]
    changes: dict[tuple[str | int, ...], Any] = {}
    for number, order in enumerate(ORDERS.values()):
        place = ("simulation", "segments", number)
        changes |= {(*place, "rated"): rated, (*place, "script"): list(order)}
    return changes


def _supplier_with(folder: Path, pages: Path, changes: Mapping[tuple[str | int, ...], Any] | None = None) -> Survey:
    """The supplier study with more pages before its last one."""
    shutil.copytree(TESTS.parent / "surveys" / "supplier", folder)
    file, last = folder / "survey.toml", '[[pages]]\ntype = "thanks"'
    text = file.read_text(encoding="utf-8")
    assert text.count(last) == 1
    text = text.replace(last, pages.read_text(encoding="utf-8") + last)
    file.write_text(edited(text, changes or {}), encoding="utf-8")
    return load_survey(folder)


def simulated(survey: Survey, count: int, *, seed: int = 1, first: int = 1) -> Answers:
    """Everybody answers everything that the survey asks, numbers from `first` on."""
    definition, design = survey.definition, survey.design
    assert design is not None
    people = []
    for number, person in enumerate(draw_respondents(definition, count, seed), first):
        rng = np.random.default_rng([seed, number])
        version = sorted(design.versions)[number % len(design.versions)]
        choices = []
        for order, task in enumerate(assign(design.versions[version], rng), 1):
            chosen, buys = choose(person, task, rng)
            asks = buys if definition.choice_tasks.none == "dual" else None
            choices.append(Choice(task, order, chosen, asks, version, survey.definition_hash, NOW))
        values: dict[str, Any] = {q.id: person.answers[q.id] for q in definition.questions}
        for step in steps(definition, values, f"lot {number}"):
            if isinstance(step.page, BestWorstPage):
                shown = [item.id for item in step.page.items]
                values[step.id] = {"shown": shown, **sort_items(person, step.page, shown, rng)}
            elif isinstance(step.page, ProfileRatingPage) and step.profile:
                offer = {**step.profile.levels, "price": step.profile.price}
                values[step.id] = {"shown": offer, "rating": rate(person, step.profile, step.page.scale, rng)}
        people.append(
            Respondent(
                number, True, "en", version, NOW, NOW, values, tuple(choices), definition_hash=survey.definition_hash
            )
        )
    return Answers(survey.slug, tuple(people), f"{count} of {seed}", {survey.definition_hash: definition})
