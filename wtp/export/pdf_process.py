"""The process that makes a PDF: charts drawn by a browser, pages laid out from a template. Started by `report_pdf`, never imported.

It imports nothing of this program, which takes longer than all charts. Every text is escaped by the template, and no address is ever fetched: the one thing that pages refer to are the charts, by name, and what a chart holds in itself.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

try:
    import weasyprint
    from weasyprint.urls import URLFetcherResponse
except (ImportError, OSError) as error:  # the package, or Pango, which it loads
    weasyprint, _WHY = None, str(error)

try:
    import kaleido
except ImportError as error:
    kaleido, _NO_KALEIDO = None, str(error)

_SCHEME = "chart:"
_RASTER = "data:image/png;base64,"
_PIXELS = 680  # width of a drawing; it is scaled to the page


def main(folder: Path) -> None:
    """Read the report from the folder, write the PDF and what there is to say about it."""
    if weasyprint is None:
        _say(folder, missing=f"PDF: weasyprint does not start ({_WHY}); allowed: weasyprint with the library Pango; on Debian apt-get install libpango-1.0-0 libpangoft2-1.0-0.")  # fmt: skip
        return
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    figures = {finding["chart"]: finding["figure"] for chapter in report["chapters"] for finding in chapter["findings"] if finding["figure"]}  # fmt: skip
    pictures, why = _pictures(figures, report["drawing_seconds"])
    for chapter in report["chapters"]:
        for finding in chapter["findings"]:
            finding["picture"] = f"{_SCHEME}{finding['chart']}" if finding["chart"] in pictures else ""
    _lay_out(report, pictures, bool(why), folder / "report.pdf")
    _say(folder, charts=len(pictures), no_charts=why)


def _say(folder: Path, *, missing: str = "", charts: int = 0, no_charts: str = "") -> None:
    said = {"missing": missing, "charts": charts, "no_charts": no_charts}
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")


def _pictures(figures: Mapping[str, Mapping[str, Any]], seconds: float) -> tuple[dict[str, bytes], str]:
    """SVG by chart, or nothing and why."""
    if not figures:
        return {}, ""
    if kaleido is None:
        return {}, f"kaleido is not installed ({_NO_KALEIDO})"
    try:
        return asyncio.run(asyncio.wait_for(_draw(figures), seconds)), ""
    # Whatever a browser may come up with: the figures stay in the tables.
    except (Exception, asyncio.CancelledError) as error:
        return {}, f"{type(error).__name__}: {str(error)[:500]}"


def _browser() -> Any:
    """Kaleido without loading Plotly's script anew for each chart, which takes longer than to draw it."""

    class Browser(kaleido.Kaleido):  # type: ignore[misc]
        async def _return_kaleido_tab(self, tab: Any) -> None:
            await self.tabs_ready.put(tab)

    return Browser


async def _draw(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """All charts in one browser, which reads Plotly's script from the installed package and nothing else."""
    drawn = {}
    async with _browser()(n=1, mathjax=False) as browser:
        for chart, figure in figures.items():
            size = {"format": "svg", "width": _PIXELS, "height": figure["layout"]["height"]}
            drawn[chart] = await browser.calc_fig(figure, opts=size)
    return drawn


def _lay_out(report: Mapping[str, Any], pictures: Mapping[str, bytes], without_charts: bool, file: Path) -> None:
    """The pages: tagged for screen readers (PDF/UA), with bookmarks."""

    def fetch(address: str, *_: Any, **__: Any) -> Any:
        if address.startswith(_RASTER):  # the fields of a heat map, which a chart holds in itself
            return URLFetcherResponse(address, base64.b64decode(address.removeprefix(_RASTER)), {"Content-Type": "image/png"})  # fmt: skip
        if not address.startswith(_SCHEME) or address.removeprefix(_SCHEME) not in pictures:
            raise ValueError(f"{address[:80]}: a report fetches nothing")
        body = io.BytesIO(pictures[address.removeprefix(_SCHEME)])
        return URLFetcherResponse(address, body, {"Content-Type": "image/svg+xml"})

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=select_autoescape(["html"]), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    page = templates.get_template("report.html").render(report=report, words=report["words"], without_charts=without_charts)  # fmt: skip
    style = templates.get_template("report.css").render(fonts=report["fonts"])
    weasyprint.HTML(string=page, url_fetcher=fetch).write_pdf(
        file, stylesheets=[weasyprint.CSS(string=style, url_fetcher=fetch)], pdf_variant="pdf/ua-1"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
