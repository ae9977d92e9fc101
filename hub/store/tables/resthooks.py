"""Who is told of events over HTTP because they asked for it themselves: REST hooks."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from hub.store.tables.base import UtcDateTime, metadata

rest_hook = Table(
    "rest_hook",
    metadata,
    Column("id", String(40), primary_key=True),  # where it leads is a stored secret of this name
    Column("event", String(40), nullable=False),  # such as alert.opened
    Column("token_id", String(40), nullable=False),  # while this token opens
    Column("actor", String(254), nullable=False),  # whoever held it
    Column("book", String(254)),  # only of customers in it
    Column("place", BigInteger, nullable=False),  # number of the newest event it was told of, or was not for it
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Text),
    Index(None, "ended_at", "place"),
)
