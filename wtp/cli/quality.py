"""Whose answers can be trusted, and how much those matter that cannot: signals, reasons, figures with and without."""

from __future__ import annotations

from pathlib import Path

import click

from wtp.analysis import Request, influence, quality_report
from wtp.cli.results import note_taken, stored_answers
from wtp.cli.studies import FOLDER, SEED
from wtp.settings import load_settings
from wtp.store import audit, open_database
from wtp.survey import load_survey


@click.command()
@FOLDER
@SEED
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def quality(folder: Path, seed: int, out: Path) -> None:
    """Look for careless, copied and machine-made answers; nobody is left out of any result."""
    survey = load_survey(folder)
    answers = stored_answers(survey)
    with open_database(*load_settings().kept_in) as database:
        note_taken(database, survey, audit.EXPORTED, "signals of data quality, at the command line")
    found = quality_report(survey.definition, answers, seed=seed)
    people = found.respondents
    tables = {
        "quality_signals": found.signals,
        "quality_respondents": people,
        "quality_cutoffs": found.cutoffs,
        "quality_study": found.study,
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
            f"costs {row.false_alarms:.0%} of those who choose by their own taste"
        )
    for row in found.study.itertuples():
        what = "repeated choice task agrees" if row.measure == "retest" else "dearer one of two equal offers avoided"
        click.echo(
            f"{what}: {row.value:.0%} of {row.asked}{', too few: look at the texts first' if row.warning else ''}"
        )
    moved = int(tables["influence"]["moved"].sum())
    simulated = f", {answers.simulated} of them simulated" if answers.simulated else ""
    click.echo(
        f"{len(people)} respondents{simulated}: {len(found.flagged)} with two or more flags; without them {moved} of "
        f"{len(tables['influence'])} figures move by more than half their interval; nobody was left out; written: {out}"
    )
