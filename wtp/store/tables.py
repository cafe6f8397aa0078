"""The tables. Nothing that was answered is ever changed, and deleted only with its person (`erasure`), after its time (`retention`), with its whole study, as a test, or as an import
that is taken back: a changed answer is a new revision of its page or choice task. A draft is no answer yet: it holds what stands on an open page, and goes when the page is confirmed.

Key columns are NOT NULL and unique, so the database itself refuses doubles; times are UTC. Tokens and passwords are kept as hashes.
"""

from __future__ import annotations

import sqlalchemy as sa

from wtp.store.columns import UtcDateTime, metadata, row_id
from wtp.store.customer_tables import (
    contact,
    contact_coding,
    customer,
    customer_file,
    customer_respondent,
    measure,
    purchase,
)
from wtp.store.panel_tables import panel_entry, panel_key
from wtp.store.staff_tables import (
    api_token,
    audit,
    ended_session,
    rate_limit,
    recovery_code,
    staff,
    staff_link,
    staff_study,
)

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
    sa.Column("closed_at", UtcDateTime),
)

imported_file = sa.Table(
    "imported_file",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False, index=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("content", sa.LargeBinary),
    sa.Column("mapping", sa.Text, nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("given_at", UtcDateTime, nullable=False),
    sa.Column("imported_at", UtcDateTime),
    sa.Column("taken_back_at", UtcDateTime),
    sa.Column("taken_back_by", sa.String(120)),
    sa.Column("respondents", sa.Integer, nullable=False),
    sa.Column("simulated", sa.Integer, nullable=False),
    sa.Column("choices", sa.Integer, nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
)
# One file counts once: of two imports of it at the same moment the database lets one through.
_COUNTS = imported_file.c.imported_at.is_not(None) & imported_file.c.taken_back_at.is_(None)
sa.Index(
    "uq_imported_file_study_digest_counts",
    imported_file.c.study,
    imported_file.c.digest,
    unique=True,
    sqlite_where=_COUNTS,
    postgresql_where=_COUNTS,
)

respondent = sa.Table(
    "respondent",
    metadata,
    row_id(),
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
    sa.Column("import_id", sa.ForeignKey("imported_file.id")),
    sa.Column("external_id", sa.String(200)),
    sa.Column("consent_shown", sa.String(64)),
    sa.UniqueConstraint("study", "number"),
    sa.Index("uq_respondent_study_panel_id", "study", "panel_id", unique=True),
    sa.Index("uq_respondent_study_external_id", "study", "external_id", unique=True),
    sa.Index("ix_respondent_import_id", "import_id"),
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
    row_id(),
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
    row_id(),
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
    sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("study", "reference"),
)

# Whose data were deleted, or cut from the person, by the hash of the token, so that neither an old backup nor an old page brings them back. Without row ids, whose
# order would tell who was first.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("number", sa.Integer),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

consent_text = sa.Table(
    "consent_text",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False, index=True),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("first_shown_at", UtcDateTime, nullable=False),
)

retention_run = sa.Table(
    "retention_run",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("ran_at", UtcDateTime, nullable=False),
)

result = sa.Table(
    "result",
    metadata,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("content", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, server_default="analysis"),
    sa.Column("basis", sa.String(64), index=True),
    sa.Column("made", sa.JSON(none_as_null=True)),
    sa.Column("object", sa.String(64), index=True),  # name of a content that lies outside, see `objects`
)

background_job = sa.Table(
    "background_job",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False, index=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("basis", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("definition_hash", sa.String(64), nullable=False),
    sa.Column("answers_hash", sa.String(64), nullable=False),
    sa.Column("respondents", sa.Integer, nullable=False),
    sa.Column("answers_copy", sa.LargeBinary),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_by", sa.String(120), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("begun_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("owner", sa.String(120)),
    sa.Column("beat_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("progress", sa.JSON(none_as_null=True)),
    sa.Column("reason", sa.String(16)),
    sa.Column("detail", sa.String(500)),
)
# Two clicks, or two people, start one analysis: of those that have not ended only one may have a fingerprint.
sa.Index(
    "uq_background_job_fingerprint_open",
    background_job.c.fingerprint,
    unique=True,
    sqlite_where=background_job.c.ended_at.is_(None),
    postgresql_where=background_job.c.ended_at.is_(None),
)

decision = sa.Table(
    "decision",
    metadata,
    row_id(),
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), nullable=False, index=True),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)

heartbeat = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("version", sa.String(40), nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)

told_selection = sa.Table(
    "told_selection",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("basis", sa.String(64), primary_key=True),
    sa.Column("told_at", UtcDateTime, nullable=False),
)

told_memory = sa.Table(
    "told_memory",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

scenario = sa.Table(
    "scenario",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("saved_by", sa.String(120), nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("study", "name"),
)

__all__ = [
    "UtcDateTime",
    "answer",
    "api_token",
    "audit",
    "background_job",
    "choice",
    "consent_text",
    "contact",
    "contact_coding",
    "customer",
    "customer_file",
    "customer_respondent",
    "decision",
    "definition",
    "design",
    "ended_session",
    "erasure",
    "heartbeat",
    "imported_file",
    "invitation",
    "measure",
    "metadata",
    "page_draft",
    "panel_entry",
    "panel_key",
    "purchase",
    "quota",
    "quota_place",
    "rate_limit",
    "recovery_code",
    "respondent",
    "result",
    "retention_run",
    "scenario",
    "staff",
    "staff_link",
    "staff_study",
    "study",
    "told_memory",
    "told_selection",
    "version",
]
