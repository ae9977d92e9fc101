"""What could be known on a past day: no shipped fact knows more, one that is planted is caught; on both databases."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from hub.store import Connection, Store
from hub.store.blindfold import Peek, blindfolded, find_peeks
from hub.store.facts import find_facts
from hub.store.facts import table as facts_table
from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.tables import (
    RECORD_TABLES,
    contact,
    health_override,
    metadata,
    sentiment,
    subscription,
    sync_run,
    ticket,
)
from hub.store.tables.hindsight import SIGHTS, Moment
from scoring.facts import FACTS
from tests.fakes.past import IDS, TODAY, at, day, fill


async def test_no_shipped_fact_peeks(store: Store) -> None:
    await fill(store)
    days = [day(ago) for ago in (2, 42, 69, 100, 250)]
    assert await find_peeks(store, days) == {}
    async with store.reading() as connection:
        told = [await find_facts(connection, as_of=one) for one in days]
    silent = {name for name in FACTS if not any(value for facts in told for value in facts[name])}
    assert silent == {"csm_email"}, "a fact that says nothing was not tried"


async def test_the_store_is_untouched_and_sees_everything_again_afterwards(store: Store) -> None:
    await fill(store)
    async with store.scratch() as connection:
        whole = (await connection.execute(select(func.count()).select_from(ticket))).scalar_one()
        async with blindfolded(connection, day(70)):
            part = (await connection.execute(select(func.count()).select_from(ticket))).scalar_one()
        assert (await connection.execute(select(func.count()).select_from(ticket))).scalar_one() == whole
    assert part == sum(1 for ago in range(0, 170, 9) if ago >= 70) * len(IDS) < whole
    async with store.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(ticket))).scalar_one() == whole


async def test_a_row_says_what_it_said_then(store: Store) -> None:
    await fill(store)
    term, seen = subscription.c, contact.c
    async with store.scratch() as connection, blindfolded(connection, day(70)):
        ends = select(term.ended_on, term.cancelled_at, term.cancellation_kind, term.status)
        bob = (await connection.execute(ends.where(term.id == "money:bob2"))).one()
        cia = (await connection.execute(ends.where(term.id == "money:cia2"))).one()
        people = select(seen.role, seen.last_seen_at, seen.deleted)
        champion = (await connection.execute(people.where(seen.id == "crm:annchampion"))).one()
        state = select(ticket.c.status, ticket.c.solved_at, ticket.c.reopens, ticket.c.resolution_minutes)
        solved_later = (await connection.execute(state.where(ticket.c.id == "desk:bob72"))).one()
    assert tuple(bob) == (None, None, None, "active"), "he gave notice 55 days ago"
    assert tuple(cia) == (day(50), at(90), "involuntary", "ended"), "she gave notice before that day, and for which day"
    assert tuple(champion) == ("champion", at(181), False)
    assert tuple(solved_later) == ("open", None, 0, None)


def test_every_column_has_been_thought_of() -> None:
    for table in (*RECORD_TABLES.values(), sync_run, sentiment, health_override, metadata.tables["field_change"]):
        sight = SIGHTS[table.name]
        set_back = set(sight.columns(table.c, Moment(TODAY, "sqlite")))
        thought_of = sight.stands | set_back | set(table.info.get("watched", {}))
        assert {each.name for each in table.c} == thought_of, table.name
        assert not sight.stands & set_back, table.name


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact that nobody could have known: how many days are left until the customer's last term ends."""
    honest = facts_table.billing.add

    async def add(connection: Connection, window: Window, columns: Columns) -> None:
        await honest(connection, window, columns)
        last = select(subscription.c.customer_id, func.max(subscription.c.ended_on).label("ends_on"))
        rows = (await connection.execute(last.group_by(subscription.c.customer_id))).all()
        columns.take_days(rows, "ends_on", "days_left", lambda on: (on - window.day).days)

    monkeypatch.setattr(facts_table.billing, "add", add)
    monkeypatch.setattr(facts_table, "NAMES", (*facts_table.NAMES, "days_left"))


@pytest.mark.usefixtures("planted")
async def test_a_fact_that_peeks_is_named_with_an_example(store: Store) -> None:
    await fill(store)
    found: Mapping[str, Any] = await find_peeks(store, [day(70)])
    assert found == {"days_left": Peek("days_left", day(70), "bob", 55.0, -230.0, customers=1)}
    assert str(found["days_left"]) == (
        "days_left peeks into the future: on 2026-04-21 it said 55 of bob, while by what could be known that day it was "
        "-230 (it differs for 1 of that day's customers)"
    )
    assert await find_peeks(store, [day(70)], facts=["mrr"]) == {}, "only what is asked for"
