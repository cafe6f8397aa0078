"""Whose answers can be trusted: signals with reasons, never a silent deletion."""

from wtp.quality.inspection import Quality, inspect

__all__ = ["Quality", "inspect"]
