"""The results pages: the three answers first, figures as exact as they are, reasons where there are none, and labels that stay text."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import plotly
import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.conftest import Person
from tests.web.figures import WITHHELD, handmade
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.estimation.diagnostics import Note
from wtp.store import Database, respondents
from wtp.survey import Survey
from wtp.web import analyses

LogIn = Callable[[str], Staff]
Show = Callable[..., Analysis]
PAGES = ("", "/importance", "/worth", "/price", "/invest")
CHARTS = ("importance", "worth", "demand", "van_westendorp", "invest")
JOINER = "\u2060"


@pytest.fixture
def manager(staffed: LogIn) -> Staff:
    return staffed("manager")


def words(page: BeautifulSoup, selector: str) -> str:
    """The text of an element, as one reads it."""
    found = page.select_one(selector)
    assert found is not None, selector
    return re.sub(r"\s+", " ", found.get_text(" ", strip=True)).replace(JOINER, "")


def cells(page: BeautifulSoup, row: int, section: int = 0) -> list[str]:
    """The texts of one row of a section's table."""
    rows = page.select(".chart-section")[section].select("tbody tr")
    return [cell.get_text(strip=True).replace(JOINER, "") for cell in rows[row].select("th, td")]


def test_the_first_page_says_where_to_invest_where_to_save_and_which_price(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier?lang=en")
    cards = page.select(".card")
    assert [words(card, "h2") for card in cards] == ["Everybody", "Uptime first", "Cost first", "Growth first"]
    everybody = words(page, ".card")
    assert "400 respondents" in everybody
    assert (
        "Invest here: Speed of problem solving – customers honour “The same day” with €6.40 (€4.10 to €8.90) per month; "
        "providing it costs €3.00 more. Probability that it pays: over 99%."
    ) in everybody
    assert (
        "Save here: Design and technology – going back to “Plain and proven” saves €3.50; customers value the difference "
        "at only €0.60 (−€0.50 to €1.70) per month. Probability that it pays: 93%."
    ) in everybody
    assert (
        "Price upper limit, preliminary: Half would still buy today's offer at €103 (€100 to €105). Today's price is €100, €3 below it."
    ) in everybody
    links = {link.get_text(): str(link["href"]) for link in cards[1].select("a")}
    assert links["Speed of problem solving"].endswith("/results/supplier/invest?segment=uptime#title-invest")
    assert links["Price upper limit, preliminary:"].endswith("/results/supplier/price?segment=uptime")
    assert "Keep, expected: Assortment range, Financing, Brand" in everybody
    assert "about 130 more answers would decide it." in everybody


@pytest.mark.parametrize(
    ("low", "estimate", "high", "sentence"),
    [
        (108.0, 111.0, 114.0, "Today's price is €100, €11 below it."),
        (88.0, 91.0, 94.0, "Today's price is €100, €9 above it."),
        (97.0, 101.0, 105.0, "Today's price, €100, is as high as that within the interval."),
    ],
)
def test_todays_price_stands_beside_the_limit(
    manager: Staff, shown: Show, low: float, estimate: float, high: float, sentence: str
) -> None:
    limits = shown().tables["price_limit"]
    limits.loc[limits["segment"] == "all", ["low", "estimate", "high"]] = [low, estimate, high]
    assert sentence in words(manager.open("/results/supplier?lang=en"), ".card .price")


def test_the_first_page_in_german(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier?lang=de")
    everybody = words(page, ".card")
    assert page.html is not None
    assert page.html["lang"] == "de"
    assert (
        "Hier investieren: Schnelle Problemlösung – Kunden honorieren „Am selben Tag“ mit 6,40 € (4,10 € bis 8,90 €) pro Monat; "
        "die Bereitstellung kostet 3,00 € mehr. Wahrscheinlichkeit, dass es sich lohnt: über 99 %."
    ) in everybody
    assert "Preisobergrenze, vorläufig" in everybody
    assert "Zu 103 € (100 € bis 105 €) würde noch die Hälfte" in everybody


def test_what_is_withheld_says_why(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier?lang=en")
    cost, growth = page.select(".card")[2:]
    assert WITHHELD in words(cost, ".price")
    assert "Nothing to change with certainty here" in words(cost, ".verdicts")
    assert not re.search(r"€\d", cost.get_text())
    assert "too few for figures" in growth.get_text()
    assert "too few answers" in words(growth, ".price")
    for name in ("worth", "price", "invest"):
        withheld = words(manager.open(f"/results/supplier/{name}?segment=cost"), ".withheld")
        assert WITHHELD in withheld or "Too few answers" in withheld
    for name in PAGES[1:]:
        page = manager.open(f"/results/supplier{name}?segment=growth")
        assert "Too few answers" in words(page, ".withheld")
        assert not page.select("[data-chart], table")


def test_segments_that_contradict_each_other_are_named(
    manager: Staff, shown: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = shown()
    assert not manager.open("/results/supplier").select(".split")
    table = analysis.tables["investment"]
    there = (table["segment"] == "cost") & (table["attribute"] == "design")
    table.loc[there, "label"] = "invest"
    split = words(manager.open("/results/supplier?lang=en"), ".split")
    assert "Segments differ: Design and technology – invest for Cost first, save for Uptime first." in split
    assert "one level must serve all" in split


def test_tables_show_no_more_digits_than_the_interval_carries(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier/invest?lang=en")
    assert cells(page, 2) == [
        "Speed of problem solving",
        "↑ The same day",
        "€6.40 (€4.10 to €8.90)",
        "€3.00",
        "up to €4.10",
        "€230,000 (€120,000 to €340,000)",
        "over 99%",
        "▲ Invest here",
    ]
    assert cells(page, 3)[-1] == "", "the verdict stands beside the step that it is about"
    page = manager.open("/results/supplier/invest?lang=de")
    assert cells(page, 11) == [
        "Design und Technik",
        "↓ Schlicht und bewährt",
        "0,60\xa0€ (−0,50\xa0€ bis 1,70\xa0€)",
        "−3,50\xa0€",
        "ab 0,00\xa0€ Ersparnis",
        "230.000\xa0€ (120.000\xa0€ bis 340.000\xa0€)",
        "93\xa0%",
        "▼ Hier sparen",
    ]
    page = manager.open("/results/supplier/worth?lang=de")
    assert cells(page, 3) == [
        "Schnelle Problemlösung",
        "Innerhalb von 2 Arbeitstagen",
        "Am selben Tag",
        "6,40\xa0€",
        "4,10\xa0€ bis 8,90\xa0€",
    ]
    page = manager.open("/results/supplier/price?lang=en")
    assert cells(page, 1) == ["€100", "57%", "51% to 64%"]
    assert cells(page, 0, section=1) == ["PMC: below it too many doubt the quality", "€74", "€72 to €76"]


def test_titles_are_findings(manager: Staff, shown: Show) -> None:
    shown()
    titles = {
        "importance": "Price counts most in the choices, then Speed of problem solving",
        "worth": "The same day (Speed of problem solving) is worth most: €6.40 against today",
        "price": "Half would still buy at €103 (preliminary)",
        "invest": "Invest in Speed of problem solving; save on Design and technology",
    }
    for page, title in titles.items():
        assert words(manager.open(f"/results/supplier/{page}?lang=en"), ".chart-section h2") == title
    assert "7 respondents whose four prices do not rise" in manager.open("/results/supplier/price").get_text()


def test_stated_importance_stands_beside_the_derived_with_the_gap_named(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier/importance?lang=en")
    assert cells(page, 0) == ["Price", "48.9%", "48.2% to 51.0%", "1.3%", "6.2", "agree"]
    assert cells(page, 2)[-1] == "agree"
    assert cells(page, 6)[-2:] == ["6.1", "counts less than they say"]


@pytest.mark.parametrize("page", PAGES)
def test_simulated_answers_and_example_costs_are_called_so_on_every_page(
    manager: Staff, shown: Show, page: str
) -> None:
    shown(simulated=399)
    banner = " ".join(
        b.get_text(" ", strip=True) for b in manager.open(f"/results/supplier{page}?lang=en").select(".banner")
    )
    assert "399 of 400 respondents are simulated" in banner
    assert "Illustrative costs:" in banner
    shown(simulated=0)
    assert "simulated" not in manager.open(f"/results/supplier{page}?lang=en").get_text().lower()


def test_every_download_says_that_answers_are_simulated(manager: Staff, shown: Show) -> None:
    analysis = shown(simulated=400)
    for name in analysis.tables:
        reply = manager.client.get(f"/results/supplier/{name}.csv")
        assert reply.headers["Content-Disposition"] == f"attachment; filename=supplier-{name}-simulated.csv"
        assert reply.text.lstrip("\ufeff").splitlines()[0].endswith(",simulated_respondents")
        assert reply.text.splitlines()[1].endswith(",400")
    for name in CHARTS:
        label = manager.client.get(f"/results/supplier/{name}.json?lang=en").get_json()["layout"]["meta"]["label"]
        assert label.endswith("Simulated answers: 400 of 400 respondents")
    shown(simulated=0)
    reply = manager.client.get("/results/supplier/importance.csv")
    assert reply.headers["Content-Disposition"].endswith("supplier-importance.csv")


def test_a_download_holds_the_figures_of_the_page_in_full(manager: Staff, shown: Show) -> None:
    shown()
    text = manager.client.get("/results/supplier/investment.csv").text
    assert "uptime,speed,up,two_days,same_day,6.42,4.11,8.87,3.0," in text


def test_charts_draw_what_the_tables_show(manager: Staff, shown: Show) -> None:
    shown()
    found = {name: manager.client.get(f"/results/supplier/{name}.json?lang=de&segment=uptime") for name in CHARTS}
    worth = found["worth"].get_json()["data"][0]
    assert worth["y"][3] == "Schnelle Problemlösung: Am selben Tag"
    assert found["invest"].get_json()["layout"]["meta"]["finding"].startswith("Investieren: Schnelle Problemlösung")
    assert all(reply.mimetype == "application/json" for reply in found.values())
    for name in CHARTS:
        assert manager.client.get(f"/results/supplier/{name}.json?segment=growth").status_code == 404


def test_notes_stand_above_the_figures_in_the_words_of_the_page(manager: Staff, shown: Show) -> None:
    template = "{count} respondents answered another version of this survey, whose choices do not mean the same; they are left out of these figures. Export the raw answers to see them."
    everywhere = Note("other_version", "warning", template, {"count": 3})
    there = Note("withheld", "stop", WITHHELD, {}, "cost")
    shown(notes=(everywhere, there))
    for path in ("", "/worth", "/worth?segment=uptime"):
        page = manager.open(f"/results/supplier{path}")
        assert words(page, ".notes li").startswith("3 respondents answered another version")
        assert len(page.select(".notes li")) == 1
    assert len(manager.open("/results/supplier/worth?segment=cost").select(".notes li")) == 2
    german = words(manager.open("/results/supplier?lang=de"), ".notes")
    assert "3 Befragte haben eine andere Fassung dieser Umfrage beantwortet" in german


def test_the_segment_is_in_the_address_and_the_links_keep_it(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier/worth?segment=uptime")
    assert words(page, "h1").endswith("Uptime first")
    tabs = [str(link["href"]) for link in page.select(".tabs a")]
    assert tabs
    assert tabs.pop() == "/results/supplier/final", "the list of analyses is of all segments"
    assert all(tab.endswith("segment=uptime") for tab in tabs)
    assert "segment=uptime" in str(page.select_one(".languages a")["href"])  # type: ignore[index]
    assert "200 respondents, 2,000 choice tasks." in page.get_text()


@pytest.mark.parametrize(
    "path",
    [
        "/results/nothing", "/results/supplier?segment=nobody", "/results/supplier/nothing", "/results/supplier/worth?segment=",
        "/results/supplier/answers.csv", "/results/supplier/nothing.json", "/results/nothing/worth", "/plotly-0.0.0.min.js",
    ],
)  # fmt: skip
def test_what_does_not_exist_has_a_page_that_says_so(manager: Staff, shown: Show, path: str) -> None:
    shown()
    reply = manager.client.get(path)
    assert reply.status_code == 404
    assert "Page not found" in reply.text


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "' onmouseover='alert(1)",
        "</table><iframe src=//evil.example>", "{{ 7 * 7 }}", "<a href='javascript:alert(1)'>x</a>", "%(worth)s {worth}", "&lt;b&gt;",
    ],
)  # fmt: skip
def test_labels_stay_text(app: Flask, manager: Staff, shown: Show, payload: str) -> None:
    surveys: dict[str, Survey] = app.extensions["wtp_surveys"]
    survey = surveys["supplier"]
    hostile = {"en": payload, "de": payload}
    definition = survey.definition.model_copy(
        update={
            "title": hostile,
            "segments": tuple(s.model_copy(update={"label": hostile}) for s in survey.definition.segments),
            "attributes": tuple(
                a.model_copy(update={"label": hostile, "levels": tuple(x.model_copy(update={"label": hostile}) for x in a.levels)})
                for a in survey.definition.attributes
            ),
        }
    )  # fmt: skip
    surveys["supplier"] = replace(survey, definition=definition)
    shown(simulated=1)
    for path in ("/results", *(f"/results/supplier{page}" for page in PAGES)):
        page = manager.open(path)
        assert payload in page.get_text(), path
        wanted = ("script:not([src])", "img", "svg", "iframe", "[onmouseover]", "[onerror]", "a[href^=javascript]", "b")
        assert not page.select(", ".join(wanted)), path
    for name in CHARTS:
        texts = json.dumps(manager.client.get(f"/results/supplier/{name}.json").get_json())
        assert "<" not in re.sub(r"<extra>|</extra>", "", texts), name


def test_the_chart_library_comes_from_here_once_and_small(manager: Staff, shown: Show) -> None:
    shown()
    page = manager.open("/results/supplier/worth")
    address = str(page.select("script")[0]["src"])
    assert plotly.__version__ in address
    small = manager.client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert "immutable" in small.headers["Cache-Control"]
    plain = manager.client.get(address)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(small.data) == plain.data
    assert len(small.data) < 0.4 * len(plain.data)
    assert all("Accept-Encoding" in reply.headers["Vary"] for reply in (small, plain))
    for path in ("/results", "/results/supplier"):
        assert not manager.open(path).select("script")


def test_only_pages_with_charts_allow_styles_in_the_page(manager: Staff, shown: Show) -> None:
    shown()
    for page in PAGES:
        policy = manager.client.get(f"/results/supplier{page}").headers["Content-Security-Policy"]
        assert ("style-src 'self' 'unsafe-inline'" in policy) == bool(page)
        assert "script" not in policy, "default-src 'self' is for scripts too"


def test_every_shipped_study_has_pages_before_anybody_answers(app: Flask, manager: Staff) -> None:
    for slug in app.extensions["wtp_surveys"]:
        for page in PAGES:
            for language in ("en", "de"):
                text = manager.open(f"/results/{slug}{page}?lang={language}").get_text()
                assert "nan" not in text.lower().split()
    assert "Nobody has answered" in manager.open("/results/supplier?lang=en").get_text()


def test_the_analysis_is_made_once_and_again_after_an_answer(
    app: Flask, database: Database, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = app.extensions["wtp_surveys"]["supplier"]
    made = []

    def counted(survey: Survey, answers: object, request: object, progress: object) -> Analysis:
        made.append(answers)
        return handmade(survey, simulated=len(made))

    monkeypatch.setattr(analyses, "analyse", counted)
    assert analyses.analysis_of(database, survey).simulated == 1
    assert analyses.analysis_of(database, survey).simulated == 1
    with database.begin() as connection:
        respondents.invite(connection, "supplier", "a token", simulated=True, now=datetime.now(UTC))
    assert analyses.analysis_of(database, survey).simulated == 1, "nobody answered yet"
    person.walk("importance")
    assert analyses.analysis_of(database, survey).simulated == 2
    person.send(person.filled(3))
    assert analyses.analysis_of(database, survey).simulated == 3
    edited = replace(survey, definition=survey.definition.model_copy(update={"minutes": 11}))
    assert analyses.analysis_of(database, edited).simulated == 4
