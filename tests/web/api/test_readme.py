"""The example of the README is run as it stands, against a server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.web.api.conftest import Hold
from wtp.analysis import Analysis
from wtp.store.api_tokens import ANSWERS, RESULTS

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture
def server(app: Flask) -> Iterator[str]:
    made = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def example() -> str:
    """The block of Python below the heading."""
    section = README.read_text(encoding="utf-8").partition("## For other programs")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def run(server: str, token: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WTP_SERVER": server, "WTP_TOKEN": token, "no_proxy": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-c", example()], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_example_has_ten_lines_and_prints_the_table(server: str, hold: Hold, shown: Analysis) -> None:
    assert len(example().strip().splitlines()) <= 10
    done = run(server, hold(RESULTS, studies=("supplier",)).text)
    assert done.returncode == 0, done.stderr
    told = shown.tables["willingness_to_pay"].dropna(subset="estimate")
    columns = ["segment", "attribute", "to_level", "estimate", "low", "high"]
    assert done.stdout == told[columns].to_string(index=False) + "\n"


def test_without_the_right_token_it_fails_aloud(server: str, hold: Hold) -> None:
    assert "HTTP Error 403" in run(server, hold(ANSWERS).text).stderr
    assert "HTTP Error 401" in run(server, "wtp_").stderr
