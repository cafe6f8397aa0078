"""The surveys that are in use: read again as soon as their files change, in every worker process, without a restart.

A folder whose files have a mistake takes nothing down: the survey stays as it was last read without one, or as its newest version in the database, and
`mistakes` says what is wrong. One request sees one and the same survey from its beginning to its end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path

from flask import g, has_request_context

from wtp.errors import StoreError, SurveyError
from wtp.store import Database, studies, versions
from wtp.survey import Design, Survey, inspect_survey
from wtp.survey.design_file import read_design_text
from wtp.survey.drafts import DRAFT_FILE, folder_of, locked
from wtp.survey.load import DEFINITION_FILE, DESIGN_FILE, inspect_text

_Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A folder as it was read when its files looked like `signature`."""

    signature: _Signature
    survey: Survey | None
    mistakes: tuple[str, ...] = ()


class Surveys(MutableMapping[str, Survey]):
    """Surveys by slug. Asking for one costs two looks at its folder, and reading it only if the files changed."""

    def __init__(self, folder: Path, database: Database) -> None:
        """Raises SurveyError or StoreError if a survey has a mistake and was never in use without it."""
        self.folder = folder
        self._database = database
        self._lock = threading.Lock()
        self._read: dict[str, _Read] = {}
        for slug in self._slugs():
            self._refreshed(slug)
            found = self._read[slug]
            if found.survey is None:
                raise SurveyError("\n".join(found.mistakes))

    def __getitem__(self, slug: str) -> Survey:
        seen: dict[str, Survey | None] = g.setdefault("wtp_surveys", {}) if has_request_context() else {}
        if slug not in seen:
            seen[slug] = self._refreshed(slug)
        survey = seen[slug]
        if survey is None:
            raise KeyError(slug)
        return survey

    def __setitem__(self, slug: str, survey: Survey) -> None:
        self._read[slug] = _Read(_signature(self.folder / slug), survey)

    def __delitem__(self, slug: str) -> None:
        del self._read[slug]

    def __iter__(self) -> Iterator[str]:
        return (slug for slug in self._slugs() if slug in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def mistakes(self, slug: str) -> tuple[str, ...]:
        """What is wrong with the files of a survey that goes on as it was."""
        self._refreshed(slug)
        return self._read[slug].mistakes if slug in self._read else ()

    def drafts(self) -> list[str]:
        """Studies that were begun and never published."""
        found = (path.parent for path in self.folder.glob(f"*/{DRAFT_FILE}"))
        return sorted(
            path.name for path in found if not (path / DEFINITION_FILE).exists() and folder_of(self.folder, path.name)
        )

    def _slugs(self) -> list[str]:
        there = {path.parent.name for path in self.folder.glob(f"*/{DEFINITION_FILE}")}
        kept = {slug for slug in self._read if (self.folder / slug).is_dir()}
        return sorted(slug for slug in there | kept if not slug.startswith("."))

    def _refreshed(self, slug: str) -> Survey | None:
        folder = self.folder / slug
        known = self._read.get(slug)
        if known is None and folder_of(self.folder, slug) is None:
            return None
        signature = _signature(folder)
        if known is not None and known.signature == signature:
            return known.survey
        with self._lock:
            if not folder.is_dir():
                self._read.pop(slug, None)
                return None
            if signature[0] is None and known is None:
                return None  # a draft that was never published
            self._read[slug] = self._reading(folder, known.survey if known else None)
            return self._read[slug].survey

    def _reading(self, folder: Path, before: Survey | None) -> _Read:
        with locked(folder, shared=True):
            signature = _signature(folder)
            survey, mistakes = inspect_survey(folder)
        said = tuple(map(str, mistakes))
        if survey is not None and not said:
            try:
                with self._database.begin() as connection:
                    studies.register(connection, survey)
            except StoreError as error:
                said = (str(error),)
            else:
                return _Read(signature, survey)
        return _Read(signature, before or self._newest_version(folder), said)

    def _newest_version(self, folder: Path) -> Survey | None:
        """The survey as it was last in use, from the database."""
        with self._database.read() as connection:
            version = versions.last(connection, folder.name)
            text = versions.design_text(connection, version.design_hash) if version else None
        if version is None:
            return None
        definition, _ = inspect_text(version.content, folder / DEFINITION_FILE)
        if definition is None:
            return None
        design: Design | None = None
        if text is not None:
            design, _ = read_design_text(text, folder / DESIGN_FILE, definition)
            design = replace(design, hash=version.design_hash) if design else None
        return Survey(folder.name, folder, definition, definition.hash, design, version.content)


def _signature(folder: Path) -> _Signature:
    """Changes when one of the files does."""
    found: list[tuple[int, int, int] | None] = []
    for name in (DEFINITION_FILE, DESIGN_FILE):
        try:
            stat = os.stat(f"{folder}/{name}")  # every page asks; to put a Path together takes as long again
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)
