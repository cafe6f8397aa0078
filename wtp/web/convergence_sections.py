"""Sections of the page "The model" about the sampler: R-hat and effective draws of every figure, and the way of the chains."""

from __future__ import annotations

import re

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.analysis import ALL, SETTLED
from wtp.charts import convergence as chart
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.reading import Reading
from wtp.web.section import Section

_SHOWN = 15
_LEVEL = re.compile(r"^(.*)\[T\.(.*)\]$")


def _table(reading: Reading, name: str) -> pd.DataFrame:
    """Rows of the one model of everybody; a segment has none of its own."""
    return reading.analysis.tables.get(name, pd.DataFrame()) if reading.segment == ALL else pd.DataFrame()


def convergence_section(reading: Reading) -> Section:
    """The quantities with the largest R-hat."""
    table = _table(reading, "convergence")
    shown = table.head(_SHOWN)
    rows = [
        (
            _name(row["quantity"], reading),
            formats.number(row["r_hat"], 3),
            formats.number(row["ess_bulk"], 0),
            formats.number(row["ess_tail"], 0),
            gettext("yes") if row["settled"] else gettext("no"),
        )
        for _, row in shown.iterrows()
    ]
    return Section(
        chart="convergence",
        title=chart.title(table, words=gettext) if rows else "",
        says=gettext("R-hat compares the chains with each other (rank-normalised, split and folded; Vehtari et al. 2021): at 1 they cannot be told apart. Effective draws: as how many independent draws they count, in the middle and in the tails. The figures with the largest R-hat come first."),
        not_says=gettext("Chains that agree are no proof that the model is right, only that its figures would hardly move if it ran longer."),
        head=(gettext("Quantity"), gettext("R-hat"), gettext("Effective draws, bulk"), gettext("Effective draws, tails"), gettext("Converged")),
        rows=tuple(rows),
        csv="convergence",
        findings=_rest(table) if rows else (),
    )  # fmt: skip


def _rest(table: pd.DataFrame) -> tuple[str, ...]:
    if len(table) <= _SHOWN:
        return ()
    return (
        gettext(
            "Shown are the %(shown)s figures with the largest R-hat; the CSV file has all %(all)s quantities, the spread of tastes and the log-likelihood too.",
            shown=_SHOWN,
            all=len(table),
        ),
    )


def convergence_figure(reading: Reading) -> go.Figure:
    """R-hat and effective draws beside their limits."""
    shown, most, fewest = _table(reading, "convergence").head(_SHOWN), *SETTLED[:2]
    names = [_name(quantity, reading, safe(reading.labels)) for quantity in shown["quantity"]]
    return chart.figure(shown, names=names, words=gettext, limits=(most, fewest))


def trace_section(reading: Reading) -> Section:
    """The way of the chains of the quantities that tell most."""
    table, judged = _table(reading, "trace"), _table(reading, "convergence")
    rows = []
    if len(table):
        # A chain that has arrived has the same mean in both halves of its way.
        late = table["sweep"] > table.groupby(["quantity", "chain"])["sweep"].transform("median")
        halves = table.assign(late=late).pivot_table(index=["quantity", "chain"], columns="late", values="watched", sort=False)  # fmt: skip
        rows = [
            (_name(quantity, reading), formats.number(chain, 0), formats.number(first, 3), formats.number(second, 3))
            for (quantity, chain), first, second in zip(halves.index, halves[False], halves[True], strict=True)
        ]
    drawn = judged[judged["quantity"].isin(table["quantity"])] if rows else judged
    return Section(
        chart="trace",
        title=chart.trace_title(drawn, words=gettext) if rows else "",
        says=gettext("Every line is a chain, from its first sweep after the warm-up to its last, thinned: of the price upper limit, the price, the log-likelihood and the three figures with the largest R-hat. Lines that lie over each other like noise have arrived; lines that drift or keep apart have not. Amounts are in money, part-worths in logits, the price coefficient as its logarithm."),
        not_says=gettext("A good look is no test; R-hat and effective draws above are."),
        head=(gettext("Quantity"), gettext("Chain"), gettext("Mean, first half"), gettext("Mean, second half")),
        rows=tuple(rows),
        csv="trace",
    )  # fmt: skip


def trace_figure(reading: Reading) -> go.Figure:
    """A panel a quantity."""
    table = _table(reading, "trace")
    names = [_name(quantity, reading, safe(reading.labels)) for quantity in table["quantity"].unique()]
    return chart.trace_figure(table, names=names, words=gettext)


def _name(quantity: str, reading: Reading, labels: dict[str, str] | None = None) -> str:
    """A watched quantity in the words of the page; what has no words stays as the library calls it."""
    texts = reading.labels if labels is None else labels
    fixed = {
        "limit.25": gettext("Safe price"),
        "limit.50": gettext("Price upper limit"),
        "limit.75": gettext("Stretch price"),
        "log_likelihood": gettext("Log-likelihood"),
        "price": gettext("Price coefficient, logarithm"),
    }
    if quantity in fixed:
        return fixed[quantity]
    kind, _, rest = quantity.partition(".")
    patterns = {"worth": gettext("Worth: %(what)s"), "log_variance": gettext("Spread of tastes: %(what)s")}
    covariate, _, coefficient = (rest if kind in patterns else quantity).rpartition(":")
    what = _coefficient(coefficient, texts)
    if covariate:
        group = _LEVEL.match(covariate)
        what = f"{what} ({texts.get(group[2], group[2]) if group else covariate})"
    return patterns.get(kind, gettext("Part-worth: %(what)s")) % {"what": what}


def _coefficient(name: str, labels: dict[str, str]) -> str:
    level = _LEVEL.match(name)
    if level:
        return f"{labels.get(level[1], level[1])}: {labels.get(f'{level[1]}.{level[2]}', level[2])}"
    return gettext("Buy nothing") if name == "none" else labels.get(name, name)
