"""Saved segments: conditions on customers that were given a name, to be used in other conditions, lists and playbooks."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

saved_segment = Table(
    "saved_segment",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("description", Text),
    Column("filter", Json, nullable=False),  # a condition as the mapping it is written as (hub.model.conditions)
    Column("owner", String(254), nullable=False),
    Column("shared", Boolean, nullable=False),  # whether others see it
    # whose names it must differ from: "" for what is shared, its owner for what is not
    Column("scope", String(254), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String(254), nullable=False),
    Index("uq_saved_segment_scope_name", "scope", "name", unique=True),
)
