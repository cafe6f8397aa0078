"""Analyses in the background: the jobs, and what a kept result was made of."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("result", sa.Column("basis", sa.String(length=64)))
    op.add_column("result", sa.Column("made", sa.JSON()))
    op.create_index("ix_result_basis", "result", ["basis"])
    op.create_table(
        "background_job",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("definition_hash", sa.String(length=64), nullable=False),
        sa.Column("answers_hash", sa.String(length=64), nullable=False),
        sa.Column("respondents", sa.Integer(), nullable=False),
        sa.Column("answers_copy", sa.LargeBinary()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("owner", sa.String(length=120)),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("progress", sa.JSON()),
        sa.Column("reason", sa.String(length=16)),
        sa.Column("detail", sa.String(length=500)),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_background_job_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_background_job")),
    )
    op.create_index("ix_background_job_study", "background_job", ["study"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_background_job_fingerprint_open",
        "background_job",
        ["fingerprint"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
