"""Imports: files of other programs, and which respondents came with them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTS = sa.text("imported_at IS NOT NULL AND taken_back_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "imported_file",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_by", sa.String(length=120), nullable=True),
        sa.Column("respondents", sa.Integer(), nullable=False),
        sa.Column("simulated", sa.Integer(), nullable=False),
        sa.Column("choices", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_imported_file_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_file")),
    )
    op.create_index(op.f("ix_imported_file_study"), "imported_file", ["study"])
    op.create_index(
        "uq_imported_file_study_digest_counts",
        "imported_file",
        ["study", "digest"],
        unique=True,
        sqlite_where=_COUNTS,
        postgresql_where=_COUNTS,
    )
    # SQLite adds a column with its reference, but no constraint on its own.
    reference = sa.ForeignKey("imported_file.id", name=op.f("fk_respondent_import_id_imported_file"))
    op.add_column("respondent", sa.Column("import_id", _ID, reference, nullable=True), inline_references=True)
    op.add_column("respondent", sa.Column("external_id", sa.String(length=200), nullable=True))
    op.create_index("uq_respondent_study_external_id", "respondent", ["study", "external_id"], unique=True)
    op.create_index("ix_respondent_import_id", "respondent", ["import_id"])
