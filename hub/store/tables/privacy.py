"""What is left of erased people and customers, secrets at rest, and what ran out of its time.

Nothing here names anybody: a tombstone is a keyed hash, a report is counts. Of an erasure that still goes on, `work` says
whom it is about, so that it can go on where a killed process left it; it is emptied with the last step.
"""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

tombstone = Table(
    "tombstone",
    metadata,
    Column("hash", String(64), primary_key=True),  # HMAC of what a source would call the person or company
    Column("number", Integer, nullable=False),  # of its erasure, so that a sync reads what is new alone
    Column("kind", String(12), nullable=False),  # "email" | "contact" | "user" | "company"
    Column("pseudonym", String(60), nullable=False),
    Index(None, "number"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # in the order in which they were asked for
    Column("subject", String(12), nullable=False),  # "person" | "customer"
    Column("subject_hash", String(64), nullable=False),  # HMAC of the first name it was asked for by
    Column("state", String(12), nullable=False),  # "running" | "done"
    Column("asked_by", String(254), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("step", Integer, nullable=False),  # index of the place to work on next
    Column("work", Json),  # of one that is running: whom it is about
    Column("after", Json),  # … and the key of the last row its step has done
    Column("counts", Json, nullable=False),  # {table: rows}
    Column("left", Json, nullable=False),  # [what could not be erased, and why]
    Index(None, "state"),
    Index(None, "subject_hash"),
)

stored_secret = Table(
    "stored_secret",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("token", Text, nullable=False),  # encrypted and authenticated; see hub.access.vault
    Column("key_id", String(16), nullable=False),  # which key it was encrypted with: a digest's beginning
    Column("set_at", UtcDateTime, nullable=False),
    Column("set_by", String(254), nullable=False),
)

retention_run = Table(
    "retention_run",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("counts", Json, nullable=False),  # {kind: rows}
    Index(None, "started_at"),
)
