"""What happened, as those who watch are told: rows that are only added, and the log's own place.

A row is written in the transaction of what it tells of. Its `number`, by which it is read, comes afterwards (see
`hub.store.events`): numbers only grow, in the order in which rows become visible.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, text

from hub.store.tables.base import Json, UtcDateTime, metadata

event = Table(
    "event",
    metadata,
    # the order of writing, which is not that of committing
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("number", BigInteger, unique=True),  # NULL: committed, perhaps, and not yet numbered
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(20), nullable=False),  # "alert" | "band" | "sync" | "run"
    Column("change", String(30), nullable=False),  # what became of the subject
    Column("customer_id", String(60)),  # of whom, with no reference: a log outlives what it tells of
    Column("subject", String(100), nullable=False),  # id of the alert, scorecard, sync run, playbook run
    Column("data", Json, nullable=False),  # what subscriptions choose by, and what is gone afterwards; nobody's words
    Index("ix_event_unnumbered", "id", sqlite_where=text("number IS NULL"), postgresql_where=text("number IS NULL")),
    Index(None, "at"),
)

event_log = Table(
    "event_log",
    metadata,
    Column("id", Integer, primary_key=True),  # there is one row, 1
    Column("last", BigInteger, nullable=False),  # the highest number given
    Column("first", BigInteger, nullable=False),  # all from this number on are kept
)
