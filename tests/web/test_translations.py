"""Every text of the pages exists in German, with the same placeholders, and is compiled when the package is built."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "wtp/web/translations"


@pytest.fixture(scope="module")
def german() -> Catalog:
    with (TRANSLATIONS / "de/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="de")


def said() -> set[str | tuple[str, ...]]:
    """Every text that the sources mark for translation, by the same rules as `make translations`."""
    with (TRANSLATIONS / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = DEFAULT_KEYWORDS | {"_l": None}
    found = extract_from_dir(ROOT / "wtp", methods, options, keywords=keywords)
    return {message if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found if message}


def test_every_text_is_found() -> None:
    texts = said()
    assert {"Continue", "Page not found", ("About %(num)s minute", "About %(num)s minutes")} <= texts
    assert len(texts) > 100


def test_every_text_has_a_german_one(german: Catalog) -> None:
    missing = []
    for text in said():
        message = german.get(text)
        translated = message.string if message else ""
        if not (all(translated) if isinstance(translated, tuple | list) else translated):
            missing.append(text)
    assert not missing


def test_placeholders_are_the_same(german: Catalog) -> None:
    for message in german:
        if message.id and message.string:
            source = message.id if isinstance(message.id, str) else message.id[-1]
            translated = message.string if isinstance(message.string, str) else message.string[-1]
            assert set(re.findall(r"%\(\w+\)s", source)) == set(re.findall(r"%\(\w+\)s", translated)), source


def test_a_wheel_carries_the_compiled_texts(tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        assert "wtp/web/translations/de/LC_MESSAGES/messages.mo" in wheel.namelist()
        assert "wtp/web/static/wtp.css" in wheel.namelist()
        assert "wtp/survey/templates/product.toml" in wheel.namelist()
