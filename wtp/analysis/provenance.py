"""What a kept analysis rests on: enough to make it again, and to say in what two of them differ."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

from wtp.analysis.record import ALL, Analysis
from wtp.survey.definition import Definition

# In what two analyses can differ.
ANSWERS, EXCLUSIONS, VERSIONS_COUNTED, DEFINITION, MODEL, SEED, PACKAGES = (
    "answers", "exclusions", "versions", "definition", "model", "seed", "packages",
)  # fmt: skip
_RESTS_ON = {
    ANSWERS: "answers_hash",
    EXCLUSIONS: "without",
    VERSIONS_COUNTED: "versions",
    DEFINITION: "definition_fingerprint",
    MODEL: "estimator",
    SEED: "seed",
    PACKAGES: "packages",
}
_PACKAGES = ("wtp", "numpy", "scipy", "pandas", "statsmodels", "numba")


def package_versions() -> dict[str, str]:
    """Versions of this program, of what it computes with, and of Python."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES} | {"python": platform.python_version()}


def provenance(analysis: Analysis, definition: Definition, *, made_by: str, seconds: float) -> dict[str, Any]:
    """What was asked, of which answers and definition, by whom, with which versions, and how long it took (seconds); values that JSON knows.

    definition_hash is of what respondents were asked, definition_fingerprint of everything, costs and segments too.
    """
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
        "definition_fingerprint": definition.fingerprint,
        "answers_hash": analysis.answers_hash,
        "packages": package_versions(),
        "made_by": made_by,
        "seconds": round(seconds, 1),
    }


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, ...]:
    """In what two analyses differ, by their `provenance`: some of ANSWERS ... PACKAGES; none means equal figures."""
    return tuple(name for name, key in _RESTS_ON.items() if first[key] != second[key])
