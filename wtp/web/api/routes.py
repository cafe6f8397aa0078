"""The one table of routes: the blueprint, the OpenAPI document and the page to try it are all made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from pydantic import BaseModel

from wtp.store.api_tokens import ANALYSES, ANSWERS, RESULTS
from wtp.web.api import analyses, answers, figures, shapes, studies
from wtp.web.api.replies import CSV, JSON

# parameter -> (what is allowed, what it means)
PARAMETERS = {
    "slug": (_l("the short name of a study"), _l("the study, as the list of studies names it")),
    "table": (_l("the name of a table"), _l("the table, as the list of tables names it")),
    "analysis": (_l("the name of an analysis"), _l("the analysis, as the reply to its start names it; of tables it stands in place of without and versions")),
    "segment": (_l("all, or a segment of the study"), _l("only the rows of this segment")),
    "without": (_l("left-out, none or flagged"), _l("whose answers are left out: those whom an analyst left out, nobody, or those with two or more quality flags")),
    "versions": (_l("same, current or all"), _l("which versions of the survey are counted: those with the same choices, the current one alone, or all that can be pooled")),
    "limit": (_l("a whole number from 1 to 100000"), _l("rows of one reply; without it all rows come at once")),
    "offset": (_l("a whole number from 0 on"), _l("rows that are passed over; the header Link names the next ones")),
    "model": (_l("conditional or auto"), _l("conditional: the quick figures, made at once; auto: the final ones, by the model that the sample allows")),
    "seed": (_l("a whole number from 1 on"), _l("equal seeds give equal figures")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """One address and method.

    path: below /api/v1, places in braces. view: takes the token, the checked query, the places, and the body if there is one. replies: by status, None for one without content.
    """

    method: str
    path: str
    view: Callable[..., Any]
    scope: str
    says: str
    query: type[BaseModel]
    replies: dict[int, type[BaseModel] | None]
    problems: tuple[str, ...] = ()
    formats: tuple[str, ...] = (JSON,)
    body: type[BaseModel] | None = None

    @property
    def name(self) -> str:
        """Of the endpoint and of the operation."""
        return self.view.__name__

    @property
    def places(self) -> tuple[str, ...]:
        """The parameters in the path."""
        return tuple(part.partition("}")[0] for part in self.path.split("{")[1:])


_TABLE: dict[str, Any] = {"scope": RESULTS, "query": shapes.TablePart, "replies": {200: shapes.Table, 304: None}}
_ANSWERS: dict[str, Any] = {"scope": ANSWERS, "query": shapes.Part, "replies": {200: shapes.AnswerRows, 304: None}}
_BOTH = (JSON, CSV)
_FOUND, _SHOWN = ("not-found",), ("not-found", "closed")

ROUTES = (
    Route("GET", "/studies", studies.list_studies, RESULTS, _l("The studies that the token sees"), shapes.Nothing, {200: shapes.StudyList, 304: None}),
    Route("GET", "/studies/{slug}", studies.get_study, RESULTS, _l("A study in short: attributes, prices, segments, questions, versions, counts"), shapes.Nothing, {200: shapes.Study, 304: None}, _FOUND),
    Route("GET", "/studies/{slug}/tables", figures.list_tables, RESULTS, _l("The tables of a study's analysis, with what they rest on"), shapes.Which, {200: shapes.TableList, 304: None}, _SHOWN),
    Route("GET", "/studies/{slug}/tables/{table}", figures.get_table, says=_l("One table of figures, as JSON or CSV by the header Accept"), problems=(*_SHOWN, "media"), formats=_BOTH, **_TABLE),
    Route("GET", "/studies/{slug}/tables/{table}.csv", figures.get_table_csv, says=_l("One table of figures as CSV, the file that the pages offer"), problems=_SHOWN, formats=(CSV,), **_TABLE),
    Route("GET", "/studies/{slug}/respondents", answers.get_respondents, says=_l("The answers: a row a respondent"), problems=(*_FOUND, "media"), formats=_BOTH, **_ANSWERS),
    Route("GET", "/studies/{slug}/respondents.csv", answers.get_respondents_csv, says=_l("The answers as CSV: a row a respondent"), problems=_FOUND, formats=(CSV,), **_ANSWERS),
    Route("GET", "/studies/{slug}/choices", answers.get_choices, says=_l("The choices: a row an offer that was shown"), problems=(*_FOUND, "media"), formats=_BOTH, **_ANSWERS),
    Route("GET", "/studies/{slug}/choices.csv", answers.get_choices_csv, says=_l("The choices as CSV, as wtp estimate reads them"), problems=_FOUND, formats=(CSV,), **_ANSWERS),
    Route("POST", "/studies/{slug}/analyses", analyses.start_analysis, ANALYSES, _l("Start an analysis; the quick one is done when the reply comes"), shapes.Nothing, {200: shapes.Analysis, 201: shapes.Analysis, 202: shapes.Analysis}, (*_FOUND, "body", "media-type", "too-large", "value"), body=shapes.Start),
    Route("GET", "/studies/{slug}/analyses/{analysis}", analyses.get_analysis, RESULTS, _l("How far an analysis is"), shapes.Nothing, {200: shapes.Analysis, 304: None}, _FOUND),
)  # fmt: skip
# What can go wrong with every request.
EVERYWHERE = ("parameter", "token", "scope", "too-many", "fault", "database")
