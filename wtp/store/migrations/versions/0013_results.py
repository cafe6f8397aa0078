"""Contents of results that lie outside the database, by the hash of what they hold."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("result") as batch:
        batch.add_column(sa.Column("object", sa.String(length=64), nullable=True))
        batch.alter_column("content", existing_type=sa.Text(), nullable=True)
        batch.create_index(batch.f("ix_result_object"), ["object"])
