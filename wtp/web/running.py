"""What the running application holds for every page: its database and the surveys in use."""

from __future__ import annotations

from flask import Request, abort, current_app, request

from wtp.jobs import JobQueue, Place
from wtp.store import Database, audit
from wtp.survey import Survey
from wtp.web.surveys import Surveys


def asked_now() -> Request:
    """The request that is being answered, for who asks several things of it: the proxy looks for it at each."""
    return request._get_current_object()  # type: ignore[attr-defined]


def database() -> Database:
    """The application's database."""
    found: Database = current_app.extensions["wtp_database"]
    return found


def place() -> Place:
    """Where background analyses are, and the instance folder."""
    found: Place = current_app.extensions["wtp_place"]
    return found


def queue() -> JobQueue:
    """The queue of background analyses."""
    found: JobQueue = current_app.extensions["wtp_queue"]
    return found


def log_checker() -> audit.Checker:
    """What this process knows of logs that it checked."""
    found: audit.Checker = current_app.extensions["wtp_log_checker"]
    return found


def secret() -> str:
    """The installation's secret, from which tokens of invitations and pseudonyms of customers are derived."""
    key = current_app.secret_key
    return key if isinstance(key, str) else (key or b"").hex()


def surveys() -> Surveys:
    """The surveys in use, by slug."""
    found: Surveys = current_app.extensions["wtp_surveys"]
    return found


def survey_of(slug: str) -> Survey:
    """The survey at this address, or 404."""
    return surveys().get(slug) or abort(404)
