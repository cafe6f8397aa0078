"""What a sum of money pays for: the study's own budget, or another one that is asked for later."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from wtp.analysis.record import ALL, Analysis
from wtp.pricing.budget import within_budget
from wtp.survey import Definition

BUDGET = "budget"


def budget_table(definition: Definition, invested: pd.DataFrame, budget: float) -> pd.DataFrame:
    """The steps to invest in, of `investment`; attributes that may differ by segment also for some segments alone. See `within_budget`."""
    by_segment = tuple(attribute.id for attribute in definition.attributes if attribute.by_segment)
    return within_budget(invested, budget, everybody=ALL, by_segment=by_segment)


def with_budget(analysis: Analysis, definition: Definition, budget: float) -> Analysis:
    """The same analysis with what another budget pays for. Raises DataError for a budget below 0 or not finite."""
    if "investment" not in analysis.tables:
        return analysis
    table = budget_table(definition, analysis.tables["investment"], budget)
    return replace(analysis, tables={**analysis.tables, BUDGET: table})
