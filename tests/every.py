"""The survey with every type of question and page, with a design of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wtp.design import search
from wtp.survey import load_survey
from wtp.survey.design_file import format_design
from wtp.survey.editing import Place, edited

SLUG = "every"


def every_question(surveys: Path, changes: Mapping[Place, Any] | None = None) -> None:
    """Put it into a folder of surveys, with these changes."""
    folder = surveys / SLUG
    shutil.copytree(Path(__file__).parent / "every_question", folder)
    file = folder / "survey.toml"
    file.write_text(edited(file.read_text(encoding="utf-8"), changes or {}), encoding="utf-8")
    definition = load_survey(folder).definition
    (folder / "design.csv").write_text(format_design(search(definition, 1), definition), encoding="utf-8")
