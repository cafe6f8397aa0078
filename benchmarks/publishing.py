"""Do 500 publishes during running interviews mix versions or lose answers? On the shipped server with two worker processes.

python -m benchmarks.publishing [publishes] [people] [minutes]

An author publishes one version after the other through the workbench; each has another number in the title of every page, and every 25 another design.
People answer all the time. Counted: errors, interviews that showed or stored two versions, acknowledged pages that the database has not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.conftest import SURVEYS, WTP, Server
from tests.load.publishing import publish_while_asked, short_survey
from wtp.web import free_port


def main() -> None:
    publishes, people, minutes = (int(given) for given in [*sys.argv[1:], *("500", "3", "60")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        text = short_survey(SURVEYS, place / "surveys")
        url = f"sqlite:///{place / 'answers.sqlite'}"
        (place / "settings.toml").write_text(f'database = "{url}"\n', encoding="utf-8")
        port = free_port(20_000 + os.getpid() % 10_000)
        process = subprocess.Popen(
            [str(WTP), "serve", "--port", str(port), "--workers", "2"],
            env={**os.environ, "WTP_INSTANCE": str(place), "WTP_SURVEYS": str(place / "surveys")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            Server(process.pid, port, place, process).wait_until_ready()
            found = publish_while_asked(
                port,
                url,
                place / "surveys",
                text,
                publishes=publishes,
                people=people,
                seconds=60 * minutes,
                progress=lambda done: print(done, end=" ", flush=True) if done % 25 == 0 else None,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    print()
    print(
        f"{found.published} publishes, {found.interviews} interviews by {people} people at once, {found.seconds:.0f} s"
    )
    print(
        f"{found.versions} versions answered, {len(found.errors)} errors, {found.mixed} interviews mixed, {found.lost} pages lost"
    )
    for error in found.errors[:10]:
        print(error)


if __name__ == "__main__":
    main()
