"""How long the server takes for each results page, and how many bytes a first visit loads.

    python benchmarks/pages.py [RESPONDENTS] [INSTANCE]        default: 1000, a new instance that wtp demo fills

Fills the supplier study with simulated respondents and keeps its hierarchical analysis as `wtp demo` does (minutes), unless a filled instance is named. Then every page and every chart of it is asked for ten
times in one process without a network; prints the first, the median and the slowest of the other nine in milliseconds, and the bytes (gzip) of everything that a browser loads for each page on
its first visit: the page, its style sheets, its scripts, its charts.
"""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app

SURVEYS = Path(__file__).parents[1] / "surveys"
STUDY = "/results/supplier"
PAGES = (
    STUDY, *(f"{STUDY}/{page}{query}" for page in ("importance", "worth", "price", "invest", "market", "segments", "said", "answers", "model") for query in ("", "?segment=uptime")),
    f"{STUDY}/what-if",
)  # fmt: skip
TIMES = 9
NAME, PASSWORD = "the benchmark of pages", "a long pass phrase of a benchmark"
ASKED_MS, ASKED_BYTES = 300, 2_000_000


def main() -> None:
    """Fill, ask, print."""
    respondents = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as new:
        instance = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(new)
        if len(sys.argv) <= 2:
            environment = {**os.environ, "WTP_INSTANCE": str(instance), "WTP_SURVEYS": str(SURVEYS)}
            command = [Path(sys.executable).parent / "wtp", "demo", "--no-serve", "--respondents", str(respondents)]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        client = _logged_in(instance)
        print(
            f"{'page':56} {'first':>9} {'median':>9} {'slowest':>9} {'first visit':>12}   (asked: {ASKED_MS} ms, {ASKED_BYTES / 1e6:.0f} MB)"
        )
        for path in PAGES:
            _measure(client, path)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def _measure(client: FlaskClient, path: str) -> None:
    """A line for a page, and one for each of its charts."""
    first = {path: _timed(client, path)}
    parts = _parts(client, path)
    loaded = sum(_size(client, each) for each in (path, *parts))
    for address in (path, *(part for part in parts if ".json" in part)):
        first.setdefault(address, _timed(client, address))
        taken = [_timed(client, address) for _ in range(TIMES)]
        times = " ".join(f"{value:6.0f} ms" for value in (first[address], statistics.median(taken), max(taken)))
        visit = f"{loaded / 1e6:9.2f} MB" if address == path else ""
        print(f"{address.removeprefix('/results/'):56.56} {times} {visit}")


def _logged_in(instance: Path) -> FlaskClient:
    app = create_app(Settings(instance=instance, surveys=SURVEYS))
    with app.extensions["wtp_database"].begin() as connection:
        name = f"{NAME} {datetime.now(UTC):%H%M%S}"
        staff.add(connection, name, PASSWORD, "analyst")
    client = app.test_client()
    form = BeautifulSoup(client.get("/login").text, "html.parser").select_one("form[method=post]")
    assert form is not None
    fields = {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}
    assert client.post("/login", data=fields | {"name": name, "password": PASSWORD}).status_code in (302, 303)
    return client


def _parts(client: FlaskClient, path: str) -> list[str]:
    """What a browser loads for a page besides it."""
    page = BeautifulSoup(client.get(path).text, "html.parser")
    found = [tag["href"] for tag in page.select("link[rel=stylesheet], link[rel=icon]")]
    found += [tag["src"] for tag in page.select("script[src], img[src]")]
    found += [tag["data-chart"] for tag in page.select("[data-chart]")]
    found += [tag["data-figure"] for tag in page.select("[data-figure]") if str(tag["data-figure"]).startswith("/")]
    return list(map(str, found))


def _size(client: FlaskClient, address: str) -> int:
    """Bytes as a proxy that compresses sends them; nothing is compressed twice."""
    reply = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert reply.status_code == 200, address
    return len(reply.data) if reply.headers.get("Content-Encoding") == "gzip" else len(gzip.compress(reply.data))


def _timed(client: FlaskClient, address: str) -> float:
    begun = time.perf_counter()
    reply = client.get(address)
    assert reply.status_code == 200, address
    return 1000 * (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
