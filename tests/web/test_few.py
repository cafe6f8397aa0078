"""P9 on the pages: who reads results alone gets no figures from which, beside others, a few people could be worked out; analysts, who see single answers, do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.web import few as few_people

PAGES = (
    "/results/supplier?without=none",
    "/results/supplier/worth?without=none",
    "/results/supplier/worth.json?without=none",
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Figures without anybody left out differ from the usual ones by a few."""
    asked: list[tuple[Any, ...]] = []

    def may_see(_database: object, _survey: object, left_out: tuple[int, ...], versions: str) -> bool:
        asked.append((left_out, versions))
        return False

    monkeypatch.setattr(few_people, "may_see", may_see)
    return asked


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["manager", "analyst"])
def test_a_manager_is_told_why_and_an_analyst_sees_them(
    staffed: Callable[[str], Staff], shown: Callable[..., Analysis], few: list[tuple[Any, ...]], path: str, role: str
) -> None:
    shown()
    refused = staffed(role).client.get(path)
    assert (refused.status_code == 403) == (role == "manager")
    if role != "manager":
        assert refused.status_code == 200
        assert few == []
        return
    assert "fewer than 10 respondents" in refused.text
    assert few == [((), "same")]
