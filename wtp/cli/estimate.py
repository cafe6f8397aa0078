"""`wtp estimate`: choice data from anywhere, in long format, one row an alternative."""

from __future__ import annotations

import csv
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import click
import pandas as pd

from wtp.analysis import MODELS, ChoiceAnalysis, Specification, analyse_choices, computing
from wtp.cli.progress import sampling_bar
from wtp.errors import DataError, EstimationError
from wtp.settings import load_settings

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
@click.option(
    "--price-form",
    metavar="FORM",
    default="linear",
    show_default=True,
    help='linear, log, part-worth, or inner knots as in "100,130".',
)
@click.option(
    "--at", type=float, metavar="PRICE", help="Where the price is not linear: the price at which changes are valued."
)
@click.option(
    "--none",
    default="none",
    show_default=True,
    metavar="COL",
    help="Marks the row of the none option, if the formula names it.",
)
@click.option("--available", metavar="COL", help="0 for alternatives that could not be chosen.")
@click.option("--buys", metavar="COL", help="Dual response: 1 if the chosen alternative would really be bought.")
@click.option(
    "--labels",
    metavar="COL",
    help='Labels the alternatives, as in --formula "mode + time:mode + seat + price:mode": cells may be empty where a label lacks a column.',
)
@click.option("--weights", metavar="COL", help="Survey weight of the respondent.")
@click.option("--segments", metavar="COL", help="Estimate each segment too.")
@click.option("--model", type=click.Choice(MODELS), default="conditional", show_default=True)
@click.option(
    "--space",
    type=click.Choice(["preference", "wtp"]),
    default="preference",
    show_default=True,
    help="Conditional, mixed: coefficients in utility or in money.",
)
@click.option("--random", metavar="LIST", default="", help='Mixed: as in "wifi:normal,price:-lognormal".')
@click.option("--signs", metavar="LIST", default="", help='Hierarchical: as in "price:-1"; no sign unless asked.')
@click.option(
    "--covariates",
    metavar="COLS",
    default="",
    help="Hierarchical, latent: columns of the respondent, separated by commas.",
)
@click.option(
    "--classes", metavar="K|A-B", default="3", show_default=True, help="Latent: how many, or the best of a range."
)
@click.option(
    "--draws",
    type=click.IntRange(2),
    help="Mixed: draws a respondent (512). Hierarchical: most sweeps a chain (20,000).",
)
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
    price_form: str,
    at: float | None,
    none: str,
    available: str | None,
    buys: str | None,
    labels: str | None,
    weights: str | None,
    segments: str | None,
    model: str,
    space: Literal["preference", "wtp"],
    random: str,
    signs: str,
    covariates: str,
    classes: str,
    draws: int | None,
    currency: str,
    seed: int,
    out: Path,
) -> None:
    """Estimate part-worths, importance and WTP from a CSV or Parquet file and write them into DIR."""
    specification = Specification(
        model=model,
        space=space,
        random=_pairs("--random", random),
        signs={name: _sign(name, value) for name, value in _pairs("--signs", signs).items()},
        covariates=tuple(name.strip() for name in covariates.split(",") if name.strip()),
        classes=_range(classes),
        draws=draws,
        none=none,
        available=available,
        buys=buys,
        labels=labels,
        price_form=_form(price_form),
        at=at,
    )
    _check_options(specification)
    frame = read_choices(choices)
    try:
        result = _run(
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
            specification=specification,
        )
    except (DataError, EstimationError) as error:
        raise type(error)(f"{choices}: {error}") from error
    write_estimates(result, out)
    figures = result.estimates
    click.echo(
        f"{model} logit, {figures['respondents']} respondents, {figures['choice_tasks']} choice tasks, "
        f"log-likelihood {figures['log_likelihood']:.6f}; written: {out}"
    )


def _run(frame: pd.DataFrame, formula: str, *, specification: Specification, **columns: Any) -> ChoiceAnalysis:
    """The analysis, behind a progress bar where it takes its time."""
    with computing(load_settings().compute):
        if specification.model != "hierarchical":
            return analyse_choices(frame, formula, specification=specification, **columns)
        with sampling_bar("estimating") as show:
            return analyse_choices(frame, formula, specification=specification, progress=show, **columns)


def _pairs(option: str, text: str) -> dict[str, str]:
    """name -> word of "name:word,name:word"; the name may hold colons."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, word = part.rpartition(":")
        if not (colon and name.strip() and word.strip()):
            raise click.UsageError(f'{option}: found {part!r}; allowed: pairs as in "price:-1,wifi:1".')
        found[name.strip()] = word.strip()
    return found


def _form(text: str) -> str | tuple[float, ...]:
    """A name, or knots; what is neither is named by the estimator."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return text


def _sign(name: str, value: str) -> int:
    if value not in ("1", "+1", "-1"):
        raise click.UsageError(f"--signs: {name}: found {value!r}; allowed: 1 or -1.")
    return int(value)


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", text.strip())
    fewest, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= fewest <= most:
        raise click.UsageError(f"--classes: found {text!r}; allowed: a number or a range such as 2-5.")
    return fewest, most


def _check_options(wanted: Specification) -> None:
    """An option that the model would silently leave aside is a mistake."""
    for given, option, models in (
        (wanted.random, "--random", ("mixed",)),
        (wanted.signs, "--signs", ("hierarchical",)),
        (wanted.covariates, "--covariates", ("hierarchical", "latent")),
        (wanted.space != "preference", "--space wtp", ("conditional", "mixed")),
        (wanted.draws, "--draws", ("mixed", "hierarchical")),
    ):
        if given and wanted.model not in models:
            raise click.UsageError(f"{option} belongs to --model {' or '.join(models)}; found --model {wanted.model}.")
    if wanted.model == "mixed" and not wanted.random:
        raise click.UsageError('--model mixed needs --random, as in --random "wifi:normal,price:-lognormal".')


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
        if result.draws is not None:
            result.draws.to_parquet(draft / "draws.parquet", index=False)
        if result.population is not None:
            result.population.to_parquet(draft / "population.parquet", index=False)
        (draft / "fit.json").write_text(json.dumps(result.fit, allow_nan=False) + "\n", encoding="utf-8")
        (draft / "summary.txt").write_text(result.summary, encoding="utf-8")
        text = json.dumps(result.estimates, indent=2, ensure_ascii=False, allow_nan=False)
        (draft / "estimates.json").write_text(text + "\n", encoding="utf-8")
        for file in sorted(draft.iterdir()):
            file.replace(out / file.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
