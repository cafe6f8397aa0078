"""What is kept of panels: the keys of a study, and who of a panel came already.

A key is sealed by the instance's secret, so that the database alone gives none. An entry is a keyed hash of what the panel calls its respondent and stays when answers are
cut from the person, or deleted, so that nobody takes part twice; it goes with the contacts. Without row ids, whose order would tell who was first.
"""

from __future__ import annotations

import sqlalchemy as sa

from wtp.store.columns import UtcDateTime, metadata

panel_key = sa.Table(
    "panel_key",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("sealed", sa.String(600), nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("ends_at", UtcDateTime),
)

panel_entry = sa.Table(
    "panel_entry",
    metadata,
    sa.Column("study", sa.String(80), sa.ForeignKey("study.slug"), primary_key=True),
    sa.Column("mark", sa.String(64), primary_key=True),
    sqlite_with_rowid=False,
)
