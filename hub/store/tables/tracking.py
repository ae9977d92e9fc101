"""What tracking programs sent: acts one by one, as long as their days may still get more, and what is known of users."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, String, Table, Text

from hub.store.tables.base import UtcDateTime, metadata

tracked_act = Table(
    "tracked_act",
    metadata,
    Column("id", String(300), primary_key=True),  # "<source>:<the sender's id of it>"
    Column("source", String(60), nullable=False),
    Column("user_key", String(240), nullable=False),
    Column("company_key", String(240)),  # NULL: nobody has said whose its user is
    Column("day", Date, nullable=False),  # in UTC
    Column("at", UtcDateTime, nullable=False),
    Column("name", String(200), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("summed", Boolean, nullable=False),  # whether its day was summed since
    Index(None, "source", "summed", "company_key", "day"),
    Index(None, "source", "company_key", "day"),
    Index(None, "source", "user_key"),
    Index(None, "day"),
)

tracked_user = Table(
    "tracked_user",
    metadata,
    Column("id", String(310), primary_key=True),  # "<source>:<user_key>"
    Column("source", String(60), nullable=False),
    Column("user_key", String(240), nullable=False),
    Column("company_key", String(240)),
    Column("email", String(254)),
    Column("name", Text),
    Column("title", Text),
    Column("created_at", UtcDateTime),
    Column("version", BigInteger, nullable=False),
)
