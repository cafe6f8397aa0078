"""The respondents' pages: consent, questions, choice tasks, thanks; one step a page.

A step is read, judged, saved in one transaction that is committed before the reply, and left by a redirect, so that reload, back and double
click do no harm. Nothing is kept of a person before consent. A respondent is known by the personal token alone: in the signed session cookie,
or once in a personal link, which leaves the address at the first redirect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as Reply
from wtforms.form import BaseForm

from wtp.errors import ConflictError, RefusedError
from wtp.settings import Settings
from wtp.store import invitations, respondents
from wtp.survey import Step
from wtp.survey.pages import CheckPage, ConsentPage
from wtp.survey.privacy import ANONYMOUS, mode_of
from wtp.web import attempts, autosave, entry, forms, metrics, my_data, panel_links, running, saving
from wtp.web.answers_in_words import answers_in_words
from wtp.web.i18n import language, money, saying
from wtp.web.offers import explained, shown_offers
from wtp.web.panel import panel_id
from wtp.web.privacy_words import facts
from wtp.web.question_kinds import kano_answers
from wtp.web.security import limiter, starts_allowed
from wtp.web.timing import seconds_shown, shown_now, too_fast
from wtp.web.visit import Visit

blueprint = Blueprint("respond", __name__)
blueprint.add_url_rule("/s/<slug>/<step_id>/draft", "draft", autosave.keep, methods=["POST"])


blueprint.add_url_rule("/s/<slug>/e/my-data", "my_data", my_data.show)
blueprint.add_url_rule("/s/<slug>/e/my-data", "delete_my_data", my_data.delete, methods=["POST"])
blueprint.add_url_rule("/s/<slug>/e/my-data.json", "my_data_file", my_data.file)
blueprint.add_url_rule("/s/<slug>/e/panel", "to_panel", panel_links.to_panel)
blueprint.add_url_rule("/s/<slug>/e/deleted", "deleted", my_data.deleted)


@blueprint.get("/s/<slug>")
def start(slug: str) -> ResponseReturnValue:
    """The address that everybody gets: on to the first open step. A panel names its respondent in the address, and may have to sign it."""
    if (refused := panel_links.taken(slug)) is not None:
        return refused
    panel = entry.survey(slug).definition.panel
    by_panel = panel is not None and panel.parameter in request.args
    if by_panel and entry.is_cut(slug):
        return entry.closed(entry.cut_visit(slug), "again", back=panel_links.button(slug))
    visit = entry.visit(slug)
    if by_panel and visit.interview and visit.interview.outcome:
        return entry.closed(visit, "again", back=panel_links.button(slug, visit))
    if panel and by_panel and not panel.check_links and not visit.begun:
        session[entry.panel_key(slug)] = panel_id(request.args[panel.parameter])
    if visit.ending:
        return redirect(url_for(".end", slug=slug), 303)
    return _to(visit, visit.open)


@blueprint.get("/s/<slug>/e/end")
def end(slug: str) -> Reply | str:
    """The last page of those whose interview ended early."""
    visit = entry.visit(slug)
    if visit.ending is None:
        return _to(visit, visit.open)
    return render_template("respond/end.html", visit=visit, back=panel_links.button(slug, visit))


@blueprint.get("/s/<slug>/e/done")
def done(slug: str) -> Reply | str:
    """The last page of whose answers were cut off from the person: nobody knows any more which they are."""
    if not entry.is_cut(slug):
        return redirect(url_for(".start", slug=slug), 303)
    visit = entry.cut_visit(slug)
    return preview(visit, len(visit.route) - 1, back=panel_links.button(slug))


@blueprint.get("/s/<slug>/pictures/<name>")
def picture(slug: str, name: str) -> Reply:
    """A picture of a level; only those that the survey names."""
    survey = entry.survey(slug)
    if name not in survey.definition.pictures:
        abort(404)
    reply = send_from_directory((survey.folder / "pictures").resolve(), name)
    reply.cache_control.max_age = 86_400
    return reply


@blueprint.get("/s/<slug>/e/look.css")
def look(slug: str) -> Reply:
    """The company's colours, over those of the common style sheet."""
    given = entry.survey(slug).definition.look or abort(404)
    reply = Reply(
        render_template("respond/look.css", light=given.palette("light"), dark=given.palette("dark")),
        mimetype="text/css",
    )
    reply.cache_control.max_age = 300
    return reply


@blueprint.get("/s/<slug>/r/<token>")
def resume(slug: str, token: str) -> Reply:
    """A personal link: the interview goes on here, and the token leaves the address."""
    survey = entry.survey(slug)
    with running.database().read() as connection:
        entry.refuse_erased(connection, survey.slug, token)
        interview = respondents.find(connection, survey.slug, token)
        invited = interview is None and invitations.is_invited(connection, survey.slug, token)
    if interview is None and not invited:
        attempts.nothing_there()
    session[entry.token_key(slug)] = token
    if interview and interview.language and "lang" not in request.args:
        session["language"] = interview.language
    return redirect(url_for(".start", slug=slug), 303)


@blueprint.get("/s/<slug>/<step_id>")
def step(slug: str, step_id: str) -> ResponseReturnValue:
    """Show one step with what was answered or typed before; a step ahead of the first open one leads back to that one."""
    visit = entry.visit(slug)
    place = _place(visit, step_id)
    if (elsewhere := entry.elsewhere(visit)) is not None:
        return elsewhere
    shown = visit.route[place]
    begun_again = visit.begun and place == 0
    last = len(visit.route) - 1
    if place > visit.reached or begun_again or (place < last and visit.completed) or (place == last != visit.open):
        return _to(visit, visit.open)
    form = forms.page_form(shown.page, visit.task(shown))
    form.process(data=visit.saved(shown, form))
    return _page(visit, place, form)


@blueprint.post("/s/<slug>/<step_id>")
def save(slug: str, step_id: str) -> ResponseReturnValue:
    """Judge and save one step, then go on. Saved means committed before the reply is sent; what cannot be taken yet is kept as a draft. Who sends pages faster than anybody reads them has to wait."""
    if (token := session.get(entry.token_key(slug))) and (seconds := limiter.wait(token)):
        raise TooManyRequests(retry_after=seconds)
    return _saved(slug, step_id) if _needs_no_limit(slug, step_id) else _counted(slug, step_id)


def _needs_no_limit(slug: str, step_id: str) -> bool:
    """Only new interviews by the open link are counted by address; who was invited or goes on has a token that nobody guesses."""
    if (found := running.surveys().get(slug)) is None or step_id != found.definition.pages[0].id:
        return True
    token = session.get(entry.token_key(found.slug), "")
    with running.database().read() as connection:
        return invitations.is_known(connection, found.slug, token)


@limiter.limit(starts_allowed, deduct_when=lambda reply: reply.status_code == 303)
def _counted(slug: str, step_id: str) -> ResponseReturnValue:
    return _saved(slug, step_id)


def _saved(slug: str, step_id: str) -> ResponseReturnValue:
    after = None
    try:
        with running.database().begin() as connection:
            visit = entry.visit_to_save(connection, slug)
            place = _place(visit, step_id)
            if (elsewhere := entry.elsewhere(visit, connection)) is not None:
                return elsewhere
            if visit.completed or place > visit.reached:
                return _to(visit, visit.open)
            answered = visit.route[place]
            form = forms.page_form(answered.page, visit.task(answered))
            form.process(request.form)
            if forms.revision(form) is None:
                abort(400)
            if form.validate():
                after = saving.save(connection, visit, answered, form)
            else:
                autosave.keep_typed(connection, visit, answered, form)
    except (RefusedError, ConflictError) as error:
        return _not_taken(entry.visit(slug), place, answered, form, error)
    if after is None:
        form["asked"].data = "yes"
        return _page(visit, place, form, sent_back=422), 422
    metrics.saved(visit, after)
    # The way may have changed by this answer; the next page is the one after this step, or the overview that this step was changed from.
    following = (after.place(step_id) or place) + 1
    if (overview := _overview(after)) is not None:
        following = max(following, overview)
    if after.completed or following == len(after.route) - 1:
        following = after.open  # the end, or a page that was changed and not confirmed
    if visit.definition.speed_prompt and not visit.revision(answered):
        _notice_speed(after, answered, form, after.route[following].id)
    return entry.elsewhere(after) or _to(after, following)


def _not_taken(
    fresh: Visit, place: int, step: Step, form: BaseForm, error: RefusedError | ConflictError
) -> ResponseReturnValue:
    """Where somebody goes on who was not the only one: another window was faster, the study was closed, or the panel's respondent began in another browser too."""
    if (elsewhere := entry.elsewhere(fresh)) is not None:
        return elsewhere
    if isinstance(error, RefusedError):
        return _to(fresh, fresh.open)
    form["revision"].data = str(fresh.revision(step))
    return _page(fresh, place, form, sent_back=409), 409


def _place(visit: Visit, step_id: str) -> int:
    """Place of a step on the route, or 404."""
    place = visit.place(step_id)
    return abort(404) if place is None else place


def _overview(visit: Visit) -> int | None:
    """Place of the overview of answers that the respondent came from to change one, if it can be reached."""
    place = visit.place(request.args.get("then", ""))
    return (
        place
        if place is not None and isinstance(visit.route[place].page, CheckPage) and place <= visit.reached
        else None
    )


def _notice_speed(visit: Visit, step: Step, form: BaseForm, following: str) -> None:
    """After the second page that nobody can have read, the next page asks politely for more time; once, and it leaves a sign."""
    key, before = f"pace/{visit.slug}", session.get(f"pace/{visit.slug}", 0)
    seconds = seconds_shown(form["shown"].data, step.id, form["away"].data)
    simulated = visit.interview is None or visit.interview.simulated
    if simulated or not isinstance(before, int) or not too_fast(seconds, forms.items(form)):
        return
    session[key] = following if before else 1
    if before and visit.interview:
        with running.database().begin() as connection:
            respondents.add_signs(connection, visit.interview.respondent_id, ["speed_prompt"])


def _page(visit: Visit, place: int, form: BaseForm, *, sent_back: int | None = None, back: str | None = None) -> str:
    """The page of a step; `sent_back` is the status with which the server gives a page back that it did not take."""
    shown = visit.route[place]
    form["shown"].data = form["shown"].data or shown_now(shown.id)
    task, spoken = visit.task(shown), language()

    def price(amount: float) -> str:
        return money(amount, visit.definition.currency, spoken)

    offered = task.alternatives if task else (shown.profile,) if shown.profile else ()
    attributes = visit.attributes_of(offered) if task else visit.attributes if offered else ()
    context: Mapping[str, Any] = {
        "visit": visit,
        "step": shown,
        "place": place,
        "form": form,
        "kano_answers": kano_answers,
        "beside": forms.BESIDE,
        "anchors": _anchors,
        "back": panel_links.button(visit.slug, visit) if visit.completed else back,
        "offers": shown_offers(offered, attributes, saying(spoken), price) if task else (),
        "explained": explained(offered, attributes, saying(spoken)),
        "sent_back": sent_back,
        "mistakes": _mistakes(form, sent_back == 409),
        "told": answers_in_words(visit) if isinstance(shown.page, CheckPage) else [],
        "then": request.args["then"] if _overview(visit) is not None else None,
        "hurried": session.get(f"pace/{visit.slug}") == shown.id,
        "money": price,
        "link": _personal_link(visit) if visit.begun and mode_of(visit.definition) != ANONYMOUS else None,
        "facts": facts(visit.definition) if isinstance(shown.page, ConsentPage) else (),
    }
    return render_template(f"respond/{shown.page.type}.html", **context)


def preview(visit: Visit, place: int, *, back: str | None = None) -> str:
    """A step as somebody sees it who has not answered anything; `back`: the panel's address, on the last page."""
    shown = visit.route[place]
    form = forms.page_form(shown.page, visit.task(shown))
    form.process(data={})
    return _page(visit, place, form, back=back)


def _anchors() -> list[tuple[str, str]]:
    return [("all", _("All of them")), ("some", _("Some of them")), ("none", _("None of them"))]


def _mistakes(form: BaseForm, changed_elsewhere: bool) -> list[tuple[str, str, str]]:
    """For the summary on top of the page: (id of the field, its label, message)."""
    if changed_elsewhere:
        first = next((field.name for field in form if field.name not in forms.BESIDE), "main")
        words = _(
            "This page was changed in another window. What you typed here is kept below; save it again to use it."
        )
        return [(first, "", words)]
    return [(field.name, field.label.text, message) for field in form for message in field.errors]


def _personal_link(visit: Visit) -> str:
    settings: Settings = current_app.extensions["wtp_settings"]
    return settings.base_url.rstrip("/") + url_for(".resume", slug=visit.slug, token=visit.token)


def _to(visit: Visit, place: int) -> Reply:
    return redirect(url_for(".step", slug=visit.slug, step_id=visit.route[place].id), 303)
