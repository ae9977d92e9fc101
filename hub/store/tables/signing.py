"""Keys that the hub made for itself, to sign the links of its messages."""

from sqlalchemy import Column, String, Table

from hub.store.tables.base import UtcDateTime, metadata

signing_key = Table(
    "signing_key",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("key", String(200), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)
