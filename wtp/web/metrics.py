"""Figures for whoever watches the installation: /metrics, in the form of Prometheus, for tokens with the scope `metrics`, which only the command `wtp token` makes.

Requests go by their route, never by what stood in its places. The processes for pages keep their figures in files of one folder in memory, which the parent makes, so that any of them
can tell those of all; on a full disk a file that is mapped into memory would kill its process. What the database knows (jobs, workers) is asked when it is wanted.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, g
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from wtp import __version__
from wtp.disk import space
from wtp.errors import WtpError
from wtp.settings import Settings
from wtp.store import Database, background_jobs, heartbeats
from wtp.store.api_tokens import METRICS
from wtp.web import running
from wtp.web.api import problems
from wtp.web.api.access import required, token
from wtp.web.logs import route
from wtp.web.security import limiter
from wtp.web.visit import Visit

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # as the library names it
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
blueprint = Blueprint("metrics", __name__)
blueprint.register_error_handler(WtpError, problems.of_error)
limiter.limit("10 per minute", deduct_when=lambda reply: reply.status_code == 401, exempt_when=lambda: bool(token()))(
    blueprint
)


class Metrics:
    """What one process counts."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        about = ("method", "route", "status")
        self.requests = Counter("wtp_requests", "Requests that were answered.", about, registry=own)
        self.seconds = Histogram("wtp_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=own)
        self.seconds.labels("-")  # makes its file now, not with the first page, when the disk may be full
        self.refused = Counter("wtp_refused_requests", "Requests refused since no thread was free.", registry=own)
        self.pages = Counter("wtp_saved_pages", "Pages of interviews that were saved.", ("study",), registry=own)
        self.drafts = Counter("wtp_saved_drafts", "Drafts of pages that were saved.", ("study",), registry=own)
        self.interviews = Counter("wtp_interviews", "Interviews begun, and how they ended.", ("study", "event"), registry=own)  # fmt: skip
        self.connections = Gauge("wtp_database_connections", "Connections to the database in use.", registry=own, multiprocess_mode="livesum")  # fmt: skip


def of(app: Flask) -> Metrics:
    """Those of an application."""
    found: Metrics = app.extensions["wtp_metrics"]
    return found


def init_app(app: Flask) -> None:
    """Count every request."""
    app.extensions["wtp_metrics"] = counted = Metrics()
    database: Database = app.extensions["wtp_database"]
    sa.event.listen(database.engine, "checkout", lambda *_: counted.connections.inc())
    sa.event.listen(database.engine, "checkin", lambda *_: counted.connections.dec())
    app.after_request(_count)


def _count(response: Response) -> Response:
    counted, asked, rule = of(current_app), running.asked_now(), route()
    counted.requests.labels(asked.method if asked.url_rule else "-", rule, response.status_code).inc()
    if (began := g.get("began")) is not None:
        counted.seconds.labels(rule).observe(time.perf_counter() - began)
    return response


def saved(before: Visit, after: Visit) -> None:
    """A page of an interview was saved; what was only tried out or simulated counts nowhere."""
    if after.interview is None or after.test or after.interview.simulated:
        return
    counted = of(current_app)
    counted.pages.labels(after.slug).inc()
    if not before.begun:
        counted.interviews.labels(after.slug, "begun").inc()
    if after.interview.outcome and not (before.interview and before.interview.outcome):
        counted.interviews.labels(after.slug, after.interview.outcome).inc()


def drafted(visit: Visit) -> None:
    """A draft was saved."""
    of(current_app).drafts.labels(visit.slug).inc()


@blueprint.get("/metrics")
def show() -> Response:
    """All figures of this host, of all its processes."""
    required(METRICS)
    registry = of(current_app).registry
    if folder := os.environ.get(_FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)
    asked = CollectorRegistry()
    asked.register(_Now())
    return Response(generate_latest(registry) + generate_latest(asked), content_type=CONTENT_TYPE_LATEST)


class _Now(Collector):
    """What is asked for when it is wanted, and the same whichever process answers."""

    def collect(self) -> Iterator[Metric]:
        """The database's figures and the machine's."""
        yield InfoMetricFamily("wtp_build", "The program.", {"version": __version__, "python": platform.python_version()})  # fmt: skip
        settings: Settings = current_app.extensions["wtp_settings"]
        here = space(settings.instance)
        yield GaugeMetricFamily("wtp_disk_free_bytes", "Free space where the instance folder is.", here.free)
        yield GaugeMetricFamily("wtp_disk_bytes", "All space where the instance folder is.", here.total)
        now = datetime.now(UTC)
        with running.database().read() as connection:
            states, durations = background_jobs.counts(connection), background_jobs.durations(connection)
            silent = heartbeats.silent_for(connection, now)
        jobs = GaugeMetricFamily("wtp_background_jobs", "Background analyses by their state.", labels=["state"])
        for state, number in states.items():
            jobs.add_metric([state], number)
        yield jobs
        spent = sum(each.total_seconds() for each in durations)
        yield SummaryMetricFamily("wtp_background_job_seconds", "Time of finished analyses.", len(durations), spent)
        if silent is not None:
            yield GaugeMetricFamily("wtp_worker_silent_seconds", "Since a worker of analyses was last there.", silent.total_seconds())  # fmt: skip
        try:
            waiting = running.queue().waiting()
        except Exception:  # of any of three libraries; the figure is then missing, which an alert can ask for
            return
        yield GaugeMetricFamily("wtp_queue_messages", "Messages in the queue of analyses.", waiting)


def make_folder(name: str) -> None:
    """Make the folder that the processes of a server share, in memory if there is some, and remove what one that was killed left there."""
    place = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or "/dev/shm"  # noqa: S108  # with a name of its own
    within = Path(place if os.access(place, os.W_OK) else tempfile.gettempdir())
    prefix = f"wtp-metrics-{hashlib.sha256(name.encode()).hexdigest()[:12]}-"
    for before in within.glob(f"{prefix}*"):
        shutil.rmtree(before, ignore_errors=True)
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix=prefix, dir=within)


def remove_folder() -> None:
    """Remove it when the server ends."""
    shutil.rmtree(os.environ.pop(_FOLDER, ""), ignore_errors=True)


def share(process: Callable[[], int] = os.getpid) -> None:
    """Let this process count in the folder; before an application is made. process: tells its id."""
    values.ValueClass = values.MultiProcessValue(process)


def forget(pid: int) -> None:
    """A process has ended: what it had at that moment counts no more, what it counted does."""
    if folder := os.environ.get(_FOLDER):
        mark_process_dead(pid, folder)
