"""The tables. Nothing that was answered is ever changed, and deleted only with its whole study or as a test: a changed answer is a new revision
of its page or choice task. A draft is no answer yet: it holds what stands on an open page, and goes when the page is confirmed.

Key columns are NOT NULL and unique, so the database itself refuses doubles; times are UTC. Tokens and passwords are kept as hashes.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware time in and out, UTC in the database, on SQLite too, which has no time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


definition = sa.Table(
    "definition",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
)

study = sa.Table(
    "study",
    metadata,
    sa.Column("slug", sa.String(80), primary_key=True),
    sa.Column("definition_hash", sa.String(64), nullable=False),
    sa.Column("design_hash", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, server_default="open"),
)

respondent = sa.Table(
    "respondent",
    metadata,
    _id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("language", sa.String(8)),
    sa.Column("definition_hash", sa.String(64)),
    sa.Column("design_version", sa.Integer),
    sa.Column("tasks", sa.JSON),
    sa.Column("consent_hash", sa.String(64)),
    sa.Column("consented_at", UtcDateTime),
    sa.Column("completed_at", UtcDateTime),
    sa.Column("lot", sa.String(40)),
    sa.Column("outcome", sa.String(16)),
    sa.Column("ended_by", sa.String(40)),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("steps", sa.JSON),
    sa.Column("source", sa.String(16)),
    sa.Column("panel_id", sa.String(200)),
    sa.Column("signs", sa.JSON),
    sa.Column("test", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("study", "number"),
    sa.Index("uq_respondent_study_panel_id", "study", "panel_id", unique=True),
    sa.Index("ix_respondent_study_design_version", "study", "design_version"),
)

design = sa.Table(
    "design",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
)

version = sa.Table(
    "version",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("definition_hash", sa.String(64), nullable=False),
    sa.Column("design_hash", sa.String(64), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("author", sa.String(120)),
    sa.Column("published_at", UtcDateTime, nullable=False),
)

answer = sa.Table(
    "answer",
    metadata,
    _id(),
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), nullable=False),
    sa.Column("page", sa.String(80), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("answered_at", UtcDateTime, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.UniqueConstraint("respondent_id", "page", "revision"),
)

choice = sa.Table(
    "choice",
    metadata,
    _id(),
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), nullable=False),
    sa.Column("choice_order", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("choice_task", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("shown", sa.JSON, nullable=False),
    sa.Column("design_version", sa.Integer, nullable=False),
    sa.Column("definition_hash", sa.String(64), nullable=False),
    sa.Column("chosen", sa.Integer, nullable=False),
    sa.Column("buys", sa.Boolean),
    sa.Column("answered_at", UtcDateTime, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.UniqueConstraint("respondent_id", "choice_order", "revision"),
)

page_draft = sa.Table(
    "page_draft",
    metadata,
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), primary_key=True),
    sa.Column("page", sa.String(80), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("sender", sa.String(16), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
)

quota = sa.Table(
    "quota",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("quota", sa.String(40), primary_key=True),
    sa.Column("simulated", sa.Boolean, primary_key=True),
    sa.Column("taken", sa.Integer, nullable=False),
)

quota_place = sa.Table(
    "quota_place",
    metadata,
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), primary_key=True),
    sa.Column("quota", sa.String(40), primary_key=True),
    sa.Column("active_at", UtcDateTime, nullable=False),
)

invitation = sa.Table(
    "invitation",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("reference", sa.String(200), nullable=False),
    sa.Column("contact", sa.JSON, nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("study", "reference"),
)

staff = sa.Table(
    "staff",
    metadata,
    _id(),
    sa.Column("name", sa.String(120), nullable=False, unique=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("session_version", sa.Integer, nullable=False),
)

result = sa.Table(
    "result",
    metadata,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, server_default="analysis"),
)

decision = sa.Table(
    "decision",
    metadata,
    _id(),
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), nullable=False, index=True),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("who", sa.String(120), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("chain", sa.String(64), nullable=False),
)

scenario = sa.Table(
    "scenario",
    metadata,
    _id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("saved_by", sa.String(120), nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("study", "name"),
)
