"""What each check of a design means and what to do about it, in one sentence of the page's language."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext

from wtp.analysis import Plan
from wtp.design.checks import FAILED, OUT_OF_DATE, READY, UNUSABLE, WARNING, Check
from wtp.web.formats import number, percent

MARKS = {READY: "✓", WARNING: "!", UNUSABLE: "✕", FAILED: "?", OUT_OF_DATE: "↻"}


def status_names() -> dict[str, str]:
    """The five statuses in words."""
    return {
        READY: gettext("ready"),
        WARNING: gettext("warning"),
        UNUSABLE: gettext("unusable"),
        FAILED: gettext("failed"),
        OUT_OF_DATE: gettext("out of date"),
    }


def check_names() -> dict[str, str]:
    """What each check is called."""
    return {
        "file": gettext("Design file"),
        "rules": gettext("Rules"),
        "identified": gettext("Part-worths"),
        "versions": gettext("Versions"),
        "balance": gettext("Level balance"),
        "pairs": gettext("Pairs of levels"),
        "overlap": gettext("Overlap"),
        "positions": gettext("Positions"),
        "efficiency": gettext("D-error"),
        "dominated": gettext("Dominated alternatives"),
        "holdouts": gettext("Holdouts and repeat"),
        "precision": gettext("Expected precision"),
    }


def sentence(check: Check, labels: Mapping[str, str], slug: str) -> str:
    """What the check found, what that means, and what to do."""
    return _SENTENCES[check.name](check, dict(check.values), labels, slug)


_Values = dict[str, float | str]


def _n(value: float | str, digits: int = 0) -> str:
    return number(float(value), digits)


def _p(value: float | str) -> str:
    return percent(float(value))


def _file(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == UNUSABLE:
        return gettext("There is no design yet. Make it: wtp design surveys/%(slug)s", slug=slug)
    if check.status == FAILED:
        return gettext(
            "survey.toml has mistakes, so the design could not be checked. See them: wtp check surveys/%(slug)s",
            slug=slug,
        )
    if values.get("differs"):
        return gettext(
            "The files differ from what respondents get, because people have begun and a study in the field keeps its design. Publish the change as a new version."
        )
    if check.status == OUT_OF_DATE:
        return gettext("design.csv no longer fits survey.toml. Make it anew: wtp design surveys/%(slug)s", slug=slug)
    return gettext("design.csv has all choice tasks that survey.toml asks for.")


def _rules(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == READY:
        return gettext("Every task keeps the rules of the survey on what may be shown together.")
    return gettext(
        "%(broken)s of %(tasks)s tasks break the rules that survey.toml states now; they were made before these rules. Make the design anew: wtp design surveys/%(slug)s",
        broken=_n(values["broken"]), tasks=_n(values["tasks"]), slug=slug,
    )  # fmt: skip


def _identified(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == READY:
        return gettext("All %(all)s part-worths can be told apart.", all=_n(values["parameters"]))
    return gettext(
        "Only %(some)s of %(all)s part-worths can be told apart, however many people answer. Ask more tasks or versions, or drop a prohibition.",
        some=_n(values["rank"]), all=_n(values["parameters"]),
    )  # fmt: skip


def _versions(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == READY:
        return gettext(
            "Any three versions together tell all part-worths apart, so that small segments have figures too."
        )
    return gettext(
        "Some three versions together tell only %(some)s of %(all)s part-worths apart; small segments may stay without figures. Ask more tasks of each respondent.",
        some=_n(values["rank"]), all=_n(values["parameters"]),
    )  # fmt: skip


def _balance(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    attribute = labels[str(values["attribute"])]
    if check.status == UNUSABLE:
        return gettext(
            "A level of “%(attribute)s” is never shown, so nothing can be said of it. Make the design anew, or remove the level.",
            attribute=attribute,
        )
    if check.status == READY:
        return gettext(
            "Every level is shown about equally often; the largest deviation is %(share)s (%(attribute)s).",
            share=_p(values["deviation"]),
            attribute=attribute,
        )
    return gettext(
        "Levels of “%(attribute)s” are shown up to %(share)s more or less often than equally; rare ones get wider intervals. Fine if a rule or a prior wants it; else make the design anew.",
        share=_p(values["deviation"]), attribute=attribute,
    )  # fmt: skip


def _pairs(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    correlation = _n(values["correlation"], 2)
    if check.status == READY:
        return gettext(
            "All allowed pairs of levels occur; the largest correlation between two attributes is %(correlation)s.",
            correlation=correlation,
        )
    return gettext(
        "%(never)s allowed pairs of levels never stand in one alternative, and the largest correlation between two attributes is %(correlation)s: their effects are hard to tell apart. "
        "Ask more tasks or versions, or drop a prohibition.",
        never=_n(values["never"]), correlation=correlation,
    )  # fmt: skip


def _overlap(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    attribute, share = labels[str(values["attribute"])], _p(values["share"])
    if not values["share"]:
        return gettext("In no task do all alternatives show the same level of an attribute.")
    if check.status == READY:
        return gettext(
            "Alternatives differ in every attribute often enough; at most %(share)s of the tasks show the same level throughout (%(attribute)s).",
            share=share,
            attribute=attribute,
        )
    return gettext(
        "In %(share)s of the tasks all alternatives have the same level of “%(attribute)s”, and nothing is learnt about it there. Make the design anew.",
        share=share,
        attribute=attribute,
    )


def _positions(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    return gettext(
        "Order and positions are drawn anew for each respondent, so no level stands in one place; in the file shares differ by at most %(gap)s between positions.",
        gap=_p(values["gap"]),
    )


def _efficiency(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == FAILED:
        return gettext("There is no D-error, since not all part-worths can be told apart.")
    figures = {"error": _n(values["d_error"], 3), "share": _p(values["share"])}
    if check.status == READY:
        return gettext(
            "The D-error is %(error)s, %(share)s of that of random designs of this size; smaller is better.", **figures
        )
    return gettext(
        'The D-error is %(error)s, %(share)s of that of random designs of this size: the rules cost precision. Drop or narrow one, or set method = "efficient".',
        **figures,
    )


def _dominated(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == READY:
        return gettext("No alternative is at least as good in everything and no dearer than another one of its task.")
    return gettext(
        "In %(tasks)s tasks one alternative is at least as good in everything and no dearer, so the choice is clear and little is learnt. Set dominated = \"avoid\" and make the design anew.",
        tasks=_n(values["tasks"]),
    )  # fmt: skip


def _holdouts(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if not values["count"]:
        return gettext(
            "There is no holdout task, so nothing will show how well the results predict choices. Set holdouts = 2."
        )
    if values["different"]:
        return gettext(
            "The holdout tasks are not the same in all versions, so they judge unevenly. Make the design anew."
        )
    if values["estimated"] or values["dominated"]:
        return gettext(
            "A holdout task is also used to estimate, or has a dominated alternative, so it flatters the results. Make the design anew."
        )
    if not values["repeated"]:
        return gettext("No task is asked twice, so nothing will show how consistently people answer. Set repeated = 1.")
    return gettext(
        "%(count)s holdout tasks, the same for all and never used to estimate, and one repeated task will judge the results.",
        count=_n(values["count"]),
    )


def _precision(check: Check, values: _Values, labels: Mapping[str, str], slug: str) -> str:
    if check.status == OUT_OF_DATE:
        return gettext(
            "The forecast was made for another version of survey or design. Make it anew: wtp plan surveys/%(slug)s",
            slug=slug,
        )
    if values.get("missing"):
        return gettext(
            "Nobody has worked out yet how precise the results will be. Do it: wtp plan surveys/%(slug)s", slug=slug
        )
    if values.get("withheld"):
        return gettext(
            "For some figures there is no forecast, because the simulated answers did not tell them. See the table of what is needed."
        )
    if check.status == WARNING:
        return gettext(
            "Simulated studies of another size were more than 15 per cent off the forecast; read it as rough."
        )
    return gettext("Fresh simulated studies of another size were within 15 per cent of the forecast below.")


_SENTENCES = {
    "file": _file,
    "rules": _rules,
    "identified": _identified,
    "versions": _versions,
    "balance": _balance,
    "pairs": _pairs,
    "overlap": _overlap,
    "positions": _positions,
    "efficiency": _efficiency,
    "dominated": _dominated,
    "holdouts": _holdouts,
    "precision": _precision,
}


def precision_check(plan: Plan | None, basis: str | None) -> Check:
    """Whether there is a forecast for this survey and design, and whether it can be trusted."""
    if plan is None:
        return Check("precision", WARNING, {"missing": 1})
    if plan.basis != basis:
        return Check("precision", OUT_OF_DATE)
    withheld = int(plan.needed["half_width"].isna().sum())
    return Check("precision", WARNING if withheld or not plan.trusted else READY, {"withheld": withheld})
