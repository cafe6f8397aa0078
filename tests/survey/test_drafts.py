"""Drafts beside the file in use, templates, and where folders may be."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from wtp.design import search
from wtp.errors import ConflictError
from wtp.survey import Definition, inspect_survey
from wtp.survey.drafts import (
    DRAFT_FILE,
    TEMPLATES,
    create,
    discard_draft,
    folder_of,
    free_slug,
    put_in_use,
    read_draft,
    save_draft,
    template,
)
from wtp.survey.editing import edited
from wtp.survey.load import DEFINITION_FILE, inspect_text
from wtp.survey.texts import WORDINGS, languages_of, texts_of, without_languages
from wtp.survey.wording import Language, Text


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_no_mistake_and_a_design(name: str, tmp_path: Path) -> None:
    definition, mistakes = inspect_text(template(name), tmp_path / DEFINITION_FILE)
    assert mistakes == ()
    assert definition is not None
    assert set(definition.languages) == {"en", "de"}
    assert search(definition, 1).versions


@pytest.mark.parametrize(
    "slug",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc",
        "a\0b",
        "..%2fx",
        "x/../../y",
        "~",
        ".hidden",
        "A",
        "new",
        "ä",
        "a" * 41,
        "1a",
        "con fig",
    ],
)
def test_no_slug_leads_out_of_the_folder(slug: str, tmp_path: Path) -> None:
    surveys = tmp_path / "surveys"
    surveys.mkdir()
    (tmp_path / DEFINITION_FILE).write_text("")
    (surveys / DEFINITION_FILE).write_text("")
    assert not free_slug(surveys, slug)
    assert folder_of(surveys, slug) is None
    with pytest.raises(ConflictError):
        create(surveys, slug, "")
    assert len(list(tmp_path.rglob("*"))) == 3, "nothing was made"


def test_a_link_out_of_the_folder_is_no_study(tmp_path: Path) -> None:
    surveys, outside = tmp_path / "surveys", tmp_path / "outside"
    surveys.mkdir()
    outside.mkdir()
    (outside / DEFINITION_FILE).write_text("")
    (surveys / "linked").symlink_to(outside)
    assert folder_of(surveys, "linked") is None


def test_a_draft_leaves_the_file_in_use_until_it_is_put_in_use(tmp_path: Path) -> None:
    folder = create(tmp_path, "coffee", template("empty"))
    new = read_draft(folder)
    assert (new.changed, new.published, new.slug) == (True, False, "coffee")
    put_in_use(folder, new.text, None)
    kept = read_draft(folder)
    assert (kept.changed, kept.published, kept.text) == (False, True, new.text)
    draft = save_draft(folder, edited(kept.text, {("minutes",): 9}), kept.revision)
    assert draft.changed
    assert (folder / DEFINITION_FILE).read_text() == new.text
    assert save_draft(folder, kept.text, draft.revision).changed is False, "equal to the file in use"
    assert not (folder / DRAFT_FILE).exists()
    draft = save_draft(folder, edited(kept.text, {("minutes",): 9}), kept.revision)
    discard_draft(folder, draft.revision)
    assert read_draft(folder).text == new.text
    assert stat.S_IMODE((folder / DEFINITION_FILE).stat().st_mode) == 0o644
    assert [path.name for path in folder.iterdir()] == [DEFINITION_FILE]


def test_of_many_authors_at_once_one_saves_and_all_others_are_told(tmp_path: Path) -> None:
    folder = create(tmp_path, "coffee", template("empty"))
    start = read_draft(folder)
    saved, told = [], []

    def author(minutes: int) -> None:
        try:
            saved.append(save_draft(folder, edited(start.text, {("minutes",): minutes}), start.revision).text)
        except ConflictError:
            told.append(minutes)

    threads = [threading.Thread(target=author, args=(n,)) for n in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(saved), len(told)) == (1, 7)
    assert read_draft(folder).text == saved[0]
    with pytest.raises(ConflictError):
        discard_draft(folder, start.revision)


def test_a_copy_brings_its_pictures(tmp_path: Path) -> None:
    first = create(tmp_path, "first", template("empty"))
    (first / "pictures").mkdir()
    (first / "pictures" / "a.png").write_bytes(b"png")
    copied = create(tmp_path, "second", read_draft(first).text, first / "pictures")
    assert (copied / "pictures" / "a.png").read_bytes() == b"png"
    assert inspect_survey(copied)[0] is None, "a draft is not in use"


def wording_keys(model: type[BaseModel]) -> set[str]:
    def inner(annotation: Any) -> list[Any]:
        return [annotation, *(part for argument in get_args(annotation) for part in inner(argument))]

    found = set()
    for name, field in model.model_fields.items():
        parts = inner(field.annotation)
        if any(part == dict[Language, Text] for part in parts):
            found.add(name)
        for part in parts:
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= wording_keys(part)
    return found


def test_every_text_of_the_schema_is_known_as_one() -> None:
    assert wording_keys(Definition) == WORDINGS


def test_texts_are_found_with_what_is_missing_and_equal() -> None:
    content: dict[str, Any] = {
        "languages": ["en", "de"],
        "title": {"en": "Title", "de": "Titel", "fr": "Titre"},
        "attributes": [
            {"id": "a", "label": {"en": "Design", "de": "Design"}, "levels": [{"label": {"en": "x", "de": " "}}]}
        ],
        "segments": [{"when": {"title": ["x"]}, "label": {"de": "S"}}],
        "competitors": [{"levels": {"label": "x", "text": "y"}}],
    }
    languages = languages_of(content)
    texts = {text.place: (text.missing(languages), text.same(languages)) for text in texts_of(content)}
    assert texts == {
        ("title",): ([], False),
        ("attributes", 0, "label"): ([], True),
        ("attributes", 0, "levels", 0, "label"): (["de"], False),
        ("segments", 0, "label"): (["en"], False),
    }
    assert without_languages(content, languages) == {("title", "fr"): None}
