"""The page of what-ifs: the address is the scenario, figures of every segment follow, searches lead to their scenario, named ones are compared."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.web.staff import Staff, hidden
from wtp.analysis import Analysis, Scenario, Simulator, today, what_if
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.design import assign
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.store import Database, studies
from wtp.survey import Choice, Respondent, Survey, load_survey
from wtp.web import what_if as pages

PAGE = "/results/supplier/what-if"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
LogIn = Callable[[str], Staff]
Show = Callable[..., Analysis]


@pytest.fixture(scope="module")
def survey() -> Survey:
    return load_survey(Path(__file__).parents[2] / "surveys" / "supplier")


@pytest.fixture(scope="module")
def simulator(survey: Survey) -> Simulator:
    """Pooled fits of everybody and of one segment."""
    assert survey.design is not None
    people = []
    for number, person in enumerate(draw_respondents(survey.definition, 90, 9), 1):
        rng = np.random.default_rng(number)
        tasks = assign(survey.design.versions[number], rng)
        choices = tuple(Choice(task, order, *choose(person, task, rng), number, survey.definition_hash, NOW) for order, task in enumerate(tasks, 1))  # fmt: skip
        people.append(Respondent(number, True, "en", number, NOW, NOW, person.answers, choices))
    fits = {}
    for name, own in (("all", people), ("uptime", people[:45])):
        frame = choice_frame(survey.definition, own)
        fits[name] = ConditionalLogit(ChoiceData.from_long(frame, formula=formula(survey.definition))).fit()
    return Simulator(fits)


@pytest.fixture
def manager(staffed: LogIn, shown: Show, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, database: Database, app: Flask) -> Staff:  # fmt: skip
    shown()
    monkeypatch.setattr(pages, "simulator_of", lambda *_: simulator)
    return staffed("manager")


def rows(page: BeautifulSoup, table: int) -> list[list[str]]:
    found = page.select("#figures table")[table].select("tbody tr")
    return [[re.sub(r"[\u2060\xa0]", "", cell.get_text()) for cell in row.select("th, td")] for row in found]


def test_the_address_is_the_scenario(manager: Staff, survey: Survey, simulator: Simulator) -> None:
    page = manager.open(f"{PAGE}?lang=en&own-speed=same_day&own-price=105&discounter-gone=y")
    assert page.select_one("select[name=own-speed] [selected]")["value"] == "same_day"  # type: ignore[index]
    assert page.select_one("input[name=own-price]")["value"] == "105"  # type: ignore[index]
    assert page.select_one("select[name=leader-brand] [selected]")["value"] == "leading"  # type: ignore[index]
    assert page.select_one("input[name=discounter-gone]").has_attr("checked")  # type: ignore[union-attr]
    market = today(survey.definition)
    scenario = Scenario({**market.levels, "own": {**market.levels["own"], "speed": "same_day"}}, {**market.prices, "own": 105.0}, ("discounter",))  # fmt: skip
    found = what_if(simulator, survey.definition, scenario).shares.set_index("offer")
    own, discounter, *_ = rows(page, 0)
    assert own[2].startswith(f"{found.loc['own', 'share']:.0%}")
    assert discounter[2:] == ["gone", ""]
    shares, bridge = (json.loads(str(place["data-figure"])) for place in page.select("[data-figure]"))
    packed = shares["data"][1]["x"]
    drawn = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    assert drawn[0] == pytest.approx(found.loc["own", "share"])
    assert bridge["data"][0]["type"] == "waterfall"
    link = page.select_one(".segments a[href*='segment=uptime']")
    assert link is not None
    assert {"own-speed=same_day", "own-price=105", "discounter-gone=y"} <= set(
        str(link["href"]).split("?")[1].split("&")
    )


def test_todays_market_changes_nothing_and_every_segment_is_told(manager: Staff) -> None:
    page = manager.open(f"{PAGE}?lang=en")
    assert "today's market" in page.select_one("#title-what-if").get_text()  # type: ignore[union-attr]
    assert [row[0] for row in rows(page, 3)] == ["Everybody", "Uptime first"]
    assert rows(page, 0)[0][3] == "0.0 (0.0 – 0.0)"
    assert rows(page, 1)[0][1].split(" ")[0].endswith("0,000"), "no more digits than the interval carries"
    dearer = manager.open(f"{PAGE}?lang=en&own-price=130")
    assert "less a year" in dearer.select_one("#title-what-if").get_text()  # type: ignore[union-attr]
    assert rows(dearer, 0)[0][3].startswith("−")
    german = manager.open(f"{PAGE}?lang=de&own-price=130")
    assert "weniger" in german.select_one("#title-what-if").get_text()  # type: ignore[union-attr]
    assert "Too few answers" in manager.open(f"{PAGE}?segment=cost&lang=en").select_one("#figures").get_text()  # type: ignore[union-attr]


def test_the_script_gets_the_figures_alone(manager: Staff) -> None:
    reply = manager.client.get(f"{PAGE}?own-price=105&part=figures")
    assert reply.status_code == 200
    assert not BeautifulSoup(reply.data, "html.parser").select("form, nav")
    wrong = manager.client.get(f"{PAGE}?own-price=300&part=figures")
    assert wrong.status_code == 422
    page = manager.open(f"{PAGE}?own-price=300&lang=en")
    assert "Enter a price from 80 to 130." in page.select_one("#own-price-mistake").get_text()  # type: ignore[union-attr]
    assert "Mend the marked price" in page.select_one("#figures").get_text()  # type: ignore[union-attr]
    for sent in ("own-price=nan", "own-price=", "own-speed=unknown", "leader-price=1e9"):
        assert manager.client.get(f"{PAGE}?{sent}&part=figures").status_code == 422, sent
    beyond = manager.open(f"{PAGE}?discounter-price=70&lang=en").select_one("#figures")
    assert beyond is not None
    assert "Outside the tested prices, so a guess: Discounter." in beyond.get_text()


@pytest.mark.parametrize("search", ["price", "offer", "answers"])
def test_a_search_leads_to_its_scenario(manager: Staff, search: str) -> None:
    reply = manager.client.get(f"{PAGE}?own-price=125&do={search}&segment=uptime")
    assert reply.status_code == 303
    place = reply.headers["Location"]
    assert "segment=uptime" in place
    prices = dict(re.findall(r"(\w+)-price=([\d.]+)", place))
    if search == "answers":
        assert prices["own"] == "125"
        assert prices.keys() == {"own", "discounter", "leader"}
    else:
        assert prices.get("own") != "125"
    assert all(len(price.partition(".")[2]) <= 2 for price in prices.values())
    assert manager.client.get(place).status_code == 200
    assert manager.client.get(f"{PAGE}?do=everything").status_code == 404


def test_scenarios_are_named_compared_and_deleted(manager: Staff, database: Database, survey: Survey) -> None:
    with database.begin() as connection:
        studies.register(connection, survey)

    def send(path: str, **fields: str) -> int:
        page = manager.open(PAGE)
        return manager.client.post(path, data={**hidden(page), **fields}).status_code

    assert send(f"{PAGE}/scenarios", name="Faster", query="own-speed=same_day&own-price=105") == 303
    assert send(f"{PAGE}/scenarios", name="Cheaper", query="own-price=90&discounter-gone=y") == 303
    assert send(f"{PAGE}/scenarios", name="Cheaper", query="own-price=95") == 422
    assert send(f"{PAGE}/scenarios", name="Wrong", query="own-price=1000") == 400
    page = manager.open(f"{PAGE}/scenarios?lang=en")
    table = [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in page.select("tbody tr")]
    assert [row[0] for row in table] == ["Cheaper", "Faster"]
    assert table[0][1] == "Price: €90; Discounter: gone"
    assert table[1][1] == "Speed of problem solving: The same day; Price: €105"
    assert re.match(r"\d+%", table[0][2])
    assert "€" in table[0][3]
    one = manager.open(f"{PAGE}/scenarios?id=2&lang=en")
    assert len(one.select("tbody tr")) == 1
    assert send(f"{PAGE}/scenarios/1/delete") == 303
    assert send(f"{PAGE}/scenarios/1/delete") == 404
    listed = manager.open(PAGE).select("a[href*='own-price=90']")
    assert [link.get_text() for link in listed] == ["Cheaper"]


def test_without_a_simulator_the_page_says_so(staffed: LogIn, shown: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    shown()
    monkeypatch.setattr(pages, "simulator_of", lambda *_: None)
    page = staffed("manager").open(f"{PAGE}?lang=en")
    assert "Make the analysis again" in page.select_one("#figures").get_text()  # type: ignore[union-attr]


def test_strangers_see_nothing(app: Flask) -> None:
    client: FlaskClient = app.test_client()
    assert client.get(PAGE).status_code in (302, 303, 401)
