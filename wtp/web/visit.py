"""One respondent on the way through one survey: what is shown, what was answered, where to go on."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection
from wtforms.form import BaseForm

from wtp.store import progress, respondents, studies
from wtp.store.answers import Current, Standing
from wtp.store.drafts import Draft, Fields
from wtp.store.respondents import Interview
from wtp.survey import ChoiceTask, Definition, Step, Survey, steps
from wtp.survey.attributes import Attribute
from wtp.survey.lots import shuffled
from wtp.survey.pages import ChoiceTaskPage, ConsentPage, Quota, ScreenOut, ThanksPage
from wtp.survey.tasks import Alternative
from wtp.web import forms

_ROUTES_KEPT = 512


@dataclass(frozen=True)
class Visit:
    """One respondent on the way through one survey: where he may go and what he has answered; `state` is that of the study, as `studies.state` has it."""

    slug: str
    token: str
    definition: Definition
    route: tuple[Step, ...]
    interview: Interview | None
    current: Current
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    state: str = "open"

    @property
    def begun(self) -> bool:
        """Whether consent was given."""
        return self.interview is not None and self.interview.consented_at is not None

    @property
    def test(self) -> bool:
        """Whether somebody only tries the study out: nothing of it counts."""
        return respondents.is_test(self.token)

    @property
    def completed(self) -> bool:
        """Whether everything was answered; nothing changes after that."""
        return self.interview is not None and self.interview.completed_at is not None

    @property
    def ending(self) -> ScreenOut | Quota | None:
        """The author's words for whom the interview ended early."""
        if self.interview is None or self.interview.outcome in {None, "completed"}:
            return None
        ends: tuple[ScreenOut | Quota, ...] = (*self.definition.screen_outs, *self.definition.quotas)
        return next((end for end in ends if end.id == self.interview.ended_by), None)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes in the order that this respondent sees."""
        page = next(page for page in self.definition.pages if isinstance(page, ChoiceTaskPage))
        lot = self.interview.lot if self.interview and page.attribute_order == "random" else ""
        return shuffled(lot, "attributes", self.definition.attributes, key=lambda attribute: attribute.id)

    def attributes_of(self, offers: Sequence[Alternative]) -> tuple[Attribute, ...]:
        """The attributes that one of these offers has, in the order that this respondent sees; what labels the offers comes first."""
        there = [a for a in self.attributes if any(a.id in offer.levels for offer in offers)]
        return tuple(sorted(there, key=lambda attribute: attribute.id != self.definition.choice_tasks.labels))

    @property
    def branches(self) -> bool:
        """Whether later answers may still change how many pages there are."""
        pages = self.definition.pages
        conditions = any(getattr(page, "when", None) for page in pages)
        return conditions or not all(step.settled for step in self.route)

    def minutes_left(self, place: int) -> int:
        """Honest time from here on: the author's minutes, by the share of pages that are left."""
        pages = len(self.route) - 1
        return max(1, round(self.definition.minutes * (pages - place) / pages))

    @cached_property
    def reached(self) -> int:
        """Place of the first step that is not answered yet; nobody gets beyond it."""
        if self.completed:
            return len(self.route) - 1
        return next(place for place, step in enumerate(self.route) if not self._answered(step))

    @cached_property
    def open(self) -> int:
        """Where to go on: the first step that is not answered, or was changed and not confirmed."""
        return next(
            (place for place, step in enumerate(self.route[: self.reached]) if self.draft(step)), self.reached
        )  # fmt: skip

    @property
    def browser_key(self) -> str:
        """Under which the browser keeps what is not saved yet: another one for each person and study, and no way back to the token."""
        return hashlib.sha256(f"browser\0{self.slug}\0{self.token}".encode()).hexdigest()[:16]

    @property
    def standing(self) -> Standing | None:
        """How the interview stands, for who saves; None before consent."""
        if (who := self.interview) is None:
            return None
        return Standing(who.respondent_id, who.design_version, who.definition_hash, who.outcome, who.test, self.state)

    def place(self, step_id: str) -> int | None:
        """Place of a step on the route, None if there is no such step."""
        return next((place for place, step in enumerate(self.route) if step.id == step_id), None)

    def revision(self, step: Step) -> int:
        """The revision of a step's saved answers, 0 before the first."""
        saved = self.current.choices.get(step.order) if step.order else self.current.pages.get(step.id)
        return saved[0] if saved else 0

    def task(self, step: Step) -> ChoiceTask | None:
        """What the step's choice task shows to this respondent."""
        return self.interview.tasks[step.order - 1] if self.interview and step.order else None

    def draft(self, step: Step) -> Fields | None:
        """What was typed on a page since it was last confirmed."""
        kept = self.drafts.get(step.id)
        return kept.fields if kept and kept.revision == self.revision(step) else None

    def after(self, step: Step, current: Current) -> Visit:
        """The visit once a step is saved, with what is saved then: the way may be another one, and nothing typed is left of the step."""
        route = _route(self.definition, self.interview, current) if self.interview else self.route
        drafts = {page: draft for page, draft in self.drafts.items() if page != step.id}
        return replace(self, current=current, route=route, drafts=drafts)

    def saved(self, step: Step, form: BaseForm) -> dict[str, Any]:
        """What the step's form shows when it is opened: the answers saved before, and over them what was typed since."""
        data: dict[str, Any] = {"revision": str(self.revision(step))}
        if step.order and step.order in self.current.choices:
            _revision, chosen, buys = self.current.choices[step.order]
            data |= {"chosen": str(chosen)} | ({} if buys is None else {"buys": "yes" if buys else "no"})
        elif step.id in self.current.pages:
            data |= forms.restore(step, self.current.pages[step.id][1])
        return data | forms.as_typed(form, self.draft(step) or {})

    def _answered(self, step: Step) -> bool:
        if isinstance(step.page, ConsentPage):
            return self.begun
        return not isinstance(step.page, ThanksPage) and self.revision(step) > 0


def load(connection: Connection, survey: Survey, token: str, *, locked: bool = False) -> Visit:
    """The visit of this token: under the definition that its respondent began with, or the current one. locked: nobody else saves for the same respondent until the transaction ends."""
    return visit_of(connection, survey, token, respondents.token_hash(survey.slug, token), locked=locked)


def visit_of(connection: Connection, survey: Survey, token: str, key: str, *, locked: bool = False) -> Visit:
    """The same by the hash of the token."""
    kept = (progress.locked if locked else progress.of)(connection, survey.slug, key)
    interview = kept.interview
    if interview is None or interview.definition_hash is None:
        route = steps(survey.definition)
        return Visit(survey.slug, token, survey.definition, route, interview, kept.current, state=kept.state)
    definition = survey.definition
    if interview.definition_hash != survey.definition_hash:
        definition = studies.definition(connection, interview.definition_hash)
    route = _route(definition, interview, kept.current)
    return Visit(survey.slug, token, definition, route, interview, kept.current, kept.drafts, kept.state)


_routes: OrderedDict[tuple[Any, ...], tuple[Step, ...]] = OrderedDict()


def _route(definition: Definition, interview: Interview, current: Current) -> tuple[Step, ...]:
    """The steps of an interview; a page is sent, saved and followed by the next within a moment, with the same answers: a saved revision never changes."""
    if not interview.lot:
        return steps(definition, current.answers, interview.lot)
    saved = frozenset((page, revision) for page, (revision, _) in current.pages.items())
    key = (interview.definition_hash, interview.lot, saved)
    if (found := _routes.get(key)) is None:
        found = _routes[key] = steps(definition, current.answers, interview.lot)
        while len(_routes) > _ROUTES_KEPT:
            with suppress(KeyError):
                _routes.popitem(last=False)
    return found
