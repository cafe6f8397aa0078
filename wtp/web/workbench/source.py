"""The text of the survey file itself, with the same check as the forms: for whatever is easier said there."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from wtp.errors import ConflictError
from wtp.survey.drafts import save_draft
from wtp.survey.load import DEFINITION_FILE, parse_source
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.workbench.desk import Desk, blueprint, desk_of, page, posted_revision


@blueprint.get("/<slug>/source")
@requires(*ANALYSTS)
def source(slug: str) -> str:
    """The text of the draft."""
    desk = desk_of(slug)
    return _page(desk, desk.draft.text)


@blueprint.post("/<slug>/source")
@requires(*ANALYSTS)
def save_source(slug: str) -> ResponseReturnValue:
    """Save the text as the draft if it can be read as TOML; mistakes in what it says may be mended later."""
    desk, revision = desk_of(slug), posted_revision()
    text = request.form.get("text", "").replace("\r\n", "\n")
    content, mistakes = parse_source(text, desk.draft.folder / DEFINITION_FILE)
    if content is None:
        return _page(desk, text, refused=str(mistakes[0].found)), 422
    try:
        save_draft(desk.draft.folder, text, revision)
    except ConflictError:
        fresh = desk_of(slug)
        return _page(fresh, text, theirs=fresh.draft.text), 409
    return redirect(url_for(".source", slug=slug), 303)


def _page(desk: Desk, text: str, *, refused: str = "", theirs: str | None = None) -> str:
    return page("source", desk, here="source", text=text, refused=refused, theirs=theirs)
