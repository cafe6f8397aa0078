"""The draft as respondents will see it, on a phone and on a desktop, in each language; nothing is stored."""

from __future__ import annotations

from dataclasses import replace

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from wtp.store.answers import Current
from wtp.store.respondents import Interview, new_token
from wtp.survey import ChoiceTask, Definition, steps
from wtp.survey.load import definition_of
from wtp.survey.lots import profiles
from wtp.survey.pages import QuestionPage, Quota, ScreenOut
from wtp.survey.wording import Wording
from wtp.web import respond
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.i18n import language, speak
from wtp.web.i18n import text as said
from wtp.web.panel import back_to_panel
from wtp.web.security import allow_frames
from wtp.web.visit import Visit
from wtp.web.workbench.desk import blueprint, desk_of, page

_END = "end."
_NOBODY = "TEST"  # the panel's name of who only looks at an end


@blueprint.get("/<slug>/preview")
@requires(*ANALYSTS)
def preview(slug: str) -> str:
    """One step in two frames, with the way to every other one."""
    desk = desk_of(slug)
    definition = definition_of(desk.draft.text)
    if definition is None:
        return page("preview", desk, here="preview", listed=[])
    route = _visit(slug, definition, None).route
    first = {step.page.id: step.id for step in reversed(route)}
    listed = [(first[one.id], said(one.title)) for one in definition.pages]
    listed += [(_END + end.id, said(end.title)) for end in _ends(definition)]
    names = [step.id for step in route] + [name for name, _ in listed if name.startswith(_END)]
    chosen = request.args.get("step", "")
    chosen = chosen if chosen in names else listed[0][0]
    languages = definition.languages
    asked = [request.args.get("language", ""), language(), languages[0]]
    at = names.index(chosen)
    return page(
        "preview",
        desk,
        here="preview",
        listed=listed,
        step=chosen,
        before=names[at - 1] if at else None,
        after=names[at + 1] if at + 1 < len(names) else None,
        languages=languages,
        shown=next(one for one in asked if one in languages),
    )


@blueprint.get("/<slug>/preview/<language>/<step_id>")
@requires(*ANALYSTS)
def preview_step(slug: str, language: str, step_id: str) -> str:
    """A step of the draft, for the frames of this site alone."""
    definition = definition_of(desk_of(slug).draft.text)
    if definition is None or language not in definition.languages:
        abort(404)
    allow_frames(["'self'"])
    speak(language)
    if step_id in [_END + end.id for end in _ends(definition)]:
        visit = _visit(slug, definition, step_id.removeprefix(_END))
        return _here(render_template("respond/end.html", visit=visit, back=None), slug, language)
    visit = _visit(slug, definition, None)
    place = visit.place(step_id)
    if place is None:
        abort(404)
    return _here(respond.preview(visit, place), slug, language)


@blueprint.post("/<slug>/preview/<language>/<step_id>")
@requires(*ANALYSTS)
def preview_next(slug: str, language: str, step_id: str) -> ResponseReturnValue:
    """On to the next step, whatever was entered."""
    definition = definition_of(desk_of(slug).draft.text)
    if definition is None or language not in definition.languages:
        abort(404)
    visit = _visit(slug, definition, None)
    place = visit.place(step_id)
    if place is None:
        abort(404)
    following = visit.route[min(place + 1, len(visit.route) - 1)].id
    return redirect(url_for(".preview_step", slug=slug, language=language, step_id=following), 303)


def ends_of(definition: Definition) -> dict[str, Wording]:
    """The ways in which an interview ends, each with the title of its page: "completed" and the ids of screen-outs and quotas."""
    return {"completed": definition.pages[-1].title} | {end.id: end.title for end in _ends(definition)}


def end_page(slug: str, definition: Definition, name: str) -> str:
    """One of `ends_of` as a test sees it, with the panel's address; nothing is stored."""
    ended_by = None if name == "completed" else name
    token, whole = new_token(test=True), _visit(slug, definition, ended_by)
    end = next((end for end in _ends(definition) if end.id == name), None)
    outcome = "completed" if end is None else "screened_out" if isinstance(end, ScreenOut) else "over_quota"
    person = replace(whole.interview, outcome=outcome) if whole.interview else None
    visit = replace(whole, token=token, interview=person)
    back = back_to_panel(definition.panel, outcome, _NOBODY) if definition.panel else None
    if end is None:
        return respond.preview(visit, len(visit.route) - 1, back=back)
    return render_template("respond/end.html", visit=visit, back=back)


def _ends(definition: Definition) -> tuple[ScreenOut | Quota, ...]:
    return (*definition.screen_outs, *definition.quotas)


def _visit(slug: str, definition: Definition, ended_by: str | None) -> Visit:
    """Somebody who sees every page, whatever its condition, and has answered nothing."""
    pages = tuple(
        one.model_copy(
            update={"when": None}
            | (
                {"questions": tuple(q.model_copy(update={"when": None}) for q in one.questions)}
                if isinstance(one, QuestionPage)
                else {}
            )
        )
        for one in definition.pages
    )
    whole = definition.model_copy(update={"pages": pages})
    plan = definition.choice_tasks
    tasks = tuple(
        ChoiceTask(
            n,
            "warm_up" if n <= plan.warm_up else "estimation",
            profiles("preview", f"task {n}", definition.attributes, definition.price, plan.alternatives, plan.labels),
        )
        for n in range(1, plan.total + 1)
    )
    person = Interview(
        respondent_id=0,
        number=0,
        study=slug,
        simulated=False,
        language=None,
        definition_hash=None,
        design_version=None,
        tasks=tasks,
        consented_at=None,
        completed_at=None,
        outcome="screened_out" if ended_by else None,
        ended_by=ended_by,
    )
    return Visit(slug, "", whole, steps(whole), person, Current({}, {}))


def _here(html: str, slug: str, language: str) -> str:
    """The page with its links and its form leading to the preview."""
    html = html.replace(f'"/s/{slug}/pictures/', f'"/manage/{slug}/pictures/')
    return html.replace(f'"/s/{slug}/', f'"/manage/{slug}/preview/{language}/')
