"""`wtp estimate` with every model: the files of the public interface, their columns, and options that do not belong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tests.estimation.conftest import simulate
from wtp.cli import main

COMMON = {"summary.txt", "part_worths.csv", "willingness_to_pay.csv", "importance.csv", "estimates.json", "fit.json"}
PARAMETERS = ["brand[T.known]", "brand[T.leading]", "wifi[T.yes]", "price"]
FORMULA = "brand + wifi + price"


@pytest.fixture(scope="module")
def choices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame = simulate(respondents=60, tasks=8)
    segment = np.where(frame["respondent"] % 2, "shop", "farm")
    path = tmp_path_factory.mktemp("choices") / "choices.csv"
    frame.assign(branch=segment).to_csv(path, index=False)
    return path


def run(choices: Path, out: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["estimate", str(choices), "--formula", FORMULA, "--out", str(out), *options])


def read(out: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(out / f"{name}.csv")


def test_mixed(choices: Path, tmp_path: Path) -> None:
    result = run(choices, tmp_path, "--model", "mixed", "--random", "wifi:normal,price:-lognormal", "--draws", "64")
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == COMMON | {"respondents.csv", "population.parquet"}
    assert list(read(tmp_path, "respondents")) == ["respondent", *PARAMETERS, "rlh"]
    assert list(read(tmp_path, "part_worths")["parameter"]) == [*PARAMETERS, "sd.wifi[T.yes]", "sd.price"]
    estimates = json.loads((tmp_path / "estimates.json").read_text())
    assert estimates["model"] == "mixed"
    assert estimates["log_likelihood"] > estimates["null_log_likelihood"]
    worth = read(tmp_path, "willingness_to_pay").set_index("parameter")
    assert (worth["low"] < worth["estimate"]).all()
    assert (worth["estimate"] < worth["high"]).all()


def test_mixed_in_money(choices: Path, tmp_path: Path) -> None:
    result = run(choices, tmp_path, "--model", "mixed", "--space", "wtp", "--random", "wifi:normal", "--draws", "64")
    assert result.exit_code == 0, result.output
    table = read(tmp_path, "part_worths").set_index("parameter")["estimate"]
    worth = read(tmp_path, "willingness_to_pay").set_index("parameter")["estimate"]
    # In WTP space the coefficients are the amounts.
    for parameter in ("brand[T.known]", "wifi[T.yes]"):
        assert worth[parameter] == pytest.approx(table[parameter], abs=0.05)


def test_latent_classes_of_a_range(choices: Path, tmp_path: Path) -> None:
    result = run(choices, tmp_path, "--model", "latent", "--classes", "1-2")
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == COMMON | {
        "respondents.csv",
        "classes.csv",
        "population.parquet",
    }
    classes = read(tmp_path, "classes")
    assert list(classes) == ["class", "share", *PARAMETERS]
    assert classes["share"].sum() == pytest.approx(1)
    assert {f"class {c}" for c in classes["class"]} == set(read(tmp_path, "part_worths")["segment"])
    assert json.loads((tmp_path / "estimates.json").read_text())["bic"] > 0


def test_hierarchical_with_segments_in_one_fit(choices: Path, tmp_path: Path) -> None:
    options = ("--model", "hierarchical", "--signs", "price:-1", "--draws", "150", "--segments", "branch")
    result = run(choices, tmp_path, *options)
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == COMMON | {"respondents.csv", "draws.parquet"}
    draws = pd.read_parquet(tmp_path / "draws.parquet")
    assert list(draws) == ["draw", "chain", "respondent", *PARAMETERS]
    assert (draws["price"] < 0).all()
    assert len(draws) == 60 * draws["draw"].nunique()
    people = read(tmp_path, "respondents").set_index("respondent")
    means = draws.groupby("respondent")[PARAMETERS].mean()
    assert people[PARAMETERS].to_numpy() == pytest.approx(means.to_numpy(), rel=1e-4)
    estimates = json.loads((tmp_path / "estimates.json").read_text())
    assert set(estimates["diagnostics"]) == {"r_hat", "ess"}
    assert estimates["diagnostics"]["ess"] > 0
    assert estimates["aic"] is None
    worth = read(tmp_path, "willingness_to_pay")
    assert set(worth["segment"]) == {"all", "farm", "shop"}
    assert set(worth["method"]) == {"posterior"}
    assert worth.groupby("segment")["respondents"].first().to_dict() == {"all": 60, "farm": 30, "shop": 30}
    assert set(read(tmp_path, "part_worths")["segment"]) == {"all", "farm", "shop"}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--model", "mixed"), "--random"),
        (("--random", "wifi:normal"), "--model mixed"),
        (("--signs", "price:-1"), "--model hierarchical"),
        (("--model", "hierarchical", "--signs", "price:2"), "1 or -1"),
        (("--model", "latent", "--classes", "5-2"), "range"),
        (("--draws", "100"), "--model mixed or hierarchical"),
        (("--space", "wtp", "--model", "latent"), "--space"),
    ],
)
def test_options_that_do_not_belong_are_wrong_usage(
    choices: Path, tmp_path: Path, options: tuple[str, ...], found: str
) -> None:
    result = run(choices, tmp_path / "out", *options)
    assert result.exit_code == 2
    assert found in result.output
    assert not (tmp_path / "out").exists()


def test_unknown_distribution_is_wrong_input(choices: Path, tmp_path: Path) -> None:
    result = run(choices, tmp_path / "out", "--model", "mixed", "--random", "wifi:gamma")
    assert result.exit_code == 1
    assert "gamma" in result.output


def test_dual_response_availability_and_a_price_form(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = simulate(respondents=80, tasks=8)
    task = frame["respondent"] * 8 + frame["choice_task"]
    frame = frame.assign(bought=rng.integers(0, 2, task.max() + 1)[task], there=1)
    gone = frame[frame["chosen"] == 0].groupby(["respondent", "choice_task"]).head(1).index[:50]
    frame.loc[gone, "there"] = 0
    path = tmp_path / "choices.csv"
    frame.to_csv(path, index=False)
    out = tmp_path / "out"
    result = run(path, out, "--buys", "bought", "--available", "there", "--price-form", "log", "--at", "2")
    assert result.exit_code == 0, result.output
    assert list(read(out, "part_worths")["parameter"]) == [*PARAMETERS[:3], "log(price)", "none"]
    worth = read(out, "willingness_to_pay")
    assert list(worth["parameter"]) == PARAMETERS[:3]
    assert worth["note"].iloc[0].startswith("At a price of 2;")
    estimates = json.loads((out / "estimates.json").read_text())
    assert (estimates["choice_tasks"], estimates["alternatives"]) == (2 * 640, 5 * 640 - 50)
    knots = run(path, tmp_path / "knots", "--price-form", "2")
    assert knots.exit_code == 0, knots.output
    assert list(read(tmp_path / "knots", "part_worths")["parameter"])[3:] == ["price[..2]", "price[2..]"]
    for form, words in (("square", "found 'square'; allowed: linear, log, part-worth"), ("2.5", "knots 2.5")):
        wrong = run(path, tmp_path / "wrong", "--price-form", form)
        assert wrong.exit_code == 1
        assert words in wrong.output
    outside = run(path, tmp_path / "wrong", "--price-form", "log", "--at", "9")
    assert (outside.exit_code, "was not tested" in outside.output) == (1, True)
