"""What is known of customers beside the survey: contacts, purchases, their link to answers, and measures."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STANDS = sa.text("taken_back_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_customer_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("study", "key", name=op.f("uq_customer_study_key")),
    )
    op.create_table(
        "customer_file",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_by", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_customer_file_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_file")),
    )
    op.create_index(op.f("ix_customer_file_study"), "customer_file", ["study"], unique=False)
    op.create_index(
        "uq_customer_file_study_digest_stands",
        "customer_file",
        ["study", "kind", "digest"],
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )
    op.create_table(
        "measure",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("attribute", sa.String(length=40), nullable=True),
        sa.Column("chart", sa.String(length=80), nullable=False),
        sa.Column("finding", sa.String(length=500), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("query", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("expected", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=500), server_default="", nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_measure_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
        sa.UniqueConstraint("study", "submission", name=op.f("uq_measure_study_submission")),
    )
    op.create_index(op.f("ix_measure_study"), "measure", ["study"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("customer_id", _ID, nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=True),
        sa.Column("reported", sa.Text(), nullable=False),
        sa.Column("mattered_most", sa.String(length=40), nullable=True),
        sa.Column("impression", sa.Integer(), nullable=True),
        sa.Column("core_problem", sa.String(length=40), nullable=True),
        sa.Column("remedy", sa.String(length=40), nullable=True),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(length=120), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("file_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contact_customer_id_customer")),
        sa.ForeignKeyConstraint(["file_id"], ["customer_file.id"], name=op.f("fk_contact_file_id_customer_file")),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_contact_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("study", "submission", name=op.f("uq_contact_study_submission")),
    )
    op.create_index(op.f("ix_contact_customer_id"), "contact", ["customer_id"], unique=False)
    op.create_index(op.f("ix_contact_file_id"), "contact", ["file_id"], unique=False)
    op.create_index("ix_contact_study_happened_at", "contact", ["study", "happened_at"], unique=False)
    op.create_table(
        "purchase",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study", sa.String(length=80), nullable=False),
        sa.Column("customer_id", _ID, nullable=True),
        sa.Column("bought_on", sa.Date(), nullable=False),
        sa.Column("product", sa.String(length=120), nullable=False),
        sa.Column("family", sa.String(length=80), nullable=False),
        sa.Column("attribute", sa.String(length=40), nullable=True),
        sa.Column("offered_up", sa.Boolean(), nullable=True),
        sa.Column("stepped_up", sa.Boolean(), nullable=True),
        sa.Column("surcharge", sa.Float(), nullable=True),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("list_price", sa.Float(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("file_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_purchase_customer_id_customer")),
        sa.ForeignKeyConstraint(["file_id"], ["customer_file.id"], name=op.f("fk_purchase_file_id_customer_file")),
        sa.ForeignKeyConstraint(["study"], ["study.slug"], name=op.f("fk_purchase_study_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
    )
    op.create_index(op.f("ix_purchase_customer_id"), "purchase", ["customer_id"], unique=False)
    op.create_index(op.f("ix_purchase_file_id"), "purchase", ["file_id"], unique=False)
    op.create_index(op.f("ix_purchase_study"), "purchase", ["study"], unique=False)
    op.create_table(
        "contact_coding",
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("coder", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("mattered_most", sa.String(length=40), nullable=True),
        sa.Column("core_problem", sa.String(length=40), nullable=True),
        sa.Column("coded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_coding_contact_id_contact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact_id", "coder", name=op.f("pk_contact_coding")),
    )
    op.create_table(
        "customer_respondent",
        sa.Column("respondent_id", _ID, nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.Column("known", sa.JSON(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_customer_respondent_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["respondent_id"], ["respondent.id"], name=op.f("fk_customer_respondent_respondent_id_respondent")
        ),
        sa.PrimaryKeyConstraint("respondent_id", name=op.f("pk_customer_respondent")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_customer_respondent_customer_id")),
    )
