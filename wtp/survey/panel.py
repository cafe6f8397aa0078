"""The panel of a study: where respondents come from and go back to, and how addresses are signed on the way."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, StringConstraints

from wtp.survey.attributes import Record

if TYPE_CHECKING:
    from wtp.survey.definition import Definition

_ADDRESS = Annotated[
    str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/{}?-]*)?$")
]
_PARAMETER = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]


class Panel(Record):
    """Where respondents come from and go back to: `{id}` in an address stands for what the panel gave as `parameter`.

    Signatures are HMAC-SHA-256 in hex over the whole address, time stamp included, with a key that is kept in the installation and never here.
    """

    parameter: _PARAMETER = Field(
        description="name in the address under which the panel names its respondent, such as pid"
    )
    required: bool = Field(False, description="nobody takes part without it")
    completed: _ADDRESS
    screened_out: _ADDRESS
    over_quota: _ADDRESS
    sign_back: bool = Field(
        False, exclude_if=operator.not_, description="addresses back to the panel carry a time stamp and a signature"
    )
    check_links: bool = Field(
        False, exclude_if=operator.not_, description="the panel's links count only with its signature, for five minutes"
    )
    signature: _PARAMETER = Field(
        "sig", exclude_if=lambda name: name == "sig", description="name of the signature in addresses, always the last"
    )
    time_stamp: _PARAMETER = Field(
        "ts",
        exclude_if=lambda name: name == "ts",
        description="name of the time stamp in addresses, in seconds since 1970",
    )


def panel_mistakes(definition: Definition) -> list[tuple[str, str, str, str]]:
    """Mistakes of names that would stand twice in an address: (key, found, allowed, remedy) each. Where nothing is signed, any name will do."""
    panel = definition.panel
    if panel is None or not (panel.sign_back or panel.check_links):
        return []
    names, mistakes = (panel.parameter, panel.signature, panel.time_stamp), []
    for place, key in ((1, "signature"), (2, "time_stamp")):
        if names[place] in names[:place]:
            allowed = f"any name but {', '.join(names[:place])}"
            mistakes.append((f"panel.{key}", names[place], allowed, "give each parameter a name of its own"))
    for outcome in ("completed", "screened_out", "over_quota") if panel.sign_back else ():
        written = {name for name, _ in parse_qsl(urlsplit(getattr(panel, outcome)).query, keep_blank_values=True)}
        for name in sorted(written & set(names[1:])):
            allowed = f"an address without {panel.signature} and {panel.time_stamp}, which are added"
            remedy = "leave it out of the address, or name the added one otherwise"
            mistakes.append((f"panel.{outcome}", name, allowed, remedy))
    return mistakes
