"""The supplier study after 90 simulated respondents, with one member of staff of each role: what manager and analyst find on a normal day."""

from __future__ import annotations

from pathlib import Path

from tests.web.staff import PASSWORD, ROLES
from wtp.cli.simulation import simulate_through_store
from wtp.settings import Settings
from wtp.store import open_database, staff
from wtp.survey import load_survey

SURVEYS = Path(__file__).parents[1] / "surveys"
RESPONDENTS = 90


def fielded(instance: Path) -> Settings:
    """Fill an instance folder; everybody has figures, the segment uptime an indication, the two others too few respondents."""
    settings = Settings(instance=instance, surveys=SURVEYS, base_url="https://study.example")
    simulate_through_store(settings, load_survey(SURVEYS / "supplier"), RESPONDENTS, seed=4)
    with open_database(settings.database_url) as database, database.begin() as connection:
        for role in ROLES:
            staff.add(connection, role, PASSWORD, role)
    return settings
