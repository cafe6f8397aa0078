"""A copy of what a study's analysis is made of, as bytes: a background analysis goes on with the answers it was started with, whatever is answered meanwhile."""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

from wtp.store.respondents import pack_task, unpack_task
from wtp.survey import Survey
from wtp.survey.answers import Answers, Choice, Respondent
from wtp.survey.definition import Definition
from wtp.survey.tasks import ChoiceTask

_PLAIN = (
    "number", "simulated", "language", "design_version", "outcome", "source", "seconds", "signs", "lot", "definition_hash", "imported", "known",
)  # fmt: skip


def pack(survey: Survey, answers: Answers) -> bytes:
    """Survey and answers; the design is left out, since every choice holds what was shown."""
    tasks: dict[str, int] = {}
    people = [_packed(person, tasks) for person in answers.respondents]
    record = {
        "slug": survey.slug,
        "folder": str(survey.folder),
        "definition": survey.definition.model_dump_json(),
        "definition_hash": survey.definition_hash,
        "answers_hash": answers.hash,
        "definitions": {key: each.model_dump_json() for key, each in answers.definitions.items()},
        "tasks": [json.loads(text) for text in tasks],
        "respondents": people,
    }
    return zlib.compress(json.dumps(record, allow_nan=False).encode())


def unpack(copy: bytes) -> tuple[Survey, Answers]:
    """What `pack` was given."""
    record = json.loads(zlib.decompress(copy))
    tasks = [unpack_task(task) for task in record["tasks"]]
    definition = Definition.model_validate_json(record["definition"])
    survey = Survey(record["slug"], Path(record["folder"]), definition, record["definition_hash"], None)
    definitions = {key: Definition.model_validate_json(text) for key, text in record["definitions"].items()}
    people = tuple(_unpacked(person, tasks) for person in record["respondents"])
    return survey, Answers(record["slug"], people, record["answers_hash"], definitions)


def _packed(person: Respondent, tasks: dict[str, int]) -> dict[str, Any]:
    """Many respondents see the same choice task, so each one is written once and named by its number."""
    choices = []
    for made in person.choices:
        number = tasks.setdefault(json.dumps(pack_task(made.task)), len(tasks))
        choices.append(
            (number, made.order, made.chosen, made.buys, made.design_version, made.definition_hash, made.answered_at.isoformat())
        )  # fmt: skip
    return {
        **{name: getattr(person, name) for name in _PLAIN},
        "seconds": dict(person.seconds),
        "answers": dict(person.answers),
        "started_at": person.started_at.isoformat(),
        "completed_at": person.completed_at and person.completed_at.isoformat(),
        "choices": choices,
    }


def _unpacked(packed: dict[str, Any], tasks: list[ChoiceTask]) -> Respondent:
    completed = packed["completed_at"]
    return Respondent(
        **{
            **packed,
            "signs": tuple(packed["signs"]),
            "started_at": datetime.fromisoformat(packed["started_at"]),
            "completed_at": completed and datetime.fromisoformat(completed),
            "choices": tuple(
                Choice(tasks[number], order, chosen, buys, version, definition_hash, datetime.fromisoformat(at))
                for number, order, chosen, buys, version, definition_hash, at in packed["choices"]
            ),
        }
    )
