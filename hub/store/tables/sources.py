"""How true a source's streams are, what its vendor told us by webhook, and its rows as they came.

`stream_state` is how a stream stands, `stream_day` how it stood on each day, so that scores of past days know it too.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Integer, String, Table, Text

from hub.store.tables.base import Json, PackedJson, UtcDateTime, metadata

stream_state = Table(
    "stream_state",
    metadata,
    Column("id", String(130), primary_key=True),  # "<source>:<stream>"
    Column("source", String(60), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("makes", Json, nullable=False),  # kinds of record
    Column("complete_to", UtcDateTime),  # every change up to then was pulled; NULL: no whole pull has ended
    # the last comparison with the vendor, in rows; NULL: there was none
    Column("checked_at", UtcDateTime),
    Column("check_way", String(20)),  # "ids" | "pull"
    Column("theirs", BigInteger),
    Column("ours", BigInteger),
    Column("missing", BigInteger),  # they have it, and we had not
    Column("extra", BigInteger),  # we have it as living, and they have it no more
    Column("stale", BigInteger),  # ours is of an older version
    Column("repaired", BigInteger),
    Column("deleted", BigInteger),  # extra ones that were marked so
    Column("held", BigInteger),  # extra ones that were too many to be marked without a person
    Column("completeness", Float),  # share of the vendor's rows that we hold, after repairs
    Column("check_error", Text),  # why it could not be compared, or what is left to a person
    Index(None, "source"),
)

stream_day = Table(
    "stream_day",
    metadata,
    Column("id", String(150), primary_key=True),  # "<source>:<stream>:<day>"
    Column("source", String(60), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("day", Date, nullable=False),
    Column("makes", Json, nullable=False),
    Column("complete_to", UtcDateTime),
    Column("completeness", Float),
    Index(None, "source", "stream", "day"),
)

source_event = Table(
    "source_event",
    metadata,
    Column("id", String(130), primary_key=True),  # "<source>:<digest of event, stream and key>": the same is one
    Column("source", String(60), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("key", Text),  # of the record to fetch; NULL: the stream is pulled, or the row is in `raw`
    Column("event_id", Text, nullable=False),  # the sender's
    Column("raw", PackedJson),  # the row itself, where it was sent; NULL once it has landed
    Column("pushed", Boolean, nullable=False),  # whether a row was sent
    Column("happened_at", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", String(12), nullable=False),  # "pending" | "done" | "failed"
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),  # of a pending one: not before then
    Column("done_at", UtcDateTime),
    Column("error", Text),
    Index(None, "source", "state", "due_at"),
    Index(None, "state", "due_at"),
    Index(None, "received_at"),
)

raw_row = Table(
    "raw_row",
    metadata,
    Column("id", String(90), primary_key=True),  # "<run>:<number>"
    Column("source", String(60), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("key", String(240), nullable=False),  # the row's id at the vendor
    Column("run_id", String(60), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("raw", PackedJson, nullable=False),
    Index(None, "source", "stream", "at", "id"),
    Index(None, "at"),
)
