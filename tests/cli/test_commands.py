"""The commands beside `estimate`: what they write, what they refuse, and that nothing is left half-written."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import click
import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pptx import Presentation

from wtp.cli import main
from wtp.settings import load_settings
from wtp.store import audit, decisions, open_database, respondents, studies, tables
from wtp.survey import load_survey

pytestmark = pytest.mark.usefixtures("short_chains")
SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the supplier study, with an instance of its own."""
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("WTP_SURVEYS", str(tmp_path / "surveys"))
    return Path(shutil.copytree(SUPPLIER, tmp_path / "surveys" / "supplier"))


def test_check_says_that_all_is_well_or_what_is_not(folder: Path) -> None:
    good = run("check", folder)
    assert good.exit_code == 0
    assert "no mistake" in good.output
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    (folder / "survey.toml").write_text(f'follows = "earlier"\n{text}', encoding="utf-8")
    assert run("check", folder).output.strip().endswith("Later wave of earlier (which is not there).")
    shutil.copytree(SUPPLIER, folder.parent / "earlier")
    assert run("check", folder).output.strip().endswith("Later wave of earlier.")
    (folder / "survey.toml").write_text(
        text.replace("minutes = 10", "minuts = 10").replace('["cost"]', '["costs"]'), encoding="utf-8"
    )
    bad = run("check", folder)
    assert bad.exit_code == 1
    assert bad.output.count("survey.toml, ") == 3  # minutes missing, minuts unknown, costs unknown
    assert bad.output.strip().endswith("3 mistakes.")


def test_check_prints_the_schema() -> None:
    schema = json.loads(run("check", "--schema").output)
    assert schema["title"] == "Definition"
    assert run("check").exit_code == 2


def test_design_is_reproducible_and_printed(folder: Path) -> None:
    before = (folder / "design.csv").read_bytes()
    first = run("design", folder, "--seed", 1)
    assert first.exit_code == 0, first.output
    assert (folder / "design.csv").read_bytes() == before
    for word in (
        "D-error",
        "dominated tasks: 0",
        "speed",
        "repeated level",
        "checks: all ready; in words at /manage/supplier/design",
    ):
        assert word in first.output
    run("design", folder, "--seed", 2)
    assert (folder / "design.csv").read_bytes() != before


def test_design_is_refused_once_a_real_respondent_has_begun(folder: Path) -> None:
    assert run("simulate", folder, "-n", 3).exit_code == 0
    assert run("design", folder, "--seed", 2).exit_code == 0  # simulated ones do not bind
    survey = load_survey(folder)
    assert survey.design is not None
    with open_database(load_settings().database_url) as database, database.begin() as connection:
        studies.register(connection, survey)
        respondents.begin(
            connection,
            "supplier",
            respondents.new_token(),
            definition_hash=survey.definition_hash,
            design_version=1,
            tasks=survey.design.versions[1],
            language="en",
            consent_hash=survey.definition.consent_hash,
            now=datetime.now(UTC),
        )
    before = (folder / "design.csv").read_bytes()
    refused = run("design", folder, "--seed", 3)
    assert refused.exit_code == 1
    assert "real respondents have begun" in refused.output
    assert "copy the folder under a new name" in refused.output
    assert (folder / "design.csv").read_bytes() == before


def test_quality_tells_signals_and_influence_and_leaves_nobody_out(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 60).exit_code == 0
    done = run("quality", folder, "--out", tmp_path / "quality")
    assert done.exit_code == 0, done.output
    assert "60 respondents, 60 of them simulated" in done.output
    assert "nobody was left out" in done.output
    people = pd.read_csv(tmp_path / "quality" / "quality_respondents.csv")
    assert people["respondent"].tolist() == list(range(1, 61))
    assert set(people["suggestion"]) <= {"keep", "look", "leave_out"}
    influence = pd.read_csv(tmp_path / "quality" / "influence.csv")
    assert {"worth", "price limit"} == set(influence["figure"])
    everybody = influence[influence["segment"] == "all"]
    assert len(everybody) == 12 + 1
    assert not everybody.duplicated(["figure", "attribute", "from_level", "to_level"]).any()
    signals = pd.read_csv(tmp_path / "quality" / "quality_signals.csv")
    assert {"position", "likelihood", "duplicate"} <= set(signals["signal"])


def test_analyse_leaves_out_whom_an_analyst_left_out(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 40).exit_code == 0
    with open_database(load_settings().database_url) as database, database.begin() as connection:
        now = datetime.now(UTC)
        decisions.decide(connection, "supplier", [1, 2, 3], "leave_out", reason="clicked", made_by="ann", now=now)
    for option, count in (("left-out", 37), ("none", 40), (None, 37)):
        chosen = ["--without", option] if option else []
        done = run("analyse", folder, "--out", tmp_path / "results", *chosen)
        assert done.exit_code == 0, done.output
        assert f"{count} respondents" in done.output
        assert ("without 3 (left-out)" in done.output) == (count == 37)
        table = pd.read_csv(tmp_path / "results" / "certainty.csv")
        assert set(table["left_out_respondents"]) == {40 - count}
        assert set(table["status"]) == {"too_few"}
    assert run("analyse", folder, "--without", "somebody", "--out", tmp_path).exit_code == 2


def test_closed_results_need_a_reason_that_is_logged(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 2).exit_code == 0
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    (folder / "survey.toml").write_text(text + "\n[stopping]\nrespondents = 300\n", encoding="utf-8")
    with open_database(load_settings().database_url) as database, database.begin() as connection:
        connection.execute(sa.update(tables.respondent).values(simulated=False))
    for command in (("analyse", "--out", tmp_path / "out"), ("export", "--format", "csv", "--out", tmp_path / "x.zip")):
        refused = run(command[0], folder, *command[1:])
        assert refused.exit_code == 1
        assert "results are closed (2 people completed); allowed: 300 people" in refused.output
    opened = run("analyse", folder, "--out", tmp_path / "out", "--open-early", "pilot check")
    assert opened.exit_code == 0, opened.output
    with open_database(load_settings().database_url) as database, database.read() as connection:
        assert [entry.reason for entry in audit.entries(connection, "supplier")] == ["pilot check"]
    assert run("export", folder, "--format", "csv", "--out", tmp_path / "x.zip").exit_code == 0
    assert run("quality", folder, "--out", tmp_path / "quality").exit_code == 0
    with open_database(load_settings().database_url) as database, database.read() as connection:
        said = [entry.reason for entry in audit.entries(connection, "supplier")][1:]
    assert said == ["csv, at the command line", "signals of data quality, at the command line"]


def test_versions_that_mean_the_same_are_counted_unless_told_otherwise(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 40).exit_code == 0
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count("minutes = ") == 1
    file.write_text(re.sub(r"minutes = \d+", "minutes = 33", text), encoding="utf-8")
    assert run("simulate", folder, "-n", 35, "--seed", 2).exit_code == 0
    for versions, people in (("same", 75), ("all", 75), ("current", 35)):
        out = tmp_path / versions
        done = run("analyse", folder, "--model", "conditional", "--versions", versions, "--out", out)
        assert done.exit_code == 0, done.output
        segments = pd.read_csv(out / "segments.csv").set_index("segment")
        assert segments.loc["all", "respondents"] == people
        uses = pd.read_csv(out / "versions.csv")["use"].to_list()
        assert uses == ["current", "not_counted" if versions == "current" else "counted"]
    assert run("analyse", folder, "--versions", "some", "--out", tmp_path / "x").exit_code == 2


def test_simulated_answers_are_analysed_and_exported_with_their_label(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 80, "--seed", 3).exit_code == 0
    analysed = run("analyse", folder, "--out", tmp_path / "results")
    assert analysed.exit_code == 0, analysed.output
    assert "80 respondents, 80 of them simulated" in analysed.output
    for table in (tmp_path / "results").glob("*.csv"):
        assert set(pd.read_csv(table)["simulated_respondents"]) <= {80}, table.name
    record = json.loads((tmp_path / "results" / "analysis.json").read_text(encoding="utf-8"))
    assert record["simulated"] == 80
    assert "Conditional logit" in (tmp_path / "results" / "summary.txt").read_text(encoding="utf-8")

    assert run("export", folder, "--format", "csv", "--out", tmp_path / "all.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = set(archive.namelist())
        assert {"respondents.csv", "choices.csv", "codebook.csv", "design.csv", "survey.json", "README.txt"} <= names
        assert b"SIMULATED ANSWERS" in archive.read("README.txt")
        choices = pd.read_csv(archive.open("choices.csv"), encoding="utf-8-sig")
    assert len(choices) == 80 * 13 * 3
    assert choices["simulated"].all()
    assert run("export", folder, "--format", "xlsx", "--out", tmp_path / "all.xlsx").exit_code == 0
    book = openpyxl.load_workbook(tmp_path / "all.xlsx", read_only=True)
    assert {"about", "respondents", "choices", "codebook", "willingness_to_pay"} <= set(book.sheetnames)
    report = run(
        "export", folder, "--format", "pptx", "--segment", "uptime", "--lang", "de", "--out", tmp_path / "r.pptx"
    )
    assert report.exit_code == 0, report.output
    first = [shape.text_frame.text for shape in Presentation(tmp_path / "r.pptx").slides[0].shapes]
    assert "Simulierte Antworten: 80 von 80 Befragten" in first
    assert first[-1].startswith("Segment: Stillstand vermeiden")
    for options, said in ((("pptx", "--segment", "nobody"), "allowed: all, uptime"), (("csv", "--segment", "uptime"), "allowed: pdf and pptx"), (("pdf", "--lang", "fr"), "allowed: en, de")):  # fmt: skip
        wrong = run("export", folder, "--format", *options, "--out", tmp_path / "wrong")
        assert wrong.exit_code == 1
        assert said in wrong.output
        assert not (tmp_path / "wrong").exists()
    assert not list(tmp_path.glob("*.part"))


def test_the_same_seed_answers_the_same(folder: Path, tmp_path: Path) -> None:
    tables = []
    for instance in ("one", "two"):
        runner = CliRunner(env={"WTP_INSTANCE": str(tmp_path / instance)})
        assert runner.invoke(main, ["simulate", str(folder), "-n", "40", "--seed", "6"]).exit_code == 0
        assert runner.invoke(main, ["analyse", str(folder), "--out", str(tmp_path / f"{instance}-out")]).exit_code == 0
        tables.append((tmp_path / f"{instance}-out" / "part_worths.csv").read_bytes())
    assert tables[0] == tables[1]


def test_segments_can_be_picked_and_are_checked(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 100).exit_code == 0
    assert run("analyse", folder, "--segments", "all, cost", "--out", tmp_path / "out").exit_code == 0
    for table in (tmp_path / "out").glob("*.csv"):
        assert set(pd.read_csv(table)["segment"]) <= {"all", "cost"}, table.name
    wrong = run("analyse", folder, "--segments", "costs", "--out", tmp_path / "other")
    assert wrong.exit_code == 1
    assert "found 'costs'; allowed: all, uptime, cost, growth" in wrong.output
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("command", ["analyse", "export"])
def test_a_study_without_answers_is_one_clear_line(command: str, folder: Path, tmp_path: Path) -> None:
    options = ["--format", "csv"] if command == "export" else []
    result = run(command, folder, *options, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "no answers yet" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [("design",), ("simulate", "-n", "5"), ("analyse", "--out", "x"), ("export", "--format", "csv", "--out", "x")],
)
def test_a_folder_without_survey_is_one_clear_line(command: tuple[str, ...], folder: Path) -> None:
    name, *options = command
    result = run(name, folder.parent / "absent", *options)
    assert result.exit_code == 1, result.output
    assert "no such file" in result.output
    assert "Traceback" not in result.output


def test_simulate_needs_a_design(folder: Path) -> None:
    (folder / "design.csv").unlink()
    result = run("simulate", folder, "-n", 5)
    assert result.exit_code == 1
    assert "run wtp design" in result.output


def test_an_export_that_cannot_be_written_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    assert run("simulate", folder, "-n", 35).exit_code == 0
    result = run("export", folder, "--format", "csv", "--out", tmp_path / "absent" / "all.zip")
    assert result.exit_code == 1
    assert "allowed: a file in a folder that can be written" in result.output


def test_staff_are_added_listed_disabled_and_get_new_passwords(folder: Path) -> None:
    assert run("user", "add", "anna", "--role", "manager", "--password", "four quiet green words").exit_code == 0
    weak = run("user", "add", "ben", "--role", "analyst", "--password", "short")
    assert weak.exit_code == 1
    assert "5 characters; allowed: 12" in weak.output
    taken = run("user", "add", "anna", "--role", "analyst", "--password", "other quiet green words")
    assert taken.exit_code == 1
    assert "taken" in taken.output
    assert run("user", "add", "ben", "--role", "king", "--password", "four quiet green words").exit_code == 2
    assert run("user", "disable", "anna").exit_code == 0
    assert "anna\tmanager\tdisabled" in run("user", "list").output
    assert run("user", "password", "anna", "--password", "five more quiet green words").exit_code == 0
    assert "anna\tmanager\tactive" in run("user", "list").output
    unknown = run("user", "disable", "nobody")
    assert unknown.exit_code == 1
    assert "anna" in unknown.output


def test_the_demo_can_be_run_again_and_adds_nobody(folder: Path) -> None:
    first = run("demo", "--respondents", 90, "--no-serve")
    assert first.exit_code == 0, first.output
    assert "90 respondents, 90 of them SIMULATED" in first.output
    second = run("demo", "--respondents", 90, "--no-serve")
    assert "90 respondents, 90 of them SIMULATED" in second.output
    assert "price upper limit" in second.output


def test_a_wrong_setting_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "settings.toml").write_text('databse = "x"\n', encoding="utf-8")
    result = run("user", "list")
    assert result.exit_code == 1
    assert "databse: unknown setting; allowed: " in result.output
    (tmp_path / "instance" / "settings.toml").write_text('proxies = "one"\n', encoding="utf-8")
    assert "proxies: found 'one'; allowed: int" in run("user", "list").output


def test_every_command_has_help() -> None:
    for name in main.list_commands(click.Context(main)):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "Options:" in result.output
