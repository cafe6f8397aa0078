"""From draft to study: what changed and what it means for answers, the design that fits, publishing, and all versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from wtp.design import search
from wtp.errors import ConflictError, DesignError
from wtp.store import studies, versions
from wtp.survey import Definition, Design, Survey
from wtp.survey.changes import changes
from wtp.survey.design_file import format_design, read_design, read_design_text
from wtp.survey.drafts import DRAFT_DESIGN_FILE, discard_draft, locked, put_in_use, read_draft, save_draft
from wtp.survey.load import DEFINITION_FILE, DESIGN_FILE, definition_of, inspect_text
from wtp.survey.versions import compare
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.running import database
from wtp.web.version_section import changed
from wtp.web.workbench.desk import Desk, blueprint, desk_of, page, posted_revision

_QUICK_TASKS = 3_000  # a balanced design of so many tasks is drawn in a few seconds
_QUICK_SECONDS = 5
_SEED = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How the design comes about: "kept" as it is, "drafted" by a command, "searched" now, or by a "command" first."""

    how: str
    design: Design | None = None


@blueprint.get("/<slug>/publish")
@requires(*ANALYSTS)
def publish(slug: str) -> str:
    """What publishing would change."""
    return _page(desk_of(slug))


@blueprint.post("/<slug>/publish")
@requires(*ANALYSTS)
def make_public(slug: str) -> ResponseReturnValue:
    """Check, find the design, keep the version, and put the files in use. Who has begun finishes on what he began with."""
    desk, revision = desk_of(slug), posted_revision()
    folder = desk.draft.folder
    with locked(folder):
        draft = read_draft(folder)
        if draft.revision != revision:
            return _page(desk_of(slug), conflict=True), 409
        definition, _mistakes = inspect_text(draft.text, folder / DEFINITION_FILE)
        if definition is None or not draft.changed:
            return _page(desk), 422
        plan = _plan(desk, definition)
        if plan.how == "command":
            return _page(desk), 422
        try:
            text = format_design(plan.design or search(definition, _SEED), definition)
        except DesignError as error:
            return _page(desk, refused=str(error)), 422
        design, wrong = (plan.design, ()) if plan.design else read_design_text(text, folder / DESIGN_FILE, definition)
        if design is None:
            return _page(desk, refused=str(wrong[0])), 422
        survey = Survey(slug, folder, definition, definition.hash, design, draft.text)
        with database().begin() as connection:
            studies.publish(connection, survey, str(current_user.name))
        put_in_use(folder, draft.text, None if plan.how == "kept" else text)
    return redirect(url_for(".versions", slug=slug, published=1), 303)


@blueprint.post("/<slug>/discard")
@requires(*ANALYSTS)
def discard(slug: str) -> ResponseReturnValue:
    """Throw the draft away."""
    desk, revision = desk_of(slug), posted_revision()
    try:
        discard_draft(desk.draft.folder, revision)
    except ConflictError:
        return _page(desk_of(slug), conflict=True), 409
    return redirect(url_for(".overview", slug=slug), 303)


@blueprint.get("/<slug>/versions", endpoint="versions")
@requires(*ANALYSTS)
def all_versions(slug: str) -> str:
    """All versions, and the difference between any two of them or the draft."""
    desk = desk_of(slug)
    with database().read() as connection:
        found = versions.everything(connection, slug)
    texts = {str(version.number): version.content for version in found}
    if desk.draft.changed:
        texts["draft"] = desk.draft.text
    names = list(texts)
    numbered = [name for name in names if name != "draft"]
    old = request.args.get("old") or (numbered[1] if len(numbered) > 1 else numbered[0] if numbered else "")
    new = request.args.get("new") or (numbered[0] if numbered else "draft")
    before, after = (definition_of(texts[name]) if name in texts else None for name in (old, new))
    return page(
        "versions",
        desk,
        here="versions",
        versions=found,
        names=names,
        old=old,
        new=new,
        differences=list(changes(before, after)) if before and after else [],
        readable=before is not None and after is not None,
        asked=bool(before and after and before.hash != after.hash),
    )


@blueprint.post("/<slug>/versions/<int:number>")
@requires(*ANALYSTS)
def restore(slug: str, number: int) -> ResponseReturnValue:
    """Make an old version the draft."""
    desk, revision = desk_of(slug), posted_revision()
    with database().read() as connection:
        version = versions.get(connection, slug, number)
    if version is None:
        abort(404)
    try:
        save_draft(desk.draft.folder, version.content, revision)
    except ConflictError:
        return _page(desk_of(slug), conflict=True), 409
    return redirect(url_for(".publish", slug=slug), 303)


def _page(desk: Desk, *, conflict: bool = False, refused: str = "") -> str:
    new, old = desk.definition, desk.survey.definition if desk.survey else None
    with database().read() as connection:
        begun = sum(
            version.real
            for version in {v.definition_hash: v for v in versions.everything(connection, desk.slug)}.values()
        )
    asked = bool(old and new and old.hash != new.hash)
    comparison = compare(new, old) if old and new and asked and begun else None
    changed_since = "; ".join(f"{one.kind} {one.where}".strip() for one in comparison.changes) if comparison else ""
    return page(
        "publish",
        desk,
        use=comparison.use if comparison else None,
        meaning=changed(changed_since),
        here="publish",
        differences=list(changes(old, new)) if old and new else [],
        asked=asked,
        plan=_plan(desk, new) if new else None,
        folder=f"surveys/{desk.slug}",
        begun=begun,
        conflict=conflict,
        refused=refused,
    )


def _plan(desk: Desk, definition: Definition) -> Plan:
    folder, now = desk.draft.folder, desk.survey
    drafted = folder / DRAFT_DESIGN_FILE
    if drafted.exists() and (design := read_design(drafted, definition)[0]) is not None:
        return Plan("drafted", design)
    if now is not None and now.design is not None and _shape(now.definition) == _shape(definition):
        design, _mistakes = read_design(folder / DESIGN_FILE, definition)
        if design is not None:
            return Plan("kept", design)
    plan = definition.choice_tasks
    quick = plan.seconds <= _QUICK_SECONDS if plan.method == "efficient" else plan.versions * plan.total <= _QUICK_TASKS
    return Plan("searched" if quick else "command")


def _shape(definition: Definition) -> Any:
    """What a design follows from."""
    plan = definition.choice_tasks.model_dump(exclude={"none", "seconds"})
    attributes = [(a.id, a.level_ids, a.direction, a.only, a.per_label) for a in definition.attributes]
    return attributes, definition.price.levels, definition.price.per_label, plan
