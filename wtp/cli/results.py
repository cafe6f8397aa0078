"""What was found out: the stored answers analysed, and everything taken away."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from wtp.analysis import (
    ALL,
    AUTO,
    CONDITIONAL,
    FINAL_MODELS,
    SAME_CHOICES,
    VERSIONS,
    Analysis,
    Request,
    certainty,
    computing,
)
from wtp.cli.progress import sampling_bar
from wtp.cli.studies import FOLDER, SEED
from wtp.errors import DataError
from wtp.export import FORMATS, contacts_frame, table_csv
from wtp.settings import load_settings
from wtp.store import Database, answers, audit, open_database, respondents
from wtp.store import contacts as stored_contacts
from wtp.survey import Answers, Survey, load_survey
from wtp.web import LEFT_OUT, REPORTS, SETS, analysis_as, create_app, gate_of, source_of, without, write_report
from wtp.web import open_early as open_results_early


def stored_answers(survey: Survey) -> Answers:
    """All answers of a study. Raises DataError if there is none."""
    with open_database(*load_settings().kept_in) as database:
        database.migrate()
        with database.read() as connection:
            found = answers.read_answers(connection, survey.slug)
    if not found.respondents:
        raise _nobody(survey)
    return found


def _nobody(survey: Survey) -> DataError:
    return DataError(
        f"{survey.slug}: no answers yet; allowed: a study that somebody answered; run wtp simulate {survey.folder} -n 300 to try it."
    )


@click.command()
@FOLDER
@click.option(
    "--model",
    type=click.Choice([AUTO, CONDITIONAL, *FINAL_MODELS]),
    default=AUTO,
    show_default=True,
    help="auto: hierarchical or latent classes where the sample allows.",
)
@click.option(
    "--versions",
    type=click.Choice(VERSIONS),
    default=SAME_CHOICES,
    show_default=True,
    help="Earlier versions of the survey that are counted: those with the same choices, none, or all that can be pooled.",
)
@click.option(
    "--without",
    "chosen",
    type=click.Choice(SETS),
    default=LEFT_OUT,
    show_default=True,
    help="left-out: whom an analyst left out; flagged: two or more quality flags; none: nobody.",
)
@click.option(
    "--half-width",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MONEY",
    help="Precision of the price upper limit that is aimed at; 5 per cent of today's price.",
)
@click.option("--open-early", metavar="REASON", help="Open results before the stopping rule is met; is logged.")
@click.option("--segments", metavar="S", help="Only these, separated by commas; all is everybody.")
@SEED
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def analyse(
    folder: Path,
    model: str,
    versions: str,
    chosen: str,
    half_width: float | None,
    open_early: str | None,
    segments: str | None,
    seed: int,
    out: Path,
) -> None:
    """Analyse the stored answers of a study: every table as CSV, the whole as analysis.json."""
    survey = load_survey(folder)
    wanted = _wanted(survey, segments)
    stored_answers(survey)
    settings = load_settings()
    with open_database(*settings.kept_in) as database, computing(settings.compute), sampling_bar("estimating") as show:
        _refuse_while_closed(database, survey, open_early)
        asked = Request(seed=seed, model=model, versions=versions, without=without(database, survey, chosen))
        analysis = analysis_as(database, survey, asked, show, getpass.getuser())
    if half_width is not None:
        told = certainty(survey.definition, analysis.tables, confidence=analysis.confidence, half_width=half_width)
        analysis = replace(analysis, tables={**analysis.tables, "certainty": told})
    analysis = analysis.only([*wanted, *FINAL_MODELS])
    write_analysis(analysis, out)
    for note in analysis.notes:
        click.echo(f"[{note.severity}] {note.segment or 'study'}: {note}", err=True)
    simulated = f", {analysis.simulated} of them simulated" if analysis.simulated else ""
    estimator = next((name for name in FINAL_MODELS if name in analysis.summaries), CONDITIONAL)
    left_out = f", without {len(asked.without)} ({chosen})" if asked.without else ""
    click.echo(f"{estimator} logit, {analysis.respondents} respondents{simulated}{left_out}; written: {out}")


def _refuse_while_closed(database: Database, survey: Survey, reason: str | None) -> None:
    """Results wait for the stopping rule, unless somebody opens them with a reason, which is logged."""
    gate = gate_of(database, survey)
    if gate.is_open:
        return
    if reason is None:
        wanted = [f"{gate.wanted_people} people"] if gate.wanted_people is not None else []
        wanted += [f"price upper limits to ± {gate.wanted_half_width:g}"] if gate.wanted_half_width is not None else []
        raise DataError(
            f"{survey.slug}: results are closed ({gate.people} people completed); allowed: {' and '.join(wanted)}; "
            "wait, or give a reason with --open-early, which is logged."
        )
    open_results_early(database, survey, who=getpass.getuser(), reason=reason)


def _wanted(survey: Survey, segments: str | None) -> tuple[str, ...]:
    """The named segments, everything without a name. Raises DataError for one that the survey does not declare."""
    known = (ALL, *(segment.id for segment in survey.definition.segments))
    wanted = tuple(name.strip() for name in segments.split(",")) if segments else known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise DataError(
            f"--segments: found {', '.join(map(repr, unknown))}; allowed: {', '.join(known)}; name some of these."
        )
    return wanted


def write_analysis(analysis: Analysis, out: Path) -> None:
    """One CSV a table, each row labelled with the number of simulated respondents behind it."""
    out.mkdir(parents=True, exist_ok=True)
    for name, table in analysis.tables.items():
        labelled = table.assign(
            left_out_respondents=len(analysis.request.without), simulated_respondents=analysis.simulated
        )
        labelled.to_csv(out / f"{name}.csv", index=False, lineterminator="\n")
    (out / "analysis.json").write_text(analysis.to_json() + "\n", encoding="utf-8")
    text = "\n\n".join(f"Segment: {segment}\n{summary}" for segment, summary in analysis.summaries.items())
    (out / "summary.txt").write_text(text + "\n", encoding="utf-8")


@click.command()
@FOLDER
@click.option(
    "--format",
    "name",
    type=click.Choice([*FORMATS, *REPORTS]),
    help="pdf, pptx: the report of the results; csv, parquet, sav: a zip of tables; xlsx, json: one file; choices: long choice data; the others: choice data as that program reads it.",
)
@click.option(
    "--contacts",
    is_flag=True,
    help="Contacts with customers as CSV, a row each, without customer numbers and without what was reported.",
)
@click.option("--words", is_flag=True, help="With what was reported; only with --contacts.")
@click.option("--notebook", is_flag=True, help="The same as --format notebook: a zip that makes every figure again.")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--figures/--no-figures",
    default=True,
    show_default=True,
    help="Results too, or answers, design and codebook alone.",
)
@click.option("--segment", default=ALL, show_default=True, metavar="S", help="Of a report; all is everybody.")
@click.option(
    "--language",
    "--lang",
    metavar="CODE",
    help="Of labels and charts (sav, xlsx), the survey's first; of a report, that of the staff's pages.",
)
@click.option("--open-early", metavar="REASON", help="Open results before the stopping rule is met; is logged.")
def export(
    folder: Path,
    name: str | None,
    contacts: bool,
    words: bool,
    notebook: bool,
    out: Path,
    figures: bool,
    segment: str,
    language: str | None,
    open_early: str | None,
) -> None:
    """Take answers, choices, design, results and codebook away, or the results as a report, or contacts with customers."""
    if [bool(name), notebook, contacts].count(True) != 1 or (words and not contacts):
        raise click.UsageError("Give one of --format, --notebook and --contacts; --words with the last alone.")
    if contacts:
        return _export_contacts(load_survey(folder), out, words)
    name = name or "notebook"
    survey = load_survey(folder)
    if name in REPORTS:
        _export_report(survey, name, out, segment, language, open_early)
        return
    if segment != ALL:
        raise DataError(
            f"--segment: found {segment!r} with --format {name}; allowed: {' and '.join(REPORTS)}; leave it out."
        )
    languages = survey.definition.languages
    if language is not None and language not in languages:
        raise DataError(f"--language: found {language!r}; allowed: {', '.join(languages)}; name one of these.")
    format_ = FORMATS[name]
    figures = figures and format_.figures
    with open_database(*load_settings().kept_in) as database:
        database.migrate()
        _refuse_without_answers(database, survey)
        if figures:
            _refuse_while_closed(database, survey, open_early)
        note_taken(database, survey, audit.EXPORTED, f"{name}, at the command line")
        with source_of(database, survey, figures=figures) as source, _written(out) as file:
            format_.write(source, file, language)
    click.echo(f"{source.respondents} respondents, {source.simulated} of them simulated; written: {out}")


def note_taken(database: Database, survey: Survey, action: str, what: str) -> None:
    """Log that rows of single persons leave the database, before they do."""
    with database.begin() as connection:
        audit.add(connection, survey.slug, action, who=getpass.getuser(), reason=what, now=datetime.now(UTC))


def _refuse_without_answers(database: Database, survey: Survey) -> None:
    with database.read() as connection:
        if not respondents.counts(connection, survey.slug).begun:
            raise _nobody(survey)


@contextmanager
def _written(out: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is whole. Raises DataError where it cannot be written."""
    draft = out.with_name(out.name + ".part")
    try:
        with draft.open("w+b") as file:
            yield file
        draft.replace(out)
    except OSError as error:
        raise DataError(
            f"{out}: {error.strerror}; allowed: a file in a folder that can be written; choose another --out."
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _export_contacts(survey: Survey, out: Path, words: bool) -> None:
    """Contacts in a row each."""
    with open_database(*load_settings().kept_in) as database:
        database.migrate()
        with database.read() as connection:
            rows = stored_contacts.rows(connection, survey.slug)
        if not rows:
            raise DataError(f"{survey.slug}: no contacts; allowed: a study with contacts; record or import them first.")
        what = f"{len(rows)} contacts{', with what was reported' if words else ''}, at the command line"
        note_taken(database, survey, audit.CONTACTS_EXPORTED, what)
    with _written(out) as file:
        file.write(table_csv(contacts_frame(rows, words=words)))
    simulated = sum(row["simulated"] for row in rows)
    click.echo(f"{len(rows)} contacts, {simulated} of them simulated; written: {out}")


def _export_report(
    survey: Survey, name: str, out: Path, segment: str, language: str | None, open_early: str | None
) -> None:
    """What the pages of the results show, as slides or PDF."""
    app = create_app(load_settings())
    with app.extensions["wtp_database"] as database:
        _refuse_without_answers(database, survey)
        _refuse_while_closed(database, survey, open_early)
        with _written(out) as file:
            lacks = write_report(app, survey, name, file, segment=segment, language=language or "")
    if lacks:
        click.echo(f"Without charts: no browser draws them here; install chromium ({lacks}).", err=True)
    click.echo(f"{segment}; written: {out}")
