"""The contrast guard: no company colour makes a page hard to read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wtp.settings import Settings
from wtp.survey import inspect_survey, load_survey
from wtp.survey.look import BACKGROUNDS, Look, Scheme, contrast, readable
from wtp.web import create_app

ROOT = Path(__file__).parents[2]
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#0b5a61", "#0b5a61", 1),
    ],
)
def test_contrast_is_that_of_the_standard(one: str, other: str, ratio: float) -> None:
    """Black on white is 21 by definition; #777777 on white is the standard's well-known near miss."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@given(colours, st.sampled_from(["light", "dark"]))
def test_the_colour_named_as_a_remedy_is_accepted(colour: str, scheme: Scheme) -> None:
    mended = readable(colour, scheme)
    assert readable(mended, scheme) == mended
    key = {"light": "accent", "dark": "accent_dark"}[scheme]
    assert Look(**({"accent": "#000000"} | {key: mended}))  # type: ignore[arg-type]
    if mended == colour:
        return
    with pytest.raises(ValidationError, match="contrast"):
        Look(**({"accent": "#000000"} | {key: colour}))  # type: ignore[arg-type]


@given(colours.map(lambda colour: readable(colour, "light")), st.sampled_from(["light", "dark"]))
def test_every_pair_of_colours_on_a_page_is_readable(accent: str, scheme: Scheme) -> None:
    palette = Look(accent=accent).palette(scheme)
    for behind in (*BACKGROUNDS[scheme], palette.wash):
        assert contrast(palette.accent, behind) >= 4.5
    assert contrast(palette.ink, palette.accent) >= 4.5


def test_the_guard_knows_the_pages_as_they_are() -> None:
    css = (ROOT / "wtp/web/static/wtp.css").read_text(encoding="utf-8")
    for scheme, block in zip(("light", "dark"), css.split("prefers-color-scheme: dark"), strict=False):
        found = tuple(re.search(rf"--{name}: (#[0-9a-f]{{6}})", block)[1] for name in ("surface", "page"))  # type: ignore[index]
        assert BACKGROUNDS[scheme] == found  # type: ignore[index]


@pytest.fixture
def surveys(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "surveys" / "supplier", tmp_path / "surveys" / "supplier")
    return tmp_path / "surveys"


def _look(surveys: Path, lines: str) -> None:
    file = surveys / "supplier" / "survey.toml"
    file.write_text(file.read_text(encoding="utf-8") + f"\n[look]\n{lines}\n", encoding="utf-8")


def test_a_colour_that_is_hard_to_read_is_refused_with_one_that_is_not(surveys: Path) -> None:
    _look(surveys, 'accent = "#7FD0D2"')
    mistake = inspect_survey(surveys / "supplier")[1][0]
    assert mistake.key == "look"
    assert mistake.found == "accent #7fd0d2, contrast 1.6 on light pages"
    remedy = re.search(r"#[0-9a-f]{6}", mistake.remedy)
    assert remedy is not None
    assert Look(accent=remedy[0])


def test_pages_carry_the_company_s_colour_and_logo(surveys: Path, tmp_path: Path) -> None:
    before = load_survey(surveys / "supplier").definition_hash
    (surveys / "supplier" / "pictures").mkdir()
    shutil.copy(ROOT / "tests/every_question/pictures/van.png", surveys / "supplier/pictures/logo.png")
    _look(surveys, 'accent = "#8a1c4a"\nlogo = "logo.png"\nlogo_text = { en = "Example Ltd", de = "Beispiel GmbH" }')
    survey = load_survey(surveys / "supplier")
    assert survey.definition_hash == before, "colours do not change what is asked"
    app = create_app(Settings(instance=tmp_path / "instance", surveys=surveys))
    with app.extensions["wtp_database"]:
        client = app.test_client()
        soup = BeautifulSoup(client.get("/s/supplier/consent?lang=de").text, "html.parser")
        sheets = [str(link["href"]) for link in soup.select("link[rel=stylesheet]")]
        assert sheets[-1] == "/s/supplier/e/look.css"
        css = client.get(sheets[-1])
        assert css.mimetype == "text/css"
        assert ":root { --accent: #8a1c4a; --accent-ink: #ffffff;" in css.text
        logo = soup.select_one("header img")
        assert logo is not None
        assert logo["alt"] == "Beispiel GmbH"
        with client.get(str(logo["src"])) as picture:
            assert picture.data.startswith(b"\x89PNG")
        assert client.get("/s/workshop/e/look.css").status_code == 404
