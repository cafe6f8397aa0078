"""Are price limits, labels and the best price right? A hundred simulated studies of the supplier survey, whose truth is known.

python benchmarks/recovery.py [--studies N] [--respondents N] [--processes N]

Each study: 400 simulated respondents answer the survey's own choice tasks; one hierarchical fit with the declared segments as covariates, 1,000 sweeps of warm-up and 1,500 after.
The truth comes from 4,000 simulated people a segment, by the same functions. Reported for everybody and each segment of at least 75 respondents, as pages do: bias and coverage of the 90 %
intervals of safe price, price upper limit and stretch price (money, tested range 50), of the worth of steps and of losses of share (upper bound alone), and of the 95 % interval of
competitive premiums; error of the profit-best price; labels that are wrong beside those expected to be wrong; how often gains come true by their stated probability. Answers are
simulated, as everything here.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.choice_frame import choice_frame, formula
from wtp.design import assign
from wtp.estimation import ChoiceData, Draws, HierarchicalLogit
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.estimation.saved import Coding, SavedFit
from wtp.estimation.synthetic import SimulatedRespondent, choose, draw_respondents
from wtp.pricing import Step, best_price, competitive_worth, investment, willingness_to_pay
from wtp.pricing.budget import how_low
from wtp.pricing.investment import OWN, todays_market
from wtp.pricing.reservation_price import limits_of
from wtp.segments import declared
from wtp.survey import Choice, Definition, Respondent, load_survey

FOLDER = Path(__file__).parents[1] / "surveys" / "supplier"
PRICES = ("safe", "limit", "stretch")
BELOW = (0.25, 0.50, 0.75)
CONFIDENCE, OF_PREMIUMS = 0.90, 0.95
ALL = "all"
ODDS = (0.0, 0.05, 0.15, 0.25, 0.35, 0.65, 0.75, 0.85, 0.95, 1.0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def answers(count: int, seed: int) -> tuple[ChoiceData, pd.Series]:
    """Choice data of simulated respondents, and the declared segment of each."""
    survey = load_survey(FOLDER)
    definition = survey.definition
    assert survey.design is not None
    people = []
    for number, person in enumerate(draw_respondents(definition, count, 1000 + seed), 1):
        rng = np.random.default_rng([seed, number])
        version = number % len(survey.design.versions) + 1
        tasks = assign(survey.design.versions[version], rng)
        choices = tuple(
            Choice(task, order, *choose(person, task, rng), version, survey.definition_hash, NOW)
            for order, task in enumerate(tasks, 1)
        )
        people.append(Respondent(number, True, "en", version, NOW, NOW, person.answers, choices))
    segment = declared(definition, people)
    frame = choice_frame(definition, people)
    frame = frame.assign(segment=frame["respondent"].map(segment))
    data = ChoiceData.from_long(frame, formula=formula(definition), covariates=["segment"])
    return data, segment.loc[list(data.respondents)]


def coefficients(person: SimulatedRespondent, names: tuple[str, ...]) -> list[float]:
    """What a simulated person's tastes are on the columns of the data."""
    found = []
    for name in names:
        attribute, _, level = name.rstrip("]").partition("[T.")
        worth = {"price": -1.0, "none": person.none_worth}.get(name)
        found.append(person.sensitivity * (person.worth[attribute, level] if worth is None else worth))
    return found


_TRUTH: dict[tuple[str, ...], dict[str, SavedFit]] = {}  # by the columns of the data, once a process


def truth(definition: Definition, data: ChoiceData, each: int = 4_000) -> dict[str, SavedFit]:
    """The population of each segment, and of all, as a fit that knows everything."""
    assert definition.simulation is not None
    if data.names in _TRUTH:
        return _TRUTH[data.names]
    fits = {}
    for segment in definition.simulation.segments:
        alone = definition.simulation.model_copy(update={"segments": (segment.model_copy(update={"share": 1.0}),)})
        people = draw_respondents(definition.model_copy(update={"simulation": alone}), each, 77)
        values = np.array([[coefficients(person, data.names) for person in people]])
        coding = Coding(data.names, data.attributes, data.none, data.price, data.price_form, np.arange(each))
        drawn = Draws(values, np.full((1, each), 1 / each))
        fits[segment.segment] = SavedFit("hierarchical", coding, each, "final", drawn, 0, generalise=False)
    _TRUTH[data.names] = {ALL: together(fits, definition), **fits}
    return _TRUTH[data.names]


def together(fits: dict[str, SavedFit], definition: Definition) -> SavedFit:
    """The populations of all segments as one, in their shares of the respondents."""
    assert definition.simulation is not None
    shares = {s.segment: s.share for s in definition.simulation.segments}
    one = next(iter(fits.values()))
    values = np.concatenate([fit.drawn.values for fit in fits.values()], axis=1)
    weights = np.concatenate([fit.drawn.weights * shares[name] for name, fit in fits.items()], axis=1)
    return replace(one, drawn=Draws(values, weights / weights.sum()), respondents=values.shape[1])


def measure(fits: dict[str, Any], true: dict[str, Any], definition: Definition) -> list[dict[str, object]]:
    """Rows (kind, segment, what, bias, covered, wrong, expected) of one study."""
    rows: list[dict[str, object]] = []
    for name, fit in fits.items():
        if fit.respondents >= FULL_SAMPLE:
            rows += [{"segment": name, **row} for row in figures(fit, true[name], definition)]
    found, real = (
        investment(f, definition, draws=500).set_index(["segment", "attribute", "direction"]) for f in (fits, true)
    )
    real = real.sort_index()
    enough = [name for name, fit in fits.items() if fit.respondents >= FULL_SAMPLE]  # others have no verdict
    for (segment, attribute), own in found.loc[enough].groupby(level=[0, 1]):
        label = own["label"].iloc[0]
        gains = real.loc[(segment, attribute)]["gain"]
        wrong = {
            "invest": bool(gains.get("up", 0) <= 0),
            "save": bool(gains.get("down", 0) <= 0),
            "keep": bool((gains > 0).any()),
        }.get(label)
        rows.append(
            {"kind": "label", "segment": segment, "what": label, "wrong": wrong, "expected": own["wrong"].iloc[0]}
        )
        for direction, row in own.droplevel([0, 1]).iterrows():
            rows.append(
                {"kind": "gain", "segment": segment, "what": direction, "probability": row["probability"], "covered": gains[direction] > 0}
            )  # fmt: skip
    return rows


def figures(fit: Any, true: SavedFit, definition: Definition) -> list[dict[str, object]]:
    """Rows (kind, what, bias, covered) of one segment of a study."""
    offer = {attribute.id: attribute.current for attribute in definition.attributes}
    known = limits_of(true, offer)[0]
    low, middle, high = np.quantile(limits_of(fit, offer, draws=500), [0.05, 0.5, 0.95], axis=0)
    rows: list[dict[str, object]] = [
        {"kind": "limit", "what": price, "bias": middle[i] - known[i], "covered": bool(low[i] <= known[i] <= high[i]), "width": high[i] - low[i]}
        for i, price in enumerate(PRICES)
    ]  # fmt: skip
    market, real = todays_market(fit, definition), todays_market(true, definition)
    best, right = (best_price(m, OWN).iloc[0]["price"] for m in (market, real))
    close = abs(best / right - 1) <= 0.03
    rows.append({"kind": "best price", "what": "price", "bias": best / right - 1, "covered": close})
    steps = [Step(a.id, a.current, level) for a in definition.attributes for level in a.level_ids if level != a.current]
    for kind, of, truth_of in (
        ("worth", willingness_to_pay(fit, steps=steps, confidence=CONFIDENCE), willingness_to_pay(true, steps=steps)),
        (
            "premium",
            competitive_worth(market, OWN, steps, confidence=OF_PREMIUMS),
            competitive_worth(real, OWN, steps),
        ),
    ):
        inside = (of["low"] <= truth_of["estimate"]) & (truth_of["estimate"] <= of["high"])
        bias = of["estimate"] - truth_of["estimate"]
        rows += [
            {"kind": kind, "what": "steps", "bias": b, "covered": c, "width": w}
            for b, c, w in zip(bias, inside, of["high"] - of["low"], strict=True)
        ]
    lost, really = how_low(market), how_low(real)
    rows += [
        {"kind": "loss", "what": "bound", "bias": b, "covered": c}
        for b, c in zip(lost["loss"] - really["loss"], lost["loss_high"] >= really["loss"], strict=True)
    ]
    return rows


def study(seed: int, respondents: int) -> list[dict[str, object]]:
    """One study from its answers to its figures."""
    definition = load_survey(FOLDER).definition
    data, segment = answers(respondents, seed)
    model = HierarchicalLogit(data, signs={"price": -1}, covariates=["segment"])
    fit = model.fit(draws=1_500, warmup=1_000, seed=seed, cores=1, stop=None, keep=500)
    fits = {name: fit.segment((segment == name).to_numpy()) for name in sorted(segment.unique())}
    everybody = fit.segment(np.ones(len(segment), dtype=bool))
    return measure({ALL: everybody, **fits}, truth(definition, data), definition)


def report(rows: list[dict[str, object]]) -> None:
    """Print the tables."""
    table = pd.DataFrame(rows)
    told = table[~table["kind"].isin(["label", "gain"])]
    shown = told.groupby(["kind", "what", "segment"], sort=False).agg(
        bias=("bias", "mean"), spread=("bias", "std"), width=("width", "mean"), covered=("covered", lambda c: c.astype(float).mean()), figures=("bias", "size")
    )  # fmt: skip
    print(shown.round(4).to_string())
    labels = table[table["kind"] == "label"]
    decided = labels.dropna(subset=["expected"]).assign(wrong=lambda f: f["wrong"].astype(float))
    counts = decided.groupby("what").agg(labels=("wrong", "size"), wrong=("wrong", "sum"), expected=("expected", "sum"))
    print(counts.round(1).to_string())
    gains = table[table["kind"] == "gain"].dropna(subset="probability")
    stated = pd.cut(gains["probability"], ODDS, include_lowest=True)
    print(gains.groupby(stated, observed=True).agg(
        stated=("probability", "mean"), came_true=("covered", lambda c: c.astype(float).mean()), gains=("covered", "size")
    ).round(3).to_string())  # fmt: skip
    print(f"undecided: {(labels['what'] == 'undecided').mean():.0%} of {len(labels)} attributes and segments")


def main() -> None:
    """Run the studies, some at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--respondents", type=int, default=400)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    began = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        found = list(pool.map(study, range(options.studies), [options.respondents] * options.studies))
    report([row for rows in found for row in rows])
    print(f"{options.studies} studies of {options.respondents}, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
