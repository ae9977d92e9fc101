"""How the hub itself is doing: sources, syncs, bookmarks, quarantine, tokens, audit, idempotency keys, executors."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

source = Table(
    "source",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("connector", String(60), nullable=False),
    # the lock: one sync per source at a time, held by a beating process
    Column("locked_by", String(60)),
    Column("locked_until", UtcDateTime),
    Column("paused_until", UtcDateTime),
    Column("last_succeeded_at", UtcDateTime),
    Column("last_run_id", String(60)),
    # what its last sync knew of the vendor's limits: [{name, limit, remaining, resets_at, as_of}]; NULL: nothing
    Column("quotas", Json),
    # what is asked of its streams, from the configuration: beyond it scores lose coverage; NULL: the usual
    Column("fresh_seconds", Float),
    Column("complete_share", Float),
    Column("raw_days", Integer),  # for how many days rows are kept as they came; NULL: they are not
)

bookmark = Table(
    "bookmark",
    metadata,
    Column("id", String(130), primary_key=True),  # "<source>:<stream>"
    Column("source", String(60), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("value", Json),
    Column("complete", Boolean, nullable=False),  # a whole pull has ended at least once: what comes now is news
    Column("moved_at", UtcDateTime, nullable=False),
    Column("brought_at", UtcDateTime),  # when it last brought a record that was new or had changed
)

sync_run = Table(
    "sync_run",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("source", String(60), nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("streams", Json, nullable=False),  # {stream: {pulled, new, changed, unchanged, quarantined, state, error}}
    Column("pulled", BigInteger, nullable=False),
    Column("new", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("error", Text),
    Index(None, "source", "started_at"),
    Index(None, "started_at", "id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", String(400), primary_key=True),  # "<source>:<stream>:<key>": the same bad row is one entry
    Column("source", String(60), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("key", String(240), nullable=False),
    Column("field", String(120)),
    Column("reason", Text, nullable=False),
    Column("raw", Json, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Index(None, "source", "stream"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the token; the token itself is never stored
    Column("role", String(20), nullable=False),
    Column("csm_email", String(254)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("scopes", Json),  # what it was narrowed to; NULL: all scopes of its role
    Column("last_used_at", UtcDateTime),  # written at most once a minute
    # of a rotation: the secret before opens too, until then
    Column("rotated_at", UtcDateTime),
    Column("previous_digest", String(64), unique=True),
    Column("previous_until", UtcDateTime),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("id", String(300), primary_key=True),  # "<token id>:<mutation>:<key>"
    Column("request_digest", String(64), nullable=False),
    Column("result", Json, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

executor = Table(
    "executor",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("leader_until", UtcDateTime),
)
