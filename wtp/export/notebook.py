"""The notebook of a reproduction bundle: texts and code that lead from the answers to every figure, as a Jupyter notebook and as a plain script."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from wtp.analysis import ALL, Analysis
from wtp.survey import Definition


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: text in Markdown, or code."""

    text: str
    is_code: bool = False


def cells(definition: Definition, analysis: Analysis, about: str, language: str) -> list[Cell]:
    """From the answers to the figures. about: what the study is and how many are simulated; language: of the labels."""
    # Names are data, never text of the notebook: nothing that an author writes can become code or markup.
    found = [Cell(_HEAD.format(about=_quoted(about)))]
    found += [Cell(_READ), Cell(_READ_CODE.format(language=language), True)]
    found += [Cell(_CHOICES), Cell(_CHOICES_CODE, True), Cell(_POOLED), Cell(_POOLED_CODE, True)]
    found += [Cell(_WHOLE.format(model=_model(analysis))), Cell(_WHOLE_CODE, True), Cell(_COMPARE), Cell(_COMPARE_CODE, True)]  # fmt: skip
    found += [Cell(_FIGURES), Cell(_FIGURES_CODE, True)]
    for table, text, code in _CHARTS:
        if table in analysis.tables and len(analysis.table(table, ALL)):
            found += [Cell(text), Cell(code, True)]
    return found


def as_notebook(written: list[Cell]) -> str:
    """Jupyter's format 4.5 (nbformat); ids follow from the contents, so equal notebooks are equal files."""
    made: list[dict[str, Any]] = []
    for place, cell in enumerate(written):
        name = hashlib.sha256(f"{place} {cell.text}".encode()).hexdigest()[:12]
        own: dict[str, Any] = {"id": name, "metadata": {}, "source": cell.text.splitlines(keepends=True)}
        own["cell_type"] = "code" if cell.is_code else "markdown"
        made.append(own | ({"execution_count": None, "outputs": []} if cell.is_code else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def as_script(written: list[Cell]) -> str:
    """The same as a Python script in the percent format."""
    parts = []
    for cell in written:
        if cell.is_code:
            parts.append("# %%\n" + cell.text)
        else:
            parts.append("# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in cell.text.splitlines()))
    return "\n\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _model(analysis: Analysis) -> str:
    rows = analysis.table("segments", ALL) if "segments" in analysis.tables else pd.DataFrame()
    return str(rows["estimator"].iloc[0]) if "estimator" in rows and len(rows) else "none"


_HEAD = """# Every figure of the study, made again

{about}

Run all cells in this folder. The figures start from `answers.jsonl`; at the end every table is compared with the one that the pages showed, in `expected/`."""

_READ = """## What was asked and answered

`read_bundle` refuses a file that was changed. With the versions in `requirements.txt` figures are the same to the last digit on the same kind of processor; elsewhere
rounding differs, and chains of a sampler part after some sweeps: such figures agree within their Monte Carlo error, a small part of the interval."""

_READ_CODE = """from pathlib import Path

import pandas as pd

from wtp.analysis import ALL, analyse, package_versions
from wtp.export import compared_tables, read_bundle

HERE = Path(__file__).parent if "__file__" in globals() else Path()
LANGUAGE = "{language}"
bundle = read_bundle(HERE)
definition = bundle.survey.definition
labels = {{ALL: "everybody", "price": definition.price.label[LANGUAGE]}}
labels |= {{segment.id: segment.label[LANGUAGE] for segment in definition.segments}}
for attribute in definition.attributes:
    labels[attribute.id] = attribute.label[LANGUAGE]
    labels |= {{f"{{attribute.id}}.{{level.id}}": level.label[LANGUAGE] for level in attribute.levels}}
process_labels = {{step.id: step.label[LANGUAGE] for step in definition.process}}
for question in definition.questions:
    if question.type == "time_grid":
        process_labels |= {{part.id: part.label[LANGUAGE] for part in (*question.days, *question.bands)}}
unit = f"{{definition.currency}} {{definition.price.unit[LANGUAGE]}}"
others = {{name: version for name, version in package_versions().items() if bundle.versions.get(name, version) != version}}
print(f"{{definition.title[LANGUAGE]}}: {{len(bundle.answers.respondents)}} respondents, {{bundle.answers.simulated}} of them SIMULATED")
print(f"asked: {{bundle.request}}")
print(f"other versions than those that made the figures: {{others or 'none'}}")"""

_CHOICES = """## The choices

Long format: a row an alternative as shown, the none option as one of them where the study asks whether one would really buy (dual-response none; Brazell et al. 2006)."""

_CHOICES_CODE = """from wtp.analysis.choice_frame import choice_data, choice_frame

left_out = set(bundle.request.without)
people = [r for r in bundle.answers.respondents if r.number not in left_out]
frame = choice_frame(definition, people)
data = choice_data(definition, frame)
print(frame.head(8).to_string())"""

_POOLED = """## One average taste: the pooled logit

Maximum likelihood (McFadden 1974), standard errors clustered by respondent. Here every respondent counts the same; the tables of the study weight the segments by their numbers of customers.
The WTP of a step is minus its coefficient over that of the price, with intervals by Krinsky and Robb (1986)."""

_POOLED_CODE = """from wtp.estimation import ConditionalLogit
from wtp.pricing import willingness_to_pay

pooled = ConditionalLogit(data).fit()
print(pooled.summary())
print(willingness_to_pay(pooled, currency=definition.currency).to_string())"""

_WHOLE = """## The whole analysis

`analyse` is a pure function of survey, answers and request: every table of the pages comes out of it. The amounts of this study come from: {model}."""

_WHOLE_CODE = """analysis = analyse(bundle.survey, bundle.answers, bundle.request)
for note in analysis.notes:
    print(f"[{note.severity}] {note.segment or 'study'}: {note}")
print(analysis.tables["segments"].to_string())"""

_COMPARE = """## Every number against the one that was shown

`same`: to the last digit. `close`: to nine digits, or where a row has an interval, its estimate and ends within a twentieth of its width (`in_widths`), which is more than
the Monte Carlo error of chains that have converged and less than the pages show. The cell fails where a number is not close."""

_COMPARE_CODE = """comparison = compared_tables(analysis.tables, bundle.expected)
print(comparison.to_string())
wrong = comparison[~comparison["close"]]
assert wrong.empty, f"differ from what was shown:\\n{wrong.to_string()}"
print(f"{len(comparison)} tables, {int(comparison['same'].sum())} of them the same to the last digit")"""

_FIGURES = """## The charts

As on the pages, of everybody and of every segment that has figures; each is kept in `figures/` as a page of its own. `words` translates the texts of charts, here into none but English."""

_FIGURES_CODE = '''from collections.abc import Iterator

import plotly.graph_objects as go

from wtp.charts import convergence, demand, expectations, importance, investment, part_worths, process, profit, script, sensitivity, time_windows, van_westendorp, verdicts, waterfall, worth_distribution
from wtp.charts import willingness_to_pay as worth

FOLDER = HERE / "figures"
FOLDER.mkdir(exist_ok=True)
current = definition.price.current


def parts(name: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each segment that has figures in a table, with its rows."""
    for segment in [ALL, *(one.id for one in definition.segments)]:
        rows = analysis.table(name, segment) if name in analysis.tables else pd.DataFrame()
        if len(rows) and rows.select_dtypes("number").notna().any(axis=None):
            yield segment, rows


def kept(name: str, segment: str, figure: go.Figure) -> None:
    """Keep the figure beside the notebook; it says of whom it is, and where answers are simulated."""
    simulated = f" - SIMULATED answers: {analysis.simulated} of {analysis.respondents} respondents" if analysis.simulated else ""
    figure.update_layout(title=f"{labels[segment]}{simulated}")
    figure.write_html(FOLDER / f"{name}-{segment}.html", include_plotlyjs="directory")'''

_CHARTS = (
    (
        "importance",
        "### What moved the choices\n\nShare of each attribute in the summed ranges of part-worths, with the noise floor of an attribute that nobody heeds.",
        """for segment, rows in parts("importance"):
    kept("importance", segment, importance.figure(rows, labels=labels, words=str))""",
    ),
    (
        "part_worths",
        "### Part-worths\n\nOf the pooled logit, zero-centred.",
        """for segment, rows in parts("part_worths"):
    named = rows[[f"{attribute}.{level}" in labels for attribute, level in zip(rows["attribute"], rows["level"], strict=True)]]
    kept("part_worths", segment, part_worths.figure(named, labels=labels, words=str))""",
    ),
    (
        "willingness_to_pay",
        "### What a step is worth\n\nThe price change that offsets it, against today's level.",
        """for segment, rows in parts("willingness_to_pay"):
    kept("worth", segment, worth.figure(rows, labels=labels, words=str, currency=unit))""",
    ),
    (
        "worth_quantiles",
        "### How differently it is valued\n\nQuantiles of the respondents' own worths (posterior means of a hierarchical Bayesian logit; Train 2009, chapter 12).",
        """for segment, rows in parts("worth_quantiles"):
    kept("worth_distribution", segment, worth_distribution.figure(rows, labels=labels, words=str, currency=unit, costs={}))""",
    ),
    (
        "demand",
        "### Which price\n\nShare that would still buy today's offer, and the price upper limit: half would.",
        """for segment, rows in parts("demand"):
    limits = analysis.table("price_limit", segment)
    print(limits.to_string())
    kept("demand", segment, demand.figure(rows, labels=labels, words=str, currency=unit, limits=limits, current=current))""",
    ),
    (
        "limit_waterfall",
        "### How far improvements raise the limit",
        """for segment, rows in parts("limit_waterfall"):
    names = [f"{labels[a]}: {labels[f'{a}.{level}']}" if a else "Today's offer" for a, level in zip(rows["attribute"], rows["to_level"], strict=True)]
    kept("waterfall", segment, waterfall.figure(rows, names=names, words=str, currency=unit))""",
    ),
    (
        "van_westendorp_points",
        "### Van Westendorp\n\nFour open prices of each respondent (1976).",
        """for segment, points in parts("van_westendorp_points"):
    print(points.to_string())
    kept("van_westendorp", segment, van_westendorp.figure(analysis.table("van_westendorp_curves", segment), words=str, currency=unit, points=points))""",
    ),
    (
        "investment",
        "### Where to invest, where to save\n\nWorth of each step against what it costs.",
        """for segment, rows in parts("investment"):
    print(rows[["attribute", "direction", "to_level", "worth", "unit_cost", "gain", "probability", "label"]].to_string())
    if rows["unit_cost"].notna().any():
        kept("invest", segment, investment.figure(rows, labels=labels, words=str, currency=unit))""",
    ),
    (
        "best_price",
        "### Revenue and profit against the price",
        """for segment, best in parts("best_price"):
    print(best.to_string())
    curve = analysis.table("profit_curve", segment)
    kept("profit", segment, profit.figure(curve, best=best.iloc[0], words=str, currency=definition.currency, unit=unit, current=current))""",
    ),
    (
        "sensitivity",
        "### What moves the share\n\nToday's market, one level at a time.",
        """prices = {f"price.{float(price)}": f"{price:g}" for price in definition.price.levels}
for segment, rows in parts("sensitivity"):
    kept("sensitivity", segment, sensitivity.figure(rows, labels=labels | prices, words=str))""",
    ),
    (
        "process_steps",
        "### Which steps of their day decide\n\nShare that marked each, against an even spread (binomial test, Holm), and which of them disappoint.",
        """for segment, rows in parts("process_steps"):
    kept("process_steps", segment, process.figure(rows, labels=process_labels, words=str, scale=None))""",
    ),
    (
        "process_windows",
        "### When it suits\n\nShare of respondents to whom each time suits; a star where it is clearly more than an even spread would have.",
        """for segment, rows in parts("process_windows"):
    for window, own in rows.groupby("window"):
        kept(f"{window}s", segment, time_windows.figure(own, labels=process_labels, words=str, share="{:.0%}".format))""",
    ),
    (
        "window_coverage",
        "### How many a few windows serve\n\nJudged by respondents who had no part in the choice.",
        """for segment, rows in parts("window_coverage"):
    for window, own in rows.groupby("window"):
        names = [f"{process_labels[day]}, {process_labels[band]}" for day, band in zip(own["item"], own["answer"], strict=True)]
        kept(f"{window}s_coverage", segment, process.coverage_figure(own, names=names, words=str))""",
    ),
    (
        "expectation_gaps",
        "### What was expected and what was met\n\nPaired by respondent; missed or exceeded where an interval for all rows together (Bonferroni) is clear of zero.",
        """scales = [q.scale for q in definition.questions if getattr(q, "measures", None) == "expectation"]
for segment, rows in parts("expectation_gaps"):
    kept("expectation_gaps", segment, expectations.figure(rows, labels=labels, words=str, scale=(scales[0].low, scales[0].high)))""",
    ),
    (
        "script_order",
        "### In which order customers expect events\n\nMean places (Borda), with Kendall's tau of each respondent with the order of all others.",
        """events = {item.id: item.label[LANGUAGE] for q in definition.questions if getattr(q, "measures", None) == "script" for item in q.items}
for segment, rows in parts("script_order"):
    for question, own in rows.groupby("question"):
        agreed = analysis.table("script_agreement", segment).set_index("question").loc[question]
        kept(f"script_{question}", segment, script.figure(own, labels=events, words=str, badge=f"tau {agreed['tau']:.2f}"))""",
    ),
    (
        "strengths",
        "### What to keep, tell or fix\n\nGaps to the rated rival, moved towards zero by empirical Bayes, with verdicts by gap, worth and the facts.",
        """for segment, rows in parts("strengths"):
    kept("keep_tell_fix", segment, verdicts.figure(rows, labels=labels, words=str, rival="the rival"))""",
    ),
    (
        "convergence",
        "### Whether the chains agree\n\nRank-normalised split R-hat and effective draws (Vehtari et al. 2021), the worst first, and the way of the chains.",
        """worst = analysis.table("convergence", ALL).head(15)
print(worst.to_string())
kept("convergence", ALL, convergence.figure(worst, names=list(worst["quantity"]), words=str, limits=(1.01, 400)))
way = analysis.table("trace", ALL)
kept("trace", ALL, convergence.trace_figure(way, names=list(way["quantity"].unique()), words=str))""",
    ),
)
