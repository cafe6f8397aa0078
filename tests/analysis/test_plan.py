"""The forecast of the precision: as wide as what fresh studies give, falling with the root of n, and honest where there is no figure."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wtp.analysis import Analysis, Plan, plan_basis, plan_study
from wtp.analysis.plan import rule_of_thumb, study_half_widths
from wtp.errors import DataError, EstimationError
from wtp.estimation.coding import design_levels
from wtp.estimation.synthetic import draw_respondents
from wtp.estimation.synthetic_study import answered_design, assumed_tastes
from wtp.survey import Definition, Design, Survey, load_survey
from wtp.survey.tasks import Prior


@pytest.fixture(scope="module")
def made(survey: Survey) -> Plan:
    assert survey.design is not None
    return plan_study(survey.definition, survey.design, precision=2.0, basis="basis")


@pytest.fixture(scope="module")
def workshop() -> tuple[Definition, Design]:
    found = load_survey(Path(__file__).parents[2] / "surveys" / "workshop")
    assert found.design is not None
    return found.definition, found.design


def test_the_forecast_is_within_15_per_cent_of_what_a_study_achieves(made: Plan, quick: Analysis) -> None:
    """Other code lets these respondents answer, person by person, and the results pages' own analysis tells their intervals."""
    sizes = quick.tables["segments"].set_index("segment")["respondents"]
    assert (sizes > 50).all()
    for quantity, table in (("wtp", "willingness_to_pay"), ("limit", "price_limit")):
        widths = quick.tables[table]
        for segment, rows in widths.groupby("segment"):
            if quantity == "limit" and sizes[segment] < 75:
                continue
            forecast = made.half_widths(str(segment), int(sizes[segment]))
            expected = forecast.loc[forecast["quantity"] == quantity, "half_width"].median()
            assert ((rows["high"] - rows["low"]) / 2).median() == pytest.approx(expected, rel=0.15), (quantity, segment)


def test_it_holds_in_studies_of_other_sizes(made: Plan, survey: Survey) -> None:
    assert made.trusted
    assert survey.design is not None
    assert set(made.check["segment"]) == {"all", "uptime", "cost", "growth"}
    profiles, tastes = design_levels(survey.design, survey.definition), assumed_tastes(survey.definition)
    for size in (150, 600):
        rng = np.random.default_rng([77, size])
        fresh = study_half_widths(survey.definition, profiles, tastes, "cost", size, rng, made.confidence)
        expected = made.half_widths("cost", size)["half_width"]
        assert fresh["half_width"].median() == pytest.approx(expected.median(), rel=0.15)


def test_the_simulated_crowd_has_the_tastes_of_the_simulated_persons(survey: Survey) -> None:
    """The share that would really buy, and the share of the cheapest tested price among the chosen, as the persons of `wtp simulate` give them."""
    definition, design = survey.definition, survey.design
    assert design is not None
    people = draw_respondents(definition, 4_000, 3)
    shares = assumed_tastes(definition).shares
    counts = {name: sum(person.segment == name for person in people) for name in shares}
    frame = answered_design(
        definition, design_levels(design, definition), assumed_tastes(definition), counts, np.random.default_rng(3)
    )
    chosen = frame[frame["chosen"] == 1]
    assert len(chosen) == 4_000 * definition.choice_tasks.tasks
    rng = np.random.default_rng(4)
    own = []
    for person in people:
        tasks = [task for task in design.versions[int(rng.integers(120)) + 1] if task.kind == "estimation"]
        task = tasks[int(rng.integers(len(tasks)))]
        worth = np.array([sum(person.worth[item] for item in a.levels.items()) - a.price for a in task.alternatives])
        best = int((person.sensitivity * worth + rng.gumbel(size=3)).argmax())
        own.append(
            (task.alternatives[best].price, 1 / (1 + math.exp(-person.sensitivity * (worth[best] - person.none_worth))))
        )
    prices, likely = np.array(own).T
    assert chosen["buys"].mean() == pytest.approx(likely.mean(), abs=0.02)
    assert chosen["price"].mean() == pytest.approx(prices.mean(), abs=0.8)


def test_what_is_needed_follows_from_the_half_width(made: Plan) -> None:
    rows = made.needed
    assert set(rows["quantity"]) == {"wtp", "limit"}
    assert len(rows) == 4 * 13
    expected = np.ceil(made.reference * (rows["half_width"] / 2.0) ** 2)
    least = rows["quantity"].map({"wtp": 30, "limit": 75})
    assert rows["needed"].tolist() == pytest.approx(np.maximum(expected, least).tolist())
    assert made.recommended("uptime") == rows.query("segment == 'uptime' and quantity == 'wtp'")["needed"].max()
    at = made.forecast.query("segment == 'cost'").pivot_table(
        index=["quantity", "attribute", "to_level"], columns="respondents", values="half_width", dropna=False
    )
    assert (at[100] / at[400]).dropna().tolist() == pytest.approx([2.0] * 13)
    assert at.loc["limit", 50].isna().all(), "under 75 respondents the pages show no limit"
    needed = int(made.recommended("growth"))
    assert made.half_widths("growth", needed).query("quantity == 'wtp'")["half_width"].max() <= 2.0


def test_orme_s_rule_by_hand(made: Plan, survey: Survey) -> None:
    assert made.rule_of_thumb == rule_of_thumb(survey.definition) == 84  # 500 x 5 prices / (10 tasks x 3 alternatives)


def test_the_plan_survives_json_and_the_seed_decides(made: Plan, workshop: tuple[Definition, Design]) -> None:
    again = Plan.from_json(made.to_json())
    pd.testing.assert_frame_equal(again.needed, made.needed)
    pd.testing.assert_frame_equal(again.check, made.check)
    assert (again.basis, again.shares, again.trusted) == ("basis", made.shares, True)
    definition, design = workshop
    basis = plan_basis(definition, design, "1")
    assert basis != plan_basis(definition, design, "2")
    assert basis != plan_basis(definition.model_copy(update={"minutes": 9}), design, "1")


def test_without_segments_simulation_and_none_it_states_its_tastes(workshop: tuple[Definition, Design]) -> None:
    definition, design = workshop
    tasks = definition.choice_tasks.model_copy(update={"none": "without"})
    plain = definition.model_copy(update={"simulation": None, "segments": (), "choice_tasks": tasks})
    calls: list[tuple[int, int]] = []
    made = plan_study(plain, design, seed=2, progress=lambda done, every: calls.append((done, every)))
    assert made.tastes == "neutral"
    assert set(made.needed["segment"]) == {"all"}
    assert set(made.needed["quantity"]) == {"wtp"}, "without a none option there is no price limit"
    assert made.precision == pytest.approx(14.0), "a tenth of 220 to 360"
    assert calls[0][0] == 0
    assert calls[-1][0] == calls[-1][1] == len(calls) - 1
    assert made.needed["note"].eq("").all()
    pd.testing.assert_frame_equal(made.needed, plan_study(plain, design, seed=2).needed)
    assert not made.needed.equals(plan_study(plain, design, seed=3).needed)


def test_a_prior_stands_for_tastes_that_are_not_stated(workshop: tuple[Definition, Design]) -> None:
    definition, _ = workshop
    worth = {a.id: (0.0, 5.0, 9.0) for a in definition.attributes}
    tasks = definition.choice_tasks.model_copy(update={"prior": Prior(price_coefficient=-0.04, worth=worth)})
    found = assumed_tastes(definition.model_copy(update={"simulation": None, "choice_tasks": tasks}))
    assert found.source == "prior"
    assert found.simulation.spread == 0.8
    assert {segment.price_coefficient for segment in found.simulation.segments} == {-0.04}
    assert all(segment.worth == worth for segment in found.simulation.segments)
    assert found.shares == pytest.approx({"work": 1400 / 5900, "family": 2600 / 5900, "now_and_then": 1900 / 5900})
    assert assumed_tastes(definition).source == "simulation"


def test_people_who_do_not_mind_the_price_give_no_figure(workshop: tuple[Definition, Design]) -> None:
    definition, design = workshop
    assert definition.simulation is not None
    careless = tuple(
        segment.model_copy(update={"price_coefficient": -1e-5}) for segment in definition.simulation.segments[:1]
    )
    simulation = definition.simulation.model_copy(update={"segments": careless})
    with pytest.raises(EstimationError, match="no simulated study of this design gave a figure in money"):
        plan_study(definition.model_copy(update={"simulation": simulation}), design)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"precision": 0.0}, "precision: found 0.0"),
        ({"precision": math.nan}, "precision: found nan"),
        ({"power_for": "rank"}, "power_for: found 'rank'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    workshop: tuple[Definition, Design], wanted: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        plan_study(*workshop, **wanted)  # type: ignore[arg-type]
