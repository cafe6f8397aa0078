"""`wtp estimate`: choice data from anywhere, in long format, one row an alternative."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path

import click
import pandas as pd

from wtp.analysis import ChoiceAnalysis, analyse_choices
from wtp.errors import DataError, EstimationError

_MAX_CSV_MB = 100


@click.command()
@click.argument("choices", metavar="CHOICES.csv", type=click.Path(path_type=Path))
@click.option("--formula", required=True, help='Wilkinson notation, as in "brand + wifi + price"; text is categorical.')
@click.option("--respondent", default="respondent", show_default=True, metavar="COL")
@click.option(
    "--choice-task", default="choice_task", show_default=True, metavar="COL", help="May repeat across respondents."
)
@click.option(
    "--chosen", default="chosen", show_default=True, metavar="COL", help="1 for the chosen alternative, else 0."
)
@click.option("--price", default="price", show_default=True, metavar="COL")
@click.option("--weights", metavar="COL", help="Survey weight of the respondent.")
@click.option("--segments", metavar="COL", help="Estimate each segment too.")
@click.option("--model", type=click.Choice(["conditional"]), default="conditional", show_default=True)
@click.option("--currency", default="", help="For the tables, as in EUR.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same figures.")
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def estimate(
    choices: Path,
    formula: str,
    respondent: str,
    choice_task: str,
    chosen: str,
    price: str,
    weights: str | None,
    segments: str | None,
    model: str,
    currency: str,
    seed: int,
    out: Path,
) -> None:
    """Estimate part-worths, importance and WTP from a CSV or Parquet file and write them into DIR."""
    frame = read_choices(choices)
    try:
        result = analyse_choices(
            frame,
            formula,
            respondent=respondent,
            choice_task=choice_task,
            chosen=chosen,
            price=price,
            weights=weights,
            segments=segments,
            seed=seed,
            currency=currency,
        )
    except (DataError, EstimationError) as error:
        raise type(error)(f"{choices}: {error}") from error
    write_estimates(result, out)
    figures = result.estimates
    click.echo(
        f"{model} logit, {figures['respondents']} respondents, {figures['choice_tasks']} choice tasks, "
        f"log-likelihood {figures['log_likelihood']:.6f}; written: {out}"
    )


def read_choices(path: Path) -> pd.DataFrame:
    """The file as a frame. Raises DataError in one sentence for everything that is no table of choices."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; allowed: a CSV or Parquet file; check the path.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; allowed: one row an alternative below a header; export it again.")
    if path.suffix.lower() in (".parquet", ".pq"):
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: not a Parquet file ({_first_line(error)}); export it again.") from error
    megabytes = path.stat().st_size / 1e6
    if megabytes > _MAX_CSV_MB:
        raise DataError(
            f"{path}: {megabytes:,.0f} MB of text; allowed: at most {_MAX_CSV_MB} MB as CSV; convert it to Parquet, which has no limit."
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
        separator = max(",;\t", key=header.count)
        frame = pd.read_csv(path, sep=separator, encoding="utf-8-sig", low_memory=False)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not UTF-8; allowed: text in UTF-8; save the file as UTF-8."
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise DataError(
            f"{path}: not a table ({_first_line(error)}); allowed: CSV with one header line; export it again."
        ) from error
    if frame.empty:
        raise DataError(f"{path}: a header and no row; allowed: one row an alternative; export it again.")
    return frame


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def write_estimates(result: ChoiceAnalysis, out: Path) -> None:
    """Write all files or none: into a folder beside the target first, then each moved into place."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".estimates-", dir=out))
    except OSError as error:
        raise DataError(
            f"{out}: {error.strerror}; allowed: a folder that can be written; choose another --out."
        ) from error
    try:
        for name, table in result.tables.items():
            table.to_csv(draft / f"{name}.csv", index=False, lineterminator="\n")
        (draft / "summary.txt").write_text(result.summary, encoding="utf-8")
        text = json.dumps(result.estimates, indent=2, ensure_ascii=False, allow_nan=False)
        (draft / "estimates.json").write_text(text + "\n", encoding="utf-8")
        for file in sorted(draft.iterdir()):
            file.replace(out / file.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
