"""The audit log: records that are only ever added, each sealed with a digest over itself and the one before it.

What a record says of its request stands in `detail`, which the chain holds by a salted digest only: it can be taken out, for a
person who must be forgotten, and the chain stays whole. Triggers keep everything else from being changed or deleted.
"""

from sqlalchemy import Column, Index, Integer, String, Table

from hub.store.tables.base import Json, UtcDateTime, metadata

audit_record = Table(
    "audit_record",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("at", UtcDateTime, nullable=False),
    Column("entry_id", String(60), nullable=False),  # what was asked for, and its outcome, are two records of one entry
    Column("kind", String(10), nullable=False),  # asked | outcome | read | redacted
    Column("actor", String(254), nullable=False),
    Column("token_id", String(60)),
    Column("action", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Json),  # null: taken out
    Column("salt", String(32)),
    Column("detail_digest", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index(None, "at"),
    Index(None, "subject", "at"),
    Index(None, "entry_id", "kind"),
)
