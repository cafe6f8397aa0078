"""Contacts with customers as they are taken away: a row each, without anything that names a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_COLUMNS = ("happened_at", "channel", "reason", "question", "reported", "mattered_most", "impression", "core_problem", "remedy", "solved", "minutes", "simulated")  # fmt: skip


def contacts_frame(contacts: Sequence[Mapping[str, Any]], *, words: bool = False) -> pd.DataFrame:
    """Contacts of the store with customers numbered anew, from 1; what was reported is left out unless `words`, for staff may have written names."""
    frame = pd.DataFrame(list(contacts), columns=["customer_id", *_COLUMNS])
    codes = pd.factorize(frame["customer_id"])[0]
    frame.insert(0, "customer", pd.Series(codes + 1, index=frame.index, dtype="Int64").mask(codes < 0))
    frame["solved"] = frame["solved"].astype("boolean")
    for name in ("impression", "minutes"):
        frame[name] = frame[name].astype("Int64")
    return frame.drop(columns=["customer_id", *([] if words else ["reported"])])
