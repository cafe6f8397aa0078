"""What staff recorded beside the survey, as tables beside those of an analysis: kept apart from it, so that no new purchase makes final figures stale."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache

import pandas as pd

from wtp.analysis import Analysis, selling_tables
from wtp.store import Database, answers, customers, purchases
from wtp.survey import Survey
from wtp.web import running


def with_purchases(database: Database, survey: Survey, analysis: Analysis) -> Analysis:
    """The analysis with the tables of what customers bought; as it is where nothing was imported."""
    with database.read() as connection:
        if not purchases.count(connection, survey.slug)[0]:
            return analysis
        linked = repr(sorted(customers.allowed_links(connection, survey).items()))
        state = (
            purchases.state(connection, survey.slug),
            answers.state(connection, survey.slug),
            hashlib.sha256(linked.encode()).hexdigest(),
        )
    tables = _selling(database, survey.slug, analysis.confidence, survey.definition.fingerprint, *state)
    return replace(analysis, tables={**analysis.tables, **tables})


@lru_cache(maxsize=16)
def _selling(database: Database, slug: str, confidence: float, *state: str) -> dict[str, pd.DataFrame]:
    """state: what the tables rest on, so that another state has other ones."""
    survey = running.survey_of(slug)
    with database.read() as connection:
        rows, links = purchases.rows(connection, slug), customers.allowed_links(connection, survey)
        found = answers.read_answers(connection, slug)
    return selling_tables(survey.definition, rows, links, found, confidence)
