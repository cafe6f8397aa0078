"""The demo: both studies of a clone with simulated respondents, contacts and purchases, plainly labelled, analysed and served."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import Connection

from wtp.analysis import CONDITIONAL, HIERARCHICAL, Analysis, Request, known_beside, simulated_measures
from wtp.cli.databases import bring_up_to_date
from wtp.cli.operate import reached_at
from wtp.cli.progress import sampling_bar
from wtp.cli.simulation import simulate_through_store
from wtp.customers.simulated_contacts import simulated_codings, simulated_contacts
from wtp.customers.touchpoints import DAYS_A_MONTH
from wtp.errors import DataError, SettingsError
from wtp.estimation.synthetic import SimulatedRespondent, draw_respondents
from wtp.estimation.synthetic_purchases import simulated_purchases
from wtp.jobs import open_queue, start_analysis
from wtp.settings import Settings, load_settings, secret_key
from wtp.store import Database, contacts, customers, known, open_database, purchases, respondents, results, staff
from wtp.store.contacts import Coding, Contact
from wtp.store.purchases import Purchase
from wtp.survey import Survey, load_survey
from wtp.web import analysis_as, create_app, free_port, record_simulated
from wtp.web import serve as serve_forever

STUDIES = ("supplier", "workshop")
_WHO = "wtp demo"
_MONTHS, _AGREEMENT = 6, 0.85


@click.command()
@click.option("--respondents", "count", default=300, show_default=True, type=click.IntRange(30, 100_000))
@click.option("--port", default=8000, show_default=True, help="Or the next free one.")
@click.option("--no-serve", is_flag=True, help="End after the analysis.")
def demo(count: int, port: int, no_serve: bool) -> None:
    """Fill instance/ with two simulated, plainly labelled studies, analyse them, serve them."""
    settings = load_settings()
    surveys = [load_survey(folder) for folder in _folders(settings)]
    with open_database(*settings.kept_in) as database:
        bring_up_to_date(database, settings)
        for survey in surveys:
            _fill(settings, database, survey, count)
        with sampling_bar("estimating") as show:
            analysis = analysis_as(database, surveys[0], Request(), show)
        quick = [analysis_as(database, survey, Request(model=CONDITIONAL)) for survey in surveys[1:]]
        logins = {role: _demo_login(database, role) for role in ("manager", "analyst", "field")}
    _record_measures(settings, surveys)
    for each in (analysis, *quick):
        _tell(each)
    if no_serve:
        return
    port = free_port(port)
    settings = reached_at(settings, "127.0.0.1", port)
    _start_final(settings, surveys[1:])
    address = settings.base_url
    for name in (survey.slug for survey in surveys):
        click.echo(f"\nrespondent  {address}/s/{name}")
        click.echo(f"manager     {address}/results/{name}   login {logins['manager']}")
        click.echo(f"analyst     {address}/manage/{name}    login {logins['analyst']}")
        click.echo(f"field       {address}/contacts/{name}   login {logins['field']}")
    click.echo()
    serve_forever(settings, "127.0.0.1", port, 2)


def _folders(settings: Settings) -> list[Path]:
    """The demo's studies; the second one may be gone."""
    found = [settings.surveys / name for name in STUDIES if (settings.surveys / name).is_dir()]
    if not found or found[0].name != STUDIES[0]:
        raise SettingsError(
            f"{settings.surveys}: no folder {STUDIES[0]}; allowed: the surveys of a clone; run wtp demo in the clone."
        )
    return found


def _tell(analysis: Analysis) -> None:
    click.echo(
        f"{analysis.study}: {analysis.respondents} respondents, {analysis.simulated} of them SIMULATED. What they say, by segment:"
    )
    for row in analysis.tables["price_limit"].to_dict("records"):
        limit = f"{row['estimate']:.0f} {analysis.currency} ({row['low']:.0f} to {row['high']:.0f})"
        click.echo(f"  {row['segment']}: price upper limit, {row['status']}: {row['note'] or limit}")


def _fill(settings: Settings, database: Database, survey: Survey, count: int) -> None:
    """So many simulated respondents, each a simulated customer with contacts and purchases."""
    with database.read() as connection:
        there = respondents.counts(connection, survey.slug).simulated
    if there >= count:
        return
    new, seed = count - there, 1 + there
    simulate_through_store(settings, survey, new, seed=seed)
    now = datetime.now(UTC)
    people = draw_respondents(survey.definition, new, seed)  # the same persons again
    bought = simulated_purchases(survey.definition, people, now.date(), seed)
    with database.begin() as connection:
        numbers = respondents.simulated_numbers(connection, survey.slug)[-new:]
        names = {place: f"SIMULATED-{number}" for place, number in enumerate(numbers)}
        secret = secret_key(settings).hex()
        rows = (
            bought.astype(object).where(bought.notna(), None).rename(columns={"date": "bought_on"}).to_dict("records")
        )
        purchases.import_file(
            connection,
            survey.slug,
            [
                Purchase(**{**{str(name): value for name, value in row.items()}, "customer": names[row["customer"]]})
                for row in rows
            ],
            name=f"simulated purchases {seed}",
            digest=hashlib.sha256(f"demo {survey.slug} {seed}".encode()).hexdigest(),
            who=_WHO,
            now=now,
            secret=secret,
            simulated=True,
        )
        _record_contacts(connection, survey, people, names, secret, seed)
        ids = customers.many(connection, survey.slug, list(names.values()), secret=secret, simulated=True)
        customers.link_simulated(connection, survey.slug, {ids[names[n]]: number for n, number in enumerate(numbers)})
        beside = known_beside(purchases.rows(connection, survey.slug), contacts.rows(connection, survey.slug))
        known.take(connection, survey, beside, now)


def _record_contacts(
    connection: Connection,
    survey: Survey,
    people: Sequence[SimulatedRespondent],
    names: Mapping[int, str],
    secret: str,
    seed: int,
) -> None:
    """Half a year of contacts of these customers and of all others that the survey file counts, some of them coded by a second member of staff."""
    if survey.definition.contacts is None:
        return
    now = datetime.now(UTC)
    segments = {names[place]: person.segment for place, person in enumerate(people)}
    asked = Counter(segments.values())
    first = not contacts.count(
        connection, survey.slug
    )  # all others get in touch once, however often the demo is made larger
    for segment in survey.definition.segments if first else ():
        others = range(max(0, segment.customers - asked[segment.id]))
        segments |= {f"{segment.id} {number}": segment.id for number in others}
    begin = now - timedelta(days=_MONTHS * DAYS_A_MONTH)
    frame = simulated_contacts(survey.definition, segments, months=_MONTHS, seed=seed, start=begin)
    frame["happened_at"] = [when.to_pydatetime() for when in frame["happened_at"]]
    frame = frame.astype(object).where(frame.notna(), None)
    told = [Contact(**{str(name): value for name, value in row.items()}) for row in frame.to_dict("records")]
    made = contacts.import_file(
        connection,
        survey.slug,
        told,
        name=f"simulated contacts {seed}",
        digest=hashlib.sha256(f"contacts {survey.slug} {seed}".encode()).hexdigest(),
        who=_WHO,
        now=now,
        secret=secret,
        simulated=True,
    )
    stored = [row["id"] for row in contacts.rows(connection, survey.slug)][-made.rows :]
    for row in simulated_codings(survey.definition, frame, agreement=_AGREEMENT, seed=seed).to_dict("records"):
        coding = Coding(row["reason"], row["mattered_most"], row["core_problem"])
        contacts.code(connection, survey.slug, stored[row["contact"]], coding, who=f"{_WHO}, second coder", now=now)


def _record_measures(settings: Settings, surveys: Sequence[Survey]) -> None:
    """Made-up measures, each with a finding of the pages."""
    app, now = create_app(settings), datetime.now(UTC)
    for survey in surveys:
        record_simulated(app, survey, simulated_measures(survey.definition, now.date(), 1), now)


def _start_final(settings: Settings, surveys: Sequence[Survey]) -> None:
    """The server's worker makes the final figures of the other studies while the first one is read."""
    with open_database(*settings.kept_in) as database:
        queue = open_queue(settings.queue, settings.database_url, settings.instance)
        for survey in surveys:
            with contextlib.suppress(DataError):  # too few respondents for a model of each
                start_analysis(database, queue, survey, Request(model=HIERARCHICAL), kind=results.ANALYSIS, started_by=_WHO)  # fmt: skip


def _demo_login(database: Database, role: str) -> str:
    """A demo account with a password of this run; an instance never has a password that others know."""
    name, password = f"demo-{role}", secrets.token_urlsafe(12)
    with database.begin() as connection:
        if name in {member.name for member in staff.members(connection)}:
            staff.set_password(connection, name, password)
        else:
            staff.add(connection, name, password, role)
    return f"{name} / {password}"
