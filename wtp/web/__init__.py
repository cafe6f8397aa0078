"""The pages: respondents answer, managers and analysts read; the server that ships; the bot that answers like a person."""

from wtp.web.analyses import LEFT_OUT, SETS, analysis_as, analysis_of, without
from wtp.web.app import create_app, place_of
from wtp.web.bot import Bot
from wtp.web.exports import source_of
from wtp.web.measure_demo import record_simulated
from wtp.web.my_data import person_file
from wtp.web.panel_keys import instructions_of
from wtp.web.processing import consent_text, record_of_processing
from wtp.web.report_files import REPORTS, write_report
from wtp.web.server import free_port, serve
from wtp.web.stopping import gate_of, open_early
from wtp.web.traffic import THREADS, WORKERS

__all__ = [
    "LEFT_OUT",
    "REPORTS",
    "SETS",
    "THREADS",
    "WORKERS",
    "Bot",
    "analysis_as",
    "analysis_of",
    "consent_text",
    "create_app",
    "free_port",
    "gate_of",
    "instructions_of",
    "open_early",
    "person_file",
    "place_of",
    "record_of_processing",
    "record_simulated",
    "serve",
    "source_of",
    "without",
    "write_report",
]
