"""A study that has no none option beside the supplier study, and files made on the spot."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wtp.imports import Checked, Mapping, check, guess, read_file
from wtp.survey import Survey, load_survey

SURVEYS = Path(__file__).parents[2] / "surveys"
HEADING = ["respondent", "choice_task", "alternative", "range", "speed", "financing", "competence", "brand", "design", "price", "chosen", "buys"]  # fmt: skip
OFFER = ["broad", "two_days", "invoice", "hotline", "known", "modern", "100"]


@pytest.fixture(scope="session")
def without_none(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    folder = tmp_path_factory.mktemp("surveys") / "supplier"
    shutil.copytree(SURVEYS / "supplier", folder)
    (folder / "design.csv").unlink()
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    assert text.count('none = "dual"') == 1
    kept = [
        line
        for line in text.replace('none = "dual"', 'none = "without"').splitlines()
        if "purchase_question" not in line
    ]
    (folder / "survey.toml").write_text("\n".join(kept), encoding="utf-8")
    return load_survey(folder)


def as_csv(rows: list[list[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def plain_rows(people: int = 2, tasks: int = 2) -> list[list[object]]:
    """A right file in long layout; its heading is row 1."""
    rows: list[list[object]] = [list(HEADING)]
    for person in range(1, people + 1):
        for task in range(1, tasks + 1):
            for n, price in ((1, "80"), (2, "100"), (3, "130")):
                rows.append([f"p{person}", task, n, *OFFER[:-1], price, int(n == 1 + task % 3), 1])
    return rows


@pytest.fixture
def tried(survey: Survey) -> Callable[..., Checked]:
    """The dry run of rows, with the guessed mapping and what is changed of it."""

    def try_rows(
        rows: list[list[object]], study: Survey = survey, known: tuple[str, ...] = (), **changes: object
    ) -> Checked:
        file = read_file(as_csv(rows), "rows.csv")
        mapping = guess(file, study.definition)
        return check(study, file, Mapping.model_validate({**mapping.model_dump(), **changes}), known=known)

    return try_rows
