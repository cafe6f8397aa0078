"""The pages: respondents answer, managers and analysts read; the server that ships; the bot that answers like a person."""

from wtp.web.app import create_app
from wtp.web.bot import Bot

__all__ = ["Bot", "create_app"]
