"""A study with labelled alternatives, analysed: each label's worths and prices come back, today's offer is told by its own label, and what is not defined is withheld."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated import modes, simulated
from wtp.analysis import Analysis, Request, analyse
from wtp.analysis.choice_frame import choice_data, choice_frame, holdout_data
from wtp.analysis.money import steps_by_label, steps_from_current
from wtp.analysis.plan import study_half_widths
from wtp.estimation import ChoiceData, ConditionalLogit, LatentClassLogit
from wtp.estimation.coding import design_levels
from wtp.estimation.synthetic import truth
from wtp.estimation.synthetic_study import answered_design, assumed_tastes
from wtp.pricing import Step, willingness_to_pay
from wtp.pricing.willingness_to_pay import NO_ONE_WORTH
from wtp.quality import inspect
from wtp.survey import Answers, Survey

KEYS = ["segment", "offer_label", "attribute", "from_level", "to_level"]
FORMULA = "mode + time:mode + seat + transfers + parking + price:mode"


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return modes(tmp_path_factory.mktemp("labelled"))


@pytest.fixture(scope="module")
def answers(survey: Survey) -> Answers:
    return simulated(survey, 240)


@pytest.fixture(scope="module")
def analysis(survey: Survey, answers: Answers) -> Analysis:
    return analyse(survey, answers, Request(model="conditional"))


def test_worths_of_every_label_come_back(survey: Survey, analysis: Analysis) -> None:
    table = analysis.tables["willingness_to_pay"].set_index(KEYS)
    known = truth(survey.definition).set_index(KEYS)["worth"]
    assert len(known) == 2 * 11
    rows = table.loc[known.index]
    z = (rows["estimate"] - known) / ((rows["high"] - rows["low"]) / (2 * 1.645))
    assert (z.abs() < 3).all(), z
    withheld = table[table["estimate"].isna()]
    assert set(withheld.index.get_level_values("attribute")) == {"mode"}
    assert set(withheld["note"]) == {NO_ONE_WORTH}
    assert len(table) == 3 * (11 + 2)


def test_intervals_hold_the_truth_of_every_label_as_often_as_they_say(survey: Survey) -> None:
    """30 studies of 120 private travellers with equal tastes: 330 intervals of 90 per cent."""
    simulation = survey.definition.simulation
    assert simulation is not None
    assert survey.design is not None
    equal = survey.definition.model_copy(update={"simulation": simulation.model_copy(update={"spread": 0.0})})
    levels, steps = design_levels(survey.design, equal), steps_by_label(equal)[2:]
    known = truth(equal).query("segment == 'private'").set_index(KEYS[1:])["worth"]
    held = []
    for seed in range(30):
        frame = answered_design(equal, levels, assumed_tastes(equal), {"private": 120}, np.random.default_rng(seed))
        data = ChoiceData.from_long(frame, FORMULA, buys="buys", labels="mode")
        table = willingness_to_pay(ConditionalLogit(data).fit(), steps=steps, draws=1_000, confidence=0.9)
        rows = table.set_index(KEYS[1:]).loc[known.index]
        held.append((rows["low"] <= known) & (known <= rows["high"]))
    assert 0.85 <= np.mean(held) <= 0.95
    assert np.mean(held, axis=0).min() >= 0.75, "no label is left behind"


def test_todays_offer_is_told_by_its_own_label(survey: Survey, analysis: Analysis) -> None:
    tables = analysis.tables
    assert {step.label for step in steps_from_current(survey.definition)} == {"rail"}
    assert set(tables["investment"]["attribute"]) == {"time", "seat", "transfers"}, "not parking, and no other mode"
    mine = tables["willingness_to_pay"].query("offer_label == 'rail'").set_index(["segment", "attribute", "to_level"])
    own = tables["competitive_worth"].set_index(["segment", "attribute", "to_level"])
    inside = own["estimate"].dropna()  # within the tested prices
    assert len(inside) >= 12
    assert inside.to_dict() == pytest.approx(mine["estimate"].loc[inside.index].to_dict(), rel=1e-6)
    limits = tables["price_limit"].set_index("segment")
    for segment, limit in (("business", 85.0), ("private", 70.0)):
        row = limits.loc[segment]
        assert abs(row["estimate"] - limit) < 3 * (row["high"] - row["low"]) / (2 * 1.645)
    assert (tables["demand"]["price"].min(), tables["demand"]["price"].max()) == (40, 100), "the prices of a train"
    assert set(tables["best_offers"]["level.mode"]) == {"rail"}
    assert set(tables["shares"]["offer"]) == {"own", "rental", "coach", "none"}
    assert set(tables["without_slips"]["attribute"]) == {"time", "seat", "transfers"}
    assert not [note for note in analysis.notes if note.severity == "stop"]


def test_part_worths_and_importance_name_the_label(analysis: Analysis) -> None:
    worths = analysis.tables["part_worths"]
    names = ["mode", "seat", "transfers", "parking", "time (rail)", "time (car)", "time (bus)"]
    assert set(worths["attribute"]) == {*names, "price (rail)", "price (car)", "price (bus)"}
    for _, own in worths[~worths["attribute"].str.startswith("price")].groupby(["segment", "attribute"]):
        assert own["estimate"].sum() == pytest.approx(0, abs=1e-9)
    sums = analysis.tables["importance"].groupby("segment")["importance"].sum()
    assert sums.to_numpy() == pytest.approx(100)
    quality = analysis.tables["segments"].set_index("segment")
    assert (quality["hit_rate"] > quality["chance"]).all()
    assert (quality["price_z"] > 5).all()


def test_held_out_tasks_are_coded_as_the_others(survey: Survey, answers: Answers) -> None:
    people = answers.respondents[:60]
    held = holdout_data(survey.definition, people)
    assert held is not None
    data = choice_data(survey.definition, choice_frame(survey.definition, people))
    assert held.names == data.names
    assert len(held.respondents) == 60
    # By hand: the first respondent's first held-out task.
    first = next(c for r in people for c in r.choices if c.task.kind == "holdout")
    prices = [a.price for a in first.task.alternatives]
    columns = [held.names.index(f"price ({a.levels['mode']})") for a in first.task.alternatives]
    assert [held.X[n, k] for n, k in enumerate(columns)] == prices
    assert (held.X[:3, [held.names.index(f"price ({x})") for x in ("rail", "car", "bus")]] > 0).sum() == 3


def test_the_final_model_takes_the_same_study(survey: Survey, answers: Answers, short_chains: None) -> None:
    some = replace(answers, respondents=answers.respondents[:80])
    found = analyse(survey, some, Request())
    assert found.tables["segments"].set_index("segment").loc["all", "estimator"] == "hierarchical"
    table = found.tables["willingness_to_pay"]
    assert set(table.loc[table["estimate"].notna(), "offer_label"]) == {"rail", "car", "bus"}
    assert table.loc[table["attribute"] != "mode", "estimate"].notna().all()
    assert {"limit_waterfall", "worth_quantiles", "competitive_limit", "found_segments"} <= found.tables.keys()
    assert set(found.tables["worth_quantiles"]["attribute"]) == {"time", "seat", "transfers"}
    assert found.tables["price_limit"]["estimate"].iloc[0] > 40


def test_classes_tell_the_worths_of_every_label(survey: Survey, answers: Answers) -> None:
    """Few tasks a respondent lead to latent classes; "all" first, then the classes, each with all steps in their order."""
    data = choice_data(survey.definition, choice_frame(survey.definition, answers.respondents))
    fit = LatentClassLogit(data, classes=2).fit(starts=2, seed=1)
    steps = steps_by_label(survey.definition)
    table = willingness_to_pay(fit, steps=steps, draws=300)
    assert list(table["segment"].drop_duplicates()) == ["all", "class 1", "class 2"]
    for segment, own in table.groupby("segment"):
        assert list(own["offer_label"]) == [step.label for step in steps]
        step = own.iloc[[s == Step("seat", "open", "reserved", "rail") for s in steps]].iloc[0]
        if segment != "all":
            p = fit.class_params[int(str(segment)[-1])]
            ratio = p["seat[T.reserved]"] / -p["price (rail)"]
            assert step["low"] < ratio < step["high"] or step["note"]


def test_the_forecast_tells_the_steps_of_todays_offer(survey: Survey) -> None:
    assert survey.design is not None
    definition = survey.definition
    found = study_half_widths(
        definition, design_levels(survey.design, definition), assumed_tastes(definition), "all", 200, np.random.default_rng(1), 0.9
    )  # fmt: skip
    assert set(found.loc[found["quantity"] == "wtp", "attribute"]) == {"time", "seat", "transfers"}
    assert found["half_width"].notna().all()


def test_random_clickers_are_found_among_labelled_offers(survey: Survey, answers: Answers) -> None:
    rng = np.random.default_rng(5)
    people = [
        replace(
            r,
            choices=tuple(replace(c, chosen=int(rng.integers(1, 4)), buys=bool(rng.random() < 0.5)) for c in r.choices),
        )
        if r.number <= 15
        else r
        for r in answers.respondents[:120]
    ]
    signals = inspect(survey.definition, replace(answers, respondents=tuple(people))).signals
    found = signals[signals["signal"] == "likelihood"].set_index("respondent")
    assert len(found) == 120
    clickers = found.index <= 15
    assert found.loc[clickers, "value"].mean() < found.loc[~clickers, "value"].mean()


def test_a_label_that_was_never_shown_is_told(survey: Survey, answers: Answers) -> None:
    """Without coaches in the data their steps are unknown, and the analysis says so instead of failing."""
    trains = tuple(
        replace(
            r,
            choices=tuple(
                replace(c, task=replace(c.task, alternatives=tuple(a for a in c.task.alternatives if a.levels["mode"] != "bus")))
                for c in r.choices
                if c.picked.levels["mode"] != "bus"
            ),
        )
        for r in answers.respondents
    )  # fmt: skip
    found = analyse(survey, replace(answers, respondents=trains), Request(model="conditional"))
    assert found.tables["willingness_to_pay"].empty
    said = [str(note) for note in found.notes if note.code == "not_estimated"]
    assert len(said) == 3
    assert all("'bus': never shown" in note for note in said), said
