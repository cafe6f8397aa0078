"""What a budget pays for: the survey's, or the one that a manager enters; the address keeps it, and the file has the same steps."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.figures import handmade
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.web import results

PAGE = "/results/supplier/invest"
ONCE = {("all", "speed"): 90_000.0, ("all", "competence"): 60_000.0, ("uptime", "speed"): 40_000.0}


Show = Callable[[Analysis], None]


@pytest.fixture
def manager(staffed: Callable[[str], Staff]) -> Staff:
    return staffed("manager")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Lets the pages show this analysis."""
    return lambda analysis: monkeypatch.setattr(results, "analysis_of", lambda *_: analysis)


@pytest.fixture
def costly(app: Flask) -> Analysis:
    """Two steps to invest in: one earns twice as much, the other is cheaper; one of them could be for a segment alone."""
    made = handmade(app.extensions["wtp_surveys"]["supplier"])
    table = made.tables["investment"].copy()
    for (segment, attribute), once in ONCE.items():
        rows = (table["segment"] == segment) & (table["attribute"] == attribute) & (table["direction"] == "up")
        gain = 100_000.0 if attribute == "speed" else 50_000.0
        table.loc[rows, ["investment", "gain", "gain_low", "gain_high"]] = (
            [once, gain, gain - 9_000, gain + 9_000] if segment == "all" else [once, 30_000.0, 21_000.0, 39_000.0]
        )
        table.loc[rows, "label"] = "invest"
    return replace(made, tables={**made.tables, "investment": table})


def rows(page: BeautifulSoup) -> list[list[str]]:
    table = page.select("section[aria-labelledby=title-budget] tbody tr")
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in table]


def heading(page: BeautifulSoup) -> str:
    title = page.select_one("#title-budget")
    assert title is not None
    return title.get_text(" ", strip=True)


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ("150000", ["Speed of problem solving: The same day", "Competent, friendly contact: Named expert who visits you"]),
        ("90000", ["Speed of problem solving: The same day"]),
        ("89999.99", ["Competent, friendly contact: Named expert who visits you"]),
        ("45000", ["Speed of problem solving: The same day (only for: Uptime first)"]),
    ],
)  # fmt: skip
def test_the_steps_that_together_earn_most_within_the_budget(
    manager: Staff, shown: Show, costly: Analysis, budget: str, steps: list[str]
) -> None:
    shown(costly)
    page = manager.open(f"{PAGE}?budget={budget}&lang=en")
    assert [row[1] for row in rows(page)] == steps
    assert steps[0] in heading(page)
    assert page.select_one("#budget")["value"] == budget  # type: ignore[index]
    link = page.select_one("section[aria-labelledby=title-budget] a[download]")
    assert link is not None
    file = pd.read_csv(io.BytesIO(manager.client.get(str(link["href"])).data), encoding="utf-8-sig")
    assert file["rank"].tolist() == list(range(1, len(steps) + 1))
    assert file["cumulative"].iloc[-1] <= float(budget)
    drawn = manager.client.get(f"/results/supplier/budget.json?budget={budget}&lang=en").get_json()["data"][0]
    assert drawn["y"] == steps


def test_cells_are_the_figures_of_the_steps(manager: Staff, shown: Show, costly: Analysis) -> None:
    shown(costly)
    first, second = rows(manager.open(f"{PAGE}?budget=150000&lang=en"))
    assert first[2:] == ["€90,000", "€90,000", "€100,000 (€91,000 to €109,000)", "1.11", "over 99%"]
    assert second[2:4] == ["€60,000", "€150,000"]


def test_links_keep_the_budget_and_the_form_keeps_the_rest(manager: Staff, shown: Show, costly: Analysis) -> None:
    shown(costly)
    page = manager.open(f"{PAGE}?budget=90000&versions=current&without=none&lang=en")
    tab = next(link for link in page.select("nav.tabs a") if "Which price" in link.text)
    assert "budget=90000" in str(tab["href"])
    form = page.select_one("form:has(#budget)")
    assert form is not None
    assert {field["name"]: field["value"] for field in form.select("input[type=hidden]")} == {"versions": "current", "without": "none", "segment": "all"}  # fmt: skip


@pytest.mark.parametrize("typed", ["-5", "", "much", "nan", "inf", "1e99"])
def test_a_budget_that_is_none_is_told_beside_the_field(
    manager: Staff, shown: Show, costly: Analysis, typed: str
) -> None:
    shown(costly)
    page = manager.open(f"{PAGE}?budget={typed}&lang=de")
    field = page.select_one("#budget")
    assert field is not None
    assert (field["value"], field["aria-invalid"]) == (typed, "true")
    assert "Geben Sie einen Betrag ab 0" in page.select_one("#budget-mistake").text  # type: ignore[union-attr]
    assert all("budget" not in str(link["href"]) for link in page.select("nav.tabs a"))


def test_why_nothing_is_paid_for(manager: Staff, shown: Show, costly: Analysis) -> None:
    shown(costly)
    page = manager.open(f"{PAGE}?budget=1000&lang=en")
    assert heading(page) == "€1,000 pays for no step that is worth it"
    assert "The cheapest step with the label “invest” costs €40,000 once." in page.text
    table = costly.tables["investment"].assign(label="keep")
    shown(replace(costly, tables={**costly.tables, "investment": table}))
    assert "No step has the label “invest”" in manager.open(f"{PAGE}?budget=90000&lang=en").text


def test_a_segment_has_no_budget_of_its_own(manager: Staff, shown: Show, costly: Analysis) -> None:
    shown(costly)
    assert manager.open(f"{PAGE}?segment=uptime&budget=90000").select_one("#budget") is None
