"""Privacy: who was erased, the texts that people agreed to, when a study was closed, whose link was cut, and on which days retention ran."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_erasure")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_erasure_study"), "erasure", ["study"], unique=False)
    op.create_table(
        "consent_text",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("first_shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_consent_text_study_study")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_consent_text")),
    )
    op.create_index(op.f("ix_consent_text_study"), "consent_text", ["study"], unique=False)
    op.create_table(
        "retention_run",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_retention_run")),
    )
    # A value that an old row lacks means: not known. The text of an earlier consent is found by the definition that the respondent began with.
    op.add_column("respondent", sa.Column("consent_shown", sa.String(length=64), nullable=True))
    op.add_column("study", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("invitation", sa.Column("done", sa.Boolean(), nullable=False, server_default=sa.false()))
