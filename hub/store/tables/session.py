"""Sessions of the dashboard: who signed in, with a token of ours or at the company's own sign-on, and until when that holds."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from hub.store.tables.base import UtcDateTime, metadata

web_session = Table(
    "web_session",
    metadata,
    Column("id", String(40), primary_key=True),  # names it in the audit log and on open connections; opens nothing
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of what the cookie holds
    Column("token_id", ForeignKey("api_token.id")),  # null: signed in at the issuer
    Column("token_digest", String(64)),  # of the secret that was signed in with: rotated away, the session ends
    Column("issuer", String(500)),  # null: signed in with a token
    Column("subject", String(255)),
    Column("name", String(120)),  # this, the role and the address: as the issuer said; a token says its own
    Column("role", String(20)),
    Column("csm_email", String(254)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("idle_minutes", Integer, nullable=False),  # so long it may rest
    Column("last_used_at", UtcDateTime, nullable=False),  # written at most once a minute
    Column("ended_at", UtcDateTime),
)
