"""The section that says which grouping explains choices and price limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.web import results

AGREEMENT = pd.DataFrame([("declared", "classes", 200, 0.12, 0.07, 0.20, "all")], columns=["one", "other", "respondents", "adjusted_rand", "low", "high", "segment"])  # fmt: skip


def scores(declared: tuple[bool, bool], classes: tuple[bool, bool]) -> pd.DataFrame:
    """Whether each grouping explains choices between offers, and buying; the declared one best if the other does not."""
    rows = []
    for part, place in (("offers", 0), ("purchase", 1)):
        rows.append((part, "none", 1, 200, 0.58, 0.0, float("nan"), float("nan"), False, False))
        for name, groups, own, other in (("declared", 3, declared, classes), ("classes", 2, classes, declared)):
            low = 0.01 if own[place] else -0.01
            rows.append((part, name, groups, 200, 0.6, 0.02, low, 0.03, own[place], own[place] and not other[place]))
    columns = ["part", "grouping", "groups", "respondents", "hit", "gained", "low", "high", "explains", "explains_best"]
    return pd.DataFrame(rows, columns=columns).assign(segment="all")


@pytest.mark.parametrize(
    ("declared", "classes", "title", "limits"),
    [
        ((True, False), (False, True), "“Declared segments” explains best what people choose", "“Latent classes” explains best."),
        ((True, True), (True, True), "“Declared segments”, “Latent classes” explain what people choose, none clearly best", "none clearly best."),
        ((False, False), (False, False), "No grouping clearly explains what people choose better than none", "no grouping clearly explains them"),
    ],
)  # fmt: skip
def test_the_finding_is_told_for_preferences_and_for_price_limits(
    staffed: Callable[[str], Staff], shown: Callable[..., Analysis], monkeypatch: pytest.MonkeyPatch,
    declared: tuple[bool, bool], classes: tuple[bool, bool], title: str, limits: str,
) -> None:  # fmt: skip
    analysis = shown()
    more = {"grouping_scores": scores(declared, classes), "grouping_agreement": AGREEMENT}
    found = replace(analysis, tables={**analysis.tables, **more})
    monkeypatch.setattr(results, "analysis_of", lambda *_: found)
    manager = staffed("manager")
    page = manager.open("/results/supplier/segments?lang=en")
    heading = page.select_one("#title-grouping")
    assert heading is not None
    assert heading.get_text() == title
    section = heading.find_parent("section")
    assert section is not None
    findings = [item.get_text() for item in section.select(".findings li")]
    assert limits in findings[0]
    assert "agree to 0.12 (0.07 to 0.20" in findings[1]
    rows = {row.select_one("th").get_text(): row.select("td")[-1].get_text() for row in section.select("tbody tr")}  # type: ignore[union-attr]
    assert rows["No groups"] == ""
    chart = manager.client.get("/results/supplier/grouping.json").get_json()
    assert [len(trace["text"]) for trace in chart["data"]] == [2, 2]
