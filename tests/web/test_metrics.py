"""/metrics: closed to everybody but its own tokens, right to the last request, and without what stood in an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client import values
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import Person
from wtp.errors import DataError
from wtp.settings import Settings
from wtp.store import Database, api_tokens, background_jobs, heartbeats, staff
from wtp.store.api_tokens import METRICS, RESULTS
from wtp.web import create_app, metrics

NOW = datetime.now(UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def bearer(database: Database) -> dict[str, str]:
    with database.begin() as connection:
        _, text = api_tokens.add(connection, "prometheus", maker=None, scopes=[METRICS], now=NOW)
    return {"Authorization": f"Bearer {text}"}


def samples(text: str) -> Samples:
    """Every figure by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


def test_nobody_reads_them_without_a_token_of_their_own(app: Flask, database: Database, bearer: dict[str, str]) -> None:
    client = app.test_client()
    assert client.get("/metrics").status_code == 401
    with database.begin() as connection:
        _, other = api_tokens.add(connection, "report", maker=None, scopes=[RESULTS], now=NOW)
        staff.add(connection, "ada", "four words are enough", "administrator")
        maker = staff.members(connection)[0]
        with pytest.raises(DataError, match="scope: metrics; allowed: one or more of results:read"):
            api_tokens.add(connection, "x", maker=maker, scopes=[METRICS], now=NOW)
    assert client.get("/metrics", headers={"Authorization": f"Bearer {other}"}).status_code == 403
    reply = client.get("/metrics", headers=bearer)
    assert reply.status_code == 200
    assert reply.mimetype == "text/plain"
    # The token opens nothing else.
    assert client.get("/api/v1/studies", headers=bearer).status_code == 403


def test_who_guesses_tokens_slows_down(app: Flask) -> None:
    client = app.test_client()
    assert {client.get("/metrics").status_code for _ in range(12)} == {401, 429}


def test_an_interview_is_counted_by_route_and_study(app: Flask, person: Person, bearer: dict[str, str]) -> None:
    person.walk("thanks")
    person.client.get("/s/supplier/r/guessed-token-of-somebody?query=hidden")
    person.client.get("/nowhere/hidden")
    text = person.client.get("/metrics", headers=bearer).text
    for hidden in ("guessed", "hidden", "/s/supplier"):
        assert hidden not in text
    found = samples(text)
    saved = of(found, "wtp_requests_total", method="POST", route="/s/<slug>/<step_id>", status="303")
    assert of(found, "wtp_saved_pages_total", study="supplier") == saved > 10
    assert of(found, "wtp_interviews_total", study="supplier", event="begun") == 1
    assert of(found, "wtp_interviews_total", study="supplier", event="completed") == 1
    assert of(found, "wtp_requests_total", method="GET", route="/s/<slug>/r/<token>", status="404") == 1
    assert of(found, "wtp_requests_total", method="-", route="-", status="404") == 1
    assert of(found, "wtp_request_seconds_count", route="/s/<slug>/<step_id>") > saved
    assert of(found, "wtp_database_connections") == 0


def test_what_the_database_knows_is_told(app: Flask, database: Database, bearer: dict[str, str]) -> None:
    with database.begin() as connection:
        heartbeats.beat(connection, "host 1 a", "0.1.0", datetime.now(UTC) - timedelta(seconds=20))
        for number in range(2):
            job = background_jobs.start(
                connection, "supplier", fingerprint=str(number), basis="b", kind="analysis", request={}, definition_hash="d",
                answers_hash="a", respondents=1, answers_copy=b"", started_by="ada", now=NOW,
            )  # fmt: skip
        background_jobs.claim(connection, job.id, "w", NOW)
        background_jobs.finish(connection, job.id, "w", NOW + timedelta(seconds=90))
    found = samples(app.test_client().get("/metrics", headers=bearer).text)
    assert of(found, "wtp_background_jobs", state="queued") == 1
    assert of(found, "wtp_background_jobs", state="finished") == 1
    assert of(found, "wtp_background_job_seconds_sum") == 90
    assert 20 <= of(found, "wtp_worker_silent_seconds") < 80
    assert of(found, "wtp_disk_free_bytes") > 0
    assert ("wtp_queue_messages", ()) in found
    assert [name for name, _ in found if name == "wtp_build_info"]


def test_processes_count_together_and_what_one_counted_outlives_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)  # put back afterwards
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    metrics.make_folder("here")
    (left,) = tmp_path.glob("wtp-metrics-*")
    metrics.make_folder("here")
    assert not left.exists(), "what a killed server left is removed"
    apps = []
    for process in (11, 12):
        metrics.share(lambda process=process: process)
        apps.append(create_app(settings))
    for app, requests in zip(apps, (2, 3), strict=True):
        for _ in range(requests):
            app.test_client().get("/healthz")
    with apps[0].extensions["wtp_database"].begin() as connection:
        _, text = api_tokens.add(connection, "prometheus", maker=None, scopes=[METRICS], now=NOW)
    metrics.of(apps[0]).connections.set(5)

    def now() -> Samples:
        reply = apps[1].test_client().get("/metrics", headers={"Authorization": f"Bearer {text}"})
        return samples(reply.text)

    assert of(now(), "wtp_requests_total", method="GET", route="/healthz", status="200") == 5
    assert of(now(), "wtp_database_connections") == 5
    metrics.forget(11)
    assert of(now(), "wtp_requests_total", method="GET", route="/healthz", status="200") == 5
    assert of(now(), "wtp_database_connections") == 0
    metrics.remove_folder()
    assert not list(tmp_path.glob("wtp-metrics-*"))
