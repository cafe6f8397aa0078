"""The application factory: settings in, a Flask application out.

One application a process: it opens the database, refuses to start if an answer would not be safe there, keeps the definition of every
survey in it, and hangs the pages in. Database, surveys and settings are in `app.extensions` under `wtp_...`.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import cache
from typing import Any

from flask import Flask, has_request_context, request
from flask.templating import Environment
from werkzeug.routing import IntegerConverter

from wtp.errors import SettingsError
from wtp.jobs import Place, open_queue
from wtp.settings import Settings, secret_key
from wtp.store import audit, open_database
from wtp.web import (
    accounts,
    api,
    attempts,
    contact_files,
    contacts,
    customer,
    design,
    errors,
    exports,
    field,
    final,
    formats,
    health,
    i18n,
    imports,
    logs,
    manage,
    markdown,
    measures,
    metrics,
    own_account,
    panel_keys,
    purchase_files,
    quality,
    report_files,
    respond,
    results,
    security,
    staff_links,
    staff_log,
    staff_pages,
    tokens,
    waves,
    what_if,
    workbench,
)
from wtp.web.cookie import Cookie
from wtp.web.surveys import Surveys


class _Templates(Environment):
    """Each template has the globals as they are when it is read, in one dictionary: pages look them up in the library's chain of two a hundred times."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of all templates, and over them a template's own."""
        return {**self.globals, **(d or {})}


class _App(Flask):
    """Flask without what every page would ask again and again."""

    jinja_environment = _Templates

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._static_address = cache(lambda _, filename: super(_App, self).url_for("static", filename=filename))

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Nothing here is a coroutine."""
        return func

    def url_for(self, endpoint: str, **values: Any) -> str:
        """Flask's own; addresses of style sheets and scripts, of which every page has several, are put together once."""
        if endpoint == "static" and values.keys() == {"filename"} and has_request_context():
            return self._static_address(request.script_root, values["filename"])
        return super().url_for(endpoint, **values)


class _Number(IntegerConverter):
    """A number in an address: one of more digits is in no database, so there is no such page."""

    regex = r"\d{1,18}"


def place_of(settings: Settings) -> Place:
    """Where the background analyses of an installation are."""
    database_url, kept = settings.kept_in
    return Place(database_url, settings.queue, settings.instance, results=kept, compute=settings.compute)


def create_app(settings: Settings) -> Flask:
    """The application, on a database that it brings up to date.

    Raises SettingsError, SurveyError or StoreError in words: an installation with a mistake that was never without it does not start.
    """
    app = _App("wtp.web")
    app.secret_key = secret_key(settings)
    app.session_interface = Cookie()
    app.url_map.converters["int"] = _Number
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    if not settings.surveys.is_dir():
        raise SettingsError(
            f"{settings.surveys}: no such folder; allowed: a folder with one folder a survey; set surveys or WTP_SURVEYS."
        )
    database = open_database(*settings.kept_in)
    database.migrate()
    database.check()
    app.extensions["wtp_settings"] = settings
    app.extensions["wtp_database"] = database
    app.extensions["wtp_log_checker"] = audit.Checker()
    app.extensions["wtp_place"] = place_of(settings)
    app.extensions["wtp_queue"] = open_queue(settings.queue, settings.database_url, settings.instance)
    app.extensions["wtp_surveys"] = Surveys(settings.surveys, database)
    logs.init_app(app, settings)
    metrics.init_app(app)
    i18n.translate(app)  # before anything can refuse a request: it is refused in the person's language
    security.protect(app, settings)
    errors.word(app)
    formats.init_app(app)
    attempts.init_app(app, settings.queue, database)
    markdown.init_app(app)
    accounts.init_app(app)
    security.csrf.exempt(api.blueprint)  # a token in a header is nothing that a browser sends by itself
    for blueprint in (
        health.blueprint,
        metrics.blueprint,
        respond.blueprint,
        accounts.blueprint,
        own_account.blueprint,
        staff_links.blueprint,
        staff_pages.blueprint,
        staff_log.blueprint,
        results.blueprint,
        report_files.blueprint,
        what_if.blueprint,
        measures.blueprint,
        waves.blueprint,
        manage.blueprint,
        exports.blueprint,
        imports.blueprint,
        purchase_files.blueprint,
        customer.blueprint,
        contacts.blueprint,
        contact_files.blueprint,
        field.blueprint,
        panel_keys.blueprint,
        design.blueprint,
        quality.blueprint,
        tokens.blueprint,
        api.blueprint,
        api.page.blueprint,
        final.blueprint,
        workbench.blueprint,
        workbench.tryout.entry,
    ):
        app.register_blueprint(blueprint)
    return app
