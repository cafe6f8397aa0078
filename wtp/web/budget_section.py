"""The section "What a budget pays for" of the page "Invest and save", and the field in which a manager enters the budget; the address keeps it."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask import request
from flask_babel import gettext
from markupsafe import escape
from wtforms import FloatField, Form
from wtforms.validators import InputRequired, NumberRange

from wtp.analysis import ALL
from wtp.charts import budget as chart
from wtp.web import formats
from wtp.web.reading import Reading
from wtp.web.section import Section, headed

_MOST = 1e12


class BudgetForm(Form):  # type: ignore[misc]
    """Money that may be invested once."""

    budget = FloatField(validators=[InputRequired(), NumberRange(0, _MOST)])


def asked_budget() -> BudgetForm | None:
    """The budget of the address, valid or not; None where it has none."""
    if "budget" not in request.args:
        return None
    form = BudgetForm(request.args)
    form.validate()
    return form


def budget_section(reading: Reading) -> Section:
    """The steps that a budget pays for, in order; only for everybody, since it has steps of single segments too."""
    known = reading.segment == ALL and reading.definition.economics is not None and _has_costs(reading)
    table = reading.analysis.tables.get("budget", pd.DataFrame())
    names = _names(reading, table)
    gain_step = (
        max(1.0, formats.precision(float((table["gain_high"] - table["gain_low"]).median()))) if len(table) else 1.0
    )
    rows = [
        (
            formats.number(row["rank"], 0),
            name,
            _once(reading, row["investment"]),
            _once(reading, row["cumulative"]),
            reading.with_interval(row["gain"], row["gain_low"], row["gain_high"], gain_step),
            formats.number(row["gain_per_money"], 2) if row["investment"] > 0 else formats.DASH,
            formats.probability(row["probability"]),
        )
        for name, (_, row) in zip(names, table.iterrows(), strict=True)
    ]  # fmt: skip
    return Section(
        chart="budget",
        title=chart.title(names, words=gettext, budget=reading.money(reading.budget, 1)) if reading.budget is not None and known else gettext("What a budget pays for"),
        says=gettext("The steps with the label “invest” that together have the highest expected gain a year and whose one-off costs the budget pays for; the one that earns most for each unit of money comes first. Attributes that may differ by segment can be improved for one segment alone."),
        not_says=gettext("Gains are those of each step alone; together they earn a little less or more. Steps that are not decided are not in it, however cheap."),
        head=(gettext("Order"), gettext("Step"), gettext("Costs once"), gettext("Costs so far"), headed(gettext("Gain a year"), reading), gettext("Gain a year for each unit of money"), gettext("Probability of a gain")),
        rows=tuple(rows) if known else (),
        csv="budget",
        missing=_missing(reading, table) if known and not rows else "",
    )  # fmt: skip


def budget_figure(reading: Reading) -> go.Figure:
    """Gains a year of the steps."""
    table = reading.analysis.tables["budget"]
    names = [str(escape(name)) for name in _names(reading, table)]
    return chart.figure(table, names=names, words=gettext, currency=str(escape(reading.analysis.currency)))


def _has_costs(reading: Reading) -> bool:
    table = reading.analysis.tables.get("investment", pd.DataFrame())
    return len(table) > 0 and bool(table["investment"].notna().any())


def _missing(reading: Reading, table: pd.DataFrame) -> str:
    """Why no step is paid for."""
    if reading.budget is None:
        return gettext("The survey names no budget. Enter one to see what it pays for.")
    invested = reading.analysis.tables["investment"]
    dear = invested[(invested["label"] == "invest") & (invested["direction"] == "up")]
    if dear.empty:
        return gettext("No step has the label “invest”, so there is nothing to spend it on.")
    return gettext(
        "The cheapest step with the label “invest” costs %(amount)s once.",
        amount=_once(reading, float(dear["investment"].min())),
    )


def _names(reading: Reading, table: pd.DataFrame) -> list[str]:
    """Attribute, level, and for whom, where it is not for everybody."""
    labels, found = reading.labels, []
    for _, row in table.iterrows():
        step = f"{labels[row['attribute']]}: {labels[row['attribute'] + '.' + row['to_level']]}"
        if row["segment"] != ALL:
            step = gettext("%(step)s (only for: %(segment)s)", step=step, segment=labels[row["segment"]])
        found.append(step)
    return found


def _once(reading: Reading, amount: float) -> str:
    """A sum that is paid once; no more digits than it is known to."""
    return reading.money(amount, formats.three_digits(amount))
