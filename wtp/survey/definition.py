"""The survey definition: everything that an author writes in `survey.toml`, as one frozen record.

`Definition` is also the published schema (`wtp check --schema`). References between its parts (a segment that names a
question, a rating that names attributes) are checked with the identifiers that `load.py` passes as validation context, so that
all mistakes of a file are found in one go, each at its own key.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, model_validator

from wtp.survey.attributes import Attribute, Identifier, Money, Price, Record, unique_ids
from wtp.survey.conditions import known_question
from wtp.survey.conditions import mistake as _mistake
from wtp.survey.contacts import Contacts, contact_mistakes
from wtp.survey.design_checks import design_mistakes
from wtp.survey.flow_checks import flow_mistakes
from wtp.survey.labels import has, label_mistakes, label_of
from wtp.survey.look import Look
from wtp.survey.measures import SimulatedRating, measure_mistakes
from wtp.survey.page_checks import page_mistakes
from wtp.survey.pages import ConsentPage, Page, QuestionPage, Quota, ScreenOut
from wtp.survey.panel import Panel, panel_mistakes
from wtp.survey.privacy import Privacy, privacy_mistakes
from wtp.survey.process import ProcessStep, ProcessTruth, process_mistakes
from wtp.survey.questions import GaborGranger, OpenPrice, Question, Rating, VanWestendorp
from wtp.survey.stopping import Stopping
from wtp.survey.tasks import ChoiceTaskPlan, PerLabel
from wtp.survey.wording import Language, Wording


def _known_options(when: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, tuple[str, ...]]:
    known: Mapping[str, list[str]] = (info.context or {}).get("options", {})
    for question, options in when.items():
        unknown = [option for option in options if option not in known.get(question, options)]
        if unknown:
            raise _mistake(
                "unknown_option",
                f"{question} = {', '.join(unknown)}",
                f"the options {', '.join(known[question])}",
                "name one of these options",
            )
    return when


class Segment(Record):
    """A declared segment: respondents whose answers fulfil every condition of `when`; the first that fits wins."""

    id: Identifier
    label: Wording
    customers: int = Field(ge=1, le=1_000_000_000, description="how many customers of the company are in the segment")
    when: Annotated[
        dict[
            Annotated[Identifier, AfterValidator(known_question)],
            Annotated[tuple[Identifier, ...], Field(min_length=1)],
        ],
        Field(min_length=1),
        AfterValidator(_known_options),
    ]


class Competitor(Record):
    """Somebody else's offer, as customers see it; with it, price limits and values are also told against the competition."""

    id: Identifier
    label: Wording
    price: Money
    levels: dict[Identifier, Identifier] = Field(description="its level of every attribute that it has")
    unit_cost: Money | None = Field(
        None, description="a guess of its cost per purchase, for the prices it may answer with"
    )


class Economics(Record):
    """What the company earns and spends; without this table no profit and no invest / save label is shown."""

    illustrative: bool = Field(False, description="figures are an example, and every page that uses them says so")
    unit_cost: Money = Field(description="cost of today's offer per customer and purchase")
    purchases_per_year: float = Field(1, gt=0, le=366)
    planning_years: float = Field(3, gt=0, le=30)
    interest_rate: float = Field(0.08, ge=0, le=1, description="per year, 0.08 is 8 per cent")
    route: Literal["price", "share"] = Field(
        "price", description="price: improvements can be charged for; share: the price cannot move"
    )
    budget: float | None = Field(None, ge=0, description="money once that may be invested")
    known_share: float | None = Field(
        None, gt=0, lt=1, description="share of customers who buy today's offer, from sales"
    )
    overstated: float | None = Field(
        None, gt=0, le=5, description="stated over paid as this company knows it, such as 1.2"
    )


SLUG = r"^[a-z][a-z0-9_-]{1,39}$"
_SITE = r"^https://[a-z0-9.-]+(:[0-9]{1,5})?$"


class SimulatedSegment(Record):
    """Known tastes of simulated respondents of one segment, in money: what a level is worth beyond the first one."""

    segment: Identifier
    share: float = Field(gt=0, le=1)
    price_coefficient: float = Field(lt=0, description="utility per currency unit")
    price_limit: Money = Field(description="price at which half would still buy today's offer")
    worth: dict[Identifier, tuple[float, ...]] = Field(description="per attribute, one amount a level, the first is 0")
    per_label: PerLabel = Field(default=(), description="what is different for one label")
    process: ProcessTruth | None = Field(default=None, exclude_if=lambda truth: truth is None)
    rated: Annotated[tuple[SimulatedRating, ...], Field(max_length=13), AfterValidator(unique_ids("rating"))] = Field(
        default=(), exclude_if=operator.not_, description="mean ratings that they give"
    )
    script: tuple[Identifier, ...] = Field(
        default=(), exclude_if=operator.not_, description="events in the order in which this segment expects them"
    )

    @model_validator(mode="after")
    def _one_amount_a_level(self, info: ValidationInfo) -> SimulatedSegment:
        attributes: Mapping[str, list[str]] = (info.context or {}).get("attributes", {})
        for attribute, levels in attributes.items():
            amounts = self.worth.get(attribute)
            if amounts is None or len(amounts) != len(levels) or amounts[0] != 0:
                raise _mistake(
                    "worth",
                    f"worth.{attribute} = {list(amounts) if amounts is not None else 'missing'}",
                    f"{len(levels)} amounts, the first 0",
                    f"write one amount for each of {', '.join(levels)}",
                )
        unknown = [attribute for attribute in self.worth if attributes and attribute not in attributes]
        if unknown:
            raise _mistake("worth", f"worth.{unknown[0]}", ", ".join(attributes), "remove it or add the attribute")
        return self


class Simulation(Record):
    """Who answers in `wtp simulate` and `wtp demo`; `spread` is the tastes' standard deviation as a share of the mean."""

    spread: float = Field(0.3, ge=0, le=2)
    segments: tuple[SimulatedSegment, ...] = Field(min_length=1)


_NOT_ASKED: dict[str, Any] = {
    "segments": True,
    "process": True,
    "economics": True,
    "competitors": True,
    "simulation": True,
    "price": {"current", "per_label"},
    "quotas": {"__all__": {"limit"}},
    "panel": True,
    "embed_in": True,
    "look": True,
    "stopping": True,
    "follows": True,
    "contacts": True,
    "privacy": True,
    "choice_tasks": {"method", "criterion", "seconds", "prior"},
    "pages": {"__all__": {"questions": {"__all__": {"rival", "competitor"}}}},
    "attributes": {
        "__all__": {
            "current": True,
            "by_segment": True,
            "per_label": True,
            "levels": {"__all__": {"unit_cost", "investment"}},
        }
    },
}


_LATER = ("contacts", "process", "follows", "privacy")


class Definition(Record):
    """A whole survey."""

    format: Literal[1]
    title: Wording
    offer: Wording = Field(description="what is being sold, in a few words; it heads every alternative")
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    minutes: int = Field(ge=1, le=60, description="honest time to answer, told at the start")
    attributes: Annotated[
        tuple[Attribute, ...], Field(min_length=1, max_length=12), AfterValidator(unique_ids("attribute"))
    ]
    price: Price
    choice_tasks: ChoiceTaskPlan
    pages: Annotated[tuple[Page, ...], Field(min_length=3), AfterValidator(unique_ids("page"))]
    screen_outs: Annotated[tuple[ScreenOut, ...], AfterValidator(unique_ids("screen-out"))] = ()
    quotas: Annotated[tuple[Quota, ...], Field(max_length=50), AfterValidator(unique_ids("quota"))] = ()
    panel: Panel | None = None
    look: Look | None = None
    stopping: Stopping | None = None
    follows: Annotated[str, StringConstraints(pattern=SLUG)] | None = Field(
        None, description="slug of the study of which this one is a later wave, to compare before and after"
    )
    embed_in: tuple[Annotated[str, StringConstraints(pattern=_SITE)], ...] = Field(
        (), description="sites that may show this survey in a frame, such as https://www.example.com; nobody else may"
    )
    speed_prompt: bool = Field(
        True, description="ask politely for more time, once, after the second page that nobody can have read"
    )
    segments: Annotated[tuple[Segment, ...], AfterValidator(unique_ids("segment"))] = ()
    process: Annotated[tuple[ProcessStep, ...], Field(max_length=12), AfterValidator(unique_ids("step"))] = ()
    competitors: Annotated[tuple[Competitor, ...], Field(max_length=8), AfterValidator(unique_ids("competitor"))] = ()
    economics: Economics | None = None
    contacts: Contacts | None = None
    privacy: Privacy | None = None
    simulation: Simulation | None = None

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question of every page, in the order asked."""
        return tuple(q for page in self.pages if isinstance(page, QuestionPage) for q in page.questions)

    @property
    def pictures(self) -> frozenset[str]:
        """File names of all pictures, in the folder `pictures` beside survey.toml."""
        levels = {level.picture for a in self.attributes for level in a.levels if level.picture}
        return frozenset(levels | ({self.look.logo} if self.look and self.look.logo else set()))

    @property
    def importance_rating(self) -> Rating | None:
        """The rating that measures stated importance, if there is one."""
        return next((q for q in self.questions if isinstance(q, Rating) and q.measures == "importance"), None)

    @property
    def performance_ratings(self) -> dict[str, Rating]:
        """The ratings of how well this company ("performance") and its strongest rival ("rival_performance") do, by what they measure."""
        wanted = ("performance", "rival_performance")
        return {q.measures: q for q in self.questions if isinstance(q, Rating) and q.measures in wanted}

    @property
    def van_westendorp(self) -> VanWestendorp | None:
        """The Van Westendorp question, if there is one."""
        return next((q for q in self.questions if isinstance(q, VanWestendorp)), None)

    @property
    def purchase_intent(self) -> Rating | None:
        """The rating of purchase intent at one's own cheap and expensive price, if there is one."""
        return next((q for q in self.questions if isinstance(q, Rating) and q.measures == "purchase_intent"), None)

    @property
    def gabor_granger(self) -> GaborGranger | None:
        """The Gabor-Granger question, if there is one."""
        return next((q for q in self.questions if isinstance(q, GaborGranger)), None)

    @property
    def open_price(self) -> OpenPrice | None:
        """The question for an open price, if there is one."""
        return next((q for q in self.questions if isinstance(q, OpenPrice)), None)

    def attribute(self, attribute_id: str) -> Attribute:
        """The attribute with this identifier (the price is not among them)."""
        return next(attribute for attribute in self.attributes if attribute.id == attribute_id)

    @property
    def consent_hash(self) -> str:
        """Identifies what a respondent agrees to, in all languages; kept with each consent."""
        consent = next(page for page in self.pages if isinstance(page, ConsentPage))
        return hashlib.sha256(consent.model_dump_json().encode()).hexdigest()[:16]

    @property
    def hash(self) -> str:
        """Identifies what respondents are asked, whatever the file's layout: costs, rivals, segments, simulation and data protection may change while answers keep their meaning."""
        return hashlib.sha256(self.model_dump_json(exclude=_NOT_ASKED, exclude_defaults=True).encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """Identifies the whole content, as analyses depend on it; what earlier releases did not know counts only where it is there."""
        absent = {name for name in _LATER if not getattr(self, name)}
        return hashlib.sha256(self.model_dump_json(exclude=absent).encode()).hexdigest()[:16]


# What tables of choices and designs call their own columns.
_TAKEN_BY_CHOICES = (
    *("price", "none", "respondent", "choice_task", "kind", "order", "position", "alternative", "chosen", "buys"),
    *("version", "repeats", "design_version", "definition_hash", "simulated", "segment"),
)


def _but(taken: Sequence[str]) -> str:
    return f"any id but {', '.join(taken)}"


def cross_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """Mistakes between valid parts: (key, found, allowed, remedy) each."""
    mistakes: list[tuple[str, str, str, str]] = []
    for a, attribute in enumerate(definition.attributes):
        ids = ", ".join(attribute.level_ids)
        if attribute.current not in attribute.level_ids:
            mistakes.append((f"attributes[{a}].current", attribute.current, ids, "name the level of today's offer"))
        if attribute.best_first and not attribute.ordered:
            found, allowed = "true without an order", "true only with ordered = true"
            mistakes.append((f"attributes[{a}].best_first", found, allowed, "remove one of the two"))
        if attribute.id in _TAKEN_BY_CHOICES:
            mistakes.append((f"attributes[{a}].id", attribute.id, _but(_TAKEN_BY_CHOICES), "rename the attribute"))
    taken = ("all", "price", *(attribute.id for attribute in definition.attributes))
    for s, segment in enumerate(definition.segments):
        if segment.id in taken:
            mistakes.append((f"segments[{s}].id", segment.id, _but(taken), "rename the segment"))
    mistakes += _competitor_mistakes(definition)
    levels = definition.price.levels
    if not levels[0] <= definition.price.current <= levels[-1]:
        mistakes.append(
            (
                "price.current",
                f"{definition.price.current:.15g}",
                f"{levels[0]:.15g} to {levels[-1]:.15g}",
                "test prices on both sides of today's price",
            )
        )
    mistakes += [
        *page_mistakes(definition),
        *contact_mistakes(definition),
        *privacy_mistakes(definition),
        *panel_mistakes(definition),
        *flow_mistakes(definition),
        *design_mistakes(definition),
        *label_mistakes(definition),
        *measure_mistakes(definition),
        *process_mistakes(definition),
    ]
    if definition.simulation:
        known = [segment.id for segment in definition.segments]
        earlier: set[str] = set()
        for s, simulated in enumerate(definition.simulation.segments):
            key = f"simulation.segments[{s}].segment"
            if simulated.segment in earlier:
                mistakes.append((key, f"{simulated.segment} again", "every segment once", "name another segment"))
            earlier.add(simulated.segment)
            if simulated.segment not in known:
                mistakes.append((key, simulated.segment, ", ".join(known) or "no segment", "name a declared segment"))
        total = sum(segment.share for segment in definition.simulation.segments)
        if abs(total - 1) > 1e-9:
            mistakes.append(("simulation.segments", f"shares that sum to {total:g}", "a sum of 1", "adjust the shares"))
    return mistakes


def _competitor_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    mistakes: list[tuple[str, str, str, str]] = []
    tested = definition.price.levels
    for c, competitor in enumerate(definition.competitors):
        key, label = f"competitors[{c}]", label_of(definition, competitor.levels)
        known = {attribute.id: attribute.level_ids for attribute in definition.attributes if has(attribute, label)}
        if competitor.id in ("own", "none"):
            mistakes.append((f"{key}.id", competitor.id, "any id but own, none", "rename the competitor"))
        for attribute in known.keys() | competitor.levels.keys():
            level = competitor.levels.get(attribute)
            if attribute not in known:
                found = "no such attribute" if not label else f"no attribute of {label}"
                mistakes.append((f"{key}.levels.{attribute}", found, ", ".join(known), "remove it"))
            elif level not in known[attribute]:
                found = level or "missing"
                mistakes.append((f"{key}.levels.{attribute}", found, ", ".join(known[attribute]), "name one of these"))
        if not tested[0] <= competitor.price <= tested[-1]:
            allowed = f"{tested[0]:.15g} to {tested[-1]:.15g}, the tested prices"
            mistakes.append((f"{key}.price", f"{competitor.price:.15g}", allowed, "test prices up to the competitor's"))
    return sorted(mistakes)
