"""Second factor, links, rights by study, ended sessions, shared rate limits; a log that outlives its study and that nobody changes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SAID = "the log is only added to"
_SQLITE = (
    f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
)
_POSTGRESQL = (
    f"""CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to()",
)


def upgrade() -> None:
    with op.batch_alter_table("audit") as audit:
        audit.drop_constraint("fk_audit_study_study", type_="foreignkey")
    for statement in _POSTGRESQL if op.get_context().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
    op.add_column("staff", sa.Column("all_studies", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("staff", sa.Column("factor_nonce", sa.String(length=64), nullable=True))
    op.add_column("staff", sa.Column("factor_step", sa.BigInteger(), nullable=True))
    op.create_table(
        "staff_study",
        sa.Column("staff_id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_study_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "study", name=op.f("pk_staff_study")),
    )
    op.create_table(
        "staff_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", _ID, nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_link_staff_id_staff")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_link")),
    )
    op.create_index(op.f("ix_staff_link_staff_id"), "staff_link", ["staff_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("staff_id", _ID, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "ended_session",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_ended_session")),
    )
    op.create_index(op.f("ix_ended_session_expires_at"), "ended_session", ["expires_at"], unique=False)
    op.create_table(
        "rate_limit",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limit")),
    )
    op.create_index(op.f("ix_rate_limit_expires_at"), "rate_limit", ["expires_at"], unique=False)
