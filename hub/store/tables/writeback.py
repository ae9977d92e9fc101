"""What was written back to sources: what each row of theirs was last given, so that only what has changed is written again."""

from sqlalchemy import Column, Index, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

written_value = Table(
    "written_value",
    metadata,
    Column("id", String(310), primary_key=True),  # "<source>:<the row's key there>"
    Column("source", String(60), nullable=False),
    Column("key", String(240), nullable=False),
    Column("values", Json, nullable=False),  # {the vendor's name of a field: value}, as it was taken last
    Column("written_at", UtcDateTime),
    Column("error", Text),  # why the newest try was not taken
    Column("tried_at", UtcDateTime, nullable=False),
    Index(None, "source"),
)
