"""Before and beside the field: check a survey, search its design, let simulated respondents answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from wtp.analysis import computing
from wtp.cli.simulation import simulate_through_pages, simulate_through_store
from wtp.design import check_design, search
from wtp.design.checks import READY
from wtp.errors import DesignError, SurveyError
from wtp.settings import load_settings
from wtp.store import open_database, studies
from wtp.survey import Definition, inspect_survey, load_survey
from wtp.survey.design_file import format_design
from wtp.survey.drafts import DRAFT_DESIGN_FILE, DRAFT_FILE, read_draft, write_whole
from wtp.survey.labels import label_attribute
from wtp.survey.load import DESIGN_FILE, inspect_text

FOLDER = click.argument("folder", metavar="surveys/<slug>", type=click.Path(path_type=Path))
SEED = click.option("--seed", default=1, show_default=True, help="Same seed, same result.")


@click.command()
@click.argument("folder", metavar="surveys/<slug>", type=click.Path(path_type=Path), required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of survey.toml instead.")
def check(folder: Path | None, schema: bool) -> None:
    """Validate a survey; list every mistake with file, key, found, allowed, remedy."""
    if schema:
        click.echo(json.dumps(Definition.model_json_schema(), indent=2))
        return
    if folder is None:
        raise click.UsageError("Missing argument 'surveys/<slug>'.")
    survey, mistakes = inspect_survey(folder)
    for mistake in mistakes:
        click.echo(str(mistake), err=True)
    if mistakes or survey is None:
        raise SurveyError(f"{folder}: {len(mistakes)} mistake{'s' * (len(mistakes) != 1)}.")
    definition = survey.definition
    labels = label_attribute(definition)
    labelled = f", offers labelled by {labels.id} ({', '.join(labels.level_ids)})" if labels else ""
    earlier = definition.follows
    gone = "" if earlier is None or (folder.resolve().parent / earlier).is_dir() else " (which is not there)"
    follows = f" Later wave of {earlier}{gone}." if earlier else ""
    designed = f"{len(survey.design.versions)} design versions" if survey.design else "no design yet (wtp design)"
    click.echo(
        f"{folder}: no mistake. {len(definition.attributes)} attributes and price{labelled}, {definition.choice_tasks.total} choice tasks "
        f"a respondent, {len(definition.segments)} segments, {', '.join(definition.languages)}, {designed}.{follows}"
    )


@click.command()
@FOLDER
@SEED
@click.option(
    "--draft", is_flag=True, help="For the draft that an author has not published yet; publishing then uses it."
)
def design(folder: Path, seed: int, draft: bool) -> None:
    """Search a design by the survey's method, write design.csv, print its diagnostics."""
    if draft:
        _design_draft(folder, seed)
        return
    survey, mistakes = inspect_survey(folder)
    if survey is None:
        raise SurveyError("\n".join(map(str, mistakes)))
    with open_database(*load_settings().kept_in) as database:
        database.migrate()
        with database.read() as connection:
            began = studies.fielding_began(connection, survey.slug)
    if began:
        raise DesignError(
            f"{folder}: real respondents have begun; a study in the field keeps its design; "
            "publish a change as a new version on the study's pages, or copy the folder under a new name."
        )
    _write_design(survey.definition, seed, folder / DESIGN_FILE)


def _design_draft(folder: Path, seed: int) -> None:
    definition, mistakes = inspect_text(read_draft(folder).text, folder / DRAFT_FILE)
    if definition is None:
        raise SurveyError("\n".join(map(str, mistakes)))
    _write_design(definition, seed, folder / DRAFT_DESIGN_FILE)


def _write_design(definition: Definition, seed: int, target: Path) -> None:
    searching = click.progressbar(length=1000, label="search", show_eta=False, file=sys.stderr)
    with computing(load_settings().compute), searching as bar:
        found = search(definition, seed, lambda share: bar.update(int(1000 * share) - bar.pos))
        bar.update(1000 - bar.pos)
    write_whole(target, format_design(found, definition))
    checked = check_design(definition, found)
    click.echo(str(checked.diagnostics))
    unready = [f"{check.name}: {check.status.replace('_', ' ')}" for check in checked.checks if check.status != READY]
    click.echo(f"checks: {', '.join(unready) or 'all ready'}; in words at /manage/{target.parent.name}/design")
    click.echo(f"written: {target}")


@click.command()
@FOLDER
@click.option("-n", "respondents", type=click.IntRange(1, 100_000), required=True, help="How many respondents.")
@SEED
@click.option("--through-pages", is_flag=True, help="Answer through the web pages as a person would (slower).")
def simulate(folder: Path, respondents: int, seed: int, through_pages: bool) -> None:
    """Let simulated respondents with known tastes answer; they are labelled simulated everywhere."""
    settings = load_settings(surveys=folder.parent)
    survey = load_survey(folder)
    play = simulate_through_pages if through_pages else simulate_through_store
    play(settings, survey, respondents, seed)
    click.echo(f"{respondents} simulated respondents answered {survey.slug}.")
