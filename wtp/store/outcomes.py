"""How an interview ends: everything answered, screened out, or a quota full. Decided after every saved page, in its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import quotas, respondents
from wtp.store.respondents import Interview
from wtp.survey.definition import Definition
from wtp.survey.routing import Step, quotas_of, screened_out


def settle(
    connection: sa.Connection,
    definition: Definition,
    interview: Interview,
    answers: Mapping[str, Any],
    route: Sequence[Step],
    *,
    finished: bool,
    now: datetime,
) -> bool:
    """Whether the interview ends here; `finished` says that every step of the route is answered.

    Screen-outs come before quotas, so that nobody who does not belong takes a place.
    """
    person, simulated = interview.respondent_id, interview.simulated
    if interview.outcome:
        return False
    if (end := screened_out(definition, answers)) is not None:
        quotas.release(connection, interview.study, person, simulated=simulated)
        respondents.end_early(connection, person, "screened_out", end.id, now)
        return True
    if definition.quotas and not interview.test:  # who only tries the study out takes nobody's place
        wanted = quotas_of(definition, answers)
        full = quotas.reserve(connection, interview.study, person, wanted, simulated=simulated, now=now)
        if full is not None:
            respondents.end_early(connection, person, "over_quota", full, now)
            return True
    if finished:
        respondents.complete(connection, person, now, [step.id for step in route])
    return finished
