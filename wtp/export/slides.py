"""The report as PowerPoint: a slide a finding, its title the finding, with a native chart and an editable table of the same figures.

Definitions and notes stand in the speaker notes, the mark of simulated answers on every slide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from pptx.util import Inches

from wtp.export.native_chart import NativeChart, native_charts
from wtp.export.report import Card, Finding, Report
from wtp.export.slide_chart import add_chart
from wtp.export.slide_deck import AFTER, BODY, GAP, LEFT, ROOM, TEXT, TOP, Deck, fitting
from wtp.export.slide_table import POINT, add_table, column_widths, height_of, natural_width, parts_of, row_heights

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_WHOLE = (14.0, 13.0, 12.0, 11.0, 10.0)  # of letters, points: the largest with which the whole table fits on one slide
_SIZES = (11.0, 10.0, 9.0)  # of longer tables: the largest in which no word is broken
_SURE = 0.97  # of the room, since programs differ a little in how they lay out
_BESIDE = Inches(5.1)  # width of a table beside its chart
_MOST_BELOW = 0.5  # of the body that a table below its chart may take
_COLUMN = Inches(3.6)  # sentences beside a chart
_FRAME, _NAME = Inches(0.9), Inches(0.26)  # height of a chart of bars without them, and of each


def write_pptx(report: Report, file: IO[bytes]) -> None:
    """Write the slides: title, overview of each segment, what to know, every finding, method and provenance."""
    _Slides(report).write(file)


class _Slides:
    """The slides of one report, made one after the other."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._words = report.words
        self._deck = Deck(report)

    def write(self, file: IO[bytes]) -> None:
        report = self._report
        self._deck.opening()
        self._deck.eyebrow = self._words["overview"]
        for card in report.cards:
            self._card(card)
        self._texts(self._words["notes"], [text for _, text in report.notes], ())
        for chapter in report.chapters:
            self._deck.eyebrow = f"{chapter.name} · {report.segment}"
            for finding in chapter.findings:
                self._finding(finding)
        self._deck.eyebrow = self._words["method"]
        self._closing()
        self._deck.save(file)

    def _card(self, card: Card) -> None:
        title = f"{card.segment}: {card.finding}"
        told = " · ".join(filter(None, (card.respondents, card.evidence)))
        head = (self._words["verdict"], self._words["attribute"], self._words["why"])
        rows = [(f"{each.mark} {each.name}", each.attribute, each.sentence) for each in card.verdicts]
        texts = [told, f"{card.limit_name}: {card.limit} {card.today}", *card.splits]
        slide = self._deck.slide(title, texts)
        top = self._deck.sentences(slide, texts, TOP)
        if rows:
            self._table(title, head, rows, slide=slide, top=top, notes=())

    def _texts(self, title: str, texts: Sequence[str], notes: Sequence[str]) -> None:
        """Slides of sentences alone, as many as it takes."""
        for part in fitting(texts, ROOM, BODY):
            self._deck.sentences(self._deck.slide(title, notes), part, TOP)

    def _finding(self, finding: Finding) -> None:
        words = self._words
        notes = [
            finding.lead, *finding.findings, finding.missing, f"{words['says']}: {finding.says}",
            f"{words['not_says']}: {finding.not_says}", *(text for _, text in self._report.notes),
        ]  # fmt: skip
        lead = finding.lead if finding.lead != finding.title else ""
        above = [*filter(None, (lead, finding.missing)), *finding.findings]
        charts = native_charts(finding.figure) if finding.figure is not None and finding.native else ()
        if finding.missing or not finding.rows:
            self._texts(finding.title, above or [finding.says], notes)
        elif charts:
            self._charted(finding, charts, above, notes)
        else:
            first, *others = fitting(above, ROOM, int(BODY * 0.6)) if above else [[]]
            slide = self._deck.slide(finding.title, notes)
            top = self._deck.sentences(slide, first, TOP) if first else int(TOP)
            self._table(finding.title, finding.head, finding.rows, slide=slide, top=top, notes=notes)
            for part in others:
                self._texts(finding.title, part, notes)

    def _charted(self, finding: Finding, charts: Sequence[NativeChart], above: list[str], notes: list[str]) -> None:
        """Chart and table on one slide where that is readable, else the table on slides of its own."""
        slide = self._deck.slide(finding.title, notes)
        if (
            self._beside(slide, finding, charts, above, squeezed=1.15)
            or self._below(slide, finding, charts, above)
            or self._beside(slide, finding, charts, above, squeezed=1.35)
        ):
            return
        parts = list(fitting(above, int(_COLUMN), int(BODY)))
        self._charts(slide, finding, charts, int(ROOM - (_COLUMN + GAP if parts else 0)), int(BODY))
        self._aside(slide, parts[0] if parts else [], int(BODY))
        rest = [text for part in parts[1:] for text in part]
        slide, top = self._deck.slide(finding.title, notes), int(TOP)
        if rest:
            top = self._deck.sentences(slide, rest, top)
        self._table(finding.title, finding.head, finding.rows, slide=slide, top=top, notes=notes)

    def _beside(
        self, slide: Any, finding: Finding, charts: Sequence[NativeChart], above: list[str], *, squeezed: float
    ) -> bool:
        """Chart on the left, sentences and table on the right, if they fit; squeezed: how much wider the table would like to be."""
        size, width = _SIZES[0], _BESIDE / POINT
        widths = column_widths(finding.head, finding.rows, width, size)
        if widths is None or natural_width(finding.head, finding.rows, size) > width * squeezed:
            return False
        text = height_of(above, width, TEXT, AFTER) + (8 if above else 0)
        if (sum(row_heights(finding.head, finding.rows, widths, size)) + text) * POINT > BODY:
            return False
        self._charts(slide, finding, charts, int(ROOM - _BESIDE - GAP), int(BODY))
        left = int(LEFT + ROOM - _BESIDE)
        if above:
            self._deck.paragraphs(slide, (left, int(TOP), int(_BESIDE), int(text * POINT)), above)
        self._put(slide, finding, (left, int(TOP + text * POINT)), widths, size)
        return True

    def _below(self, slide: Any, finding: Finding, charts: Sequence[NativeChart], above: list[str]) -> bool:
        """Chart with its sentences above, a low table below, if that leaves each name of the chart its room."""
        size = _SIZES[0]
        widths = column_widths(finding.head, finding.rows, ROOM / POINT, size)
        if widths is None:
            return False
        low = int(sum(row_heights(finding.head, finding.rows, widths, size)) * POINT)
        height = int(BODY - GAP) - low
        needed = _FRAME + max(len(chart.categories) for chart in charts) * _NAME
        spoken = height_of(above, _COLUMN / POINT, TEXT, AFTER) * POINT
        if low > BODY * _MOST_BELOW or max(needed, spoken) > height:
            return False
        self._charts(slide, finding, charts, int(ROOM - (_COLUMN + GAP if above else 0)), height)
        self._aside(slide, above, height)
        self._put(slide, finding, (int(LEFT), int(TOP + GAP) + height), widths, size)
        return True

    def _aside(self, slide: Any, texts: Sequence[str], height: int) -> None:
        """Sentences to the right of a chart."""
        if texts:
            self._deck.paragraphs(slide, (LEFT + ROOM - _COLUMN, TOP, _COLUMN, height), texts)

    def _put(self, slide: Any, finding: Finding, place: tuple[int, int], widths: Sequence[float], size: float) -> None:
        """The whole table of a finding."""
        add_table(
            slide.shapes, finding.head, finding.rows, place, widths, size, language=self._deck.language,
            description=f"{finding.title}, {self._words['table']}",
        )  # fmt: skip

    def _charts(self, slide: Any, finding: Finding, charts: Sequence[NativeChart], width: int, height: int) -> None:
        """The charts of a finding, side by side."""
        one = (width - int(GAP) * (len(charts) - 1)) // len(charts)
        for number, chart in enumerate(charts):
            description = f"{self._words['chart']}: {finding.title}. {self._words['same_figures']}"
            place = (int(LEFT) + number * (one + int(GAP)), int(TOP), one, height)
            add_chart(slide.shapes, chart, place, words=self._words, description=description)

    def _table(
        self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, slide: Any, top: int, notes: Sequence[str]
    ) -> None:  # fmt: skip
        """The table from `top` on, and on further slides as long as it has rows."""
        bottom = int(TOP + BODY)
        size, widths = _fitted(head, rows, ROOM / POINT, _SURE * (bottom - top) / POINT)
        heights = row_heights(head, rows, widths, size)
        if sum(heights[:2]) * POINT > bottom - top:
            slide, top = self._deck.slide(title, notes), int(TOP)
        parts = parts_of(heights, _SURE * (bottom - top) / POINT, _SURE * BODY / POINT)
        for number, part in enumerate(parts, 1):
            if number > 1:
                slide, top = self._deck.slide(title, notes), int(TOP)
            which = (
                self._words["part"].format(part=number, parts=len(parts)) if len(parts) > 1 else self._words["table"]
            )
            add_table(
                slide.shapes, head, rows[part], (int(LEFT), top), widths, size, language=self._deck.language,
                description=f"{title}, {which}",
            )  # fmt: skip

    def _closing(self) -> None:
        report, words = self._report, self._words
        slide = self._deck.slide(words["method"], [*report.method, *(f"{term}: {text}" for term, text in report.provenance)])  # fmt: skip
        top = self._deck.sentences(slide, report.method, TOP)
        head = (words["provenance"], words["value"])
        self._table(words["provenance"], head, report.provenance, slide=slide, top=top, notes=())


def _fitted(
    head: Sequence[str], rows: Sequence[Sequence[str]], width: float, height: float
) -> tuple[float, list[float]]:
    """Size of letters and widths of columns, points: the largest with which the whole table fits, else that of long tables."""
    for size in _WHOLE:
        widths = column_widths(head, rows, width, size)
        if widths and sum(row_heights(head, rows, widths, size)) <= height:
            return size, widths
    fitted = ((size, column_widths(head, rows, width, size)) for size in _SIZES)
    return next(((size, widths) for size, widths in fitted if widths), (_SIZES[-1], [width / len(head)] * len(head)))
