"""Is every acknowledged answer in the database, whole and once?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tests.load.generator import Respondent
from wtp.store import answers, open_database, respondents, tables


def kept(database_url: str, slug: str, people: Sequence[Respondent]) -> tuple[int, int, int]:
    """(acknowledged, lost, doubled): pages that the server took; those of them whose answers are not stored as they were sent; rows that nobody sent, or twice."""
    acknowledged = lost = unanswered = 0
    with open_database(database_url) as database, database.read() as connection:
        stored = sum(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.answer, tables.choice)
        )
        for person in people:
            pages = [(step, sent) for step, sent in person.acknowledged if step != "consent"]
            acknowledged += len(pages)
            unanswered += person.sent is not None and person.sent[0] != "consent"
            if not pages:
                continue
            interview = respondents.find(connection, slug, person.token)
            if interview is None:
                lost += len(pages)
                continue
            current = answers.current(connection, interview.respondent_id)
            for step, sent in pages:
                place = int(step.rpartition("-")[2]) if "chosen" in sent else None
                if place is not None:
                    wanted = (1, int(sent["chosen"]), sent["buys"] == "yes" if "buys" in sent else None)
                    lost += current.choices.get(place) != wanted
                else:
                    revision, content = current.pages.get(step, (0, {}))
                    lost += revision != 1 or flat(content) != typed(sent)
    return acknowledged, lost, max(0, stored - acknowledged - unanswered)


def flat(content: Mapping[str, Any]) -> dict[str, str]:
    """The answers of a page under the names of its form, as text."""
    found = {}
    for question, value in content.items():
        parts = {f"-{item}": v for item, v in value.items()} if isinstance(value, dict) else {"": value}
        found |= {f"q-{question}{item}": f"{v:g}" if isinstance(v, float) else str(v) for item, v in parts.items()}
    return {name: value for name, value in found.items() if value != "None"}


def typed(sent: Mapping[str, Any]) -> dict[str, str]:
    """What was typed and picked, numbers without their cents of zero."""
    found = {}
    for name, value in sent.items():
        if name.startswith("q-") and not name.endswith("-checked"):
            text = str(value[0] if isinstance(value, list) else value)
            found[name] = f"{float(text):g}" if re.fullmatch(r"[0-9.]+", text) else text
    return found
