"""The design of a study before its launch: what was checked, and how precise the results will be.

Survey and design are read from their files, so that the page shows what they are now and says where respondents still get another version. The forecast is the one that `wtp plan` kept; nothing here takes longer than a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

from flask import Blueprint, Response, abort, render_template
from flask_babel import gettext
from markupsafe import escape

from wtp import __version__
from wtp.analysis import ALL, Plan, plan_basis
from wtp.charts import precision
from wtp.design import check_design
from wtp.design.checks import FAILED, OUT_OF_DATE, READY, UNUSABLE, Check, Checked, worst
from wtp.export import table_csv
from wtp.store import results
from wtp.survey import Definition, Design, Survey, inspect_survey
from wtp.survey.mistakes import Mistake
from wtp.web import formats, running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.design_checks import MARKS, check_names, precision_check, sentence, status_names
from wtp.web.i18n import text as said
from wtp.web.reading import labels_of
from wtp.web.security import allow_chart_styles

blueprint = Blueprint("design", __name__, url_prefix="/manage")


@dataclass(frozen=True)
class _Basis:
    """A survey with its design; equal ones have equal keys."""

    definition: Definition = field(compare=False)
    design: Design = field(compare=False)
    key: str


@lru_cache(maxsize=16)
def _checked(basis: _Basis) -> Checked:
    return check_design(basis.definition, basis.design)


@dataclass(frozen=True, slots=True)
class Precision:
    """The forecast of one quantity as the page shows it: the chart's table, texts in the language of the page."""

    quantity: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _plan(slug: str) -> Plan | None:
    with running.database().read() as connection:
        content = results.load_plan(connection, slug)
    return Plan.from_json(content) if content else None


@blueprint.get("/<slug>/design")
@requires(*ANALYSTS)
def design(slug: str) -> str:
    """Checks with their statuses, balance, D-error, expected precision."""
    served, plan = running.survey_of(slug), _plan(slug)
    now, mistakes = inspect_survey(served.folder)
    definition = now.definition if now else served.definition
    labels = labels_of(definition)
    checks, checked, basis = [_file_check(served, now, mistakes)], None, None
    if now and now.design:
        basis = plan_basis(now.definition, now.design, __version__)
        checked = _checked(_Basis(now.definition, now.design, basis))
        checks += checked.checks
    checks.append(precision_check(plan, basis))
    allow_chart_styles()
    return render_template(
        "manage/design.html",
        slug=slug,
        study=said(definition.title),
        definition=definition,
        labels=labels,
        mistakes=[str(mistake) for mistake in mistakes[:10]],
        checks=[(check.name, check.status, sentence(check, labels, slug)) for check in checks],
        overall=worst([check.status for check in checks]),
        marks=MARKS,
        statuses=status_names(),
        names=check_names(),
        checked=checked,
        levels={a.id: [said(level.label) for level in a.levels] for a in definition.attributes}
        | {"price": [formats.money(p, definition.currency, formats.CENT if p % 1 else 1) for p in definition.price.levels]},
        errors=_standard_errors(checked, labels) if checked else (),
        plan=plan,
        tastes=_tastes(plan),
        model=_model(plan),
        precisions=[_precision(plan, q, labels) for q in ("wtp", "limit") if (plan.needed["quantity"] == q).any()] if plan else [],
    )  # fmt: skip


@blueprint.get("/<slug>/design/<any(wtp, limit):quantity>.json")
@requires(*ANALYSTS)
def chart_json(slug: str, quantity: str) -> Response:
    """The Plotly figure of the forecast."""
    definition, plan = running.survey_of(slug).definition, _plan(slug)
    if plan is None or not (plan.needed["quantity"] == quantity).any():
        abort(404)
    labels = labels_of(definition)
    drawn = precision.figure(
        plan.forecast, quantity=quantity, precision=plan.precision, labels=labels, words=gettext, currency=plan.currency
    )
    label = gettext("Forecast from simulated respondents")
    meta = {"finding": str(escape(_title(plan, quantity))), "label": str(escape(f"{said(definition.title)} – {label}"))}
    return Response(drawn.update_layout(meta=meta).to_json(), mimetype="application/json")


@blueprint.get("/<slug>/design/plan-<any(needed, forecast, check, final):plan_table>.csv")
@requires(*ANALYSTS)
def download(slug: str, plan_table: str) -> Response:
    """One table of the forecast, labelled simulated."""
    running.survey_of(slug)
    plan = _plan(slug)
    if plan is None:
        abort(404)
    content = table_csv(getattr(plan, plan_table).assign(simulated=True))
    headers = {"Content-Disposition": f"attachment; filename={slug}-plan-{plan_table}-simulated.csv"}
    return Response(content, mimetype="text/csv", headers=headers)


def _file_check(served: Survey, now: Survey | None, mistakes: tuple[Mistake, ...]) -> Check:
    if now is None:
        return Check("file", FAILED)
    if mistakes:
        return Check("file", OUT_OF_DATE)
    if now.design is None:
        return Check("file", UNUSABLE)
    same = served.design is not None and (served.definition.hash, served.design.hash) == (
        now.definition.hash,
        now.design.hash,
    )
    return Check("file", READY) if same else Check("file", OUT_OF_DATE, {"differs": 1})


def _standard_errors(checked: Checked, labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Each part-worth and its expected standard error with 100 respondents."""
    rows = []
    for name, error in checked.diagnostics.standard_errors:
        attribute, _, level = name.rpartition(" ")  # as in "time (rail) h4"
        shown = labels[name] if name in labels else f"{labels[attribute]}: {labels[f'{attribute}.{level}']}"
        rows.append((shown, formats.number(error, 3)))
    return tuple(rows)


def _tastes(plan: Plan | None) -> str:
    if plan is None:
        return ""
    return {
        "simulation": gettext("The simulated respondents have the tastes that the survey states under [simulation]."),
        "prior": gettext("The simulated respondents have the tastes that the survey states under choice_tasks.prior, and differ much from one another."),
        "neutral": gettext("The survey states no tastes, so the simulated respondents have neutral ones: every step up is worth 3 per cent of today's price, half would still buy 10 per cent above it, and people differ much."),
    }[plan.tastes]  # fmt: skip


def _model(plan: Plan | None) -> str:
    """Whose intervals the forecast tells, and how far they are from the quick ones."""
    if plan is None:
        return ""
    if plan.final.empty:
        return gettext("This is the quick forecast, of the quick results. The final price limit comes from the hierarchical model, whose intervals are mostly wider: run the command without --quick.")  # fmt: skip
    limits = plan.final[plan.final["quantity"] == "limit"]
    rows = limits if len(limits) else plan.final
    said = {
        "studies": formats.number(int(rows["studies"].max()), 0),
        "low": formats.number(rows["ratio"].min(), 2),
        "high": formats.number(rows["ratio"].max(), 2),
    }
    if len(limits):
        return gettext("This is the forecast of the final figures: in %(studies)s simulated studies the hierarchical model told the price upper limit with intervals %(low)s to %(high)s times as wide as the quick results.", **said)  # fmt: skip
    return gettext("This is the forecast of the final figures: in %(studies)s simulated studies the hierarchical model told worths with intervals %(low)s to %(high)s times as wide as the quick results.", **said)  # fmt: skip


def _money(plan: Plan, amount: float) -> str:
    return formats.money(amount, plan.currency, formats.precision(2 * amount))


def _title(plan: Plan, quantity: str) -> str:
    names = [name for name in plan.needed["segment"].unique() if name != ALL] or [ALL]
    recommended = {segment: _recommended(plan, segment, quantity) for segment in names}
    return precision.title(
        recommended,
        quantity,
        formats.money(plan.precision, plan.currency, formats.CENT if plan.precision % 1 else 1),
        words=gettext,
        number=lambda value: formats.number(value, 0),
    )


def _recommended(plan: Plan, segment: str, quantity: str) -> float:
    rows = plan.needed[(plan.needed["segment"] == segment) & (plan.needed["quantity"] == quantity)]
    return float(rows["needed"].max(skipna=False))


def _precision(plan: Plan, quantity: str, labels: dict[str, str]) -> Precision:
    table = plan.forecast[plan.forecast["quantity"] == quantity]
    widest = table.groupby(["segment", "respondents"], sort=False)["half_width"].max().unstack()
    rows = []
    for segment in plan.needed["segment"].unique():
        needed = _recommended(plan, segment, quantity)
        widths = [f"±{_money(plan, width)}" if math.isfinite(width) else formats.DASH for width in widest.loc[segment]]
        share = 1.0 if segment == ALL else plan.shares[segment]
        rows.append((labels.get(segment, segment), formats.percent(share), formats.number(needed, 0), *widths))
    head = (
        gettext("Segment"),
        gettext("Share"),
        gettext("Respondents needed"),
        *(gettext("with %(count)s", count=n) for n in widest.columns),
    )
    return Precision(quantity, _title(plan, quantity), head, tuple(rows))
