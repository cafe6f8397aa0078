"""Fielding: chance, outcome and source of a respondent, seconds a page, quotas, invitations, the state of a study."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("study", sa.Column("state", sa.String(length=16), nullable=False, server_default="open"))
    for table in ("answer", "choice"):
        op.add_column(table, sa.Column("seconds", sa.Float()))
    # Plain additions: rebuilding a table that others refer to would drop their rows on SQLite.
    for column in (
        sa.Column("lot", sa.String(length=40)),
        sa.Column("outcome", sa.String(length=16)),
        sa.Column("ended_by", sa.String(length=40)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("steps", sa.JSON()),
        sa.Column("source", sa.String(length=16)),
        sa.Column("panel_id", sa.String(length=200)),
        sa.Column("signs", sa.JSON()),
    ):
        op.add_column("respondent", column)
    op.create_index("uq_respondent_study_panel_id", "respondent", ["study", "panel_id"], unique=True)
    op.execute("UPDATE respondent SET outcome = 'completed', ended_at = completed_at WHERE completed_at IS NOT NULL")

    op.create_table(
        "quota",
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("quota", sa.String(length=40), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_quota_study_study")),
        sa.PrimaryKeyConstraint("study", "quota", "simulated", name=op.f("pk_quota")),
    )
    op.create_table(
        "quota_place",
        sa.Column("respondent_id", _ID, nullable=False),
        sa.Column("quota", sa.String(length=40), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["respondent_id"], ["respondent.id"], name=op.f("fk_quota_place_respondent_id_respondent")
        ),
        sa.PrimaryKeyConstraint("respondent_id", "quota", name=op.f("pk_quota_place")),
    )
    op.create_table(
        "invitation",
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.JSON(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_invitation_study_study")),
        sa.PrimaryKeyConstraint("study", "number", name=op.f("pk_invitation")),
        sa.UniqueConstraint("study", "reference", name=op.f("uq_invitation_study_reference")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
