"""The survey with every type of question and page, with a design of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from wtp.design import search
from wtp.survey import load_survey
from wtp.survey.design_file import format_design

SLUG = "every"


def every_question(surveys: Path) -> None:
    """Put it into a folder of surveys."""
    folder = surveys / SLUG
    shutil.copytree(Path(__file__).parent / "every_question", folder)
    definition = load_survey(folder).definition
    (folder / "design.csv").write_text(format_design(search(definition, 1), definition), encoding="utf-8")
