"""Two waves of a study: what changed is found again where it changed, what did not is not claimed, and only what means the same is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.simulated import simulated
from tests.web.figures import with_ratings
from wtp.analysis import ALL, Analysis, Request, Wave, analyse, before_and_after
from wtp.analysis.comparable import figures_of, in_common
from wtp.analysis.comparison import performance_table
from wtp.analysis.record import stacked
from wtp.errors import DataError
from wtp.segments.declared import declared
from wtp.survey import Answers, Definition, Survey

SEGMENTS = ("uptime", "cost", "growth")
UP = 0.8
DAYS = date(2026, 3, 1), date(2026, 3, 20), date(2027, 3, 1), date(2027, 3, 20)
COLUMNS = ["number", "title", "segment", "attribute", "state", "done_on"]
NOTHING = pd.DataFrame(columns=COLUMNS)
DONE = pd.DataFrame([(1, "Answer within a day", "uptime", "speed", "done", date(2026, 9, 1))], columns=COLUMNS)
Compare = Callable[..., Analysis]


@pytest.fixture(scope="module")
def rated(survey: Survey) -> Survey:
    """The survey with ratings of this company and its rival."""
    return with_ratings(survey)


@pytest.fixture(scope="module")
def later(survey: Survey) -> tuple[Answers, Analysis]:
    """The same study asked of others, whose tastes are drawn from the same truth."""
    answers = simulated(survey, 240, seed=2)
    return answers, analyse(survey, answers, Request(model="conditional"))


@pytest.fixture(scope="module")
def compare(rated: Survey, answers: Answers, quick: Analysis, later: tuple[Answers, Analysis]) -> Compare:
    """Both waves with ratings drawn anew: in the later one speed is rated higher by `up` in the segment uptime, in the mean."""

    def made(seed: int, up: float = UP, measures: pd.DataFrame = DONE, **changes: Any) -> Analysis:
        rng, waves = np.random.default_rng(seed), []
        for own, analysis, more, days in ((answers, quick, 0.0, DAYS[:2]), (*later, up, DAYS[2:])):
            member = declared(rated.definition, own.respondents)
            table = stacked({name: ratings(rated.definition, own, set(member.index[member == name]), more * (name == "uptime"), rng) for name in SEGMENTS})  # fmt: skip
            waves.append(Wave(rated, replace(analysis, tables={**analysis.tables, "performance": table}), *days))
        waves[1] = replace(waves[1], **changes)
        return before_and_after(*waves, measures)

    return made


def ratings(definition: Definition, answers: Answers, members: set[int], up: float, rng: np.random.Generator) -> pd.DataFrame:  # fmt: skip
    """The table of ratings of some respondents: 2 to 5 by chance, on speed one more for a share `up` of them."""
    people = []
    for respondent in answers.respondents:
        if respondent.number in members:
            own = {attribute.id: int(rng.integers(2, 6)) for attribute in definition.attributes}
            own["speed"] += int(rng.random() < up)
            both = {"performance": own, "rival_performance": dict.fromkeys(own, 3)}
            people.append(replace(respondent, answers={**respondent.answers, **both}))
    return performance_table(definition, people, 0.90)


def row(analysis: Analysis, figure: str, segment: str, table: str = "waves", attribute: str = "speed") -> pd.Series:
    found = analysis.tables[table]
    found = found[(found["figure"] == figure) & (found["segment"] == segment) & (found["attribute"] == attribute)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_known_change_is_found_where_it_was_made_and_nowhere_else(compare: Compare) -> None:
    """Speed is rated 0.8 higher in one segment, its worth is what it was: ten pairs of waves."""
    made = [compare(seed) for seed in range(10)]
    own = [row(each, "performance", "uptime") for each in made]
    assert {found["measure"] for found in own} == {"done"}
    assert np.mean([found["differs"] for found in own]) >= 0.9
    rated = pd.concat([each.tables["waves"][lambda t: (t["figure"] == "performance") & (t["segment"] != ALL)] for each in made])  # fmt: skip
    truth = np.where((rated["attribute"] == "speed") & (rated["segment"] == "uptime"), UP, 0.0)
    held = (rated["difference_low"] <= truth) & (truth <= rated["difference_high"])
    assert held.mean() == pytest.approx(0.90, abs=0.05)
    assert rated["differs"][truth == 0].mean() < 0.02
    effects = [row(each, "performance", "uptime", "wave_effects") for each in made]
    assert np.mean([found["beyond_low"] <= UP <= found["beyond_high"] for found in effects]) >= 0.7
    assert {found["compared_with"] for found in effects} == {"cost, growth"}
    assert np.mean([found["differs"] for found in effects]) >= 0.8
    worth = made[0].tables["waves"][lambda t: (t["figure"] == "worth") & (t["attribute"] == "speed")]
    assert len(worth) == 8, "both steps in three segments and everybody"
    assert not worth["differs"].any()


def test_without_a_change_nothing_is_claimed(compare: Compare) -> None:
    """What is claimed over many pairs of waves is counted in tests/customers; here through the whole analysis."""
    made = [compare(seed, up=0.0).tables for seed in range(100, 110)]
    assert sum(int(tables["waves"]["differs"].any()) for tables in made) <= 2
    assert sum(int(tables["wave_effects"]["differs"].any()) for tables in made) <= 2


def test_everybody_is_the_segments_by_their_customers(compare: Compare, rated: Survey) -> None:
    made = compare(1)
    customers = np.array([segment.customers for segment in rated.definition.segments])
    own = [row(made, "performance", segment.id) for segment in rated.definition.segments]
    everybody = row(made, "performance", ALL)
    for side in ("before", "after", "difference"):
        assert everybody[side] == pytest.approx(np.average([found[side] for found in own], weights=customers))
    assert made.simulated == made.respondents == 480
    mix = made.tables["wave_mix"].set_index("segment")
    assert mix[["respondents_before", "respondents_after"]].sum().tolist() == [240, 240]
    assert Analysis.from_json(made.to_json()).tables["waves"].equals(made.tables["waves"])


@pytest.mark.parametrize(
    ("measure", "state", "effects"),
    [
        (("uptime", "speed", "done", date(2026, 3, 20)), "done", True),
        (("uptime", "", "done", date(2027, 3, 1)), "done", True),
        (("uptime", "speed", "running", None), "running", False),
        (("uptime", "speed", "done", date(2026, 3, 1)), "running", False),
        (("uptime", "speed", "done", date(2027, 3, 2)), "running", False),
        (("uptime", "speed", "planned", None), "", False),
        (("uptime", "brand", "done", date(2026, 9, 1)), "", False),
        ((ALL, "speed", "done", date(2026, 9, 1)), "done", False),
    ],
)
def test_only_what_was_done_in_between_and_elsewhere_was_not_has_an_effect(
    compare: Compare, measure: tuple[Any, ...], state: str, effects: bool
) -> None:
    made = compare(2, measures=pd.DataFrame([(7, "Something", *measure)], columns=COLUMNS))
    found = row(made, "performance", "uptime")
    assert (found["measure"], found["measures"]) == (state, "7" if state else "")
    own = made.tables["wave_effects"]
    assert (own["attribute"] == "speed").any() == effects
    if measure[0] == ALL:
        assert own.empty, "no segment without it, so nothing to compare with"


def test_where_nobody_was_asked_there_is_no_in_between(compare: Compare) -> None:
    assert compare(3, first=None).tables["wave_measures"].empty
    assert compare(3, measures=NOTHING).tables["wave_effects"].empty


def test_final_figures_are_never_held_against_quick_ones(rated: Survey, quick: Analysis) -> None:
    final = replace(quick, tables={**quick.tables, "segments": quick.tables["segments"].assign(estimator="hierarchical")})  # fmt: skip
    with pytest.raises(DataError, match="conditional and hierarchical"):
        before_and_after(Wave(rated, quick), Wave(rated, final), NOTHING)


def changed(definition: Definition, **changes: Any) -> Definition:
    return definition.model_copy(update=changes)


def test_what_does_not_mean_the_same_is_named_and_left_out(rated: Survey, survey: Survey) -> None:
    definition = rated.definition
    speed, brand = definition.attribute("speed"), definition.attribute("brand")
    others = tuple(a for a in definition.attributes if a.id not in ("speed", "brand"))
    assert in_common(definition, definition).told == ()
    fewer = changed(definition, attributes=(*others, changed(brand, levels=brand.levels[:2], current=brand.levels[0].id), speed))  # fmt: skip
    common = in_common(definition, fewer)
    assert {("attribute", "brand"), ("importance", "")} <= set(common.told)
    assert "brand" not in common.attributes
    assert "importance" not in common.figures
    dollars = in_common(definition, changed(definition, currency="USD"))
    assert {"worth", "price_limit"} & dollars.figures == set()
    assert ("money", "") in dollars.told
    moved = changed(definition, segments=(changed(definition.segments[0], when={"need": ("price",)}), *definition.segments[1:]))  # fmt: skip
    assert in_common(definition, moved).told == (("segment", "uptime"),)
    tested = in_common(definition, changed(definition, price=changed(definition.price, levels=(*definition.price.levels, 500.0))))  # fmt: skip
    assert tested.told == (("importance", ""),)
    unrated = in_common(definition, survey.definition)
    assert {"performance", "gap"} & unrated.figures == set()


def test_a_level_that_became_todays_is_compared_the_other_way_round(rated: Survey, quick: Analysis) -> None:
    """What was a step up before is the step down now, with the other sign."""
    speed = rated.definition.attribute("speed")
    now = changed(rated.definition, attributes=tuple(changed(a, current="same_day") if a.id == "speed" else a for a in rated.definition.attributes))  # fmt: skip
    worth = quick.tables["willingness_to_pay"]
    back = worth["attribute"].eq("speed") & worth["to_level"].eq("same_day")
    turned = worth[back].assign(from_level="same_day", to_level=speed.current, estimate=-worth["estimate"], low=-worth["high"], high=-worth["low"])  # fmt: skip
    tables = {**quick.tables, "willingness_to_pay": pd.concat([worth[worth["attribute"] != "speed"], turned])}
    made = before_and_after(Wave(rated, quick), Wave(replace(rated, definition=now), replace(quick, tables=tables)), NOTHING)  # fmt: skip
    found = row(made, "worth", "uptime")
    assert (found["from_level"], found["to_level"]) == (speed.current, "same_day")
    assert found[["before", "before_low", "before_high"]].tolist() == found[["after", "after_low", "after_high"]].tolist()  # fmt: skip
    told = made.tables["wave_left_out"]
    assert told[["kind", "where"]].to_numpy().tolist() == [["today", "speed"], ["offer", ""]]


def test_part_worths_are_no_figures_of_two_waves(rated: Survey, quick: Analysis) -> None:
    """Their scale is each wave's own: only money, shares and points are compared, and no rating twice."""
    assert set(figures_of(quick)["figure"]) == {"worth", "price_limit", "importance", "stated", "rating"}
    assert in_common(rated.definition, rated.definition).of(figures_of(quick))["figure"].isin(["rating"]).sum() == 0
