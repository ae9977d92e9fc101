"""Customers, the evidence of who they are, and the records of the sources.

A record's `id` is "<source>:<key>", so that the same row pulled twice is the same row here. `company_key` is what the
source said; `customer_id` is what identity made of it, NULL while nobody knows, and is re-pointed by merge and unmerge.
`version` and `digest` guard the upsert; `learned_at` is when the hub could first have known (at a first, historical sync
the event's own time), so that facts as of a past day never see later knowledge.
"""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table, Text, text

from hub.store.tables.base import Json, UtcDateTime, metadata

customer = Table(
    "customer",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("domain", Text),
    Column("segment", String(60)),
    Column("industry", String(120)),
    Column("country", String(60)),
    Column("employees", Integer),
    Column("csm_email", String(254)),
    Column("csm_name", String(200)),
    Column("parent_id", ForeignKey("customer.id")),
    Column("became_customer_on", Date),
    Column("merged_into_id", ForeignKey("customer.id")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "name", "id"),
    Index(None, "csm_email"),
    Index(None, "segment"),
)


def _record_table(
    name: str, *columns: Column[object] | Index, event_time: str | None, watched: Mapping[str, str | None] | None = None
) -> Table:
    """A table of records: the shared columns, then its own. `event_time` names the column that says when it happened.

    watched  {column whose changes are kept in `field_change`: another that must be set for it, None: whatever they are}
    """
    table = Table(
        name,
        metadata,
        Column("id", String(300), primary_key=True),
        Column("source", String(60), nullable=False),
        Column("key", String(240), nullable=False),
        Column("company_key", String(240)),
        Column("customer_id", ForeignKey("customer.id")),
        Column("version", BigInteger, nullable=False),
        Column("digest", BigInteger, nullable=False),
        Column("deleted", Boolean, nullable=False, server_default=text("false")),
        Column("learned_at", UtcDateTime, nullable=False),
        Column("synced_at", UtcDateTime, nullable=False),
        *columns,
        Index(None, "source", "company_key"),
    )
    table.info["event_time"] = event_time
    table.info["watched"] = watched or {}
    return table


field_change = Table(
    "field_change",
    metadata,
    Column("id", Integer, primary_key=True),  # in the order in which the hub learned of them
    Column("kind", String(40), nullable=False),  # of record
    Column("record_id", String(300), nullable=False),  # id in that kind's table
    Column("field", String(40), nullable=False),
    Column("before", Text),  # texts as they are, times as ISO 8601 in UTC, "true" and "false"
    Column("after", Text),
    Column("at", UtcDateTime, nullable=False),  # of the vendor's version that brought it
    Column("learned_at", UtcDateTime, nullable=False),
    Index(None, "kind", "field", "learned_at"),
    Index(None, "record_id"),
)
"""What a vendor rewrites in place, for the fields that tables watch: the value before and after, written by the upsert."""


external_id = _record_table(
    "external_id",
    Column("name", Text),
    Column("domains", Json),
    Column("external_key", String(240)),
    Column("parent_key", String(240)),
    Column("segment", String(60)),
    Column("industry", String(120)),
    Column("country", String(60)),
    Column("employees", Integer),
    Column("csm_email", String(254)),
    Column("csm_name", String(200)),
    Column("became_customer_on", Date),
    # the decision: matched | ambiguous | unmatched, how it was reached, and the customers it could have been
    Column("state", String(20), nullable=False, server_default="unmatched"),
    Column("method", String(20)),
    Column("reason", Text),
    Column("candidates", Json),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(254)),
    Index(None, "state", "source"),
    Index(None, "customer_id"),
    event_time=None,
    watched={"segment": None, "csm_email": None},
)

contact = _record_table(
    "contact",
    Column("email", String(254)),
    Column("name", Text),
    Column("title", Text),
    Column("role", String(60)),
    Column("last_seen_at", UtcDateTime),
    Column("created_at", UtcDateTime),
    Index(None, "customer_id", "name"),
    Index(None, "customer_id", "created_at", "id"),
    Index(None, "role", "source"),
    event_time="created_at",
    # when somebody was last seen is kept only of people with a role: of the others it moves daily and nobody asks
    watched={"role": None, "title": None, "deleted": None, "last_seen_at": "role"},
)

user_activity_day = _record_table(
    "user_activity_day",
    Column("user_key", String(240), nullable=False),
    Column("day", Date, nullable=False),
    Column("events", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("minutes", Float, nullable=False),
    Index(None, "customer_id", "day"),
    Index(None, "day"),
    event_time="day",
)

feature_usage_day = _record_table(
    "feature_usage_day",
    Column("feature", String(120), nullable=False),
    Column("day", Date, nullable=False),
    Column("events", Integer, nullable=False),
    Column("users", Integer, nullable=False),
    Index(None, "customer_id", "day"),
    Index(None, "day"),
    event_time="day",
)

ticket = _record_table(
    "ticket",
    Column("subject", Text),
    Column("status", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("requester_email", String(254)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("solved_at", UtcDateTime),
    Column("first_response_minutes", Float),
    Column("resolution_minutes", Float),
    Column("reopens", Integer, nullable=False),
    Column("replies", Integer, nullable=False),
    Column("url", Text),
    Index(None, "customer_id", "created_at", "id"),  # as a page of them is ordered
    event_time="created_at",
    watched={"severity": None},
)

survey_response = _record_table(
    "survey_response",
    Column("type", String(10), nullable=False),
    Column("scale", String(20), nullable=False),
    Column("score", Float, nullable=False),
    Column("comment", Text),
    Column("respondent_email", String(254)),
    Column("responded_at", UtcDateTime, nullable=False),
    Column("ticket_key", String(240)),
    Index(None, "customer_id", "type", "responded_at"),
    event_time="responded_at",
)

subscription = _record_table(
    "subscription",
    Column("plan", String(120), nullable=False),
    Column("mrr", Float, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("seats_purchased", Integer),
    Column("seats_used", Integer),
    Column("started_on", Date, nullable=False),
    Column("renews_on", Date),
    Column("ended_on", Date),
    Column("auto_renew", Boolean, nullable=False),
    Column("status", String(20), nullable=False),
    Column("cancelled_at", UtcDateTime),
    Column("cancellation_kind", String(20)),
    Index(None, "customer_id", "started_on"),
    event_time="started_on",
)

invoice = _record_table(
    "invoice",
    Column("number", String(120)),
    Column("amount", Float, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date),
    Column("paid_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Index(None, "customer_id", "issued_on"),
    event_time="issued_on",
)

opportunity = _record_table(
    "opportunity",
    Column("name", Text, nullable=False),
    Column("type", String(20), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("stage_name", String(120)),
    Column("amount", Float),
    Column("target_amount", Float),
    Column("currency", String(3), nullable=False),
    Column("close_on", Date),
    Column("created_at", UtcDateTime),
    Column("owner_email", String(254)),
    Index(None, "customer_id", "close_on"),
    event_time="created_at",
)

imported_score = _record_table(
    "imported_score",
    Column("name", String(120), nullable=False),
    Column("value", Float),
    Column("raw_value", Float),
    Column("scale", String(20), nullable=False),
    Column("label", String(120)),
    Column("scored_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "scored_at", "id"),  # as a page of them is ordered
    event_time="scored_at",
)

RECORD_TABLES: Mapping[str, Table] = {
    "company": external_id,
    "contact": contact,
    "user_activity_day": user_activity_day,
    "feature_usage_day": feature_usage_day,
    "ticket": ticket,
    "survey_response": survey_response,
    "subscription": subscription,
    "invoice": invoice,
    "opportunity": opportunity,
    "imported_score": imported_score,
}
"""The table of each kind of record (hub.model.records.RECORD_KINDS)."""
