"""What a study says of its panel: names that do not collide, and never a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from wtp.survey.load import inspect_text
from wtp.survey.panel import Panel

EVERY = Path(__file__).parents[1] / "every_question/survey.toml"


def with_panel(lines: str) -> tuple[Panel | None, list[tuple[str, str]]]:
    text = EVERY.read_text(encoding="utf-8").replace('parameter = "pid"\n', f'parameter = "pid"\n{lines}\n')
    definition, mistakes = inspect_text(text, EVERY)
    return definition.panel if definition else None, [(one.key, str(one.found)) for one in mistakes]


def test_what_is_signed_and_by_which_names_is_the_authors() -> None:
    panel, mistakes = with_panel('sign_back = true\ncheck_links = true\nsignature = "hash"\ntime_stamp = "time"')
    assert mistakes == []
    assert panel is not None
    assert (panel.sign_back, panel.check_links, panel.signature, panel.time_stamp) == (True, True, "hash", "time")


def test_a_panel_that_signs_nothing_is_written_as_it_always_was() -> None:
    """Fingerprints of analyses and definitions that are kept do not change."""
    panel, _ = with_panel("")
    assert panel is not None
    assert set(panel.model_dump()) == {"parameter", "required", "completed", "screened_out", "over_quota"}


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('check_links = true\nsignature = "pid"', "panel.signature"),
        ('check_links = true\ntime_stamp = "pid"', "panel.time_stamp"),
        ('check_links = true\nsignature = "ts"', "panel.time_stamp"),
        ('signature = "a b"', "panel.signature"),
        ('signature = ""', "panel.signature"),
        ('time_stamp = "1"', "panel.time_stamp"),
        ('sign_back = true\nsignature = "status"', "panel.completed"),
        ('sign_back = true\ntime_stamp = "id"', "panel.completed"),
        ('key = "a-key-in-a-file-of-everybody"', "panel.key"),
        ('secret = "a-key-in-a-file-of-everybody"', "panel.secret"),
    ],
)
def test_what_would_collide_is_found(lines: str, key: str) -> None:
    panel, mistakes = with_panel(lines)
    assert panel is None
    assert key in [where for where, _ in mistakes]


def test_where_nothing_is_signed_any_name_will_do() -> None:
    for lines in ('signature = "status"', 'signature = "pid"', 'check_links = true\nsignature = "status"'):
        assert with_panel(lines)[1] == []
