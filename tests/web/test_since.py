"""The overview says in a sentence a segment what changed since last time, and what last time is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.figures import NAN, handmade
from tests.web.staff import Staff
from wtp.analysis import Analysis, provenance
from wtp.store import results as kept
from wtp.store import tables
from wtp.web import results

PAGE = "/results/supplier"
Keep = Callable[..., None]


@pytest.fixture
def manager(staffed: Callable[[str], Staff]) -> Staff:
    return staffed("manager")


@pytest.fixture
def now(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Analysis:
    """What the pages show."""
    made = handmade(app.extensions["wtp_surveys"]["supplier"])
    monkeypatch.setattr(results, "analysis_of", lambda *_: made)
    return made


@pytest.fixture
def keep(app: Flask) -> Keep:
    """Keeps an analysis as if it had been made on this day of November; basis "a" was told to readers."""
    with app.extensions["wtp_database"].begin() as connection:
        row = {"study": "supplier", "basis": "a", "told_at": datetime(2026, 11, 1, tzinfo=UTC)}
        connection.execute(sa.insert(tables.told_selection).values(**row))

    def save(analysis: Analysis, day: int, kind: str = kept.ANALYSIS, basis: str = "a", **made: Any) -> None:
        definition = app.extensions["wtp_surveys"]["supplier"].definition
        facts = provenance(analysis, definition, made_by="anna", seconds=1.0) | made
        with app.extensions["wtp_database"].begin() as connection:
            when = datetime(2026, 11, day, 12, tzinfo=UTC)
            kept.save(
                connection, f"{day:02d}" * 32, "supplier", analysis.to_json(), when, kind, basis=basis, made=facts
            )

    return save


def changed(analysis: Analysis, limit: tuple[float, float, float], **labels: str) -> Analysis:
    """The same of other answers: everybody's limit, and labels of attributes, were others."""
    limits, invested = analysis.tables["price_limit"].copy(), analysis.tables["investment"].copy()
    limits.loc[limits["segment"] == "all", ["estimate", "low", "high"]] = limit
    for attribute, label in labels.items():
        invested.loc[(invested["segment"] == "all") & (invested["attribute"] == attribute), "label"] = label
    tables = {**analysis.tables, "price_limit": limits, "investment": invested}
    return replace(analysis, tables=tables, answers_hash="of fewer", respondents=310)


def card(page: BeautifulSoup, place: int = 0) -> str:
    found = page.select(".card")[place].select_one(".since")
    return found.get_text(" ", strip=True) if found else ""


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ((104.0, 101.0, 107.0), "The price upper limit was €104 (€101 to €107): no clear change."),
        ((90.0, 88.0, 92.0), "The price upper limit rose from €90 (€88 to €92)."),
        ((120.0, 117.0, 123.0), "The price upper limit fell from €120 (€117 to €123)."),
        ((NAN, NAN, NAN), "The price upper limit was withheld then."),
    ],
)
def test_the_limit_against_last_time(
    manager: Staff, now: Analysis, keep: Keep, limit: tuple[float, float, float], words: str
) -> None:
    keep(changed(now, limit), 2)
    keep(now, 24)
    page = manager.open(f"{PAGE}?lang=en")
    assert card(page) == f"Since last time: {words} No verdict moved."
    assert "Last time: November 2, 2026, 310 respondents." in page.text


def test_verdicts_that_moved_are_named_in_their_segment_alone(manager: Staff, now: Analysis, keep: Keep) -> None:
    keep(changed(now, (102.7, 100.2, 105.3), speed="undecided"), 2)
    keep(now, 24)
    page = manager.open(f"{PAGE}?lang=de")
    assert card(page).endswith("Schnelle Problemlösung: damals „Noch offen“, jetzt „Hier investieren“.")
    assert card(page, 1).endswith("Kein Urteil hat sich geändert.")
    link = page.find("a", string="Beide nebeneinander")
    assert link is not None
    assert "Hier investieren" in manager.open(str(link["href"])).text


def test_what_is_withheld_now_says_so(manager: Staff, now: Analysis, keep: Keep) -> None:
    earlier = now.tables["price_limit"].copy()
    earlier.loc[earlier["segment"] == "cost", ["estimate", "low", "high"]] = (99.0, 95.0, 104.0)
    keep(replace(now, answers_hash="of fewer", tables={**now.tables, "price_limit": earlier}), 2)
    keep(now, 24)
    assert "is withheld now; it was €99." in card(manager.open(f"{PAGE}?lang=en"), 2)


def test_last_time_is_of_the_same_kind_and_of_something_else(manager: Staff, now: Analysis, keep: Keep) -> None:
    other = changed(now, (90.0, 88.0, 92.0))
    keep(now, 20, seed=now.request.seed)  # the same answers, made earlier
    keep(other, 21, estimator="hierarchical")  # final figures against quick ones
    keep(other, 22, kind=kept.OTHER_SET)  # another set of respondents
    keep(now, 24)
    keep(other, 25)  # later than what is shown
    page = manager.open(f"{PAGE}?lang=en")
    assert card(page) == ""
    assert "These are the first figures" in page.text


def test_figures_that_were_kept_without_saying_how_have_no_last_time(manager: Staff, now: Analysis) -> None:
    assert pd.isna(now.tables["price_limit"]["estimate"].iloc[2])
    assert "These are the first figures" in manager.open(f"{PAGE}?lang=en").text


def test_readers_are_not_told_of_figures_that_nobody_could_show_them(
    manager: Staff, staffed: Callable[[str], Staff], keep: Keep, now: Analysis
) -> None:
    """An analyst looked when one more had answered: from the difference a manager could work out what."""
    keep(changed(now, (90.0, 88.0, 92.0)), 2, basis="of one more")
    keep(now, 24)
    assert card(manager.open(f"{PAGE}?lang=en")) == ""
