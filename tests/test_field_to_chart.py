"""The main job, end to end: bots answer through the pages, and the chart's WTP contains the truth they were given."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

from wtp.analysis import Request, analyse
from wtp.charts import willingness_to_pay as chart
from wtp.cli.simulation import simulate_through_pages
from wtp.estimation.synthetic import truth
from wtp.settings import Settings
from wtp.store import answers, open_database, staff, studies
from wtp.survey import load_survey
from wtp.web import create_app

pytestmark = pytest.mark.slow

SURVEYS = Path(__file__).parents[1] / "surveys"
RESPONDENTS = 120
PASSWORD = "a long pass phrase for the test"


@pytest.fixture(scope="module")
def fielded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS)
    survey = load_survey(SURVEYS / "supplier")
    with open_database(settings.database_url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
            staff.add(connection, "anna", PASSWORD, "manager")
    bits = random.Random(5)
    with pytest.MonkeyPatch.context() as patch:  # the orders of tasks too, so that the field is the same in every run
        patch.setattr("wtp.web.saving.secrets.randbits", bits.getrandbits)
        simulate_through_pages(settings, survey, RESPONDENTS, seed=5)
    return settings


def test_every_bot_finishes_and_is_labelled_simulated(fielded: Settings) -> None:
    survey = load_survey(SURVEYS / "supplier")
    with open_database(fielded.database_url) as database, database.read() as connection:
        found = answers.read_answers(connection, "supplier")
    assert len(found.respondents) == RESPONDENTS == found.simulated
    assert all(r.completed_at is not None for r in found.respondents)
    assert all(len(r.choices) == survey.definition.choice_tasks.total for r in found.respondents)
    assert all(set(r.answers) == {q.id for q in survey.definition.questions} for r in found.respondents)


def test_the_charts_worth_contains_the_truth(fielded: Settings) -> None:
    survey = load_survey(SURVEYS / "supplier")
    with open_database(fielded.database_url) as database, database.read() as connection:
        found = answers.read_answers(connection, "supplier")
    analysis = analyse(survey, found, Request(confidence=0.95, model="conditional"))
    worth = analysis.tables["willingness_to_pay"]
    known = truth(survey.definition).rename(columns={"worth": "truth"})
    both = worth.merge(known, on=["segment", "attribute", "from_level", "to_level"])
    assert len(both) == 3 * 12
    inside = both["truth"].between(both["low"], both["high"])
    # 36 intervals of 95 per cent: fewer than 31 hits has a probability below 1 in 5,000 if the intervals are right.
    assert inside.sum() >= 31, both[~inside]
    # A swapped level, step or segment would be far below; noise of 40 respondents a segment leaves about 0.9.
    assert np.corrcoef(both["estimate"], both["truth"])[0, 1] > 0.8
    segment = worth[worth["segment"] == "uptime"]
    drawn = chart.figure(segment, labels={}, words=str, currency="EUR").data[0]
    np.testing.assert_array_equal(drawn.x, segment["estimate"])
    np.testing.assert_allclose(drawn.x - drawn.error_x.arrayminus, segment["low"])
    np.testing.assert_allclose(drawn.x + drawn.error_x.array, segment["high"])


def test_the_page_shows_the_same_figures_and_says_that_they_are_simulated(fielded: Settings) -> None:
    client = create_app(fielded).test_client()
    form = BeautifulSoup(client.get("/login").text, "html.parser").find("form", method="post")
    fields = {i["name"]: i.get("value", "") for i in form.find_all("input") if i.get("name")}
    client.post("/login", data=fields | {"name": "anna", "password": PASSWORD})
    page = BeautifulSoup(client.get("/results/supplier?lang=en").text, "html.parser")
    assert f"{RESPONDENTS} of {RESPONDENTS}" in page.get_text(" ", strip=True)
    assert "preliminary" in page.get_text().lower()
