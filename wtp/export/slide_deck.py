"""What all slides of a report share: size, colours and font of the deck, titles, the mark of simulated answers, the line of the source, texts with their language."""

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

from wtp.export.report import Report, plain
from wtp.export.slide_table import GREY, INK, POINT, height_of, lines_of

_FONT = "Arial"  # every office program has it, or one that measures alike
_LOCALES = {"de": "de-DE", "en": "en-GB"}
_TITLE_SLIDE, _TITLE_ONLY = 0, 5  # of the layouts that come with python-pptx
_WIDTH, _HEIGHT = Inches(13.333), Inches(7.5)
LEFT, ROOM = Inches(0.55), Inches(12.23)
TOP, BODY = Inches(1.72), Inches(5.02)
GAP = Inches(0.3)
TEXT, AFTER = 13.0, 6.0  # letters of sentences and the space behind each, points
_TITLES = (26.0, 22.0, 19.0)  # the largest in which a title takes two lines
_MARK, _MARK_TEXT = RGBColor(0xFF, 0xF1, 0xC9), RGBColor(0x5C, 0x3D, 0x00)

Place = tuple[int, int, int, int]  # left, top, width, height in EMU


class Deck:
    """The slides of one report; `eyebrow` is the line above the titles of the next ones."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.language = _LOCALES.get(report.language, report.language)
        self.eyebrow = ""
        self._deck = Presentation()
        self._opening, self._usual = _widen(self._deck)
        _theme(self._deck, report.colours)
        about = self._deck.core_properties
        about.title, about.subject = plain(f"{report.title} – {report.study}"), plain(report.study)
        about.author = about.last_modified_by = "wtp"
        about.language, about.keywords, about.comments = self.language, plain(report.simulated), plain(report.source)

    def save(self, file: IO[bytes]) -> None:
        """Write the file."""
        self._deck.save(file)

    def opening(self) -> Any:
        """The first slide: title, study, who was asked."""
        report = self._report
        slide = self._deck.slides.add_slide(self._opening)
        self._fill(slide.shapes.title.text_frame, [report.title], 36, bold=True)
        self._fill(slide.placeholders[1].text_frame, [report.study], 22, colour=GREY)
        self._mark(slide)
        marks = [report.simulated and f"{report.simulated}. {report.words['simulated']}", report.illustrative]
        lines = [*(f"{term}: {text}" for term, text in report.facts), *filter(None, marks)]
        self.paragraphs(slide, (LEFT, Inches(3.75), ROOM, Inches(3.2)), lines, 14)
        return slide

    def slide(self, title: str, notes: Sequence[str] = ()) -> Any:
        """A slide with its title, mark and source; notes are for who speaks."""
        slide = self._deck.slides.add_slide(self._usual)
        size = next((size for size in _TITLES if lines_of(title, ROOM / POINT - 8, size, bold=True) <= 2), 16.0)
        self._fill(slide.shapes.title.text_frame, [title], size, bold=True)
        self._text(slide, (LEFT, Inches(0.33), Inches(6.6), Inches(0.32)), [self.eyebrow], 12, colour=GREY)
        self._mark(slide)
        self._foot(slide)
        if notes:
            slide.notes_slide.notes_text_frame.text = plain("\n\n".join(filter(None, notes)))
        return slide

    def paragraphs(self, slide: Any, place: Place, texts: Sequence[str], size: float = TEXT) -> None:
        """Sentences in a box."""
        self._fill(self._text(slide, place, [], size).text_frame, texts, size, after=AFTER)

    def sentences(self, slide: Any, texts: Sequence[str], top: int) -> int:
        """Sentences over the whole width; gives back where they end."""
        height = int(height_of(texts, ROOM / POINT, TEXT, AFTER) * POINT)
        self.paragraphs(slide, (LEFT, top, ROOM, min(height, BODY)), texts)
        return top + height + Inches(0.1)

    def _mark(self, slide: Any) -> None:
        if not self._report.simulated:
            return
        place = (LEFT + ROOM - Inches(5.2), Inches(0.3), Inches(5.2), Inches(0.34))
        box = self._text(slide, place, [self._report.simulated], 12, bold=True, colour=_MARK_TEXT)
        box.fill.solid()
        box.fill.fore_color.rgb = _MARK
        box.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        box.text_frame.margin_top = box.text_frame.margin_bottom = Pt(4)
        box.text_frame.paragraphs[0].alignment = PP_ALIGN.CENTER

    def _foot(self, slide: Any) -> None:
        top, height, size = Inches(6.86), Inches(0.45), 9.5
        source = [*filter(None, (self._report.source, self._report.illustrative))]
        self._text(slide, (LEFT, top, ROOM - Inches(0.8), height), source, size, colour=GREY)
        number = self._text(slide, (LEFT + ROOM - Inches(0.7), top, Inches(0.7), height), [], size)
        paragraph = number.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT
        made = etree.SubElement(paragraph._p, qn("a:fld"), id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", type="slidenum")
        etree.SubElement(made, qn("a:rPr"), lang=self.language, sz=str(int(size * 100)))
        etree.SubElement(made, qn("a:t")).text = str(len(self._deck.slides))

    def _text(
        self, slide: Any, place: Place, texts: Sequence[str], size: float, *, bold: bool = False, colour: RGBColor = INK
    ) -> Any:
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
            run._r.get_or_add_rPr().set("lang", self.language)


def fitting(texts: Sequence[str], width: int, height: int) -> Iterator[list[str]]:
    """Sentences in parts that each fit into a box of this size, EMU."""
    part: list[str] = []
    for text in texts:
        if part and height_of([*part, text], width / POINT, TEXT, AFTER) * POINT > height:
            yield part
            part = []
        part.append(text)
    if part:
        yield part


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
    placeholder.left, placeholder.top, placeholder.width, placeholder.height = LEFT, place[0], ROOM, place[1]
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
