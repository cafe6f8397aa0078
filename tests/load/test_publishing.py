"""Publishing while people answer, on the shipped server with two worker processes; benchmarks/publishing.py does it 500 times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import SURVEYS, Start
from tests.load.publishing import publish_while_asked, short_survey


@pytest.mark.slow
def test_no_interview_mixes_versions_while_many_are_published(start: Start, tmp_path: Path) -> None:
    text = short_survey(SURVEYS, tmp_path / "surveys")
    url = f"sqlite:///{tmp_path / 'instance' / 'answers.sqlite'}"
    server = start(workers=2, surveys=tmp_path / "surveys", database=url)
    found = publish_while_asked(server.port, url, tmp_path / "surveys", text, publishes=10, people=3)
    assert found.errors == ()
    assert (found.published, found.mixed, found.lost) == (10, 0, 0)
    assert found.interviews >= 3
