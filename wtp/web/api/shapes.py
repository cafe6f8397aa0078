"""What goes in and what comes out, as pydantic models: they check requests, and the OpenAPI document is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wtp.analysis import CONDITIONAL

MOST_ROWS = 100_000
MOST_SEED = 2**31 - 1
# The values of SETS in `wtp.web.analyses` and of VERSIONS in `wtp.analysis`, as types.
Whose = Literal["left-out", "none", "flagged"]
Counted = Literal["same", "current", "all"]
Words = dict[str, str]


class Asked(BaseModel):
    """Parameters of a request; what is not named is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Asked):
    """No parameter."""


class Which(Asked):
    """Whose answers and which versions of the survey count; or one analysis by its name."""

    without: Whose = "left-out"
    versions: Counted = "same"
    analysis: str | None = Field(default=None, min_length=1, max_length=80)


class Part(Asked):
    """Which rows: without a limit all of them."""

    limit: int | None = Field(default=None, ge=1, le=MOST_ROWS)
    offset: int = Field(default=0, ge=0, le=10**9)


class TablePart(Which, Part):
    """A table of figures: which figures, which rows."""

    segment: str | None = Field(default=None, max_length=80)


class Start(Asked):
    """An analysis to make."""

    model: str = Field(default=CONDITIONAL, description="conditional is quick and made at once")
    without: Whose = Field(default="left-out", description="whose answers are left out")
    versions: Counted = Field(default="same", description="which versions of the survey are counted")
    seed: int = Field(default=1, ge=1, le=MOST_SEED, strict=True, description="equal seeds give equal figures")


class Problem(BaseModel):
    """What went wrong (RFC 9457), in four parts."""

    type: str = Field(description="kind of the problem, stable")
    title: str
    status: int
    detail: str = Field(description="the four parts as one sentence")
    place: str | None = Field(default=None, description="where")
    found: str | None = Field(default=None, description="what was found there")
    allowed: str | None = Field(default=None, description="what may be there")
    remedy: str | None = Field(default=None, description="what to do")


class StudyLine(BaseModel):
    """A study in the list."""

    study: str = Field(description="short name, part of addresses")
    title: Words = Field(description="by language")
    url: str


class StudyList(BaseModel):
    """The studies that the token sees."""

    studies: list[StudyLine]


class Level(BaseModel):
    """A level of an attribute."""

    level: str
    label: Words


class Attribute(BaseModel):
    """An attribute with its levels; `current` is the level of today's offer."""

    attribute: str
    label: Words
    levels: list[Level]
    current: str


class Price(BaseModel):
    """The price attribute."""

    label: Words
    unit: Words
    currency: str
    levels: list[float]
    current: float


class Segment(BaseModel):
    """A declared segment."""

    segment: str
    label: Words
    customers: int


class Question(BaseModel):
    """A question; its answers are columns of the respondents' rows."""

    question: str
    type: str
    label: Words


class Version(BaseModel):
    """A state of the study that was in use; `respondents` are the people who began on what it asks."""

    version: int
    published_at: datetime
    definition: str
    respondents: int


class Counts(BaseModel):
    """How many began, completed, and are simulated."""

    begun: int
    completed: int
    simulated: int


class Study(BaseModel):
    """A study in short."""

    study: str
    title: Words
    languages: list[str]
    state: str = Field(description="open, paused or closed")
    results_open: bool = Field(description="false while a stopping rule keeps results closed")
    definition: str = Field(description="identifies what respondents are asked")
    attributes: list[Attribute]
    price: Price
    segments: list[Segment]
    questions: list[Question]
    versions: list[Version] = Field(description="the newest first")
    counts: Counts
    tables: str = Field(description="address of the list of tables")


class TableLine(BaseModel):
    """A table in the list."""

    table: str
    columns: list[str]
    rows: int
    url: str


class AnalysisFacts(BaseModel):
    """What figures rest on."""

    fingerprint: str = Field(description="equal fingerprints mean equal figures")
    estimator: str = Field(description="conditional: quick figures; else final ones")
    definition: str
    answers: str = Field(description="identifies the answers that were counted")
    respondents: int
    completed: int
    simulated_respondents: int = Field(description="above 0: do not decide anything on these figures")
    left_out_respondents: int
    confidence: float = Field(description="probability that each interval is meant to hold")
    currency: str
    seed: int
    versions: str


class Remark(BaseModel):
    """What one must know about the figures."""

    severity: str = Field(description="info, warning, or stop: a figure is withheld")
    segment: str | None
    text: str


class TableList(BaseModel):
    """The tables of a study's analysis."""

    study: str
    analysis: AnalysisFacts
    notes: list[Remark]
    tables: list[TableLine]


class Column(BaseModel):
    """A column as the codebook has it; `codes` by code and language, where the author named them."""

    name: str
    type: str
    meaning: Words
    codes: dict[str, Words]


class Rows(BaseModel):
    """Rows of a table; a figure that is withheld is null, and `note` in its row says why."""

    study: str
    table: str
    columns: list[Column]
    total: int = Field(description="rows that there are")
    offset: int
    rows: list[dict[str, Any]]


class Table(Rows):
    """A table of figures."""

    analysis: AnalysisFacts


class AnswerRows(Rows):
    """Rows of answers; the column `simulated` tells whose are not a person's."""

    simulated_respondents: int


class Analysis(BaseModel):
    """An analysis that was asked for."""

    analysis: str = Field(description="name of the analysis, in its address")
    study: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    url: str = Field(description="ask here again until it is done")
    tables: str | None = Field(default=None, description="address of its tables, once it is done")
    progress: dict[str, Any] | None = None
    reason: str | None = Field(default=None, description="why it failed")
    facts: AnalysisFacts | None = None
