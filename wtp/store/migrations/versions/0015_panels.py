"""Panels: the keys by which their addresses are signed, sealed, and who came from one already, as keyed hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "panel_key",
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.String(length=600), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_panel_key_study_study")),
        sa.PrimaryKeyConstraint("study", "number", name=op.f("pk_panel_key")),
    )
    # Who came before is known by `respondent.panel_id` alone, as it was until now.
    op.create_table(
        "panel_entry",
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_panel_entry_study_study")),
        sa.PrimaryKeyConstraint("study", "mark", name=op.f("pk_panel_entry")),
        sqlite_with_rowid=False,
    )
