"""Contacts behind the facts of champions and executives, as they were on the day, and what executives wrote."""

from typing import Any

from sqlalchemy import Select, func, literal, null, select

from hub.store.facts.history import column_as_of
from hub.store.facts.people import People, lost_change, wrote
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import contact, field_change, survey_response, ticket

_NAMED = (contact.c.customer_id, contact.c.source, contact.c.key, contact.c.name, contact.c.email, contact.c.title)
_SINCE = func.coalesce(contact.c.created_at, contact.c.learned_at).label("at")


async def champions(connection: Connection, window: Window, _days: int | None) -> Select[Any]:
    people = await People.find(connection, window)
    return (
        select(*_NAMED, _SINCE, people.role.label("role"))
        .select_from(people.rows)
        .where(people.known, people.there, people.champion)
    )


async def lost_champions(connection: Connection, window: Window, days: int | None) -> Select[Any]:
    assert days is not None
    people = await People.find(connection, window)
    role, gone = people.role.label("role"), people.gone.label("gone")
    return (
        select(*_NAMED, func.max(field_change.c.at).label("at"), role, gone)
        .select_from(people.rows.join(field_change, field_change.c.record_id == contact.c.id))
        .where(people.known, lost_change(window, people, days))
        .group_by(contact.c.id, *_NAMED, role, gone)
    )


async def executives(connection: Connection, window: Window, _days: int | None) -> Select[Any]:
    people = await People.find(connection, window)
    seen = await column_as_of(connection, window, contact, "last_seen_at")
    later = (
        (literal(False).label("seen_later"), null().label("seen_before"))  # an SQL value
        if seen.later is None
        else (seen.later.c.record_id.is_not(None).label("seen_later"), seen.later.c.before.label("seen_before"))
    )
    return (
        select(*_NAMED, _SINCE, people.role.label("role"), contact.c.last_seen_at, *later)
        .select_from(seen.beside(people.rows))
        .where(people.known, people.there, people.executive)
    )


async def executive_answers(connection: Connection, window: Window, _days: int | None) -> Select[Any]:
    people, row = await People.find(connection, window), survey_response.c
    said = (row.score, row.scale, row.comment)
    return (
        select(row.customer_id, row.source, row.key, row.responded_at.label("at"), *said)
        .select_from(people.rows.join(survey_response, wrote(survey_response)))
        .where(
            people.known, people.there, people.executive, window.known(survey_response), row.responded_at < window.end
        )
        .distinct()
    )


async def executive_tickets(connection: Connection, window: Window, _days: int | None) -> Select[Any]:
    people, row = await People.find(connection, window), ticket.c
    said = (row.severity, row.subject, row.url)
    return (
        select(row.customer_id, row.source, row.key, row.created_at.label("at"), *said)
        .select_from(people.rows.join(ticket, wrote(ticket)))
        .where(people.known, people.there, people.executive, window.known(ticket), row.created_at < window.end)
        .distinct()
    )
