"""`wtp estimate`: right figures on known data, and one clear sentence for every kind of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from statsmodels.datasets import modechoice

from wtp.cli import main
from wtp.estimation import ChoiceData, ConditionalLogit

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = {"summary.txt", "part_worths.csv", "willingness_to_pay.csv", "importance.csv", "estimates.json", "fit.json"}
# Log-likelihood and coefficients that other software gives; sources in tests/golden/README.md.
PUBLISHED = {
    "electricity": (
        "pf + cl + loc + wk + tod + seas",
        "pf",
        -4958.649119,
        {"pf": -0.625228, "cl": -0.108299, "loc": 1.442243, "wk": 0.995504, "tod": -5.462759, "seas": -5.840031},
    ),
    "train": (
        "price + time + change + comfort",
        "price",
        -1724.150,
        {"price": -0.067358, "time": -1.720552, "change": -0.326341, "comfort": -0.945726},
    ),
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["estimate", *map(str, arguments)])


@pytest.fixture
def choices() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    tasks, alternatives = 12, 3
    frame = pd.DataFrame(
        {
            "respondent": np.repeat(np.arange(40), tasks * alternatives),
            "choice_task": np.tile(np.repeat(np.arange(tasks), alternatives), 40),
            "brand": rng.choice(["a", "b", "c"], 40 * tasks * alternatives),
            "price": rng.choice([1.0, 2.0, 3.0], 40 * tasks * alternatives),
        }
    )
    utility = frame["brand"].map({"a": 0.0, "b": 0.5, "c": 1.0}) - 0.8 * frame["price"] + rng.gumbel(size=len(frame))
    best = utility.groupby([frame["respondent"], frame["choice_task"]]).transform("max")
    frame["chosen"] = (utility == best).astype(int)
    return frame


@pytest.mark.parametrize("name", PUBLISHED)
def test_equals_the_published_figures(name: str, tmp_path: Path) -> None:
    formula, price, log_likelihood, coefficients = PUBLISHED[name]
    source = tmp_path / f"{name}.csv"
    pd.read_csv(GOLDEN / f"{name}.csv.gz").to_csv(source, index=False)
    result = run(source, "--formula", formula, "--price", price, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "out" / "estimates.json").read_text())
    assert figures["log_likelihood"] == pytest.approx(log_likelihood, rel=1e-6)
    assert figures["parameters"] == pytest.approx(coefficients, abs=1e-5)
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    worth = pd.read_csv(tmp_path / "out" / "willingness_to_pay.csv").set_index("parameter")
    other = next(k for k in coefficients if k != price)
    assert worth.loc[other, "estimate"] == pytest.approx(-coefficients[other] / coefficients[price], rel=2e-5)


def test_modechoice_as_statsmodels_ships_it(tmp_path: Path) -> None:
    source = tmp_path / "mode.csv"
    modechoice.load_pandas().data.to_csv(source, index=False)
    result = run(
        source, "--formula", "ttme + gc + C(mode)", "--respondent", "individual", "--choice-task", "individual",
        "--chosen", "choice", "--price", "gc", "--out", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "out" / "estimates.json").read_text())
    assert figures["choice_tasks"] == figures["respondents"] == 210
    assert figures["log_likelihood"] == pytest.approx(
        -199.976623, rel=1e-6
    )  # Greene, Econometric Analysis, prints -199.9766


def test_each_mode_has_its_own_worths_where_it_labels_the_alternatives(tmp_path: Path) -> None:
    """The travellers of statsmodels' modechoice: income counts for flights alone, cost for each mode on its own; the likelihood is that of the same columns by hand."""
    frame = modechoice.load_pandas().data
    frame["mode"] = frame["mode"].map({1: "air", 2: "train", 3: "bus", 4: "car"})
    frame["income"] = frame["hinc"].where(frame["mode"] == "air")
    source, out = tmp_path / "mode.csv", tmp_path / "out"
    frame.to_csv(source, index=False)
    keys = ["--respondent", "individual", "--choice-task", "individual", "--chosen", "choice", "--price", "gc"]
    result = run(source, "--formula", "mode + ttme + income + gc:mode", *keys, "--labels", "mode", "--out", out)
    assert result.exit_code == 0, result.output
    figures = json.loads((out / "estimates.json").read_text())
    by_hand = frame.assign(income=frame["income"].fillna(0), **{f"gc_{m}": frame["gc"] * (frame["mode"] == m) for m in ("air", "bus", "car", "train")})  # fmt: skip
    data = ChoiceData.from_long(
        by_hand, "mode + ttme + income + gc_air + gc_bus + gc_car + gc_train", respondent="individual", choice_task="individual", chosen="choice", price=None
    )  # fmt: skip
    wanted = ConditionalLogit(data).fit()
    assert figures["log_likelihood"] == pytest.approx(wanted.llf, rel=1e-9)
    for mode in ("air", "bus", "car", "train"):
        assert figures["parameters"][f"gc ({mode})"] == pytest.approx(wanted.params[f"gc_{mode}"], abs=1e-7)
    worth = pd.read_csv(out / "willingness_to_pay.csv").set_index(["offer_label", "parameter"])
    assert set(worth.index) == {("air", "income"), *((m, "ttme") for m in ("air", "bus", "car", "train"))}
    z = [wanted.params[f"gc_{m}"] / wanted.bse[f"gc_{m}"] for m in ("air", "bus", "car", "train")]
    assert min(z) > -3.09, "the cost of no mode is clearly negative here, and every row says so"
    for mode, parameter in worth.index:
        assert np.isnan(worth.loc[(mode, parameter), "estimate"])
        assert "did not clearly drive" in worth.loc[(mode, parameter), "note"]
    without = run(source, "--formula", "mode + ttme + gc:mode", *keys, "--out", tmp_path / "without")
    assert without.exit_code == 0, without.output
    assert "--labels" in (tmp_path / "without" / "summary.txt").read_text()
    assert pd.read_csv(tmp_path / "without" / "willingness_to_pay.csv").empty


def test_segments_are_estimated_beside_everybody(choices: pd.DataFrame, tmp_path: Path) -> None:
    source = tmp_path / "choices.csv"
    choices.assign(branch=np.where(choices["respondent"] < 20, "small", "large")).to_csv(source, index=False)
    result = run(source, "--formula", "brand + price", "--segments", "branch", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    worths = pd.read_csv(tmp_path / "out" / "part_worths.csv")
    assert list(worths.columns) == ["segment", "parameter", "estimate", "std_error", "low", "high"]
    assert set(worths["segment"]) == {"all", "large", "small"}
    assert list(pd.read_csv(tmp_path / "out" / "willingness_to_pay.csv").columns) == [
        "segment", "parameter", "estimate", "low", "high", "method", "currency", "respondents", "note",
    ]  # fmt: skip
    assert list(pd.read_csv(tmp_path / "out" / "importance.csv").columns) == [
        "segment", "attribute", "importance", "low", "high",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (lambda r: np.where(r < 20, "all", "some"), "everybody"),
        (lambda r: pd.Series(np.where(r < 20, "some", None), dtype=object), "no segment"),
        (lambda r: np.where(np.arange(len(r)) < 7, "one", "two"), "more than one segment"),
    ],
)
def test_segments_that_cannot_be_told_apart(
    segment: Callable[[pd.Series], object], words: str, choices: pd.DataFrame, tmp_path: Path
) -> None:
    source = tmp_path / "choices.csv"
    choices.assign(branch=segment(choices["respondent"])).to_csv(source, index=False)
    result = run(source, "--formula", "brand + price", "--segments", "branch", "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert words in result.output
    assert not (tmp_path / "out").exists()


def _drop(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.drop(columns=column)


def _put(row: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{column: [value if i == row else v for i, v in enumerate(frame[column])]})

    return change


def _all_chosen(value: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        first = (frame["respondent"] == 3) & (frame["choice_task"] == 7)
        return frame.assign(chosen=frame["chosen"].mask(first, value))

    return change


BAD = {
    "a missing column": (_drop("price"), ["price"]),
    "no respondent column": (_drop("respondent"), ["respondent"]),
    "text where a number belongs": (_put(10, "price", "cheap"), ["price", "cheap", "11"]),
    "text in chosen": (_put(10, "chosen", "perhaps"), ["chosen", "perhaps", "11"]),
    "two chosen": (_all_chosen(1), ["3", "7", "chosen"]),
    "none chosen": (_all_chosen(0), ["3", "7", "chosen"]),
    "an empty cell": (_put(5, "price", None), ["price", "6"]),
    "no row": (lambda frame: frame.iloc[:0], ["no row"]),
    "one price for all": (lambda frame: frame.assign(price=1.0), ["price"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_choices_get_one_clear_sentence_and_leave_nothing(name: str, choices: pd.DataFrame, tmp_path: Path) -> None:
    change, words = BAD[name]
    source = tmp_path / "choices.csv"
    change(choices).to_csv(source, index=False)
    result = run(source, "--formula", "brand + price", "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert result.output.startswith("wtp: ")
    assert result.output.count("\n") == 1
    assert "Traceback" not in result.output
    for word in [str(source), *words]:
        assert word in result.output
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_table(tmp_path: Path) -> None:
    nothing, binary, big, folder = (tmp_path / name for name in ("nothing.csv", "binary.csv", "big.csv", "folder.csv"))
    nothing.touch()
    binary.write_bytes(bytes(range(256)) * 40)
    folder.mkdir()
    with big.open("wb") as file:
        file.truncate(200_000_000)
    for path, words in {
        nothing: "is empty",
        binary: "UTF-8",
        big: "200 MB",
        folder: "no such file",
        tmp_path / "absent.csv": "no such file",
    }.items():
        result = run(path, "--formula", "price", "--out", tmp_path / "out")
        assert result.exit_code == 1
        assert words in result.output
        assert result.output.count("\n") == 1
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("formula", ["brand +", "brand + wifi", "import os", "1 +", ""])
def test_a_formula_that_cannot_be_used(formula: str, choices: pd.DataFrame, tmp_path: Path) -> None:
    source = tmp_path / "choices.csv"
    choices.to_csv(source, index=False)
    result = run(source, "--formula", formula, "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert "formula" in result.output
    assert result.output.count("\n") == 1


def test_wrong_usage_is_status_2(tmp_path: Path) -> None:
    assert run(tmp_path / "x.csv").exit_code == 2


def test_the_same_seed_gives_the_same_files(choices: pd.DataFrame, tmp_path: Path) -> None:
    source = tmp_path / "choices.csv"
    choices.to_csv(source, index=False)
    for out in ("one", "two"):
        assert run(source, "--formula", "brand + price", "--seed", 7, "--out", tmp_path / out).exit_code == 0
    for name in FILES - {"estimates.json"}:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
