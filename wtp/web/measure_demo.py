"""Made-up measures with the findings of the pages, for a demonstration."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from flask import Flask

from wtp.store import measures
from wtp.store.measures import Grounds, Plan
from wtp.survey import Survey
from wtp.web.i18n import speak
from wtp.web.live import live_finding
from wtp.web.measure_words import forecast
from wtp.web.results import reading_as


def record_simulated(app: Flask, survey: Survey, made_up: pd.DataFrame, now: datetime) -> int:
    """Record measures of `customers.measures.simulated_measures`, marked as simulated, each with the finding as the pages have it now; returns how many of them have one. The same ones twice are recorded once."""
    count = 0
    with app.test_request_context():
        speak(app.extensions["wtp_settings"].staff_language)
        for place, row in enumerate(made_up.to_dict("records")):
            reading = reading_as(survey, row["segment"], {})
            live = live_finding(row["chart"], reading, {}) if reading else None
            if reading is None or live is None:
                continue
            expected = forecast(reading, row["attribute"]) if row["chart"] == "invest" else ""
            plan = Plan(
                row["kind"], row["title"], row["attribute"], row["owner"], row["due_on"], expected, row["state"], "", row["done_on"]
            )  # fmt: skip
            finding = live.finding
            grounds = Grounds(row["chart"], row["segment"], finding, app.extensions["wtp_settings"].staff_language)
            with app.extensions["wtp_database"].begin() as connection:
                measures.add(
                    connection, survey.slug, plan, grounds, submission=f"simulated {place}", who="wtp demo", now=now, simulated=True
                )  # fmt: skip
            count += 1
    return count
