"""Final figures: analyses that take minutes are started here, watched, cancelled, found again, and compared two by two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Reply
from wtforms import IntegerField, RadioField, SelectField
from wtforms.validators import InputRequired, NumberRange

from wtp.analysis import FINAL_MODELS, HIERARCHICAL, SAME_CHOICES, SETTLED, VERSIONS, Request, differences
from wtp.errors import DataError
from wtp.jobs import cancel_analysis, keys_of, start_analysis
from wtp.store import background_jobs, results
from wtp.store.background_jobs import BackgroundJob
from wtp.store.results import Kept
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, READERS, requires
from wtp.web.analyses import LEFT_OUT, SETS, is_final, parsed, usual_kind, without
from wtp.web.compared import Side, comparison
from wtp.web.few import refuse_few
from wtp.web.final_words import difference_words, duration, job_words, model_names, set_names, version_names
from wtp.web.i18n import text as said
from wtp.web.reading import labels_of
from wtp.web.results import refuse_while_closed

blueprint = Blueprint("final", __name__, url_prefix="/results")
_MOST_SEED = 2**31 - 1
_NOBODY_TAKES_IT = timedelta(seconds=60)
_TOO_FEW_ANSWERS = _l(
    "Too few answers for this model: hierarchical Bayes and mixed logit need 75 respondents with six choice tasks each, latent classes 150 respondents."
)


class StartForm(FlaskForm):  # type: ignore[misc]
    """Which model, whose answers, which versions of the survey, which seed."""

    model = RadioField(choices=[*FINAL_MODELS], default=HIERARCHICAL)
    answers = SelectField(choices=[*SETS], default=LEFT_OUT)
    versions = SelectField(choices=[*VERSIONS], default=SAME_CHOICES)
    seed = IntegerField(default=1, validators=[InputRequired(), NumberRange(1, _MOST_SEED)])


@dataclass(frozen=True, slots=True)
class Line:
    """A kept analysis in the list. shown: its figures are on the results pages now; current: it is of the answers that are there now."""

    kept: Kept
    final: bool
    current: bool
    shown: bool


@blueprint.get("/<slug>/final")
@requires(*READERS)
def final(slug: str) -> str:
    """Start, what is under way, what was made."""
    return _page(running.survey_of(slug), StartForm())


@blueprint.post("/<slug>/final")
@requires(*ANALYSTS)
def start(slug: str) -> Reply | tuple[str, int]:
    """Start an analysis, or join the one that is the same; where it was made already, its figures are there at once."""
    survey, form, database = running.survey_of(slug), StartForm(), running.database()
    if not form.validate():
        return _page(survey, form), 422
    left_out = without(database, survey, form.answers.data)
    asked = Request(seed=form.seed.data, model=form.model.data, versions=form.versions.data, without=left_out)
    with database.read() as connection:
        fingerprint, _basis = keys_of(connection, survey, asked)
        there = results.of_study(connection, slug, fingerprint)
    if there is not None:
        return redirect(url_for(".final", slug=slug, made=fingerprint, _anchor="made"), 303)
    kind = usual_kind(database, survey, asked)
    try:
        job = start_analysis(database, running.queue(), survey, asked, kind=kind, started_by=current_user.name)
    except DataError:
        form.model.errors = [*form.model.errors, str(_TOO_FEW_ANSWERS)]
        return _page(survey, form), 422
    return redirect(url_for(".watch", slug=slug, job=job.id), 303)


@blueprint.get("/<slug>/final/<int:job>")
@requires(*READERS)
def watch(slug: str, job: int) -> str:
    """One analysis: how far it is, or how it ended."""
    survey = running.survey_of(slug)
    found = _job(slug, job)
    return render_template(
        "results/job.html",
        slug=slug,
        study=said(survey.definition.title),
        model=model_names()[found.request["model"]],
        now_shown=_is_current(survey, found),
        may_change=current_user.role in ANALYSTS,
        **_live(found),
    )


@blueprint.get("/<slug>/final/<int:job>.json")
@requires(*READERS)
def progress(slug: str, job: int) -> Reply:
    """The part of the page that changes, for its script."""
    running.survey_of(slug)
    found = _job(slug, job)
    live = _live(found)
    return jsonify(
        ended=found.ended_at is not None,
        state=found.state,
        said=live["words"].state,
        html=render_template("results/_progress.html", **live),
        progress=found.progress,
    )


@blueprint.post("/<slug>/final/<int:job>/cancel")
@requires(*ANALYSTS)
def cancel(slug: str, job: int) -> Reply:
    """End it for good."""
    running.survey_of(slug)
    cancel_analysis(running.database(), _job(slug, job).id)
    return redirect(url_for(".watch", slug=slug, job=job), 303)


@blueprint.get("/<slug>/changed")
@requires(*READERS)
def compare(slug: str) -> str | tuple[str, int]:
    """Two analyses side by side: their figures, which verdicts moved, and why."""
    survey = running.survey_of(slug)
    refuse_while_closed(survey)
    picked = list(dict.fromkeys(request.args.getlist("of")))
    with running.database().read() as connection:
        found = {kept.fingerprint: kept for kept in results.made(connection, slug, fingerprints=picked[:3])}
        contents = {fingerprint: results.load(connection, fingerprint) for fingerprint in found}
        if len(picked) == len(found) == 2 and None in contents.values():
            return _page(survey, StartForm(formdata=None), _("An analysis is not kept any more: make it again.")), 422
        if len(picked) != 2 or len(found) != 2:
            return _page(
                survey, StartForm(formdata=None), _("Tick exactly two analyses to compare them.")
            ), 422 if picked else 200
        # The older one first, whatever the order of the ticks.
        pair = sorted(found.values(), key=lambda kept: (kept.created_at, kept.fingerprint))
        first, second = (Side(kept, parsed(contents[kept.fingerprint] or "")) for kept in pair)
    for side in (first, second):
        refuse_few(survey, side.kept.fingerprint)
    return render_template(
        "results/changed.html",
        slug=slug,
        study=said(survey.definition.title),
        sides=(first, second),
        models=model_names(),
        versions=version_names(),
        reasons=[difference_words(name, first.made, second.made) for name in differences(first.made, second.made)],
        labels=labels_of(survey.definition),
        **comparison(survey, first.analysis, second.analysis),
    )


def _job(slug: str, number: int) -> BackgroundJob:
    with running.database().read() as connection:
        found = background_jobs.get(connection, number) if number < _MOST_SEED else None
    return found if found and found.study == slug else abort(404)


def _is_current(survey: Survey, found: BackgroundJob) -> bool:
    """Whether the results pages show a finished job's figures by themselves."""
    asked = Request(versions=found.request["versions"], without=tuple(found.request["without"]))
    with running.database().read() as connection:
        current = keys_of(connection, survey, asked)[1] == found.basis
    return current and found.kind == results.ANALYSIS


def _live(found: BackgroundJob) -> dict[str, Any]:
    now = datetime.now(UTC)
    with running.database().read() as connection:
        before = background_jobs.waiting_before(connection, found.id)
    waits = found.state == background_jobs.QUEUED
    silent = timedelta(seconds=2 * background_jobs.LEASE_SECONDS)
    # A worker that lives names waiting jobs again and again, which is a beat too.
    lonely = waits and not before and now - found.beat_at > _NOBODY_TAKES_IT
    return {
        "job": found,
        "most_attempts": background_jobs.MOST_ATTEMPTS,
        "settled": SETTLED,
        "words": job_words(found, before, now),
        "nobody_takes_it": lonely,
        "silent": found.state == background_jobs.RUNNING and now - found.beat_at > silent,
    }


def _page(survey: Survey, form: StartForm, mistake: str = "") -> str:
    database, slug = running.database(), survey.slug
    request_now = Request(without=without(database, survey))
    with database.read() as connection:
        basis = keys_of(connection, survey, request_now)[1]
        made = results.made(connection, slug)
        current = {kept.fingerprint for kept in results.made(connection, slug, basis=basis)}
        jobs = background_jobs.of_study(connection, slug)
    quick = next((kept for kept in made if not is_final(kept.made)), None)
    listed = [kept for kept in made if is_final(kept.made) or kept is quick]
    shown = next((kept for kept in listed if kept.fingerprint in current and is_final(kept.made)), None)
    lines = [Line(kept, is_final(kept.made), kept.fingerprint in current, kept is shown) for kept in listed]
    now = datetime.now(UTC)
    return render_template(
        "results/final.html",
        slug=slug,
        study=said(survey.definition.title),
        form=form,
        mistake=mistake,
        may_start=current_user.role in ANALYSTS,
        models=model_names(),
        sets=set_names(),
        versions=version_names(),
        lines=lines,
        shown=shown,
        highlighted=request.args.get("made", ""),
        jobs=[(found, job_words(found, 0, now)) for found in jobs if found.state != background_jobs.FINISHED],
        took=duration,
    )
