"""Who works with an installation: members of staff, what they get in with, what they may see, and the log of what they did.

Passwords, links and recovery codes are kept as hashes; the secret of a second factor is not kept at all, but derived from the instance's secret and `factor_nonce`.
The log names its study as text: it outlives the study. The database itself refuses to change or delete an entry (migration 0011).
"""

from __future__ import annotations

import sqlalchemy as sa

from wtp.store.columns import UtcDateTime, metadata, row_id

staff = sa.Table(
    "staff",
    metadata,
    row_id(),
    sa.Column("name", sa.String(120), nullable=False, unique=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("session_version", sa.Integer, nullable=False),
    sa.Column("all_studies", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("factor_nonce", sa.String(64)),
    sa.Column("factor_step", sa.BigInteger),
)

staff_study = sa.Table(
    "staff_study",
    metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("study", sa.String(80), primary_key=True),
)

staff_link = sa.Table(
    "staff_link",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False, index=True),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("code_hash", sa.String(64), primary_key=True),
    sa.Column("used_at", UtcDateTime),
)

ended_session = sa.Table(
    "ended_session",
    metadata,
    sa.Column("mark", sa.String(64), primary_key=True),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Keys hold hashes of who tries; expires_at counts seconds since 1970.
rate_limit = sa.Table(
    "rate_limit",
    metadata,
    sa.Column("key", sa.String(120), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
)

api_token = sa.Table(
    "api_token",
    metadata,
    row_id(),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("mark", sa.String(8), nullable=False, unique=True),
    sa.Column("token_hash", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("studies", sa.JSON(none_as_null=True)),
    sa.Column("staff_id", sa.ForeignKey("staff.id")),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("used_at", UtcDateTime),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("study", sa.String(80), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("who", sa.String(120), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("chain", sa.String(64), nullable=False),
)
