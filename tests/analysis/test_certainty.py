"""How many more answers would settle it: the forecast holds, small samples say so, nothing decided asks for more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.analysis.conftest import Answer
from tests.web.figures import handmade
from wtp.analysis.certainty import LIMIT, MORE, SETTLED, TOO_CLOSE, TOO_FEW, WITHHELD, certainty, target_of
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.pricing import price_limit_pooled
from wtp.survey import Respondent, Survey
from wtp.survey.stopping import Stopping

NAN = float("nan")


def told(survey: Survey, *, half_width: float | None = None, **changes: pd.DataFrame) -> pd.DataFrame:
    tables = handmade(survey).tables
    tables = {**tables, "segments": tables["segments"].assign(estimator="hierarchical"), **changes}
    found = certainty(survey.definition, tables, confidence=0.90, half_width=half_width)
    return found.set_index(["segment", "decision"])


def limit_table(survey: Survey, people: list[Respondent]) -> dict[str, pd.DataFrame]:
    data = ChoiceData.from_long(choice_frame(survey.definition, people), formula=formula(survey.definition))
    offer = {attribute.id: attribute.current for attribute in survey.definition.attributes}
    levels = survey.definition.price.levels
    limit = price_limit_pooled(ConditionalLogit(data).fit(), offer, (levels[0], levels[-1]), confidence=0.90)
    segments = pd.DataFrame({"segment": ["all"], "respondents": [len(people)]})
    return {"segments": segments, "price_limit": limit.assign(segment="all")}


def test_the_forecast_width_is_within_15_per_cent_of_the_achieved_one(survey: Survey, answer: Answer) -> None:
    """From 100 answers, how many are needed for 4 EUR: those many are asked, and the width is what was forecast."""
    people = list(answer(900).respondents)
    ratios = []
    for start in range(0, 900, 100):
        turned = people[start:] + people[:start]
        first = certainty(survey.definition, limit_table(survey, turned[:100]), confidence=0.90, half_width=2.0)
        assert first["status"].tolist() == [MORE]
        then = 100 + int(first["more_answers"].iloc[0])
        assert 150 <= then <= 800
        later = certainty(survey.definition, limit_table(survey, turned[100 : 100 + then]), confidence=0.90)
        ratios.append(float(later["half_width"].iloc[0]) / 2.0)
    assert np.abs(np.array(ratios) - 1).max() <= 0.15, ratios


def test_labels_with_their_probability_and_what_is_missing(survey: Survey) -> None:
    found = told(survey)
    assert found.loc[("all", "speed"), ["label", "probability", "status"]].tolist() == ["invest", 0.996, SETTLED]
    open_one = found.loc[("all", "competence")]
    assert (open_one["status"], open_one["more_answers"], open_one["label"]) == (MORE, 130, "keep")
    assert open_one["probability"] == pytest.approx(0.6)
    assert found.loc[("growth", LIMIT), ["status", "more_answers"]].tolist() == [TOO_FEW, 55]
    assert "speed" not in found.loc["growth"].index
    assert set(found.loc["cost", "status"]) == {WITHHELD}


def test_the_limit_is_settled_at_the_target_and_not_before(survey: Survey) -> None:
    """400 answers know it to 2.55; the half of that needs four times as many."""
    limit = told(survey, half_width=2.55).loc[("all", LIMIT)]
    assert limit["half_width"] == pytest.approx(2.55)
    assert (limit["status"], limit["more_answers"]) == (SETTLED, 0)
    assert limit["probability"] == pytest.approx(norm.cdf((102.7 - 100) / (2.55 / norm.ppf(0.95))))
    assert told(survey, half_width=2.55 / 2).loc[("all", LIMIT), "more_answers"] == 1200
    quick = handmade(survey).tables["segments"].assign(estimator="conditional")
    wider = told(survey, half_width=2.55, segments=quick).loc[("all", LIMIT)]
    assert wider["half_width"] == pytest.approx(2.55), "today's quick figure"
    assert (wider["status"], wider["more_answers"]) == (MORE, 130), (
        "400 x (1.15 ** 2 - 1) in tens: the final one is wider"
    )
    hopeless = told(survey, half_width=0.1).loc[("all", LIMIT)]
    assert hopeless["status"] == TOO_CLOSE
    assert np.isnan(hopeless["more_answers"])


def test_an_interval_that_is_cut_off_at_the_tested_prices_counts_by_its_other_end(survey: Survey) -> None:
    limits = handmade(survey).tables["price_limit"]
    cut = told(survey, price_limit=limits.assign(estimate=126.0, low=119.0, high=130.0)).loc[("all", LIMIT)]
    assert cut["half_width"] == 7.0
    both = told(survey, price_limit=limits.assign(estimate=100.0, low=80.0, high=130.0)).loc[("all", LIMIT)]
    assert both["status"] == WITHHELD


def test_without_costs_the_worth_decides(survey: Survey) -> None:
    """A step down whose worth is 2 with an interval of 0 to 4 is 1 above the smallest relevant amount: sd 1.22, z 0.82."""
    row = {
        "segment": "all",
        "attribute": "brand",
        "direction": "down",
        "worth": 2.0,
        "worth_low": 0.0,
        "worth_high": 4.0,
    }
    table = pd.DataFrame([row | {"label": "open", "wrong": NAN, "more_answers": NAN, "note": "", "probability": NAN}])
    found = told(survey, investment=table).loc[("all", "brand")]
    z = 1 / (2 / norm.ppf(0.95))
    assert found["label"] == "expected"
    assert found["probability"] == pytest.approx(norm.cdf(z))
    assert found["more_answers"] == np.ceil(400 * ((norm.ppf(0.9) / z) ** 2 - 1) / 10) * 10
    up = table.assign(direction="up", worth=0.9, worth_low=-1.0, worth_high=2.8)
    assert told(survey, investment=up).loc[("all", "brand"), "status"] == TOO_CLOSE


def test_the_author_sets_the_target(survey: Survey) -> None:
    assert target_of(survey.definition) == 5.0
    own = survey.definition.model_copy(update={"stopping": Stopping(half_width=3.0)})
    assert target_of(own) == 3.0
    assert target_of(own.model_copy(update={"stopping": Stopping(respondents=300)})) == 5.0
    own_survey = replace(survey, definition=own)
    assert set(told(own_survey)["target"]) == {3.0}
