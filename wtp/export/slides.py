"""The report as PowerPoint: a slide a finding, its title the finding, with a native chart and an editable table of the same figures.

Wide, in Arial, which every office program has or measures alike; definitions and notes stand in the speaker notes, the mark of simulated answers on every slide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

from lxml import etree
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from wtp.export.native_chart import NativeChart, native_charts
from wtp.export.report import Card, Finding, Report, plain
from wtp.export.slide_chart import add_chart
from wtp.export.slide_table import (
    GREY,
    INK,
    POINT,
    add_table,
    column_widths,
    height_of,
    lines_of,
    natural_width,
    parts_of,
    row_heights,
)

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_FONT = "Arial"
_LOCALES = {"de": "de-DE", "en": "en-GB"}
_TITLE_SLIDE, _TITLE_ONLY = 0, 5  # of the layouts that come with python-pptx
_WIDTH, _HEIGHT = Inches(13.333), Inches(7.5)
_LEFT, _ROOM = Inches(0.55), Inches(12.23)
_TOP, _BODY = Inches(1.72), Inches(5.02)
_GAP = Inches(0.3)
_MARK, _MARK_TEXT = RGBColor(0xFF, 0xF1, 0xC9), RGBColor(0x5C, 0x3D, 0x00)
_SIZES = (11.0, 10.0, 9.0)  # of letters in tables, points
_WHOLE = (14.0, 13.0, 12.0, 11.0, 10.0)  # the largest with which the whole table fits on one slide
_TEXT = 13.0
_AFTER = 6.0
_BESIDE = Inches(5.1)  # widest table beside a chart
_MOST_BELOW = 0.5  # of the body that a table below its chart may take
_COLUMN = Inches(3.6)  # sentences beside a chart
_INVEST, _SAVE = RGBColor(0x00, 0x56, 0x3F), RGBColor(0x8A, 0x3D, 0x00)


def write_pptx(report: Report, file: IO[bytes]) -> None:
    """Write the slides: title, overview of each segment, what to know, every finding, method and provenance."""
    _Slides(report).write(file)


class _Slides:
    """The slides of one report, made one after the other."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._words = report.words
        self._locale = _LOCALES.get(report.language, report.language)
        self._deck = Presentation()
        self._eyebrow = ""
        self._opening, self._usual = _widen(self._deck)
        _theme(self._deck, report.colours)
        about = self._deck.core_properties
        about.title, about.subject, about.language = plain(f"{report.title} – {report.study}"), plain(report.study), self._locale  # fmt: skip
        about.author = about.last_modified_by = "wtp"
        about.keywords = plain(report.simulated)
        about.comments = plain(report.source)

    def write(self, file: IO[bytes]) -> None:
        report = self._report
        self._title()
        self._eyebrow = self._words["overview"]
        for card in report.cards:
            self._card(card)
        if report.notes:
            self._texts(self._words["notes"], [text for _, text in report.notes])
        for chapter in report.chapters:
            self._eyebrow = f"{chapter.name} · {report.segment}"
            for finding in chapter.findings:
                self._finding(finding)
        self._eyebrow = self._words["method"]
        self._closing()
        self._deck.save(file)

    # -- parts of every slide

    def _slide(self, title: str, notes: Sequence[str] = ()) -> Any:
        slide = self._deck.slides.add_slide(self._usual)
        size = next(
            (size for size in (26.0, 22.0, 19.0) if lines_of(title, _ROOM / POINT - 8, size, bold=True) <= 2), 16.0
        )
        self._fill(slide.shapes.title.text_frame, [title], size, bold=True)
        self._text(slide, (_LEFT, Inches(0.33), Inches(6.6), Inches(0.32)), [self._eyebrow], 12, colour=GREY)
        self._mark(slide)
        self._foot(slide)
        if notes:
            slide.notes_slide.notes_text_frame.text = plain("\n\n".join(filter(None, notes)))
        return slide

    def _mark(self, slide: Any) -> None:
        if not self._report.simulated:
            return
        place = (_LEFT + _ROOM - Inches(5.2), Inches(0.3), Inches(5.2), Inches(0.34))
        box = self._text(slide, place, [self._report.simulated], 12, bold=True, colour=_MARK_TEXT)
        box.fill.solid()
        box.fill.fore_color.rgb = _MARK
        box.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        box.text_frame.margin_top = box.text_frame.margin_bottom = Pt(4)
        box.text_frame.paragraphs[0].alignment = PP_ALIGN.CENTER

    def _foot(self, slide: Any) -> None:
        top, height = Inches(6.86), Inches(0.45)
        source = "\n".join(filter(None, (self._report.source, self._report.illustrative)))
        self._text(slide, (_LEFT, top, _ROOM - Inches(0.8), height), source.split("\n"), 9.5, colour=GREY)
        number = self._text(slide, (_LEFT + _ROOM - Inches(0.7), top, Inches(0.7), height), [""], 9.5, colour=GREY)
        paragraph = number.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT
        made = etree.SubElement(paragraph._p, qn("a:fld"), id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", type="slidenum")
        etree.SubElement(made, qn("a:rPr"), lang=self._locale, sz="950")
        etree.SubElement(made, qn("a:t")).text = str(len(self._deck.slides))

    def _text(
        self, slide: Any, place: tuple[int, int, int, int], texts: Sequence[str], size: float, *, bold: bool = False, colour: RGBColor = INK
    ) -> Any:  # fmt: skip
        box = slide.shapes.add_textbox(*(Emu(int(part)) for part in place))
        self._fill(box.text_frame, texts, size, bold=bold, colour=colour)
        return box

    def _fill(
        self, frame: Any, texts: Sequence[str], size: float, *, bold: bool = False, colour: RGBColor = INK, after: float = 0.0
    ) -> None:  # fmt: skip
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        for place, text in enumerate(texts):
            paragraph = frame.paragraphs[0] if not place else frame.add_paragraph()
            paragraph.space_after = Pt(after)
            run = paragraph.add_run()
            run.text = plain(text)
            run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, colour
            run._r.get_or_add_rPr().set("lang", self._locale)

    # -- kinds of slides

    def _title(self) -> None:
        report = self._report
        slide = self._deck.slides.add_slide(self._opening)
        self._fill(slide.shapes.title.text_frame, [report.title], 36, bold=True)
        under = slide.placeholders[1]
        self._fill(under.text_frame, [report.study], 22, colour=GREY)
        self._mark(slide)
        lines = [f"{term}: {text}" for term, text in report.facts]
        marks = [report.simulated and f"{report.simulated}. {self._words['simulated']}", report.illustrative]
        box = self._text(slide, (_LEFT, Inches(3.75), _ROOM, Inches(3.2)), [], 14)
        self._fill(box.text_frame, [*lines, *filter(None, marks)], 14, after=5)

    def _card(self, card: Card) -> None:
        told = " · ".join(filter(None, (card.respondents, card.evidence)))
        words = self._words
        head = (words["verdict"], words["attribute"], words["why"])
        rows = [(f"{each.mark} {each.name}", each.attribute, each.sentence) for each in card.verdicts]
        slide = self._slide(f"{card.segment}: {card.finding}", [told, card.limit_name, card.limit, card.today, *card.splits])  # fmt: skip
        texts = [told, f"{card.limit_name}: {card.limit} {card.today}", *card.splits]
        top = self._sentences(slide, texts, _TOP, int(_BODY))
        if rows:
            self._table(f"{card.segment}: {card.finding}", head, rows, slide=slide, top=top, notes=[])

    def _sentences(self, slide: Any, texts: Sequence[str], top: int, most: int) -> int:
        """Paragraphs over the whole width; gives back where they end."""
        height = int(height_of(texts, _ROOM / POINT, _TEXT, _AFTER) * POINT)
        box = self._text(slide, (_LEFT, top, _ROOM, min(height, most)), [], _TEXT)
        self._fill(box.text_frame, texts, _TEXT, after=_AFTER)
        return top + height + Inches(0.1)

    def _texts(self, title: str, texts: Sequence[str]) -> None:
        """Slides of paragraphs alone, as many as it takes."""
        for part in self._fitting(texts, int(_ROOM), int(_BODY)):
            slide = self._slide(title)
            self._sentences(slide, part, _TOP, int(_BODY))

    def _fitting(self, texts: Sequence[str], width: int, height: int) -> Iterator[list[str]]:
        """Paragraphs in parts that fit into a box."""
        part: list[str] = []
        for text in texts:
            if part and height_of([*part, text], width / POINT, _TEXT, _AFTER) * POINT > height:
                yield part
                part = []
            part.append(text)
        if part:
            yield part

    def _finding(self, finding: Finding) -> None:
        words = self._words
        notes = [
            finding.lead, *finding.findings, finding.missing, f"{words['says']}: {finding.says}",
            f"{words['not_says']}: {finding.not_says}", *(text for _, text in self._report.notes),
        ]  # fmt: skip
        above = [*filter(None, (finding.lead if finding.lead != finding.title else "", finding.missing)), *finding.findings]  # fmt: skip
        charts = native_charts(finding.figure) if finding.figure is not None and finding.native else ()
        if finding.missing or not finding.rows:
            self._sentences(self._slide(finding.title, notes), above, _TOP, int(_BODY))
            return
        if not charts:
            parts = list(self._fitting(above, int(_ROOM), int(_BODY * 0.6)))
            slide, top = self._slide(finding.title, notes), int(_TOP)
            if parts:
                top = self._sentences(slide, parts[0], top, int(_BODY))
            self._table(finding.title, finding.head, finding.rows, slide=slide, top=top, notes=notes)
            for part in parts[1:]:
                self._sentences(self._slide(finding.title, notes), part, _TOP, int(_BODY))
            return
        self._charted(finding, charts, above, notes)

    def _charted(self, finding: Finding, charts: Sequence[NativeChart], above: list[str], notes: list[str]) -> None:
        """Chart with the table beside it where that fits, else with the sentences, the table on slides of its own."""
        slide = self._slide(finding.title, notes)
        size, beside = _SIZES[0], int(_BESIDE)
        widths = column_widths(finding.head, finding.rows, beside / POINT, size)
        compact = widths is not None and natural_width(finding.head, finding.rows, size) * POINT < beside * 1.7
        tall = sum(row_heights(finding.head, finding.rows, widths, size)) if widths and compact else float("inf")
        text = height_of(above, beside / POINT, _TEXT, _AFTER) + (8 if above else 0)
        if widths and (tall + text) * POINT <= _BODY:
            self._charts(slide, finding, charts, int(_ROOM - beside - _GAP), int(_BODY))
            left, top = int(_LEFT + _ROOM - beside), int(_TOP)
            if above:
                box = self._text(slide, (left, top, beside, int(text * POINT)), [], _TEXT)
                self._fill(box.text_frame, above, _TEXT, after=_AFTER)
                top += int(text * POINT)
            self._put(slide, finding, (left, top), widths, size)
            return
        below = column_widths(finding.head, finding.rows, _ROOM / POINT, size)
        low = int(sum(row_heights(finding.head, finding.rows, below, size)) * POINT) if below else int(_BODY)
        height = int(_BODY) - (low + int(_GAP) if low <= _BODY * _MOST_BELOW else 0)
        column = int(_COLUMN) + int(_GAP) if above else 0
        needed = int(Inches(0.9)) + max(len(chart.categories) for chart in charts) * int(Inches(0.26))
        if below and needed <= height < _BODY and height_of(above, _COLUMN / POINT, _TEXT, _AFTER) * POINT <= height:
            self._charts(slide, finding, charts, int(_ROOM) - column, height)
            self._aside(slide, above, height)
            self._put(slide, finding, (int(_LEFT), int(_TOP) + height + int(_GAP)), below, size)
            return
        parts = list(self._fitting(above, int(_COLUMN), int(_BODY)))
        self._charts(slide, finding, charts, int(_ROOM) - column, int(_BODY))
        self._aside(slide, parts[0] if parts else [], int(_BODY))
        rest = [text for part in parts[1:] for text in part]
        slide, top = self._slide(finding.title, notes), int(_TOP)
        if rest:
            top = self._sentences(slide, rest, top, int(_BODY))
        self._table(finding.title, finding.head, finding.rows, slide=slide, top=top, notes=notes)

    def _aside(self, slide: Any, texts: Sequence[str], height: int) -> None:
        """Sentences to the right of a chart."""
        if texts:
            box = self._text(slide, (_LEFT + _ROOM - _COLUMN, _TOP, _COLUMN, height), [], _TEXT)
            self._fill(box.text_frame, texts, _TEXT, after=_AFTER)

    def _put(self, slide: Any, finding: Finding, place: tuple[int, int], widths: Sequence[float], size: float) -> None:
        """The whole table of a finding."""
        add_table(
            slide.shapes, finding.head, finding.rows, place, widths, size, language=self._locale,
            description=f"{finding.title}, {self._words['table']}",
        )  # fmt: skip

    def _charts(self, slide: Any, finding: Finding, charts: Sequence[NativeChart], width: int, height: int) -> None:
        """The charts of a finding, side by side."""
        one = (width - int(_GAP) * (len(charts) - 1)) // len(charts)
        for number, chart in enumerate(charts):
            description = f"{self._words['chart']}: {finding.title}. {self._words['same_figures']}"
            place = (int(_LEFT) + number * (one + int(_GAP)), int(_TOP), one, height)
            add_chart(slide.shapes, chart, place, words=self._words, description=description)

    def _table(
        self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, slide: Any, top: int, notes: Sequence[str]
    ) -> None:  # fmt: skip
        """The table from `top` on, and on further slides as long as it has rows."""
        bottom = int(_TOP + _BODY)
        size, widths = _fitted(head, rows, _ROOM / POINT, (bottom - top) / POINT)
        heights = row_heights(head, rows, widths, size)
        parts = parts_of(heights, (bottom - top) / POINT, _BODY / POINT)
        for number, part in enumerate(parts, 1):
            if number > 1:
                slide, top = self._slide(title, notes), int(_TOP)
            which = (
                self._words["part"].format(part=number, parts=len(parts)) if len(parts) > 1 else self._words["table"]
            )
            add_table(
                slide.shapes, head, rows[part], (int(_LEFT), top), widths, size, language=self._locale,
                description=f"{title}, {which}",
            )  # fmt: skip

    def _closing(self) -> None:
        report = self._report
        slide = self._slide(self._words["method"], [*report.method, *(f"{term}: {text}" for term, text in report.provenance)])  # fmt: skip
        top = self._sentences(slide, report.method, _TOP, int(_BODY))
        self._table(
            self._words["provenance"], (self._words["provenance"], self._words["value"]), report.provenance, slide=slide, top=top, notes=[]
        )  # fmt: skip


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


def _widen(deck: Any) -> tuple[Any, Any]:
    """16:9; gives back the layouts of the first and of all other slides, with their places of titles; the rest goes."""
    deck.slide_width, deck.slide_height = Emu(_WIDTH), Emu(_HEIGHT)
    for number in reversed(range(len(deck.slide_layouts))):
        if number not in (_TITLE_SLIDE, _TITLE_ONLY):
            deck.slide_layouts.remove(deck.slide_layouts[number])
    scale = _WIDTH / Inches(10)
    for shape in deck.slide_master.placeholders:
        left, top, width, height = shape.left, shape.top, shape.width, shape.height
        shape.left, shape.top, shape.width, shape.height = int(left * scale), top, int(width * scale), height
    opening, usual = deck.slide_layouts
    _lay(opening.placeholders[0], (Inches(1.0), Inches(1.5)), MSO_ANCHOR.BOTTOM)
    _lay(opening.placeholders[1], (Inches(2.65), Inches(0.7)), MSO_ANCHOR.TOP)
    _lay(usual.placeholders[0], (Inches(0.72), Inches(0.95)), MSO_ANCHOR.TOP)
    return opening, usual


def _lay(placeholder: Any, place: tuple[int, int], anchor: Any) -> None:
    """A placeholder of a layout over the whole width at (top, height), its text on the left."""
    placeholder.left, placeholder.top, placeholder.width, placeholder.height = _LEFT, place[0], _ROOM, place[1]
    body = placeholder.text_frame
    body.vertical_anchor = anchor
    style = body._txBody.find(qn("a:lstStyle"))
    level = style.find(qn("a:lvl1pPr"))
    if level is None:
        level = etree.SubElement(style, qn("a:lvl1pPr"))
    level.set("algn", "l")


def _theme(deck: Any, colours: Sequence[str]) -> None:
    """Our colours as the theme's, so that what somebody adds looks alike, and one font."""
    part = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    for number, colour in enumerate(colours[:6], 1):
        place = next(theme.iter(qn(f"a:accent{number}")))
        place.clear()
        etree.SubElement(place, qn("a:srgbClr")).set("val", colour[1:].upper())
    for kind in ("a:majorFont", "a:minorFont"):
        next(theme.iter(qn(kind))).find(qn("a:latin")).set("typeface", _FONT)
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)
