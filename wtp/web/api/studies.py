"""Which studies there are, and one of them in short."""

from __future__ import annotations

from flask import Response, url_for

from wtp.store import respondents, studies, versions
from wtp.store.api_tokens import ApiToken
from wtp.survey import Definition
from wtp.web import running
from wtp.web.api import shapes
from wtp.web.api.access import survey_of
from wtp.web.api.replies import as_json
from wtp.web.stopping import gate_of


def list_studies(token: ApiToken, _query: shapes.Nothing) -> Response:
    """Every study of the token."""
    lines = [
        shapes.StudyLine(study=slug, title=survey.definition.title, url=url_for("api.get_study", slug=slug))
        for slug, survey in running.surveys().items()
        if token.may_see(slug)
    ]
    return as_json(shapes.StudyList(studies=lines))


def get_study(token: ApiToken, _query: shapes.Nothing, slug: str) -> Response:
    """One study."""
    survey = survey_of(token, slug)
    definition, database = survey.definition, running.database()
    with database.read() as connection:
        state = studies.state(connection, slug)
        counts = respondents.counts(connection, slug)
        past = versions.everything(connection, slug)
    return as_json(
        shapes.Study(
            study=slug,
            title=definition.title,
            languages=list(definition.languages),
            state=state,
            results_open=gate_of(database, survey).is_open,
            definition=survey.definition_hash,
            attributes=_attributes(definition),
            price=shapes.Price(
                label=definition.price.label,
                unit=definition.price.unit,
                currency=definition.currency,
                levels=list(definition.price.levels),
                current=definition.price.current,
            ),
            segments=[
                shapes.Segment(segment=each.id, label=each.label, customers=each.customers)
                for each in definition.segments
            ],
            questions=[
                shapes.Question(question=each.id, type=each.type, label=each.label) for each in definition.questions
            ],
            versions=[
                shapes.Version(
                    version=each.number,
                    published_at=each.published_at,
                    definition=each.definition_hash,
                    respondents=each.real,
                )
                for each in past
            ],
            counts=shapes.Counts(begun=counts.begun, completed=counts.completed, simulated=counts.simulated),
            tables=url_for("api.list_tables", slug=slug),
        )
    )


def _attributes(definition: Definition) -> list[shapes.Attribute]:
    return [
        shapes.Attribute(
            attribute=each.id,
            label=each.label,
            levels=[shapes.Level(level=level.id, label=level.label) for level in each.levels],
            current=each.current,
        )
        for each in definition.attributes
    ]
