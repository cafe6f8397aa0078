"""What is kept: SQLAlchemy tables on SQLite or PostgreSQL, one module a family; never statistics."""

from wtp.store.database import Database, open_database

__all__ = ["Database", "open_database"]
