"""Choice tasks coded for other software: one row an alternative, observations numbered, levels as 0/1 columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.resources import files

import numpy as np
import pandas as pd

from wtp.analysis.choice_frame import choice_frame
from wtp.export.archive import Archive
from wtp.export.source import Source
from wtp.survey.definition import Definition

_PURCHASE = " purchase"


def coded_batches(source: Source) -> Iterator[pd.DataFrame]:
    """Rows of some respondents at a time: respondent, simulated, observation (counts from 1 through the study), task, slot, chosen, the attributes as text, price, none, and the 0/1 columns.

    slot: place of the alternative in its observation, from 1; the none option has the last one, `none_slot`.
    """
    definition = source.survey.definition
    last = 0
    for batch in itertools.chain([()], source.batches()):  # without anybody the columns stand all the same
        people = [r for r in batch if r.number not in source.left_out]
        frame = choice_frame(definition, people)
        keys = frame["respondent"].astype(str) + "/" + frame["choice_task"].astype(str)
        new = (keys != keys.shift()).to_numpy()
        observation = np.cumsum(new) + last
        last = int(observation[-1]) if len(frame) else last
        simulated = {r.number: int(r.simulated) for r in people}
        none = frame["none"].astype(int).to_numpy()
        place = frame.groupby(observation, sort=False).cumcount().to_numpy() + 1
        columns = {
            "respondent": frame["respondent"].astype(int),
            "simulated": frame["respondent"].map(simulated).astype(int),
            "observation": observation,
            "task": frame["choice_task"].astype(str),
            "slot": np.where(none == 1, none_slot(definition), place),
            "chosen": frame["chosen"].astype(int),
            **{attribute.id: frame[attribute.id] for attribute in definition.attributes},
            "price": frame["price"].astype(float),
            "none": none,
        }
        yield pd.DataFrame(columns).assign(**_dummies(definition, frame))


def numeric_columns(definition: Definition) -> list[str]:
    """The 0/1 columns of all levels but the first of each attribute, price, and none where the study has it."""
    names = [f"{attribute.id}_{level}" for attribute in definition.attributes for level in attribute.level_ids[1:]]
    return [*names, "price", *(["none"] if has_none(definition) else [])]


def has_none(definition: Definition) -> bool:
    """Whether the study asks if the chosen one would really be bought."""
    return definition.choice_tasks.none == "dual"


def none_slot(definition: Definition) -> int:
    """Slot of the none option."""
    return definition.choice_tasks.alternatives + 1


def with_single_none(frame: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    """The same rows with none as one more alternative of each task instead of an observation of its own; only tasks in which all alternatives stand."""
    if not has_none(definition):
        return frame
    second = frame["task"].str.endswith(_PURCHASE)
    key = ["respondent", "task"]
    single = frame.groupby(key, sort=False)["none"].transform("max").eq(1) & ~second  # shown so, as in imported choices
    first = frame[~second & ~single]
    answered = frame[second & (frame["none"] == 1)]
    answered = answered.assign(task=answered["task"].str.removesuffix(_PURCHASE))
    refused = answered.set_index(key)["chosen"].rename("refused")
    joined = first.join(refused, on=key)
    whole = joined.groupby(key, sort=False)["slot"].transform("size") == definition.choice_tasks.alternatives
    joined = joined[whole & joined["refused"].notna()]
    chosen = joined["chosen"].where(joined["refused"] == 0, 0)
    nothing = joined.drop_duplicates(key)
    zeros = dict.fromkeys(numeric_columns(definition), 0) | {"none": 1, "slot": none_slot(definition)}
    nothing = nothing.assign(chosen=nothing["refused"].astype(int), **zeros)
    rows = pd.concat([joined.assign(chosen=chosen.astype(int)), nothing, frame[single]]).drop(columns="refused")
    return rows.sort_values(["observation", "slot"], kind="stable")


def put_notes(made: Archive, source: Source, layout: str, *scripts: str) -> None:
    """README.txt: what the study is, and how this layout is read; and the scripts that fit a logit on it."""
    folder = files("wtp.export.layouts") / "notes"
    note = (folder / f"{layout}.txt").read_text(encoding="utf-8")
    made.put("README.txt", source.about() + "\n" + note)
    for script in scripts:
        made.put(script, (folder / f"{script}.txt").read_bytes())


def _dummies(definition: Definition, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {
        f"{attribute.id}_{level}": ((frame[attribute.id] == level) & (frame["none"] == 0)).astype(int).to_numpy()
        for attribute in definition.attributes
        for level in attribute.level_ids[1:]
    }
