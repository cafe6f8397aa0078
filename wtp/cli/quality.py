"""Whose answers can be trusted, and how much those matter that cannot: signals, reasons, figures with and without."""

from __future__ import annotations

from pathlib import Path

import click

from wtp.analysis import Request, influence
from wtp.cli.results import stored_answers
from wtp.cli.studies import FOLDER, SEED
from wtp.quality import inspect
from wtp.survey import load_survey


@click.command()
@FOLDER
@SEED
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def quality(folder: Path, seed: int, out: Path) -> None:
    """Look for careless, copied and machine-made answers; nobody is left out of any result."""
    survey = load_survey(folder)
    answers = stored_answers(survey)
    found = inspect(survey.definition, answers, seed=seed)
    people = found.respondents.reset_index()
    tables = {
        "quality_signals": found.signals,
        "quality_respondents": people,
        "quality_cutoffs": found.cutoffs,
        "influence": influence(survey, answers, found.flagged, Request(seed=seed)),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        labelled = table.assign(simulated_respondents=answers.simulated)
        labelled.to_csv(out / f"{name}.csv", index=False, lineterminator="\n")
    flagged = found.signals[found.signals["flagged"]]
    for signal, count in flagged["signal"].value_counts().items():
        click.echo(f"{signal}: {count} of {len(people)} respondents")
    for row in found.cutoffs.itertuples():
        click.echo(
            f"root likelihood below {row.cutoff:.3f}: catches {row.catches:.0%} of random clickers, "
            f"at most {row.false_alarms:.0%} of consistent respondents"
        )
    moved = int(tables["influence"]["moved"].sum())
    simulated = f", {answers.simulated} of them simulated" if answers.simulated else ""
    click.echo(
        f"{len(people)} respondents{simulated}: {len(found.flagged)} with two or more flags; without them {moved} of "
        f"{len(tables['influence'])} figures move by more than half their interval; nobody was left out; written: {out}"
    )
