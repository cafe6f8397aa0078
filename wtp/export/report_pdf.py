"""The report as PDF, made in a process of its own with a time limit: layout engine, browser and event loop never come into a web worker.

`write_pdf` is the door. The process that it starts is `pdf_process.py`, which is told everything through files of a folder that is deleted whatever happens.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wtp.errors import WtpError
from wtp.export.native_chart import values_of
from wtp.export.report import Report, printable

PDF = "application/pdf"
LONGEST = 60.0  # seconds; the demo takes about seven
_DRAWING = 0.65  # of them for the charts at most; the rest is for the pages
_FONTS = '"Liberation Sans", Arial, "DejaVu Sans", sans-serif'
_PROCESS = Path(__file__).with_name("pdf_process.py")
_FRAME, _HIGHEST = 130, 880  # pixels of a drawing: around its rows, and in all
_LETTERS = 40  # of a name beside its row, before it goes on in the next line


_ONE = threading.BoundedSemaphore()  # at a time in a process, since each starts a browser


class PdfError(WtpError):
    """The PDF cannot be made here: something is not installed."""


class PdfTimeoutError(PdfError):
    """It took too long, or others were before it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is in the file. charts: how many were drawn; no_charts: why there are none, for the log, empty if there are."""

    charts: int
    no_charts: str


def write_pdf(report: Report, file: IO[bytes], seconds: float = LONGEST) -> Written:
    """Write the PDF into an open file. Without a browser its tables alone are there, and it says so.

    Raises PdfError where the layout engine is missing, PdfTimeoutError when the time is over; nothing that was started goes on then.
    """
    if importlib.util.find_spec("weasyprint") is None:
        raise PdfError(
            "PDF: the Python package weasyprint is not installed; allowed: an installation with the extra pdf; run pip install 'wtp[pdf]'."
        )
    end = time.monotonic() + seconds
    if not _ONE.acquire(timeout=seconds):
        raise _late(seconds)
    folder = Path(tempfile.mkdtemp(prefix="wtp-report-"))
    try:
        return _made(report, file, folder, end, seconds)
    finally:
        _remove(folder)
        _ONE.release()


def _remove(folder: Path) -> None:
    """Delete the folder. A browser ends by itself when its process is gone, and may write until then."""
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _late(seconds: float) -> PdfTimeoutError:
    return PdfTimeoutError(f"PDF: not ready after {seconds:g} seconds; allowed: at most as many; try again when the server has less to do.")  # fmt: skip


def _made(report: Report, file: IO[bytes], folder: Path, end: float, seconds: float) -> Written:
    (folder / "report.json").write_text(json.dumps(_task(report, seconds)), encoding="utf-8")
    # The browser keeps its profile in the folder too, so that none is left when it is killed.
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    process = subprocess.Popen(  # noqa: S603 - no word of it comes from outside
        [sys.executable, "-P", str(_PROCESS), str(folder)], env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        _, errors = process.communicate(timeout=max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _late(seconds) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if not (folder / "said.json").exists():
        raise RuntimeError(
            f"PDF: its process ended with {process.returncode}: {errors.decode(errors='replace')[-2000:]}"
        )
    said = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    if said["missing"]:
        raise PdfError(said["missing"])
    file.write((folder / "report.pdf").read_bytes())
    return Written(said["charts"], said["no_charts"])


def _task(report: Report, seconds: float) -> dict[str, Any]:
    """What the process is told: texts without control letters, charts as paper needs them."""
    task: dict[str, Any] = _printable(report.to_dict()) | {"fonts": _FONTS, "drawing_seconds": _DRAWING * seconds}
    for chapter in task["chapters"]:
        for finding in chapter["findings"]:
            finding["figure"] = printed(finding["figure"]) if finding["figure"] else None
    return task


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: part if key == "figure" else _printable(part) for key, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, list | tuple) else value


def printed(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A chart as paper needs it: a font that the page has too, black letters, long names in lines, higher by as much."""
    made: dict[str, Any] = copy.deepcopy(dict(figure))
    layout = made["layout"]
    layout["font"] = {**layout.get("font", {}), "family": _FONTS, "size": 13, "color": "#000000"}
    layout.pop("autosize", None)
    names: set[str] = set()
    axis = layout.setdefault("yaxis", {})
    if axis.get("ticktext"):
        axis["ticktext"] = [_wrapped(name) for name in axis["ticktext"]]
        names.update(axis["ticktext"])
    for trace in made["data"]:
        y = values_of(trace.get("y"))
        if any(isinstance(name, str) for name in y):
            trace["y"] = [name and _wrapped(name) for name in y]
            names.update(name for name in trace["y"] if name)
    for name in layout:
        if name.startswith(("xaxis", "yaxis")):
            layout[name]["gridcolor"] = "#E3E6E9"  # paper has no transparent greys
    for note in layout.get("annotations") or ():
        if isinstance(note.get("y"), str):
            note["y"] = _wrapped(note["y"])
    lines = max((name.count("<br>") + 1 for name in names), default=0)
    needed = _FRAME + len(names) * (12 + 15 * lines)
    layout["height"] = min(max(int(layout.get("height") or 420), needed if lines > 1 else 0), _HIGHEST)
    return made


def _wrapped(name: str) -> str:
    return "<br>".join(textwrap.wrap(name, _LETTERS, break_long_words=False)) or name
