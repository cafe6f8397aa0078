"""What an analysis is asked for and what comes out: plain tables that page, chart, spreadsheet and Python all show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from wtp.estimation.diagnostics import Note

ALL = "all"
AUTO, CONDITIONAL, LATENT, HIERARCHICAL = "auto", "conditional", "latent", "hierarchical"
CURRENT, SAME_CHOICES, POOLED = "current", "same", "all"
VERSIONS = (SAME_CHOICES, CURRENT, POOLED)
NOT_ESTIMATED = "No figures for this segment: {reason}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of `analyse`: two equal requests on equal answers give equal figures.

    model: "auto" picks the estimator by the sample (hierarchical where it may), "conditional" is quick and pooled. versions: "same" counts earlier versions of the survey
    whose choices were the same, "current" none, "all" every one that can be pooled. without: numbers of the respondents who are left out.
    """

    seed: int = 1
    confidence: float = 0.90
    model: str = AUTO
    versions: str = SAME_CHOICES
    without: tuple[int, ...] = ()

    def fingerprint(self, definition_hash: str, answers_hash: str, version: str) -> str:
        """Key under which the analysis may be kept: survey, answers, request and version of the program."""
        text = json.dumps([definition_hash, answers_hash, asdict(self), version])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that was found out from the answers of one study.

    `tables` are tidy frames by name, with identifiers only (segment "all" is everybody); a figure that would mislead is NaN and
    its `note` says why. `notes` belong above the charts. `summaries` are the statsmodels summaries by segment. `people` are the tables of single
    respondents of `people_tables`, where the estimator has such; they are kept apart and not part of the JSON, nor is the `simulator` (a `what_if.Simulator`, or None) for what-ifs.
    """

    study: str
    definition_hash: str
    answers_hash: str
    request: Request
    respondents: int
    completed: int
    simulated: int
    currency: str
    tables: Mapping[str, pd.DataFrame]
    notes: tuple[Note, ...] = ()
    summaries: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    simulator: Any = None

    @property
    def confidence(self) -> float:
        """Probability that each interval is meant to hold."""
        return self.request.confidence

    def table(self, name: str, segment: str | None = None) -> pd.DataFrame:
        """One table, whole or the rows of one segment."""
        frame = self.tables[name]
        return frame if segment is None else frame[frame["segment"] == segment].reset_index(drop=True)

    def only(self, segments: Sequence[str]) -> Analysis:
        """The same analysis with the figures of these segments alone."""
        return replace(
            self,
            tables={
                name: frame[frame["segment"].isin(segments)].reset_index(drop=True)
                for name, frame in self.tables.items()
            },
            notes=tuple(note for note in self.notes if note.segment is None or note.segment in segments),
            summaries={segment: text for segment, text in self.summaries.items() if segment in segments},
        )

    def to_json(self) -> str:
        """The whole record as JSON text but for `people`; `from_json` gives it back to the last digit."""
        record = {name: getattr(self, name) for name in _SCALARS}
        record |= {
            "request": asdict(self.request),
            "notes": [asdict(note) for note in self.notes],
            "summaries": dict(self.summaries),
            "tables": {name: pack(frame) for name, frame in self.tables.items()},
        }
        return json.dumps(record, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Analysis:
        """The record that `to_json` wrote."""
        record = json.loads(text)
        return cls(
            **{name: record[name] for name in _SCALARS},
            request=Request(**{**record["request"], "without": tuple(record["request"].get("without", ()))}),
            notes=tuple(Note(**note) for note in record["notes"]),
            summaries=record["summaries"],
            tables={name: unpack(packed) for name, packed in record["tables"].items()},
        )


_SCALARS = ("study", "definition_hash", "answers_hash", "respondents", "completed", "simulated", "currency")


def pack(frame: pd.DataFrame) -> dict[str, Any]:
    """A frame as a JSON record; `unpack` gives it back to the last digit."""
    values = frame.astype(object).where(frame.notna(), None)
    return {
        "dtypes": {column: str(dtype) for column, dtype in frame.dtypes.items()},
        "columns": values.to_dict("list"),
    }


def unpack(packed: dict[str, Any]) -> pd.DataFrame:
    """The frame that `pack` wrote."""
    return pd.DataFrame(packed["columns"], columns=list(packed["dtypes"])).astype(packed["dtypes"])


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One tidy frame of the segments' frames, the column `segment` first."""
    frames = []
    for segment, table in tables.items():
        frame = table.drop(columns="segment", errors="ignore")
        frame.insert(0, "segment", segment)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"segment": pd.Series(dtype="str")})
