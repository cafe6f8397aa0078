"""What a results page reads: one study's analysis in one segment, with its amounts and labels in the language of the page."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from flask_babel import gettext, ngettext
from markupsafe import escape

from wtp.analysis import ALL, HIERARCHICAL, MANY_LEFT_OUT, SMALLEST_SAMPLE, Analysis
from wtp.survey import Definition, Survey
from wtp.survey.labels import label_attribute, label_of, todays_offer
from wtp.web import formats
from wtp.web.analyses import FLAGGED, LEFT_OUT, NONE
from wtp.web.i18n import text as said


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page reads: one study's analysis in one segment, in the words of one language. answers: whose, one of `analyses.SETS`; budget: that may be invested once, if one is known."""

    survey: Survey
    analysis: Analysis
    segment: str
    labels: dict[str, str] = field(default_factory=dict)
    answers: str = LEFT_OUT
    budget: float | None = None

    @property
    def definition(self) -> Definition:
        """The survey's definition."""
        return self.survey.definition

    @property
    def left_out(self) -> int:
        """How many respondents these figures are without."""
        return len(self.analysis.request.without)

    @property
    def many_left_out(self) -> bool:
        """Whether so many are left out that the rest may be another population."""
        return self.left_out > MANY_LEFT_OUT * max(self.left_out + self.analysis.respondents, 1)

    @property
    def whose(self) -> str:
        """Whose answers these are, in a few words."""
        if self.answers == NONE:
            return gettext("Answers of everybody, nobody left out")
        if self.answers == FLAGGED:
            return ngettext(
                "Without %(num)s respondent with two or more quality flags",
                "Without %(num)s respondents with two or more quality flags",
                self.left_out,
            )
        if not self.left_out:
            return gettext("Answers of everybody; nobody was left out")
        return ngettext(
            "Without %(num)s respondent whom an analyst left out",
            "Without %(num)s respondents whom analysts left out",
            self.left_out,
        )

    @property
    def unit(self) -> str:
        """Currency and what the price is for, as in 'EUR per month'."""
        return f"{self.analysis.currency} {self.period}"

    @property
    def charted_unit(self) -> str:
        """The unit escaped, since Plotly reads a little HTML in texts."""
        return str(escape(self.unit))

    @property
    def picture_label(self) -> str:
        """What a picture of a chart must say of itself when it leaves the page; escaped."""
        study = f"{said(self.definition.title)}, {self.labels[self.segment]}"
        if self.left_out:
            study += f", {self.whose}"
        if self.analysis.simulated:
            study += " – " + gettext(
                "Simulated answers: %(simulated)s of %(all)s respondents",
                simulated=self.analysis.simulated,
                all=self.analysis.respondents,
            )
        return str(escape(study))

    @property
    def period(self) -> str:
        """What the price is for, as in 'per month'."""
        return said(self.definition.price.unit)

    def money(self, amount: float, step: float = formats.CENT) -> str:
        """An amount in the survey's currency, rounded to `step`."""
        return formats.money(amount, self.analysis.currency, step)

    def price(self, price: float) -> str:
        """A price, with cents where it has any."""
        return self.money(price, 1 if float(price).is_integer() else formats.CENT)

    def with_interval(self, amount: float, low: float, high: float, step: float = formats.CENT) -> str:
        """An amount and both ends of its interval."""
        return f"{self.money(amount, step)} ({self.interval(low, high, step)})"

    def interval(self, low: float, high: float, step: float = formats.CENT) -> str:
        """Both ends of an interval."""
        return gettext("%(low)s to %(high)s", low=self.money(low, step), high=self.money(high, step))

    def precision(self, table: str, low: str, high: str) -> float:
        """Rounding step that suits the intervals of a table's rows in this segment."""
        rows = self.table(table)
        return formats.precision(float((rows[high] - rows[low]).median())) if len(rows) else formats.CENT

    @property
    def worth_step(self) -> float:
        """Rounding step of every worth of this segment."""
        return self.precision("willingness_to_pay", "low", "high")

    @property
    def hierarchical(self) -> bool:
        """Whether amounts and price limits come from respondents' own tastes, not from one average taste."""
        rows = self.table("segments")
        return "estimator" in rows and bool((rows["estimator"] == HIERARCHICAL).any())

    @property
    def everybody(self) -> str:
        """Whom the figures of everybody are about: a sentence for the page, empty for a segment."""
        if self.segment != ALL or not self.definition.segments:
            return ""
        counts = self.analysis.tables["segments"].set_index("segment")["respondents"]
        if all(counts.get(segment.id, 0) >= SMALLEST_SAMPLE for segment in self.definition.segments):
            return gettext("Everybody means the segments weighted by their numbers of customers.") + " "
        return gettext("Everybody means all answers alike: a segment has too few to stand for its customers.") + " "

    def table(self, name: str) -> pd.DataFrame:
        """The segment's rows of a table; empty if the study has none."""
        if name not in self.analysis.tables:
            return pd.DataFrame()
        return self.analysis.table(name, self.segment)

    def worths(self) -> pd.DataFrame:
        """Trade-off values of all steps; where alternatives bear labels, an attribute is that of its label, as in "time (rail)"."""
        return by_label(self.table("willingness_to_pay"))

    def todays_worths(self) -> pd.DataFrame:
        """Trade-off values of the steps of today's offer."""
        table = self.table("willingness_to_pay")
        if "offer_label" not in table:
            return table
        return table[table["offer_label"].isin(["", label_of(self.definition, todays_offer(self.definition))])]


def by_label(table: pd.DataFrame) -> pd.DataFrame:
    """Amounts whose attribute is that of its label, as in "time (rail)"; the same table where offers bear no labels."""
    if "offer_label" not in table:
        return table
    return table.assign(
        attribute=table["attribute"] + (" (" + table["offer_label"] + ")").where(table["offer_label"] != "", "")
    )


def labels_of(definition: Definition) -> dict[str, str]:
    """Shown text of every attribute, attribute.level and segment; of an attribute of one label also as "time (rail)"."""
    labels = {ALL: gettext("Everybody"), "price": said(definition.price.label)}
    labels |= {segment.id: said(segment.label) for segment in definition.segments}
    for attribute in definition.attributes:
        labels[attribute.id] = said(attribute.label)
        labels |= {f"{attribute.id}.{level.id}": said(level.label) for level in attribute.levels}
    bearers = label_attribute(definition)
    for label in bearers.levels if bearers else ():
        labels[f"price ({label.id})"] = f"{labels['price']}, {said(label.label)}"
        for attribute in definition.attributes:
            name = f"{attribute.id} ({label.id})"
            labels[name] = f"{labels[attribute.id]}, {said(label.label)}"
            labels |= {f"{name}.{level.id}": said(level.label) for level in attribute.levels}
    return labels
