"""Final figures in the words of the page: models, whose answers, how far a job is, in what two analyses differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from wtp.analysis import AUTO, CONDITIONAL, CURRENT, HIERARCHICAL, LATENT, MIXED, POOLED, SAME_CHOICES
from wtp.store.background_jobs import (
    CANCELLED,
    DIED,
    ERASED,
    FAILED,
    FINISHED,
    MOST_ATTEMPTS,
    QUEUED,
    REFUSED,
    BackgroundJob,
)
from wtp.web.analyses import FLAGGED, LEFT_OUT, NONE
from wtp.web.formats import number, percent


def model_names() -> dict[str, str]:
    """Models and estimators as people call them."""
    return {
        HIERARCHICAL: _("Hierarchical Bayes"),
        LATENT: _("Latent classes"),
        MIXED: _("Mixed logit"),
        AUTO: _("Chosen by the sample"),
        CONDITIONAL: _("Quick figures, one average taste"),
        "none": _("No figures"),
    }


def set_names() -> dict[str, str]:
    """Whose answers count."""
    return {
        LEFT_OUT: _("Without those left out"),
        NONE: _("Everybody"),
        FLAGGED: _("Without two or more flags"),
    }


def version_names() -> dict[str, str]:
    """Which versions of the survey are counted."""
    return {
        SAME_CHOICES: _("Versions with the same choices"),
        CURRENT: _("The current version alone"),
        POOLED: _("All versions that can be pooled"),
    }


@dataclass(frozen=True, slots=True)
class JobWords:
    """What is said of a job: its state, what is done just now, how long still, how long it took, why it failed; empty where there is nothing to say."""

    state: str
    doing: str
    left: str
    took: str
    reason: str


def job_words(job: BackgroundJob, before: int, now: datetime) -> JobWords:
    """before: how many jobs wait or run in front of it."""
    progress = job.progress or {}
    left = progress.get("seconds_left")
    running = job.ended_at is None and job.state != QUEUED
    took = ((job.ended_at or now) - job.begun_at).total_seconds() if job.begun_at else None
    return JobWords(
        _state(job, before),
        _doing(job, progress) if running else "",
        _("about %(time)s left", time=duration(left)) if running and left is not None else "",
        duration(took) if took is not None else "",
        _reason(job),
    )


def duration(seconds: float) -> str:
    """A time in the largest unit that suits it."""
    if seconds < 60:
        return ngettext("%(num)s second", "%(num)s seconds", max(1, round(seconds)))
    if seconds < 5_400:
        return ngettext("%(num)s minute", "%(num)s minutes", round(seconds / 60))
    return ngettext("%(num)s hour", "%(num)s hours", round(seconds / 3_600))


def _state(job: BackgroundJob, before: int) -> str:
    if job.state == QUEUED:
        if before:
            return ngettext("Waiting: %(num)s analysis is before it", "Waiting: %(num)s analyses are before it", before)
        return _("Waiting for a worker")
    if job.state == FINISHED:
        return _("Finished")
    if job.state == CANCELLED:
        return _("Cancelled")
    if job.state == FAILED:
        return _("Failed")
    share = int(20 * float((job.progress or {}).get("share", 0.0))) / 20
    return _("Running: about %(share)s done", share=percent(share)) if share else _("Running")


def _doing(job: BackgroundJob, progress: Mapping[str, Any]) -> str:
    if not progress:
        return _("Reading the answers")
    if progress["fitted"]:
        return _("The model is fitted; amounts, price limits and the market are being worked out")
    which = {"number": progress["fit"], "all": progress["fits"]}
    if job.request["model"] == MIXED:
        return _("Segment %(number)s of %(all)s", **which)
    if job.request["model"] == LATENT:
        return _("Search %(number)s of %(all)s for classes", **which)
    if progress["fit"] > 1:
        return _("Fit %(number)s of %(all)s: the same under other assumptions", **which)
    warming = _("Fit 1 of %(all)s: warming up", **which)
    return (
        warming if progress["warming_up"] else _("Fit 1 of %(all)s: sampling until the figures have settled", **which)
    )


def _reason(job: BackgroundJob) -> str:
    if job.reason == ERASED:
        return _("Somebody withdrew and had every answer deleted. Start it again: it is then made without that person.")
    if job.state != FAILED:
        return ""
    if job.reason == DIED:
        return _(
            "Its process was killed in each of %(attempts)s attempts; as a rule the machine has too little memory. Give it more, or leave out respondents, then start again.",
            attempts=MOST_ATTEMPTS,
        )
    if job.reason == REFUSED:
        return job.detail or ""
    return _("The program made a mistake (%(detail)s). The log of the server tells more.", detail=job.detail or "?")


def difference_words(name: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """In what two analyses differ, the older one first."""
    names = model_names()
    words: dict[str, Callable[[], str]] = {
        "answers": lambda: _answers(first, second),
        "exclusions": lambda: _exclusions(first, second),
        "versions": lambda: _("Other versions of the survey are counted."),
        "definition": lambda: _definition(first, second),
        "model": lambda: _(
            "Another model: %(first)s, then %(second)s.",
            first=names[first["estimator"]],
            second=names[second["estimator"]],
        ),
        "seed": lambda: _(
            "Another seed (%(first)s, then %(second)s): chance alone moves figures a little within their intervals.",
            first=first["seed"],
            second=second["seed"],
        ),
        "packages": lambda: _("Other versions of the program or of its libraries."),
    }
    return words[name]()


def _answers(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    more = second["respondents"] + len(second["without"]) - first["respondents"] - len(first["without"])
    if more > 0:
        return ngettext("%(num)s more respondent has answered.", "%(num)s more respondents have answered.", more)
    if more < 0:
        return ngettext("%(num)s respondent fewer.", "%(num)s respondents fewer.", -more)
    return _("Answers were added or changed, by as many respondents.")


def _exclusions(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    before, after = set(first["without"]), set(second["without"])
    out, back = number(len(after - before), 0), number(len(before - after), 0)
    return _("Other exclusions: %(out)s more left out, %(back)s taken back in.", out=out, back=back)


def _definition(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    if first["definition_hash"] == second["definition_hash"]:
        return _(
            "The survey file changed, but nothing that respondents see: costs, segments or other figures for the analysis."
        )
    return _("The survey changed: respondents are asked something else.")
