"""Measures for a demonstration: what a company could have done about its attributes, made up and marked so wherever they are shown."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from wtp.survey.definition import Definition

# kind, chart of the finding that justifies it, state, days from today until it is due, days since it was done
_MADE_UP = (
    ("offer", "invest", "planned", 60, None),
    ("communication", "worth", "running", -7, None),
    ("training", "importance", "running", 30, None),
    ("process", "invest", "done", -90, 80),
    ("promotion", "demand", "dropped", -30, None),
)
COLUMNS = ("kind", "title", "segment", "attribute", "chart", "owner", "due_on", "state", "done_on")


def simulated_measures(definition: Definition, today: date, seed: int) -> pd.DataFrame:
    """One made-up measure a row, of every state: `COLUMNS`; each is a step up from today's level of an attribute, in the words of the survey's first language, for a declared segment or everybody."""
    language = definition.languages[0]
    improvable = [attribute for attribute in definition.attributes if attribute.step(1) is not None]
    segments = [segment.id for segment in definition.segments] or ["all"]
    rng = np.random.default_rng([seed, 7])
    order = rng.permutation(len(improvable))
    rows = []
    for place, (kind, chart, state, due, done) in enumerate(_MADE_UP[: len(improvable)]):
        attribute = improvable[order[place]]
        level = attribute.step(1)
        title = f"{attribute.label[language]}: {level.label[language]}" if level else attribute.label[language]
        rows.append(
            (
                kind,
                title,
                segments[place % len(segments)],
                attribute.id,
                chart,
                "demo",
                today + timedelta(days=due),
                state,
                today - timedelta(days=done) if done else None,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
