"""Tables and texts on a slide: how much room they need, where a long table goes on to the next slide, and the editable table itself.

Office programs lay texts out only when a slide is opened, so room is reckoned beforehand from the widths of letters (of Helvetica, in thousandths of the size).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from wtp.export.report import plain

INK, GREY, LINE, WASH = RGBColor(0x1B, 0x1F, 0x24), RGBColor(0x57, 0x60, 0x6A), "D0D7DE", RGBColor(0xF1, 0xF4, 0xF7)
POINT = 12_700  # EMU
_WIDTHS = {
    "ijl'|": 222, "ftI.,:;/![] \u00a0": 278, "r()-“”„·": 333, "cksvxyzJ": 500, "ABEKPSVXYÄ&": 667, "CDHNRUwÜ": 722, "GOQÖ": 778,
    "mM": 833, "W%": 944, "…—→↑↓▲▼■○●≠": 1000,
}  # fmt: skip
_LETTERS = {letter: width for letters, width in _WIDTHS.items() for letter in letters}
_SAFE = 1.04  # kerning and fonts that stand in for it
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
_SIDE, _ABOVE = 5.0, 2.5  # margins of a cell, points
_LEADING = 1.22

Rows = Sequence[Sequence[str]]


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Width of a text in one line, in points."""
    thousandths = sum(_LETTERS.get(letter, 570) for letter in text)
    return thousandths * size / 1000 * _SAFE * (1.06 if bold else 1.0)


def lines_of(text: str, width: float, size: float, bold: bool = False) -> int:
    """In how many lines a text breaks between words in this width, in points."""
    count = 0
    for paragraph in text.split("\n"):
        count, room = count + 1, width
        for word in paragraph.split(" "):
            need = width_of(word, size, bold)
            if need > room and room < width:
                count, room = count + 1, width
            if need > width:
                count += math.ceil(need / width) - 1
                room = width - need % width
            else:
                room -= need
            room -= width_of(" ", size, bold)
    return count


def height_of(texts: Sequence[str], width: float, size: float, after: float = 0.0) -> float:
    """Height of paragraphs in this width, in points; after: space behind each."""
    return sum(lines_of(text, width, size) * size * _LEADING + after for text in texts)


def natural_width(head: Sequence[str], rows: Rows, size: float) -> float:
    """Width in points in which no cell breaks."""
    return sum(max(_ideal(column, size)) for column in _columns(head, rows))


def _columns(head: Sequence[str], rows: Rows) -> list[list[str]]:
    return [[name, *(row[place] for row in rows)] for place, name in enumerate(head)]


def _ideal(column: Sequence[str], size: float) -> list[float]:
    return [width_of(cell, size, bold=not place) + 2 * _SIDE + 2 for place, cell in enumerate(column)]


def column_widths(head: Sequence[str], rows: Rows, width: float, size: float) -> list[float] | None:
    """Widths of the columns in points, no word broken; None where that does not fit."""
    columns = _columns(head, rows)
    ideal = [max(_ideal(column, size)) for column in columns]
    least = [
        max(width_of(word, size, bold=not place) for place, cell in enumerate(column) for word in cell.split(" ")) + 2 * _SIDE + 2
        for column in columns
    ]  # fmt: skip
    if sum(ideal) <= width:
        return [one * width / sum(ideal) for one in ideal]
    if sum(least) > width:
        return None
    # Long texts get the room that is left by the root of what they lack, so that a note does not starve the figures.
    lacking = [math.sqrt(max(want - have, 0.0)) for want, have in zip(ideal, least, strict=True)]
    left = width - sum(least)
    shared = [min(want, have + left * lack / sum(lacking)) for want, have, lack in zip(ideal, least, lacking, strict=True)]  # fmt: skip
    rest = (width - sum(shared)) / len(shared)
    return [one + rest for one in shared]


def row_heights(head: Sequence[str], rows: Rows, widths: Sequence[float], size: float) -> list[float]:
    """Heights in points, that of the head first."""
    return [
        max(lines_of(cell, width - 2 * _SIDE, size, bold=not place) for cell, width in zip(row, widths, strict=True)) * size * _LEADING + 2 * _ABOVE
        for place, row in enumerate((head, *rows))
    ]  # fmt: skip


def parts_of(heights: Sequence[float], first: float, later: float) -> list[slice]:
    """Which rows go on which slide; heights: the head's first; first, later: room of the first and of all other slides, points. A row is never split."""
    head, parts, begin, room = heights[0], [], 0, first - heights[0]
    for row, height in enumerate(heights[1:]):
        if height > room and row > begin:
            parts.append(slice(begin, row))
            begin, room = row, later - head
        room -= height
    return [*parts, slice(begin, len(heights) - 1)]


def add_table(
    shapes: Any, head: Sequence[str], rows: Rows, place: tuple[int, int], widths: Sequence[float], size: float, *, language: str, description: str
) -> Any:  # fmt: skip
    """An editable table at (left, top) in EMU, its first row marked as the head; description: for those who do not see it."""
    heights = row_heights(head, rows, widths, size)
    frame = shapes.add_table(
        len(rows) + 1, len(head), Emu(place[0]), Emu(place[1]), Emu(int(sum(widths) * POINT)), Emu(int(sum(heights) * POINT))
    )  # fmt: skip
    frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(description))
    table = frame.table
    table._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
    table.horz_banding = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Emu(int(width * POINT))
    for number, (row, height) in enumerate(zip((head, *rows), heights, strict=True)):
        table.rows[number].height = Emu(int(height * POINT))
        for at, text in enumerate(row):
            _cell(table.cell(number, at), text, size, head=not number, first=not at, language=language)
    return frame


def _cell(cell: Any, text: str, size: float, *, head: bool, first: bool, language: str) -> None:
    cell.margin_left = cell.margin_right = Pt(_SIDE)
    cell.margin_top = cell.margin_bottom = Pt(_ABOVE)
    cell.vertical_anchor = MSO_ANCHOR.BOTTOM if head else MSO_ANCHOR.TOP
    paragraph = cell.text_frame.paragraphs[0]
    if text:
        run = paragraph.add_run()
        run.text = plain(text)
        run.font.size, run.font.bold, run.font.color.rgb = Pt(size), head or first, GREY if head else INK
        run._r.get_or_add_rPr().set("lang", language)
    else:  # as high as the other cells, not as the letters that would stand in it by default
        etree.SubElement(paragraph._p, qn("a:endParaRPr"), lang=language, sz=str(int(size * 100)))
    properties = cell._tc.get_or_add_tcPr()
    line = etree.SubElement(properties, qn("a:lnB"))
    line.set("w", str(int(Pt(1.5 if head else 0.75))))
    solid = etree.SubElement(line, qn("a:solidFill"))
    etree.SubElement(solid, qn("a:srgbClr")).set("val", LINE)
