"""Which selections of respondents readers of results have seen figures of."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_selection",
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_told_selection_study_study")),
        sa.PrimaryKeyConstraint("study", "basis", name=op.f("pk_told_selection")),
    )
    op.create_table(
        "told_memory",
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_told_memory_study_study")),
        sa.PrimaryKeyConstraint("study", name=op.f("pk_told_memory")),
    )
