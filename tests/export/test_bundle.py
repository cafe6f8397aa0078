"""The reproduction bundle: answers come back whole, the notebook makes every figure again, and what was changed is seen."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from tests.export.conftest import taken
from wtp.analysis import CONDITIONAL, Analysis, Request, analyse
from wtp.cli.simulation import simulate_through_store
from wtp.errors import DataError
from wtp.export import compared_tables, read_bundle, table_csv
from wtp.settings import Settings
from wtp.store import answers as stored
from wtp.store import open_database
from wtp.survey import Answers, Survey, load_survey

pytestmark = pytest.mark.slow

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.fixture(scope="module")
def fielded(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    settings = Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SUPPLIER.parent)
    simulate_through_store(settings, load_survey(SUPPLIER), 100, seed=7)
    with open_database(settings.database_url) as database, database.read() as connection:
        return stored.read_answers(connection, "supplier")


@pytest.fixture(scope="module")
def made(fielded: Answers) -> Analysis:
    return analyse(load_survey(SUPPLIER), fielded, Request(model=CONDITIONAL, seed=3, without=(4, 9)))


@pytest.fixture(scope="module")
def packed(fielded: Answers, made: Analysis) -> bytes:
    return taken("notebook", load_survey(SUPPLIER), fielded, made)


@pytest.fixture
def folder(packed: bytes, tmp_path: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_survey_answers_and_request_come_back_whole(folder: Path, fielded: Answers, made: Analysis) -> None:
    bundle = read_bundle(folder)
    assert bundle.answers == fielded
    assert bundle.request == made.request
    assert bundle.survey.definition == load_survey(SUPPLIER).definition
    assert bundle.survey.design == load_survey(SUPPLIER).design
    assert set(bundle.expected) == set(made.tables)
    assert bundle.versions["numpy"] == np.__version__


def test_answers_with_gaps_and_hostile_words_come_back_whole(
    survey: Survey, answers: Answers, analysis: Analysis, tmp_path: Path
) -> None:
    said = replace(answers.respondents[1], answers={"role": '=cmd|\' /C calc\'!A0\n<script>\u2028"\'"""', "free": None})
    hostile = replace(answers, respondents=(answers.respondents[0], said, answers.respondents[2]))
    with zipfile.ZipFile(io.BytesIO(taken("notebook", survey, hostile, analysis))) as archive:
        archive.extractall(tmp_path)
    assert read_bundle(tmp_path).answers == hostile


def test_the_notebook_makes_every_number_again(folder: Path, made: Analysis) -> None:
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    ran = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    said = "".join(output.get("text", "") for cell in ran.cells for output in cell.get("outputs", ()))
    assert f"{len(made.tables)} tables, {len(made.tables)} of them the same to the last digit" in said
    assert "100 respondents, 100 of them SIMULATED" in said
    kept = {path.stem for path in (folder / "figures").glob("*.html")}
    names = ("demand", "importance", "invest", "part_worths", "profit", "sensitivity", "van_westendorp", "worth")
    assert {f"{name}-all" for name in names} <= kept
    assert {"worth-cost", "worth-uptime", "importance-cost"} <= kept
    page = (folder / "figures" / "worth-uptime.html").read_text(encoding="utf-8")
    assert "SIMULATED answers: 98 of 98 respondents" in page


def test_the_script_does_the_same_and_fails_where_a_figure_differs(folder: Path) -> None:
    ran = _run(folder)
    assert ran.returncode == 0, ran.stderr
    assert "the same to the last digit" in ran.stdout
    shown = folder / "expected" / "price_limit.csv"
    text = shown.read_text(encoding="utf-8-sig")
    limit = pd.read_csv(io.StringIO(text))["estimate"].iloc[0]
    shown.write_text(text.replace(f"{limit}", f"{limit + 3}", 1), encoding="utf-8-sig")
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if "price_limit" not in line))
    sums.write_text(sums.read_text() + _sum(shown, folder))
    differs = _run(folder)
    assert differs.returncode == 1
    assert "differ from what was shown" in differs.stderr
    assert "price_limit" in differs.stderr


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "notebook.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd="/", env={**os.environ})  # fmt: skip


def _sum(path: Path, folder: Path) -> str:
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("answers.jsonl", lambda text: text.replace(b'"simulated":true', b'"simulated":false', 1)),
        ("request.json", lambda text: text.replace(b'"seed": 3', b'"seed": 4')),
        ("survey/supplier/survey.toml", lambda text: text.replace(b"current = 100", b"current = 90")),
    ],
)
def test_a_file_that_was_changed_is_named(folder: Path, name: str, change: object) -> None:
    path = folder / name
    before = path.read_bytes()
    path.write_bytes(change(before))  # type: ignore[operator]
    assert path.read_bytes() != before
    with pytest.raises(DataError, match=f"{Path(name).name}: was changed"):
        read_bundle(folder)
    path.unlink()
    with pytest.raises(DataError, match="unpack it whole"):
        read_bundle(folder)


def test_how_far_tables_are_apart() -> None:
    first = pd.DataFrame({"segment": ["all", "b"], "estimate": [10.0, 20.0], "low": [8.0, np.nan], "high": [12.0, np.nan], "respondents": [50, 40], "note": ["", "few"]})  # fmt: skip
    plain = pd.DataFrame({"attribute": ["speed", "brand"], "share": [0.25, 0.75]})
    wrong = {
        "other text": first.assign(segment=["all", "c"]),
        "far": first.assign(estimate=[10.3, 20.0]),
        "without an interval": first.assign(estimate=[10.0, 20.1]),
        "beside the interval": first.assign(respondents=[50, 9]),
        "withheld": first.assign(estimate=[10.0, np.nan]),
        "shorter": first.iloc[:1],
    }
    right = {"within": first.assign(estimate=[10.15, 20.0], low=[7.9, np.nan]), "rounding": first.assign(estimate=[10.0, 20.0 * (1 + 1e-12)])}  # fmt: skip
    tables = dict.fromkeys([*wrong, *right, "same", "new"], first) | {"plain": plain, "plainly wrong": plain}
    others = {"gone": first, "same": first, "plain": plain.assign(share=[0.25 * (1 + 1e-12), 0.75]), "plainly wrong": plain.assign(share=[0.26, 0.75])}  # fmt: skip
    expected = {name: table_csv(table) for name, table in {**wrong, **right, **others}.items()}
    found = compared_tables(tables, expected).set_index("table")
    assert set(found.index[found["close"]]) == {*right, "same", "plain"}
    assert set(found.index[found["same"]]) == {"same"}
    assert found.loc["within", "in_widths"] == pytest.approx(0.15 / 4.1)
    assert found.loc["within", "largest_difference"] == pytest.approx(0.15)
    assert np.isinf(found.loc[["gone", "new", "other text", "shorter", "withheld"], "in_widths"]).all()


def test_requirements_name_no_package_that_is_another_program(folder: Path) -> None:
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert f"numpy=={np.__version__}" in lines
    assert not [line for line in lines if line.startswith("wtp")]
    assert read_bundle(folder).versions["wtp"] == "0.1.0"


def test_the_bundle_is_the_same_each_time_and_names_no_place_or_person(packed: bytes, fielded: Answers, made: Analysis) -> None:  # fmt: skip
    assert taken("notebook", load_survey(SUPPLIER), fielded, made) == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        everything = b"".join(archive.read(name) for name in names)
        ast.parse(archive.read("notebook.py").decode())
        assert all(cell["cell_type"] in ("markdown", "code") for cell in json.loads(archive.read("notebook.ipynb"))["cells"])  # fmt: skip
    assert {"notebook.ipynb", "notebook.py", "requirements.txt", "choices.csv", "codebook.csv", "README.txt"} <= set(names)  # fmt: skip
    assert str(SUPPLIER.parent).encode() not in everything
    assert b"SIMULATED ANSWERS" in everything


def test_a_study_without_figures_has_none_to_make_again(survey: Survey, answers: Answers) -> None:
    with pytest.raises(DataError, match="make one first"):
        taken("notebook", survey, answers)
