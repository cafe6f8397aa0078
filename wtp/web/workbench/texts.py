"""Translations: every text of the study in all its languages side by side; what is missing, and what says the same in two languages."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from wtp.errors import ConflictError, SurveyError
from wtp.survey.drafts import save_draft
from wtp.survey.editing import Place, edited
from wtp.survey.texts import Text, languages_of, texts_of
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.workbench.desk import Desk, blueprint, desk_of, page, posted_revision
from wtp.web.workbench.entries import name_of

_MOST = 120  # texts a page
_SHOWS = ("missing", "same", "all")


@blueprint.get("/<slug>/texts")
@requires(*ANALYSTS)
def texts(slug: str) -> str:
    """The texts: at first those that are missing, if there are any."""
    return _page(desk_of(slug), {})


@blueprint.post("/<slug>/texts")
@requires(*ANALYSTS)
def save_texts(slug: str) -> ResponseReturnValue:
    """Save what was typed."""
    desk, revision = desk_of(slug), posted_revision()
    typed: dict[Place, Any] = {}
    for text in texts_of(desk.content or {}):
        for language in languages_of(desk.content or {}):
            name = f"{name_of(text.place)}.{language}"
            if name in request.form:
                words = request.form[name].replace("\r\n", "\n")
                if words.strip() != text.texts.get(language, "").strip():
                    typed[*text.place, language] = words
    try:
        save_draft(desk.draft.folder, edited(desk.draft.text, typed), revision)
    except ConflictError:
        return _page(desk_of(slug), typed, conflict=True), 409
    except SurveyError as error:
        return _page(desk, typed, refused=str(error)), 422
    return redirect(url_for(".texts", slug=slug, show=request.args.get("show"), start=request.args.get("start")), 303)


def _page(desk: Desk, typed: dict[Place, Any], *, conflict: bool = False, refused: str = "") -> str:
    content = desk.content or {}
    languages, everything = languages_of(content), texts_of(content)
    groups: dict[str, list[Text]] = {
        "missing": [text for text in everything if text.missing(languages)],
        "same": [text for text in everything if text.same(languages)],
        "all": list(everything),
    }
    show = request.args.get("show") or ("missing" if groups["missing"] else "all")
    show = show if show in _SHOWS else "all"
    start = max(0, request.args.get("start", 0, type=int))
    counts = {one: sum(one in text.missing(languages) for text in everything) for one in languages}
    return page(
        "texts",
        desk,
        here="texts",
        languages=languages,
        rows=groups[show][start : start + _MOST],
        total=len(groups[show]),
        show=show,
        start=start,
        most=_MOST,
        sizes={name: len(found) for name, found in groups.items()},
        missing=counts,
        typed={(*place[:-1], place[-1]): words for place, words in typed.items()},
        conflict=conflict,
        refused=refused,
    )
