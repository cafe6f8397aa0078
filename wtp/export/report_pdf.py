"""The report as PDF, made in a process of its own with a time limit: layout engine, browser and event loop never come into a web worker.

`write_pdf` is the door. The process that it starts is this program's `wtp.export.pdf_process`, which is told everything through files of a folder that is deleted whatever happens.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wtp.errors import WtpError
from wtp.export.report import Report

PDF = "application/pdf"
LONGEST = 60.0  # seconds; the demo takes about six
TASK, MADE, SAID = "report.json", "report.pdf", "said.json"


class PdfError(WtpError):
    """The PDF cannot be made here: something is not installed, or it took too long."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is in the file. charts: how many were drawn; no_charts: why there are none, for the log, empty if there are."""

    charts: int
    no_charts: str


def write_pdf(report: Report, file: IO[bytes], seconds: float = LONGEST) -> Written:
    """Write the PDF into an open file. Without a browser its tables alone are there, and it says so.

    Raises PdfError where the layout engine is missing, or the time is over; nothing that was started goes on then.
    """
    if importlib.util.find_spec("weasyprint") is None:
        raise PdfError(
            "PDF: the Python package weasyprint is not installed; allowed: an installation with the extra pdf; run pip install 'wtp[pdf]'."
        )
    with tempfile.TemporaryDirectory(prefix="wtp-report-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / TASK).write_text(json.dumps(report.to_dict()), encoding="utf-8")
        # The browser keeps its profile in the folder too, so that none is left when it is killed.
        environment = {**os.environ, "TMPDIR": name, "HOME": name, "XDG_CACHE_HOME": name}
        command = [sys.executable, "-m", "wtp.export.pdf_process", name]
        process = subprocess.Popen(  # noqa: S603 - no word of it comes from outside
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )  # fmt: skip
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise PdfError(
                f"PDF: not ready after {seconds:g} seconds; allowed: at most as many; try again when the server has less to do."
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if not (folder / SAID).exists():
            raise RuntimeError(f"PDF: the process ended with {process.returncode}: {errors.decode(errors='replace')[-2000:]}")
        said = json.loads((folder / SAID).read_text(encoding="utf-8"))
        if said["missing"]:
            raise PdfError(said["missing"])
        file.write((folder / MADE).read_bytes())
    return Written(said["charts"], said["no_charts"])
