"""Sawtooth's text files .cho and .chs as a long table: numbers alone, parted by blanks, as its online help describes them.

.cho: respondent, extra variables, attributes, tasks, none option; a line of extra variables; then each task: concepts and depth, a line of level
numbers a concept, the concept chosen and seconds; none is the concept after the last. .chs: a line of concepts, then level numbers and points a concept, none a line of zeros.
"""

from __future__ import annotations

from wtp.imports.tables import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, Table, table_of
from wtp.imports.unreadable import UnreadableError

ATTRIBUTE = "attribute {}"
_KEYS = ["respondent", "choice_task", "alternative", "chosen"]


def read_sawtooth(text: str, kind: str, place: str) -> Table:
    """One row a concept: respondent, choice_task, alternative, chosen (1, 0 or points), attribute 1 and on, extra 1 and on.

    Raises DataError naming the line that does not fit.
    """
    lines = _Lines(text, place)
    records: list[tuple[int, list[str]]] = []
    attributes = extras = -1
    while lines.left:
        respondent, more, width, tasks, none = lines.whole(
            5, "respondent, extra variables, attributes, tasks, none option"
        )
        if attributes not in {-1, width} or extras not in {-1, more}:
            raise lines.wrong(
                f"{more} extra variables and {width} attributes",
                f"{extras} and {attributes}, as for the respondents before",
            )
        if not 0 < width <= 100 or not 0 <= more <= 1000 or not 0 < tasks <= 1000:
            raise lines.wrong(
                f"{width} attributes, {more} extra variables, {tasks} tasks", "1 to 100, 0 to 1,000, 1 to 1,000"
            )
        attributes, extras = width, more
        extra = lines.numbers(more, "extra variables") if more or kind == "cho" or lines.blank else []
        for task in range(1, tasks + 1):
            rows = _cho_task(lines, width, bool(none)) if kind == "cho" else _chs_task(lines, width)
            for alternative, (line, chosen, levels) in enumerate(rows, 1):
                records.append((line, [str(respondent), str(task), str(alternative), chosen, *levels, *extra]))
        if len(records) > MOST_ROWS:
            raise UnreadableError("too_many", place, rows=MOST_ROWS, columns=MOST_COLUMNS, cells=MOST_CELLS)
    heading = [
        *_KEYS,
        *(ATTRIBUTE.format(n) for n in range(1, attributes + 1)),
        *(f"extra {n}" for n in range(1, extras + 1)),
    ]
    return table_of("", [(0, heading), *records], place=place)


def _cho_task(lines: _Lines, width: int, none: bool) -> list[tuple[int, str, list[str]]]:
    concepts, *_ = lines.whole(2, "concepts and depth")
    if not 1 <= concepts <= 100:
        raise lines.wrong(f"{concepts} concepts", "1 to 100")
    levels = [(lines.at + 1, lines.numbers(width, "a level number an attribute")) for _ in range(concepts)]
    chosen, *_ = lines.whole(2, "the concept chosen and seconds")
    if none:
        levels.append((lines.at, ["0"] * width))
    if not 1 <= chosen <= len(levels):
        raise lines.wrong(f"concept {chosen} chosen", f"1 to {len(levels)}")
    return [(line, str(int(n == chosen)), row) for n, (line, row) in enumerate(levels, 1)]


def _chs_task(lines: _Lines, width: int) -> list[tuple[int, str, list[str]]]:
    (concepts,) = lines.whole(1, "concepts")
    if not 1 <= concepts <= 100:
        raise lines.wrong(f"{concepts} concepts", "1 to 100")
    rows = [
        (lines.at + 1, lines.numbers(width + 1, "a level number an attribute, and points")) for _ in range(concepts)
    ]
    return [(line, "1" if float(row[-1]) else "0", row[:-1]) for line, row in rows]


class _Lines:
    """The lines of a file, taken one after the other; an empty one counts where there are no extra variables."""

    def __init__(self, text: str, place: str) -> None:
        self._lines = text.rstrip().splitlines()
        self._place = place
        self.at = 0

    @property
    def left(self) -> bool:
        """Whether there are more lines."""
        return self.at < len(self._lines)

    @property
    def blank(self) -> bool:
        """Whether the next line is empty."""
        return self.left and not self._lines[self.at].strip()

    def numbers(self, count: int, what: str) -> list[str]:
        """The next line, which has so many numbers."""
        parts = self._lines[self.at].split() if self.left else []
        self.at += 1
        if len(parts) != count or not all(part.removeprefix("-").replace(".", "", 1).isdecimal() for part in parts):
            raise self.wrong(f"{' '.join(parts)[:60]!r}", f"{count} numbers: {what}")
        return parts

    def whole(self, count: int, what: str) -> list[int]:
        """The same, as whole numbers."""
        numbers = self.numbers(count, what)
        if not all(number.isdecimal() and len(number) < 19 for number in numbers):
            raise self.wrong(f"{' '.join(numbers)[:60]!r}", f"{count} whole numbers: {what}")
        return [int(number) for number in numbers]

    def wrong(self, found: str, allowed: str) -> UnreadableError:
        """The error of the line that was taken last."""
        return UnreadableError("line", self._place, row=self.at, found=found, allowed=allowed)
