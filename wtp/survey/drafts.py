"""The draft of a survey: `survey.draft.toml` beside the file that is in use, until it is published or thrown away.

Files are written whole beside their place and then renamed, one writer at a time. Whoever saves names the revision that the change was made
from, so that two authors cannot overwrite each other unseen.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from wtp.errors import ConflictError, SurveyError
from wtp.survey.load import DEFINITION_FILE, DESIGN_FILE, read_source

DRAFT_FILE = "survey.draft.toml"
DRAFT_DESIGN_FILE = "design.draft.csv"
TEMPLATES = ("product", "service", "empty")
_SLUG = re.compile(r"[a-z][a-z0-9_-]{1,39}")
_TAKEN = ("new", "nothing", "tokens")


@dataclass(frozen=True, slots=True)
class Draft:
    """The text that an author works on: the draft if there is one (`changed`), else the file in use (`published`)."""

    folder: Path
    text: str
    changed: bool
    published: bool

    @property
    def slug(self) -> str:
        """The study's name in addresses."""
        return self.folder.name

    @property
    def revision(self) -> str:
        """Identifies the text."""
        return revision_of(self.text)


def revision_of(text: str) -> str:
    """Identifies a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def folder_of(surveys: Path, slug: str) -> Path | None:
    """The folder of a study, None if there is none; no slug leads out of the surveys' folder."""
    folder = surveys / slug
    if not slug or slug.startswith(".") or folder.parent != surveys or Path(slug).name != slug or "\0" in slug:
        return None
    there = (folder / DEFINITION_FILE).is_file() or (folder / DRAFT_FILE).is_file()
    return folder if there and not folder.is_symlink() else None


def free_slug(surveys: Path, slug: str) -> bool:
    """Whether a new study may have this name: small letters, digits, - and _; 2 to 40 of them."""
    return bool(_SLUG.fullmatch(slug)) and slug not in _TAKEN and not (surveys / slug).exists()


def template(name: str) -> str:
    """The text of a survey to begin with."""
    return (resources.files("wtp.survey") / "templates" / f"{name}.toml").read_text(encoding="utf-8")


def read_draft(folder: Path) -> Draft:
    """Raises SurveyError if the text cannot be read."""
    drafted, published = (folder / DRAFT_FILE).is_file(), (folder / DEFINITION_FILE).is_file()
    text, mistakes = read_source(folder / (DRAFT_FILE if drafted else DEFINITION_FILE))
    if text is None:
        raise SurveyError("\n".join(map(str, mistakes)))
    return Draft(folder, text, drafted, published)


def create(surveys: Path, slug: str, text: str, pictures: Path | None = None) -> Path:
    """A new study's folder that holds a draft alone, with copies of another study's pictures.

    Raises ConflictError if the name is not free.
    """
    if not free_slug(surveys, slug):
        raise ConflictError(
            f"{slug}: taken or no name for a study; allowed: small letters, digits, - and _; choose another."
        )
    folder = surveys / slug
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise ConflictError(f"{slug}: taken; choose another name.") from error
    if pictures is not None and pictures.is_dir():
        (folder / "pictures").mkdir()
        for picture in pictures.iterdir():
            if picture.is_file():
                (folder / "pictures" / picture.name).write_bytes(picture.read_bytes())
    write_whole(folder / DRAFT_FILE, text)
    return folder


def save_draft(folder: Path, text: str, revision: str) -> Draft:
    """Save the text as the draft; a text equal to the file in use is no draft.

    Raises ConflictError if the text is not the one of `revision` any more.
    """
    with locked(folder):
        before = read_draft(folder)
        if before.revision != revision:
            raise ConflictError(f"{folder.name}: the draft was changed elsewhere; nothing was overwritten.")
        if text != before.text:
            in_use = read_source(folder / DEFINITION_FILE)[0] if before.published else None
            if text == in_use:
                (folder / DRAFT_FILE).unlink(missing_ok=True)
            else:
                write_whole(folder / DRAFT_FILE, text)
        return read_draft(folder)


def discard_draft(folder: Path, revision: str) -> None:
    """Throw the draft away; the file in use stays. Raises ConflictError as `save_draft`."""
    with locked(folder):
        found = read_draft(folder)
        if found.revision != revision or not found.published:
            raise ConflictError(f"{folder.name}: the draft was changed elsewhere, or nothing else is there.")
        (folder / DRAFT_FILE).unlink(missing_ok=True)
        (folder / DRAFT_DESIGN_FILE).unlink(missing_ok=True)


def put_in_use(folder: Path, text: str, design: str | None) -> None:
    """Make the text, and the design if there is a new one, the files in use; call it while the folder is locked."""
    if design is not None:
        write_whole(folder / DESIGN_FILE, design)
    write_whole(folder / DEFINITION_FILE, text)
    (folder / DRAFT_FILE).unlink(missing_ok=True)
    (folder / DRAFT_DESIGN_FILE).unlink(missing_ok=True)


@contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """One writer of a folder at a time; readers that ask `shared` see all of its files as one writer left them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and rename it, so that nobody ever reads half of it."""
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise
