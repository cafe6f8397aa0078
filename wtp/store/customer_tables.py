"""What is known of customers beside the survey. A customer is a pseudonym; `customer_respondent` is the one place where contacts and purchases meet answers, and it can be
emptied without losing either.
"""

from __future__ import annotations

import sqlalchemy as sa

from wtp.store.columns import UtcDateTime, metadata, row_id

customer_file = sa.Table(
    "customer_file",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("imported_at", UtcDateTime, nullable=False),
    sa.Column("taken_back_at", UtcDateTime),
    sa.Column("taken_back_by", sa.String(120)),
)
_STANDS = customer_file.c.taken_back_at.is_(None)
sa.Index(
    "uq_customer_file_study_digest_stands",
    customer_file.c.study,
    customer_file.c.kind,
    customer_file.c.digest,
    unique=True,
    sqlite_where=_STANDS,
    postgresql_where=_STANDS,
)

customer = sa.Table(
    "customer",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.UniqueConstraint("study", "key"),
)

customer_respondent = sa.Table(
    "customer_respondent",
    metadata,
    sa.Column("respondent_id", sa.ForeignKey("respondent.id"), primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customer.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("known", sa.JSON, nullable=False, default=dict),
    sa.Column("known_at", UtcDateTime),
)

contact = sa.Table(
    "contact",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False),
    sa.Column("customer_id", sa.ForeignKey("customer.id"), index=True),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("question", sa.String(40)),
    sa.Column("reported", sa.Text, nullable=False),
    sa.Column("mattered_most", sa.String(40)),
    sa.Column("impression", sa.Integer),
    sa.Column("core_problem", sa.String(40)),
    sa.Column("remedy", sa.String(40)),
    sa.Column("solved", sa.Boolean),
    sa.Column("minutes", sa.Integer),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("recorded_by", sa.String(120), nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("submission", sa.String(64), nullable=False),
    sa.Column("file_id", sa.ForeignKey("customer_file.id"), index=True),
    sa.UniqueConstraint("study", "submission"),
    sa.Index("ix_contact_study_happened_at", "study", "happened_at"),
)

contact_coding = sa.Table(
    "contact_coding",
    metadata,
    sa.Column("contact_id", sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("coder", sa.String(120), primary_key=True),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("mattered_most", sa.String(40)),
    sa.Column("core_problem", sa.String(40)),
    sa.Column("coded_at", UtcDateTime, nullable=False),
)

purchase = sa.Table(
    "purchase",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False, index=True),
    sa.Column("customer_id", sa.ForeignKey("customer.id"), index=True),
    sa.Column("bought_on", sa.Date, nullable=False),
    sa.Column("product", sa.String(120), nullable=False),
    sa.Column("family", sa.String(80), nullable=False),
    sa.Column("attribute", sa.String(40)),
    sa.Column("offered_up", sa.Boolean),
    sa.Column("stepped_up", sa.Boolean),
    sa.Column("surcharge", sa.Float),
    sa.Column("amount", sa.Float, nullable=False),
    sa.Column("list_price", sa.Float),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("file_id", sa.ForeignKey("customer_file.id"), index=True),
)

measure = sa.Table(
    "measure",
    metadata,
    row_id(),
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("segment", sa.String(40), nullable=False),
    sa.Column("attribute", sa.String(40)),
    sa.Column("chart", sa.String(80), nullable=False),
    sa.Column("finding", sa.String(500), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("query", sa.String(200), nullable=False),
    sa.Column("owner", sa.String(120), nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("expected", sa.String(500), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("done_on", sa.Date),
    sa.Column("outcome", sa.String(500), nullable=False, server_default=""),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("submission", sa.String(64), nullable=False),
    sa.UniqueConstraint("study", "submission"),
)
