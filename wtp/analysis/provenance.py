"""What a kept analysis rests on: enough to make it again, and to say in what two of them differ."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from wtp.analysis.record import ALL, Analysis

_PACKAGES = ("wtp", "numpy", "scipy", "pandas", "statsmodels", "numba")


def package_versions() -> dict[str, str]:
    """Versions of this program, of what it computes with, and of Python."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES} | {"python": platform.python_version()}


def provenance(analysis: Analysis, *, made_by: str, seconds: float) -> dict[str, Any]:
    """What was asked, of which answers and definition, by whom, with which versions, and how long it took (seconds); values that JSON knows."""
    rows = analysis.table("segments", ALL)
    return {
        "model": analysis.request.model,
        "estimator": str(rows["estimator"].iloc[0]),
        "seed": analysis.request.seed,
        "versions": analysis.request.versions,
        "without": list(analysis.request.without),
        "respondents": analysis.respondents,
        "simulated": analysis.simulated,
        "definition_hash": analysis.definition_hash,
        "answers_hash": analysis.answers_hash,
        "packages": package_versions(),
        "made_by": made_by,
        "seconds": round(seconds, 1),
    }
