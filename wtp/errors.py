"""What goes wrong in a way that a person can mend.

Every message names the place, what was found, what is allowed and what to do; the command line prints it in one
line and exits with 1, the web turns it into a page. Everything else that is raised is a fault of the program.
"""

from __future__ import annotations


class WtpError(Exception):
    """Root of all errors that a person can mend."""


class SurveyError(WtpError):
    """A survey definition or its design is not usable."""


class DataError(WtpError):
    """Choice data or answers are not usable."""


class EstimationError(WtpError):
    """The data cannot answer the question that was asked of the model."""


class DesignError(WtpError):
    """No design fits, or a design may not be changed any more."""


class ComputeError(WtpError):
    """What computes is not there, or broke off: processes of this machine, or a cluster."""


class StoreError(WtpError):
    """Answers cannot be kept or read."""


class ConflictError(StoreError):
    """A page was changed elsewhere since it was shown; nothing was overwritten."""


class ErasedError(StoreError):
    """The person's data were deleted, or cut from the person; nothing more is stored under this token."""


class RefusedError(WtpError):
    """A rule of the study stands against more answers; nothing was stored. rule: paused, closed, ended or quota."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class SettingsError(WtpError):
    """A setting is missing or unusable."""
