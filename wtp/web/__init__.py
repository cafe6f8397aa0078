"""The pages: respondents answer, managers and analysts read; the server that ships; the bot that answers like a person."""

from wtp.web.analyses import analysis_as, analysis_of
from wtp.web.app import create_app
from wtp.web.bot import Bot
from wtp.web.server import free_port, serve

__all__ = ["Bot", "analysis_as", "analysis_of", "create_app", "free_port", "serve"]
