"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "definition",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_definition")),
    )
    with op.batch_alter_table("definition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_definition_study"), ["study"], unique=False)

    op.create_table(
        "result",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_result")),
    )
    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_result_study"), ["study"], unique=False)

    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_name")),
    )
    op.create_table(
        "study",
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("definition_hash", sa.String(length=64), nullable=False),
        sa.Column("design_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_study")),
    )
    op.create_table(
        "respondent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("definition_hash", sa.String(length=64), nullable=True),
        sa.Column("design_version", sa.Integer(), nullable=True),
        sa.Column("tasks", sa.JSON(), nullable=True),
        sa.Column("consent_hash", sa.String(length=64), nullable=True),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_respondent_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_respondent")),
        sa.UniqueConstraint("study", "number", name=op.f("uq_respondent_study_number")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_respondent_token_hash")),
    )
    with op.batch_alter_table("respondent", schema=None) as batch_op:
        batch_op.create_index("ix_respondent_study_design_version", ["study", "design_version"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("page", sa.String(length=80), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondent.id"], name=op.f("fk_answer_respondent_id_respondent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("respondent_id", "page", "revision", name=op.f("uq_answer_respondent_id_page_revision")),
    )
    op.create_table(
        "choice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("respondent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("choice_order", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("choice_task", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("design_version", sa.Integer(), nullable=False),
        sa.Column("definition_hash", sa.String(length=64), nullable=False),
        sa.Column("chosen", sa.Integer(), nullable=False),
        sa.Column("buys", sa.Boolean(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["respondent_id"], ["respondent.id"], name=op.f("fk_choice_respondent_id_respondent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice")),
        sa.UniqueConstraint(
            "respondent_id", "choice_order", "revision", name=op.f("uq_choice_respondent_id_choice_order_revision")
        ),
    )


def downgrade() -> None:
    op.drop_table("choice")
    op.drop_table("answer")
    with op.batch_alter_table("respondent", schema=None) as batch_op:
        batch_op.drop_index("ix_respondent_study_design_version")

    op.drop_table("respondent")
    op.drop_table("study")
    op.drop_table("staff")
    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_result_study"))

    op.drop_table("result")
    with op.batch_alter_table("definition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_definition_study"))

    op.drop_table("definition")
