"""The process that makes a PDF: charts drawn by a browser, pages laid out from a template. Started by `report_pdf`, never imported by the pages.

Every text is escaped by the template, and no address is ever fetched: the one thing that pages refer to are the charts, by number.
"""

from __future__ import annotations

import asyncio
import copy
import io
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from lxml import etree

from wtp.export.native_chart import values_of
from wtp.export.report import plain
from wtp.export.report_pdf import MADE, SAID, TASK

try:
    import weasyprint
    from weasyprint.urls import URLFetcherResponse
except (ImportError, OSError) as error:  # the package, or Pango, which it loads
    weasyprint, _WHY = None, str(error)

try:
    import kaleido
except ImportError as error:
    kaleido, _NO_KALEIDO = None, str(error)

FONTS = '"Liberation Sans", Arial, "DejaVu Sans", sans-serif'
_SCHEME = "chart:"
_PIXELS = 680  # width of a drawing; it is scaled to the page
_LETTERS = 34  # of a name beside its row, before it goes on in the next line
_DRAWING = 40.0  # seconds for all charts; the rest is for the pages


def main(folder: Path) -> None:
    """Read the report from the folder, write the PDF and what there is to say about it."""
    if weasyprint is None:
        _say(folder, missing=f"PDF: weasyprint does not start ({_WHY}); allowed: weasyprint with the library Pango; on Debian apt-get install libpango-1.0-0 libpangoft2-1.0-0.")  # fmt: skip
        return
    report = _plain(json.loads((folder / TASK).read_text(encoding="utf-8")))
    figures = {finding["chart"]: finding["figure"] for chapter in report["chapters"] for finding in chapter["findings"] if finding["figure"]}  # fmt: skip
    pictures, why = _pictures(figures)
    for chapter in report["chapters"]:
        for finding in chapter["findings"]:
            finding["picture"] = f"{_SCHEME}{finding['chart']}" if finding["chart"] in pictures else ""
    _lay_out(report, pictures, bool(why), folder / MADE)
    _say(folder, charts=len(pictures), no_charts=why)


def _say(folder: Path, *, missing: str = "", charts: int = 0, no_charts: str = "") -> None:
    said = {"missing": missing, "charts": charts, "no_charts": no_charts}
    (folder / SAID).write_text(json.dumps(said), encoding="utf-8")


def _plain(value: Any) -> Any:
    """The report without letters that are not shown."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: part if key == "figure" else _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _pictures(figures: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, bytes], str]:
    """SVG by chart, or nothing and why."""
    if not figures:
        return {}, ""
    if kaleido is None:
        return {}, f"kaleido is not installed ({_NO_KALEIDO})"
    try:
        return asyncio.run(asyncio.wait_for(_draw(figures), _DRAWING)), ""
    except (Exception, asyncio.CancelledError) as error:  # whatever a browser may come up with: figures stay in the tables
        return {}, f"{type(error).__name__}: {str(error)[:500]}"


async def _draw(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """All charts in one browser, which reads Plotly's script from the installed package and nothing else."""
    drawn = {}
    async with kaleido.Kaleido(n=1, mathjax=False) as browser:
        for chart, figure in figures.items():
            made = printed(figure)
            size = {"format": "svg", "width": _PIXELS, "height": made["layout"]["height"]}
            drawn[chart] = await browser.calc_fig(made, opts=size)
    return drawn


def printed(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A chart as paper needs it: a font that the page has too, black letters, long names in lines, higher by as much."""
    made: dict[str, Any] = copy.deepcopy(dict(figure))
    layout = made["layout"]
    layout["font"] = {**layout.get("font", {}), "family": FONTS, "size": 13, "color": "#000000"}
    layout.pop("autosize", None)
    lines = 1
    axis = layout.setdefault("yaxis", {})
    if axis.get("ticktext"):
        axis["ticktext"] = [_wrapped(name) for name in axis["ticktext"]]
        lines = max(name.count("<br>") + 1 for name in axis["ticktext"])
    for trace in made["data"]:
        y = values_of(trace.get("y"))
        if any(isinstance(name, str) for name in y):
            trace["y"] = [name and _wrapped(name) for name in y]
            lines = max(lines, *(name.count("<br>") + 1 for name in trace["y"] if name))
    for note in layout.get("annotations") or ():
        if isinstance(note.get("y"), str):
            note["y"] = _wrapped(note["y"])
    layout["height"] = min(int(layout.get("height") or 420), 640 if lines == 1 else 760)
    return made


def _wrapped(name: str) -> str:
    return "<br>".join(textwrap.wrap(name, _LETTERS, break_long_words=False)) or name


def _lay_out(report: Mapping[str, Any], pictures: Mapping[str, bytes], without_charts: bool, file: Path) -> None:
    """The pages: tagged for screen readers (PDF/UA), with bookmarks."""

    def fetch(address: str, *_: Any, **__: Any) -> Any:
        if not address.startswith(_SCHEME) or address.removeprefix(_SCHEME) not in pictures:
            raise ValueError(f"{address[:80]}: a report fetches nothing")
        body = io.BytesIO(pictures[address.removeprefix(_SCHEME)])
        return URLFetcherResponse(address, body, {"Content-Type": "image/svg+xml"})

    templates = Environment(
        loader=PackageLoader("wtp.export"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    page = templates.get_template("report.html").render(report=report, words=report["words"], without_charts=without_charts)  # fmt: skip
    style = templates.get_template("report.css").render(fonts=FONTS)
    weasyprint.HTML(string=page, url_fetcher=fetch).write_pdf(
        file, stylesheets=[weasyprint.CSS(string=style, url_fetcher=fetch)], pdf_variant="pdf/ua-1"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
