"""Compiles the translations when the package is built or installed, so that no binary file is versioned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Translations(BuildHookInterface[Any]):
    """messages.po -> messages.mo, for every language."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files."""
        for source in Path(self.root, "wtp/web/translations").glob("*/LC_MESSAGES/*.po"):
            target = source.with_suffix(".mo")
            with source.open("rb") as po, target.open("wb") as mo:
                write_mo(mo, read_po(po))
            build_data["artifacts"].append(str(target.relative_to(self.root)))
