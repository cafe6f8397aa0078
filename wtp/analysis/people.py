"""Each respondent's own tastes, for analysts and simulators: part-worths of every level, weight, segment, and some draws of the same.

They say something of single persons, so no page shows them and `Analysis.to_json` leaves them out; `pack_people` keeps them apart.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.hierarchical import HierarchicalAnalysis, customers_each
from wtp.analysis.record import ALL
from wtp.estimation import LatentClassResults
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

INDIVIDUAL, DRAWS = "individual_part_worths", "draws"
_MOST_DRAWS = 200
_MOST_NUMBERS = 8_000_000


def people_tables(
    definition: Definition,
    groups: Mapping[str, Sequence[Respondent]],
    found: HierarchicalAnalysis | None,
    classes: Mapping[str, LatentClassResults],
) -> dict[str, pd.DataFrame]:
    """`individual_part_worths` of a fit with tastes of each respondent, and `draws` of a hierarchical one; empty for a pooled fit.

    individual_part_worths: respondent, segment (empty: none), simulated, stands_for (customers, mean 1), rlh, one column a level
    "attribute.level" (the first level is 0), price_coefficient (a currency unit) and none_constant, in logits. draws: draw, chain, respondent and the same part-worths.
    """
    fit: Any = found.fit if found else classes.get(ALL)
    if fit is None:
        return {}
    names, transform = _levels(fit.data)
    own = fit.individual[list(fit.data.names)].to_numpy() @ transform.T
    people = np.asarray(fit.data.respondents)
    by_number = {r.number: r for r in groups[ALL]}
    segment = {r.number: name for name, members in groups.items() if name != ALL for r in members}
    members = {name: np.isin(people, [r.number for r in own]) for name, own in groups.items()}
    stands_for = customers_each(definition, members)
    weight = np.ones(len(people)) if stands_for is None else stands_for / stands_for.mean()
    table = pd.DataFrame(
        {
            "respondent": people,
            "segment": pd.array([segment.get(number) for number in people.tolist()], dtype="str"),
            "simulated": [by_number[number].simulated for number in people.tolist()],
            "stands_for": weight,
            "rlh": fit.individual["rlh"].to_numpy() if "rlh" in fit.individual else fit.rlh.to_numpy(),
        }
    )
    tables = {INDIVIDUAL: pd.concat([table, pd.DataFrame(own, columns=names)], axis=1)}
    if found:
        tables[DRAWS] = _draws(fit, names, transform, table["simulated"].to_numpy())
    return tables


def _levels(data: Any) -> tuple[list[str], np.ndarray]:
    """Names and (levels, K) combinations of the coefficients: every level of every attribute, the price, the none constant."""
    names: list[str] = []
    rows: list[np.ndarray] = []
    for attribute in data.attributes:
        if attribute.name != data.price:
            names += [f"{attribute.name}.{level}" for level in attribute.levels]
            rows += list(attribute.contrasts)
    identity = np.eye(len(data.names))
    for column, name in (("price", "price_coefficient"), ("none", "none_constant")):
        if column in data.names:
            names.append(name)
            rows.append(identity[data.names.index(column)])
    return names, np.array(rows)


def _draws(fit: Any, names: list[str], transform: np.ndarray, simulated: np.ndarray) -> pd.DataFrame:
    """As many draws, evenly spaced, as a file can hold."""
    total, people = len(fit.chain), len(fit.data.respondents)
    wanted = min(total, _MOST_DRAWS, max(1, _MOST_NUMBERS // (people * len(names))))
    kept = np.linspace(0, total - 1, wanted).round().astype(int)
    sampled = np.concatenate([part[_within(kept, start, part)] for start, part in _parts(fit)])
    values = (sampled @ transform.T.astype(sampled.dtype)).reshape(-1, len(names)).astype(np.float32)
    keys = {
        "draw": np.repeat(np.arange(1, wanted + 1, dtype=np.int32), people),
        "chain": np.repeat(fit.chain[kept].astype(np.int16) + 1, people),
        "respondent": np.tile(np.asarray(fit.data.respondents), wanted),
        "simulated": np.tile(simulated, wanted),
    }
    return pd.concat([pd.DataFrame(keys), pd.DataFrame(values, columns=names)], axis=1)


def _parts(fit: Any) -> list[tuple[int, np.ndarray]]:
    """(first draw, draws) of each chain; they may lie on disk, so that only those that are kept are read."""
    sizes = [len(part) for part in fit.sampled.individual]
    return list(zip(np.cumsum([0, *sizes[:-1]]).tolist(), fit.sampled.individual, strict=True))


def _within(kept: np.ndarray, start: int, part: np.ndarray) -> np.ndarray:
    return np.asarray(kept[(kept >= start) & (kept < start + len(part))] - start)


def pack_people(tables: Mapping[str, pd.DataFrame]) -> str:
    """The tables as text that a database keeps; `unpack_people` gives them back to the last digit."""
    return json.dumps(
        {name: base64.b64encode(frame.to_parquet(index=False)).decode() for name, frame in tables.items()}
    )


def unpack_people(text: str) -> dict[str, pd.DataFrame]:
    """The tables that `pack_people` wrote."""
    return {name: pd.read_parquet(io.BytesIO(base64.b64decode(kept))) for name, kept in json.loads(text).items()}


def of_person(text: str, respondent: int) -> dict[str, list[dict[str, Any]]]:
    """What a kept result says of one respondent, rows by table; nothing where it holds no tables of single respondents."""
    record = json.loads(text)
    if not all(isinstance(kept, str) for kept in record.values()):
        return {}
    found = {
        name: frame[frame["respondent"] == respondent]
        for name, frame in unpack_people(text).items()
        if "respondent" in frame
    }
    return {name: json.loads(rows.to_json(orient="records")) for name, rows in found.items() if len(rows)}
