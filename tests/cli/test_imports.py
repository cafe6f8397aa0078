"""`wtp import`: what it says, what it writes, and that nothing is added unless everything can be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tests.imports.make_files import HERE, PEOPLE, TASKS
from wtp.cli import main
from wtp.settings import load_settings
from wtp.store import answers, audit, contacts, open_database
from wtp.survey import Answers

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the supplier study, with an instance of its own."""
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("WTP_SURVEYS", str(tmp_path / "surveys"))
    return Path(shutil.copytree(SUPPLIER, tmp_path / "surveys" / "supplier"))


def stored() -> Answers:
    with open_database(load_settings().database_url) as database:
        database.migrate()
        with database.read() as connection:
            return answers.read_answers(connection, "supplier")


def test_a_dry_run_says_what_would_be_added_and_adds_nothing(folder: Path) -> None:
    said = run("import", folder, HERE / "qualtrics.csv", "--dry-run")
    assert said.exit_code == 0, said.output
    assert f"{PEOPLE} respondents to add, 0 of them simulated, {PEOPLE * TASKS} choices" in said.output
    assert "nothing was written" in said.output
    assert not stored().respondents


def test_a_file_is_added_once_and_marked(folder: Path) -> None:
    said = run("import", folder, HERE / "lighthouse.csv", "--simulated")
    assert said.exit_code == 0, said.output
    assert f"imported: {PEOPLE} respondents" in said.output
    people = stored().respondents
    assert len(people) == PEOPLE
    assert all(person.simulated and person.imported.startswith("lighthouse.csv (") for person in people)
    again = run("import", folder, HERE / "lighthouse.csv")
    assert again.exit_code == 1
    assert "in the study already" in again.output
    assert len(stored().respondents) == PEOPLE


def test_problems_are_told_with_their_row_and_a_map_mends_them(folder: Path, tmp_path: Path) -> None:
    file, saved, listed = tmp_path / "mine.csv", tmp_path / "map.toml", tmp_path / "problems.csv"
    file.write_bytes((HERE / "conjointly.csv").read_bytes().replace(b"A7", b"Cost").replace(b"A6", b"Look"))
    said = run("import", folder, file, "--save-map", saved, "--problems", listed)
    assert said.exit_code == 1
    assert "[error] range: The mapping has no column for this." in said.output
    assert said.output.strip().splitlines()[-1].startswith("wtp: mine.csv: 7 problems; nothing was added")
    assert pd.read_csv(listed, encoding="utf-8-sig")["column"].tolist()[-1] == "price"
    names = ["range", "speed", "financing", "competence", "brand"]
    columns = "\n".join(f'{name} = "A{n}"' for n, name in enumerate(names, 1))
    saved.write_text(saved.read_text(encoding="utf-8").split("[attributes]")[0] + f'[attributes]\n{columns}\ndesign = "Look"\nprice = "Cost"\n', encoding="utf-8")  # fmt: skip
    said = run("import", folder, file, "--map", saved)
    assert said.exit_code == 0, said.output
    assert len(stored().respondents) == PEOPLE


def test_a_wrong_layout_map_or_file_is_said_in_one_line(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "map.toml"
    wrong.write_text('layout = "sideways"', encoding="utf-8")
    for arguments, words in (
        ((HERE / "lighthouse.csv", "--map", wrong), "map.toml: layout"),
        ((HERE / "lighthouse.csv", "--map", tmp_path / "none.toml"), "none.toml"),
        ((tmp_path / "none.csv",), "none.csv: No such file"),
        ((HERE / "lighthouse.csv", "--layout", "respondents"), "problems; nothing was added"),
        ((HERE / "lighthouse.csv", "--dry-run", "--save-map", tmp_path / "no" / "map.toml"), "No such file"),
    ):
        said = run("import", folder, *arguments)
        assert said.exit_code == 1, said.output
        assert words in said.output.strip().splitlines()[-1]
    assert run("import", folder, HERE / "lighthouse.csv", "--layout", "sideways").exit_code == 2
    assert not stored().respondents


def test_contacts_come_from_a_file_after_a_dry_run_and_once(folder: Path, tmp_path: Path) -> None:
    calls, listed = tmp_path / "calls.csv", tmp_path / "problems.csv"
    calls.write_text("happened_at,channel,reason,customer\n2026-05-31,Telefon,fault,K-17\n2026-06-01,mail,smoke,\n")
    said = run("import", folder, calls, "--contacts", "--problems", listed)
    assert said.exit_code == 1
    assert "row 3, reason: This is none of the codes of the study. found 'smoke'" in said.output
    assert pd.read_csv(listed, encoding="utf-8-sig")["row"].tolist() == [3]
    calls.write_text(calls.read_text().replace("smoke", "complaint"))
    tried = run("import", folder, calls, "--contacts", "--dry-run")
    assert (tried.exit_code, "2 contacts to add, 1 customers named" in tried.output) == (0, True)
    assert "nothing was written" in tried.output
    done = run("import", folder, calls, "--contacts", "--simulated")
    assert (done.exit_code, "imported: 2 contacts" in done.output) == (0, True), done.output
    again = run("import", folder, calls, "--contacts")
    assert (again.exit_code, "imported already: calls.csv" in again.output) == (1, True)
    with open_database(load_settings().database_url) as database, database.read() as connection:
        assert [row["simulated"] for row in contacts.rows(connection, "supplier")] == [True, True]
    taken, told = tmp_path / "taken.csv", tmp_path / "told.csv"
    away = run("export", folder, "--contacts", "--out", taken)
    assert (away.exit_code, "2 contacts, 2 of them simulated" in away.output) == (0, True), away.output
    assert run("export", folder, "--contacts", "--words", "--out", told).exit_code == 0
    with open_database(load_settings().database_url) as database, database.read() as connection:
        said = [entry.reason for entry in audit.entries(connection, "supplier")]
    assert said[-2:] == [
        "2 contacts, at the command line",
        "2 contacts, with what was reported, at the command line",
    ]
    frame = pd.read_csv(taken, encoding="utf-8-sig")
    assert frame["customer"].tolist()[0] == 1
    assert "reported" not in frame
    assert "reported" in pd.read_csv(told, encoding="utf-8-sig")
    assert "K-17" not in taken.read_text() + told.read_text()
    for wrong in (("--contacts", "--format", "csv"), ("--format", "csv", "--words"), ()):
        assert run("export", folder, *wrong, "--out", taken).exit_code == 2
    assert run("import", folder, calls, "--contacts", "--layout", "long").exit_code == 2
    bare = (folder / "survey.toml").read_text(encoding="utf-8")
    start, end = bare.index("[contacts]"), bare.index("# Who answers in")
    (folder / "survey.toml").write_text(bare[:start] + bare[end:], encoding="utf-8")
    refused = run("import", folder, calls, "--contacts")
    assert (refused.exit_code, "add it" in refused.output.strip().splitlines()[-1]) == (1, True)


def test_purchases_come_from_a_file_after_a_dry_run_and_once(folder: Path, tmp_path: Path) -> None:
    bought = tmp_path / "bought.csv"
    head = "customer,date,product,family,amount,attribute,offered_up,stepped_up,surcharge\n"
    wrong, listed = "K-1,tomorrow,Drill,Tools,90,,,,\n", tmp_path / "problems.csv"
    bought.write_text(head + "K-1,2026-03-31,Drill,Tools,90,speed,1,1,4\n" + wrong * 2)
    said = run("import", folder, bought, "--purchases", "--problems", listed)
    assert said.exit_code == 1
    assert "row 3, date" in said.output
    assert "2 problems; nothing was added" in said.output
    assert pd.read_csv(listed, encoding="utf-8-sig")["row"].tolist() == [3, 4], "every place, not the first of a kind"
    bought.write_text(head + "K-1,2026-03-31,Drill,Tools,90,speed,1,1,4\n")
    tried = run("import", folder, bought, "--purchases", "--dry-run")
    assert (tried.exit_code, "1 purchases to add, 1 customers named" in tried.output) == (0, True)
    done = run("import", folder, bought, "--purchases", "--simulated")
    assert (done.exit_code, "imported: 1 purchases" in done.output) == (0, True), done.output
    again = run("import", folder, bought, "--purchases")
    assert (again.exit_code, "imported already" in again.output) == (1, True)
    assert run("import", folder, bought, "--purchases", "--contacts").exit_code == 2
