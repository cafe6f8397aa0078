"""What is installed is what was locked: every version with its hashes, from no address that stands in the files, and all that the program needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
# make lock: extras and groups that each lock holds beside what the program always needs.
HELD = {
    "requirements.lock": (("pdf",), ("build",)),
    "requirements-dev.lock": (("pdf", "postgres", "redis", "dask", "s3"), ("build", "dev")),
}


def locked(lock: str) -> dict[str, tuple[str, list[str]]]:
    """name -> version and hashes; every line of the file must be of that form."""
    found = {}
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(r"([a-z0-9._-]+)==(\S+)(?:\s*;[^#]*?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)", line)
        assert match, f"{lock}: {line[:80]}"
        found[match[1]] = (match[2], match[3].split())
    return found


@LOCKS
def test_every_line_is_one_version_with_hashes_and_no_address(lock: str) -> None:
    assert len(locked(lock)) > 30
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text


@LOCKS
def test_all_that_is_needed_is_locked_in_a_version_that_is_allowed(lock: str) -> None:
    extras, groups = HELD[lock]
    wanted = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        wanted += PROJECT["project"]["optional-dependencies"][extra]
    for group in groups:
        wanted += PROJECT["dependency-groups"][group]
    there = locked(lock)
    for asked in map(Requirement, wanted):
        version, _ = there[canonicalize_name(asked.name)]
        assert asked.specifier.contains(version, prereleases=True), asked


def test_what_is_tested_is_what_ships_and_make_installs_and_audits_both() -> None:
    runtime, dev = map(locked, HELD)
    assert {name: dev[name] for name in runtime} == runtime
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--require-hashes" in re.search(r"^PIP := .*$", makefile, re.MULTILINE)[0]  # type: ignore[index]
    for lock in HELD:
        assert f"$(PIP) -r {lock}" in makefile
        assert re.search(rf"pip-audit .*-r {re.escape(lock)}", makefile)
