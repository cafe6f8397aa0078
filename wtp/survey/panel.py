"""The panel of a study: where respondents come from and go back to, and how addresses are signed on the way."""

from __future__ import annotations

import operator
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, StringConstraints, model_validator

from wtp.survey.attributes import Record
from wtp.survey.conditions import mistake as _mistake

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

    @model_validator(mode="after")
    def _names_differ(self) -> Panel:
        names = (self.parameter, self.signature, self.time_stamp)
        for place, key in ((1, "signature"), (2, "time_stamp")):
            if names[place] in names[:place]:
                allowed = f"any name but {', '.join(names[:place])}"
                raise _mistake(key, repr(names[place]), allowed, "give each parameter a name of its own")
        for outcome in ("completed", "screened_out", "over_quota") if self.sign_back else ():
            written = {name for name, _ in parse_qsl(urlsplit(getattr(self, outcome)).query, keep_blank_values=True)}
            for name in sorted(written & {self.signature, self.time_stamp}):
                allowed = f"an address without {self.signature} and {self.time_stamp}, which are added"
                raise _mistake(
                    outcome, repr(name), allowed, "leave it out of the address, or name the added one otherwise"
                )
        return self
