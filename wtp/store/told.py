"""What readers of results were told: of which selections of respondents they saw figures, so that no later figure tells of a few by its difference from those.

The memory is of `wtp.analysis.views`, which says what it means; here it is a record of whole numbers. A key names a respondent and one answer, number * 2**32 + checksum; whoever is erased keeps the place in
the groups, without which the next figures would tell of him, under a random negative key that leads to nobody.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import results, tables
from wtp.store.results import Kept
from wtp.store.upsert import insert_if_absent

KEY_BITS = 32
# Kind of answer -> keys, groups (of each key), sets (groups of each selection that was told).
Memory = Mapping[str, Mapping[str, Any]]
_S, _M = tables.told_selection.c, tables.told_memory.c


def has(connection: sa.Connection, slug: str, basis: str) -> bool:
    """Whether figures of this basis, see `Request.basis`, were told."""
    return connection.execute(sa.select(_S.basis).where(_S.study == slug, _S.basis == basis)).first() is not None


def number(connection: sa.Connection, slug: str) -> int:
    """The number of a study's memory, which every change raises; 0 where nothing was told."""
    return connection.execute(sa.select(_M.number).where(_M.study == slug)).scalar_one_or_none() or 0


def memory(connection: sa.Connection, slug: str) -> Memory:
    """The memory of a study; nothing where nothing was told."""
    content = connection.execute(sa.select(_M.content).where(_M.study == slug)).scalar_one_or_none()
    found: Memory = json.loads(zlib.decompress(content)) if content else {}
    return found


def keep(connection: sa.Connection, slug: str, basis: str, beside: int, after: Memory, now: datetime) -> bool:
    """Note that a selection is told, and what is remembered from now on; False, and nothing is noted, if the memory is not the one of the number `beside` any more."""
    if not _write(connection, slug, beside, after):
        return False
    insert_if_absent(connection, tables.told_selection, study=slug, basis=basis, told_at=now)
    return True


def newest(connection: sa.Connection, slug: str) -> tuple[Kept, ...]:
    """The analyses of the usual answers that readers saw last, whatever was answered since; none where nothing was told, or none of it is kept."""
    query = sa.select(_S.basis).where(_S.study == slug).order_by(_S.told_at.desc())
    for basis in connection.execute(query).scalars():
        made = results.made(connection, slug, basis=basis)
        if made and made[0].kind == results.ANALYSIS:
            return made
    return ()


def fingerprints(connection: sa.Connection, slug: str) -> frozenset[str]:
    """All analyses whose figures readers may see."""
    r = tables.result.c
    query = sa.select(r.fingerprint).join(tables.told_selection, (_S.basis == r.basis) & (_S.study == r.study))
    return frozenset(connection.execute(query.where(r.study == slug)).scalars())


def forget(connection: sa.Connection, slug: str, numbers: Collection[int]) -> None:
    """Let nothing of these respondents stay in the memory but that somebody was counted."""
    before = memory(connection, slug)
    nobody = {one: -1 - secrets.randbits(30) for one in numbers}

    def nameless(key: int) -> int:
        who = nobody.get(key >> KEY_BITS)
        return key if who is None else (who << KEY_BITS) + secrets.randbits(KEY_BITS)

    if before:
        after = {kind: {**part, "keys": list(map(nameless, part["keys"]))} for kind, part in before.items()}
        _write(connection, slug, number(connection, slug), after)


def forget_all(connection: sa.Connection, slug: str) -> None:
    """Drop the memory of a study of whose respondents nothing is left; which figures were told stays."""
    connection.execute(sa.delete(tables.told_memory).where(_M.study == slug))


def _write(connection: sa.Connection, slug: str, beside: int, after: Memory) -> bool:
    row = {"number": beside + 1, "content": zlib.compress(json.dumps(after).encode())}
    if beside == 0:
        return insert_if_absent(connection, tables.told_memory, study=slug, **row)
    where = (_M.study == slug) & (_M.number == beside)
    return connection.execute(sa.update(tables.told_memory).where(where).values(**row)).rowcount == 1
