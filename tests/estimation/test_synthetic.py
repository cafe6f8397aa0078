"""Simulated respondents are what the survey's `[simulation]` says: shares, moments, answers, choices, and tastes that a logit finds again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wtp.errors import SurveyError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.synthetic import SimulatedRespondent, choose, draw_respondents, truth
from wtp.segments.declared import declared
from wtp.survey import Alternative, ChoiceTask, Definition, Respondent, load_survey

SURVEYS = Path(__file__).parents[2] / "surveys"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
COUNT = 4_000


@pytest.fixture(scope="module")
def definition() -> Definition:
    return load_survey(SURVEYS / "supplier").definition


@pytest.fixture(scope="module")
def people(definition: Definition) -> tuple[SimulatedRespondent, ...]:
    return draw_respondents(definition, COUNT, 1)


def segments_found(definition: Definition, people: tuple[SimulatedRespondent, ...]) -> list[str]:
    answered = [Respondent(n, True, "en", 1, NOW, None, person.answers, ()) for n, person in enumerate(people, 1)]
    return list(declared(definition, answered))


def test_the_seed_decides_who_is_drawn(definition: Definition, people: tuple[SimulatedRespondent, ...]) -> None:
    assert draw_respondents(definition, COUNT, 1) == people
    assert draw_respondents(definition, COUNT, 2) != people


def test_segments_come_in_their_shares(definition: Definition, people: tuple[SimulatedRespondent, ...]) -> None:
    assert definition.simulation is not None
    found = Counter(person.segment for person in people)
    for segment in definition.simulation.segments:
        error = (segment.share * (1 - segment.share) / COUNT) ** 0.5
        assert abs(found[segment.segment] / COUNT - segment.share) < 3 * error


def test_worth_and_sensitivity_have_the_declared_moments(
    definition: Definition, people: tuple[SimulatedRespondent, ...]
) -> None:
    assert definition.simulation is not None
    spread = definition.simulation.spread
    for segment in definition.simulation.segments:
        own = [person for person in people if person.segment == segment.segment]
        speed = np.array([[person.worth["speed", level] for level in ("two_days", "same_day")] for person in own])
        mean = np.array(segment.worth["speed"][1:])
        assert speed.mean(axis=0) == pytest.approx(mean, rel=4 * spread / len(own) ** 0.5)
        assert speed.std(axis=0) == pytest.approx(spread * mean, rel=0.1)
        assert all(person.worth["speed", "five_days"] == 0 for person in own)
        logarithm = np.log([person.sensitivity for person in own])
        assert logarithm.mean() == pytest.approx(np.log(-segment.price_coefficient), abs=0.02)
        assert logarithm.std() == pytest.approx(spread / 2, rel=0.1)


def test_answers_lead_into_the_declared_segment(
    definition: Definition, people: tuple[SimulatedRespondent, ...]
) -> None:
    assert segments_found(definition, people[:300]) == [person.segment for person in people[:300]]


def test_answers_lead_into_the_declared_segment_where_conditions_overlap(definition: Definition) -> None:
    """The first segment that fits wins: whoever belongs to a later one must not fulfil an earlier one's conditions by chance."""
    first, *others = definition.segments
    role = next(question for question in definition.questions if question.id == "role")
    overlapping = definition.model_copy(
        update={"segments": (first.model_copy(update={"when": {"role": (role.options[0].id,)}}), *others)}
    )
    people = draw_respondents(overlapping, 300, 3)
    assert segments_found(overlapping, people) == [person.segment for person in people]


def test_a_segment_that_nobody_reaches_is_refused_in_words(definition: Definition) -> None:
    first, second, third = definition.segments
    shadowed = definition.model_copy(
        update={"segments": (first, second.model_copy(update={"when": first.when}), third)}
    )
    with pytest.raises(SurveyError, match=r"nobody of segment cost.*allowed: segments that answers can reach"):
        draw_respondents(shadowed, 50, 1)


def test_every_question_is_answered_within_its_bounds(
    definition: Definition, people: tuple[SimulatedRespondent, ...]
) -> None:
    for person in people:
        assert set(person.answers) == {question.id for question in definition.questions}
        assert set(person.answers["importance"]) == {"price", *(a.id for a in definition.attributes)}
        assert all(1 <= rating <= 7 for rating in person.answers["importance"].values())


def test_stated_importance_follows_the_worths(definition: Definition, people: tuple[SimulatedRespondent, ...]) -> None:
    assert definition.simulation is not None
    for segment in definition.simulation.segments:
        ratings = pd.DataFrame([p.answers["importance"] for p in people if p.segment == segment.segment]).mean()
        spans = pd.Series({attribute: max(worth) for attribute, worth in segment.worth.items()})
        assert ratings[spans.index].corr(spans, method="spearman") > 0.9


@pytest.mark.parametrize("scale", [1, 0.1, 0.005])
def test_price_answers_surround_the_limit_with_a_few_reversed(definition: Definition, scale: float) -> None:
    """Prices of any size: 100, 10 and 0.50 of the currency."""
    assert definition.simulation is not None
    cheap = tuple(s.model_copy(update={"price_limit": s.price_limit * scale}) for s in definition.simulation.segments)
    cheaper = definition.model_copy(update={"simulation": definition.simulation.model_copy(update={"segments": cheap})})
    sense = [list(person.answers["price_sense"].values()) for person in draw_respondents(cheaper, 2_000, 5)]
    prices = np.array(sense)
    assert (prices > 0).all()
    falling = (np.diff(prices, axis=1) < 0).all(axis=1)
    rising = (np.diff(prices, axis=1) > 0).all(axis=1)
    assert (falling | rising).all()
    assert 0.015 < falling.mean() < 0.045
    limits = np.mean([s.share * s.price_limit for s in cheap]) * len(cheap)
    assert prices[rising].mean(axis=0) / limits == pytest.approx([0.6, 0.8, 1.0, 1.25], rel=0.1)
    assert np.allclose(prices, np.round(prices, 2))


def test_half_buy_todays_offer_at_the_price_limit(definition: Definition) -> None:
    """Without spread everybody's limit is the segment's."""
    assert definition.simulation is not None
    alike = definition.model_copy(update={"simulation": definition.simulation.model_copy(update={"spread": 0})})
    today = {attribute.id: attribute.current for attribute in definition.attributes}
    rng = np.random.default_rng(1)
    people = draw_respondents(alike, 60, 1)
    for segment in definition.simulation.segments:
        person = next(person for person in people if person.segment == segment.segment)
        offer = ChoiceTask(1, "estimation", (Alternative(1, today, segment.price_limit),))
        bought = np.mean([choose(person, offer, rng)[1] for _ in range(4_000)])
        assert bought == pytest.approx(0.5, abs=0.025)


def test_choices_are_those_of_a_logit(definition: Definition, people: tuple[SimulatedRespondent, ...]) -> None:
    """Frequencies of one person's choices in one task against the formula, purchases against the logit of the chosen one."""
    person = people[0]
    levels = [{a.id: a.level_ids[place] for a in definition.attributes} for place in (0, 1, 2)]
    prices = (90.0, 100.0, 115.0)
    task = ChoiceTask(
        1, "estimation", tuple(Alternative(7 - j, levels[j], prices[j]) for j in range(3))
    )  # numbers are not positions
    utility = np.array(
        [person.sensitivity * (sum(person.worth[i] for i in levels[j].items()) - prices[j]) for j in range(3)]
    )
    expected = np.exp(utility) / np.exp(utility).sum()
    rng = np.random.default_rng(2)
    drawn = [choose(person, task, rng) for _ in range(20_000)]
    for j in range(3):
        answers = [buys for number, buys in drawn if number == 7 - j]
        assert len(answers) / 20_000 == pytest.approx(expected[j], abs=0.012)
        yes = 1 / (1 + np.exp(person.sensitivity * person.none_worth - utility[j]))
        assert np.mean(answers) == pytest.approx(yes, abs=0.05)


def test_truth_is_every_level_against_todays(definition: Definition) -> None:
    known = truth(definition)
    assert list(known.columns) == ["segment", "attribute", "from_level", "to_level", "worth"]
    assert len(known) == 3 * 6 * 2
    row = known.query("segment == 'uptime' and attribute == 'speed'").set_index("to_level")
    assert row.loc["same_day", "from_level"] == definition.attribute("speed").current == "two_days"
    assert row.loc["same_day", "worth"] == 22 - 11
    assert row.loc["five_days", "worth"] == -11


def test_without_simulation_tastes_are_neutral_in_all_segments(definition: Definition) -> None:
    plain = definition.model_copy(update={"simulation": None})
    people = draw_respondents(plain, 900, 1)
    shares = Counter(person.segment for person in people)
    assert all(0.25 < shares[segment.id] / 900 < 0.42 for segment in definition.segments)
    assert segments_found(plain, people) == [person.segment for person in people]
    known = truth(plain).set_index(["segment", "attribute", "to_level"])["worth"]
    assert known.loc["cost", "speed", "same_day"] == pytest.approx(3)
    assert known.groupby("segment").sum().to_numpy() == pytest.approx(known["cost"].sum())
    nobody = plain.model_copy(update={"segments": ()})
    assert {person.segment for person in draw_respondents(nobody, 5, 1)} == {"everybody"}


def test_a_logit_finds_the_tastes_again(definition: Definition, people: tuple[SimulatedRespondent, ...]) -> None:
    """Worth = part-worth / price sensitivity: within three standard errors of the mean worths, in the segment with most at stake."""
    survey = load_survey(SURVEYS / "supplier")
    assert survey.design is not None
    rng = np.random.default_rng(6)
    own = [person for person in people if person.segment == "uptime"][:800]
    rows = []
    for n, person in enumerate(own):
        for task in survey.design.versions[n % 120 + 1][:10]:
            chosen, _ = choose(person, task, rng)
            rows += [(n, task.number, a.number == chosen, a.price, *a.levels.values()) for a in task.alternatives]
    names = [attribute.id for attribute in definition.attributes]
    frame = pd.DataFrame(rows, columns=["respondent", "choice_task", "chosen", "price", *names])
    terms = [f"C({a.id}, contr.treatment('{a.current}'))" for a in definition.attributes]
    fit = ConditionalLogit(ChoiceData.from_long(frame, " + ".join([*terms, "price"]))).fit()
    price = fit.params.index.get_loc("price")
    assert fit.params["price"] == pytest.approx(-0.075, rel=0.1)
    known = truth(definition).query("segment == 'uptime'")
    covariance = np.asarray(fit.cov_params())
    for row in known.itertuples():
        place = next(
            k for k, name in enumerate(fit.params.index) if row.attribute in name and str(row.to_level) in name
        )
        worth = -fit.params.iloc[place] / fit.params["price"]
        gradient = np.zeros(len(fit.params))
        gradient[[place, price]] = -1 / fit.params["price"], -worth / fit.params["price"]
        error = (gradient @ covariance @ gradient) ** 0.5
        assert error < 1
        assert abs(worth - row.worth) < 3 * error + 0.04 * abs(row.worth), row
