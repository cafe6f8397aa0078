"""How a survey looks: the company's colour and logo, and the guard that keeps every text readable in them.

A colour is refused if links or buttons in it would be hard to read on the pages, light or dark: contrast below 4.5 to 1 (WCAG 2.2, success
criterion 1.4.3; relative luminance as defined there). The mistake names the nearest colour of the same hue that is readable.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from wtp.survey.attributes import Picture, Record
from wtp.survey.conditions import mistake
from wtp.survey.wording import Wording

Scheme = Literal["light", "dark"]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$", to_lower=True)]
READABLE = 4.5
BACKGROUNDS: dict[Scheme, tuple[str, str]] = {"light": ("#ffffff", "#f4f6f6"), "dark": ("#1a2221", "#111716")}
_WASH = 0.1  # share of the colour in the tint behind what is picked


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one scheme: of links and buttons, of the words on buttons, behind what is picked."""

    accent: str
    ink: str
    wash: str


class Look(Record):
    """The company's colour and logo on the respondents' pages."""

    accent: Colour = Field(description="colour of buttons and links, such as #0b5a61; it must be readable on white")
    accent_dark: Colour | None = Field(None, description="the same on dark pages; by default a lighter accent")
    logo: Picture | None = Field(None, description="file in the folder pictures beside survey.toml")
    logo_text: Wording | None = Field(None, description="what the logo says, for those who do not see it")

    @model_validator(mode="after")
    def _readable(self) -> Look:
        schemes: tuple[tuple[str, Scheme, str | None], ...] = (
            ("accent", "light", self.accent),
            ("accent_dark", "dark", self.accent_dark),
        )
        for name, scheme, colour in schemes:
            if colour and (found := _weakest(colour, scheme)) < READABLE:
                raise mistake(
                    "contrast",
                    f"{name} {colour}, contrast {found:.1f} on {scheme} pages",
                    f"at least {READABLE}",
                    f"use {readable(colour, scheme)}, the nearest of this hue",
                )
        if self.logo and not self.logo_text:
            raise mistake("logo_text", "a logo without logo_text", "both", "say in logo_text what the logo says")
        return self

    def palette(self, scheme: Scheme) -> Palette:
        """The colours on light or on dark pages."""
        given = self.accent if scheme == "light" else self.accent_dark or self.accent
        accent = readable(given, scheme)
        ink = max("#ffffff", "#000000", key=lambda ink: contrast(ink, accent))
        return Palette(accent, ink, _wash(accent, scheme))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def readable(colour: str, scheme: Scheme) -> str:
    """The colour itself, or the nearest of its hue that is readable on the pages of the scheme."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    step = -0.01 if scheme == "light" else 0.01
    while _weakest(colour, scheme) < READABLE:
        lightness += step
        colour = _hex(colorsys.hls_to_rgb(hue, min(max(lightness, 0.0), 1.0), saturation))
    return colour


def _weakest(colour: str, scheme: Scheme) -> float:
    return min(contrast(colour, behind) for behind in (*BACKGROUNDS[scheme], _wash(colour, scheme)))


def _wash(colour: str, scheme: Scheme) -> str:
    surface = _parts(BACKGROUNDS[scheme][0])
    return _hex(tuple(_WASH * a + (1 - _WASH) * b for a, b in zip(_parts(colour), surface, strict=True)))


def _luminance(colour: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red / 255, green / 255, blue / 255


def _hex(parts: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
