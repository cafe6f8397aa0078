"""`wtp plan`: says what is needed, writes its tables labelled simulated, keeps the plan for the study's page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from wtp import __version__
from wtp.analysis import Plan, plan_basis
from wtp.cli import main
from wtp.settings import load_settings
from wtp.store import open_database, results
from wtp.survey import load_survey

WORKSHOP = Path(__file__).parents[2] / "surveys" / "workshop"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path / "instance"))
    return Path(shutil.copytree(WORKSHOP, tmp_path / "surveys" / "workshop"))


def kept(slug: str = "workshop") -> Plan:
    with open_database(load_settings().database_url) as database, database.read() as connection:
        content = results.load_plan(connection, slug)
    assert content is not None
    return Plan.from_json(content)


def test_it_says_writes_and_keeps_the_plan(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan"
    told = run("plan", folder, "--quick", "--precision", 4, "--power-for", "limit", "--respondents", 500, "--out", out)
    assert told.exit_code == 0, told.output
    plan, survey = kept(), load_survey(folder)
    assert survey.design is not None
    assert plan.basis == plan_basis(survey.definition, survey.design, __version__)
    assert (plan.precision, plan.power_for) == (4.0, "limit")
    lines = told.output.splitlines()
    assert any("the price upper limit within +/- 4 EUR (rule of thumb" in line and ": 105)" in line for line in lines)
    for segment in ("work", "family", "now_and_then"):
        row = next(line for line in lines if line.startswith(f"{segment} "))
        assert int(row.split()[1]) == plan.recommended(segment) >= 75
    assert any(line.startswith("  work: 150 respondents, half-widths") for line in lines), "30 per cent of 500"
    assert any(
        line.startswith("checked: fresh simulated studies of 100") and line.endswith("trusted") for line in lines
    )
    needed = pd.read_csv(out / "plan_needed.csv")
    assert needed["simulated"].all()
    assert needed["needed"].tolist() == plan.needed["needed"].tolist()
    assert sorted(pd.read_csv(out / "plan_forecast.csv")["respondents"].unique()) == [
        50,
        75,
        100,
        150,
        200,
        300,
        400,
        500,
    ]
    assert len(pd.read_csv(out / "plan_check.csv")) == 8
    assert any(line.startswith("quick forecast by the pooled model") for line in lines)
    assert not (out / "plan_final.csv").exists()


def test_the_final_figures_are_planned_unless_somebody_stops_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def widened(quick: Plan, *_: object, progress: Callable[[int, int], None]) -> Plan:
        progress(1, 2)
        row = {"segment": "work", "quantity": "limit", "respondents": 100, "studies": 3, "ratio": 1.2, "error": 0.04}
        return replace(quick, final=pd.DataFrame([row]))

    monkeypatch.setattr("wtp.analysis.plan.STUDIES", 1)
    monkeypatch.setattr("wtp.analysis.plan.CHECKS", 1)
    monkeypatch.setattr(sys.modules["wtp.cli.plan"], "final_plan", widened)
    told = run("plan", folder, "--out", tmp_path / "plan")
    assert told.exit_code == 0, told.output
    assert "in 3 simulated studies the hierarchical model" in told.output
    assert "the price upper limit 1.20 to 1.20 times as wide (standard error up to 0.04)" in told.output
    assert kept().final["ratio"].tolist() == [1.2]
    assert pd.read_csv(tmp_path / "plan" / "plan_final.csv")["simulated"].all()

    def stopped(*_: object, **__: object) -> Plan:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["wtp.cli.plan"], "final_plan", stopped)
    told = run("plan", folder)
    assert told.exit_code == 0, told.output
    assert "stopped: this is the quick forecast" in told.output
    assert kept().final.empty


def test_without_a_design_it_plans_with_the_one_to_come_and_replaces_the_last_plan(folder: Path) -> None:
    run("plan", folder, "--quick", "--seed", 2)
    before = kept()
    (folder / "design.csv").unlink()
    told = run("plan", folder, "--quick", "--seed", 1)
    assert told.exit_code == 0, told.output
    assert "no design.csv yet" in told.output
    assert not (folder / "design.csv").exists()
    assert (before.seed, kept().seed) == (2, 1)
    assert kept().basis == before.basis, "the committed design is that of seed 1"


def test_what_is_wrong_is_one_clear_line(folder: Path) -> None:
    told = run("plan", folder, "--precision", -3)
    assert told.exit_code == 1
    assert told.output.splitlines()[-1].startswith("wtp: precision: found -3.0; allowed: an amount above 0")
    assert run("plan", folder, "--power-for", "rank").exit_code == 2
    assert run("plan", folder / "nowhere").exit_code == 1
