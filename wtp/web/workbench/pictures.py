"""Pictures of levels: uploaded once, never overwritten, since the study in the field may show them."""

from __future__ import annotations

import re

from flask import Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from wtp.survey.drafts import locked
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.workbench.desk import blueprint, desk_of, posted_revision

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}\.(png|jpg|jpeg|webp)")
_LARGEST = 900_000
_BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF"}


@blueprint.get("/<slug>/pictures/<picture>")
@requires(*ANALYSTS)
def show_picture(slug: str, picture: str) -> Response:
    """A picture of the study, also of one that is not published yet."""
    folder = desk_of(slug).draft.folder / "pictures"
    if not _NAME.fullmatch(picture) or not (folder / picture).is_file():
        abort(404)
    kind = picture.rpartition(".")[2].replace("jpg", "jpeg")
    return Response((folder / picture).read_bytes(), mimetype=f"image/{kind}")


@blueprint.post("/<slug>/pictures")
@requires(*ANALYSTS)
def upload(slug: str) -> ResponseReturnValue:
    """Keep a picture under its own name, if it is one and the name is free."""
    desk = desk_of(slug)
    posted_revision()
    file = request.files.get("picture")
    content = file.read() if file else b""
    name = (file.filename if file else "") or ""
    folder = desk.draft.folder / "pictures"
    good = (
        _NAME.fullmatch(name) and len(content) <= _LARGEST and content.startswith(_BEGINNINGS[name.rpartition(".")[2]])
    )
    if not good or (folder / name).exists():
        return redirect(url_for(".edit", slug=slug, node="attributes", refused="picture"), 303)
    with locked(desk.draft.folder):
        folder.mkdir(exist_ok=True)
        with (folder / name).open("xb") as target:
            target.write(content)
    return redirect(url_for(".edit", slug=slug, node="attributes"), 303)
