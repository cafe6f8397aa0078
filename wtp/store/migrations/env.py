"""Alembic's entry: always with the caller's connection, so that migrations run inside its transaction."""

from alembic import context

from wtp.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
