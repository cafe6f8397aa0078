"""wtp: what customers value, what they would pay for it, and up to which price."""

from importlib.metadata import version

__version__ = version("wtp")
