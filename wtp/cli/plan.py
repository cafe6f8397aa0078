"""How many respondents, before anybody is asked: the forecast as tables, in words, and kept for the study's page."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import pandas as pd

from wtp import __version__
from wtp.analysis import ALL, Plan, computing, final_plan, plan_basis, plan_study
from wtp.cli.studies import FOLDER, SEED
from wtp.design import search
from wtp.settings import load_settings
from wtp.store import open_database, results
from wtp.survey import Definition, Design, load_survey

_TASTES = {
    "simulation": "[simulation] of the survey",
    "prior": "choice_tasks.prior of the survey, people differing much",
    "neutral": "neutral ones, for the survey states none (every step up is worth 3 % of today's price, people differ much)",
}
_WHAT = {"wtp": "every WTP step", "limit": "the price upper limit"}


@click.command()
@FOLDER
@click.option(
    "--precision",
    type=float,
    help="Wanted half-width of an interval in the survey's currency; default a tenth of the tested price span.",
)
@click.option(
    "--power-for",
    type=click.Choice(["wtp", "limit"]),
    default="wtp",
    show_default=True,
    help="What must be so precise: every WTP step, or the price upper limit.",
)
@click.option(
    "--respondents",
    type=click.IntRange(1, 1_000_000),
    help="Also what so many respondents in all would give, by segment.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Only the quick forecast by the pooled model, in seconds; without it the forecast is of the final figures and takes a minute or two.",
)
@SEED
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Also write the tables as CSV."
)
def plan(
    folder: Path,
    precision: float | None,
    power_for: str,
    respondents: int | None,
    quick: bool,
    seed: int,
    out: Path | None,
) -> None:
    """How many respondents a stated precision needs, per segment, by simulated studies of the survey's own design."""
    survey = load_survey(folder)
    definition, chosen = survey.definition, survey.design
    settings = load_settings(surveys=folder.parent)
    with computing(settings.compute):
        if chosen is None:
            click.echo("no design.csv yet: planned with the design that wtp design would write", err=True)
            chosen = search(definition, seed)
        with click.progressbar(length=1000, label="simulated studies", file=sys.stderr) as bar:
            made = plan_study(
                definition,
                chosen,
                precision=precision,
                power_for=power_for,
                seed=seed,
                basis=plan_basis(definition, chosen, __version__),
                progress=lambda done, every: bar.update(1000 * done // every - bar.pos),
            )
        if not quick:
            made = _final(made, definition, chosen)
    with open_database(*settings.kept_in) as database:
        database.migrate()
        with database.begin() as connection:
            results.save_plan(connection, survey.slug, made.to_json(), datetime.now(UTC))
    for line in _said(made):
        click.echo(line)
    if respondents:
        for line in _with(made, respondents):
            click.echo(line)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        for name in ("needed", "forecast", "check", "final"):
            table: pd.DataFrame = getattr(made, name)
            if len(table):
                table.assign(simulated=True).to_csv(out / f"plan_{name}.csv", index=False, lineterminator="\n")
        click.echo(f"written: {out}")


def _final(quick: Plan, definition: Definition, design: Design) -> Plan:
    """The plan of the final figures; the quick one, and a word about it, if somebody stops the work."""
    label = "simulated studies, final model (Ctrl-C: keep the quick forecast)"
    try:
        with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
            return final_plan(
                quick, definition, design, progress=lambda done, every: bar.update(1000 * done // every - bar.pos)
            )
    except KeyboardInterrupt:
        click.echo("stopped: this is the quick forecast", err=True)
        return quick


def _said(made: Plan) -> list[str]:
    """The plan in words and one table."""
    unit, sure = made.currency, f"{made.confidence:.0%}"
    lines = [
        f"forecast from simulated respondents; tastes: {_TASTES[made.tastes]}; intervals of {sure}",
        f"respondents per segment for {_WHAT[made.power_for]} within +/- {made.precision:g} {unit}"
        f" (rule of thumb 500 c / (t a), Orme, which knows no precision: {made.rule_of_thumb})",
        f"{'segment':<18}{'needed':>9}   widest half-width of a WTP step, and that of the price upper limit, by respondents",
        " " * 30 + "".join(f"{n:>14}" for n in _SHOWN),
    ]
    for segment in made.needed["segment"].unique():
        needed = made.recommended(segment)
        count = f"{needed:.0f}" if math.isfinite(needed) else "none"
        cells = "".join(f"{_cell(made, segment, n):>14}" for n in _SHOWN)
        lines.append(f"{_named(segment):<18}{count:>9}   {cells}")
    lines += _model(made)
    notes = made.needed.loc[made.needed["note"] != "", ["segment", "note"]].drop_duplicates()
    lines += [f"{_named(segment)}: {note}" for segment, note in notes.to_numpy()]
    if len(made.check):
        place = int((made.check["ratio"] - 1).abs().to_numpy().argmax())
        worst = made.check.to_dict("records")[place]
        lines.append(
            f"checked: fresh simulated studies of {worst['respondents']} gave half-widths {worst['ratio']:.2f} times the forecast at worst "
            f"({_named(worst['segment'])}, {worst['quantity']}); "
            + ("trusted" if made.trusted else "more than 15 % off: read the figures as rough")
        )
    return lines


def _model(made: Plan) -> list[str]:
    """Whose intervals these are."""
    if made.final.empty:
        return ["quick forecast by the pooled model; the final price limit comes from the hierarchical model, whose intervals are mostly wider"]  # fmt: skip
    parts = []
    for quantity, rows in made.final.groupby("quantity", sort=False):
        ratios = f"{rows['ratio'].min():.2f} to {rows['ratio'].max():.2f}"
        parts.append(f"{_WHAT[str(quantity)]} {ratios} times as wide (standard error up to {rows['error'].max():.2f})")
    studies = int(made.final["studies"].max())
    return [f"forecast of the final figures: in {studies} simulated studies the hierarchical model had intervals, beside the pooled model's, of {'; '.join(parts)}"]  # fmt: skip


_SHOWN = (50, 100, 200, 300, 500)


def _cell(made: Plan, segment: str, respondents: int) -> str:
    widths = made.half_widths(segment, respondents).groupby("quantity")["half_width"].max()
    return " / ".join(f"{widths[q]:.2f}" if math.isfinite(widths[q]) else "-" for q in ("wtp", "limit") if q in widths)


def _with(made: Plan, respondents: int) -> list[str]:
    lines = [f"with {respondents} respondents in all:"]
    for segment in made.needed["segment"].unique():
        count = respondents if segment == ALL else round(made.shares[segment] * respondents)
        if count:
            lines.append(
                f"  {_named(segment)}: {count} respondents, half-widths {_cell(made, segment, count)} {made.currency}"
            )
    return lines


def _named(segment: str) -> str:
    return "everybody" if segment == ALL else segment
