"""What could be known on a past day: no shipped fact knows more, one that is planted is caught; on both databases."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from hub.model.records import (
    CancellationKind,
    Company,
    Contact,
    FeatureUsageDay,
    Invoice,
    InvoiceStatus,
    Opportunity,
    OpportunityStage,
    OpportunityType,
    Record,
    Severity,
    Subscription,
    SubscriptionStatus,
    SurveyResponse,
    SurveyType,
    Ticket,
    TicketStatus,
    UserActivityDay,
)
from hub.store import Connection, Store
from hub.store.blindfold import Peek, blindfolded, find_peeks
from hub.store.facts import find_facts
from hub.store.facts import table as facts_table
from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.records import upsert
from hub.store.tables import (
    RECORD_TABLES,
    contact,
    customer,
    health_override,
    metadata,
    sentiment,
    subscription,
    sync_run,
    ticket,
)
from hub.store.tables.hindsight import SIGHTS, Moment
from scoring.facts import FACTS

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)
IDS = ("ann", "bob", "cia", "dan")


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def at(ago: float) -> datetime:
    return NOW - timedelta(days=ago)


def version(ago: float) -> int:
    return int(at(ago).timestamp() * 1000)


def use(id_: str) -> list[Record]:
    """Of a customer: half a year of use by two people, the younger half busier, so that each window says something else."""
    found: list[Record] = []
    for ago in range(0, 190, 3):
        found += [
            UserActivityDay(
                key=f"{id_}{user}{ago}",
                version=version(ago),
                company_key=id_,
                user_key=user,
                day=day(ago),
                events=3 + ago % 5,
                sessions=2,
                minutes=11.0 + ago,
            )
            for user in ("x", "y")[: 1 + (ago < 95)]
        ]
        found.append(
            FeatureUsageDay(
                key=f"{id_}{ago}",
                version=version(ago),
                company_key=id_,
                feature=f"f{ago % 7}",
                day=day(ago),
                events=2,
                users=1,
            )
        )
    return found


def desk(id_: str) -> list[Record]:
    """Tickets of every age, most solved a while later, one without a time of its solution; and the answers about them."""
    found: list[Record] = []
    for number, ago in enumerate(range(0, 170, 9)):
        solved_ago = ago - 6 * (1 + number % 4)
        solved = at(solved_ago) if solved_ago > 0 else None
        found.append(
            Ticket(
                key=f"{id_}{ago}",
                version=version(max(solved_ago, 0)),
                company_key=id_,
                status=TicketStatus.SOLVED if solved or ago == 45 else TicketStatus.OPEN,
                severity=Severity.URGENT if number % 3 == 0 else Severity.LOW,
                requester_email=f"boss@{id_}.example",
                created_at=at(ago),
                solved_at=None if ago == 45 else solved,
                first_response_minutes=700.0 + 900 * (number % 4),
                resolution_minutes=None if solved is None else 1440.0 * (ago - solved_ago),
                reopens=number % 3,
                replies=number,
            )
        )
        found.append(
            SurveyResponse(
                key=f"{id_}c{ago}",
                version=version(ago),
                company_key=id_,
                type=SurveyType.CSAT if number % 2 else SurveyType.NPS,
                scale="1-5" if number % 2 else "0-10",
                score=float(number % 6),
                respondent_email=f"p{number % 3}@{id_}.example",
                responded_at=at(ago - 0.2),
            )
        )
    return found


def billing(id_: str, *, leaves: int | None) -> list[Record]:
    """Two terms, the second dearer; notice 40 days before the end, if there is one; invoices that fail and are paid late."""
    notice = None if leaves is None else at(leaves + 40)
    second = Subscription(
        key=f"{id_}2",
        version=version(0 if leaves is None else leaves),
        company_key=id_,
        plan="Pro",
        mrr=150.0,
        seats_purchased=8,
        seats_used=5,
        started_on=day(300),
        renews_on=day(-65),
        ended_on=None if leaves is None else day(leaves),
        status=SubscriptionStatus.ACTIVE if leaves is None else SubscriptionStatus.ENDED,
        auto_renew=leaves is None,
        cancelled_at=notice,
        cancellation_kind=None if leaves is None else CancellationKind.INVOLUNTARY,
    )
    first = Subscription(
        key=f"{id_}1",
        version=version(300),
        company_key=id_,
        plan="Basic",
        mrr=100.0,
        seats_purchased=4,
        started_on=day(665),
        renews_on=day(300),
        ended_on=day(300),
        status=SubscriptionStatus.ENDED,
    )
    bills: list[Record] = [
        Invoice(
            key=f"{id_}{ago}",
            version=version(max(ago - 35, 0)),
            company_key=id_,
            amount=150.0,
            issued_on=day(ago),
            due_on=day(ago - 10),
            paid_at=at(ago - 35) if ago > 40 else None,
            failed_at=at(ago - 12) if ago % 2 else None,
            attempts=1 + ago % 3,
            status=InvoiceStatus.PAID if ago > 40 else InvoiceStatus.VOID,
        )
        for ago in range(20, 200, 31)
    ]
    return [first, second, *bills]


def people(id_: str, *, later: bool) -> list[Record]:
    """A champion who loses the role and an executive seen lately, as the CRM said half a year ago, or says now."""
    return [
        Contact(
            key=f"{id_}champion",
            version=version(20 if later else 180),
            company_key=id_,
            email=f"champion@{id_}.example",
            role="user" if later else "champion",
            last_seen_at=at(5 if later else 181),
            created_at=at(400),
        ),
        Contact(
            key=f"{id_}boss",
            version=version(10 if later else 180),
            company_key=id_,
            email=f"boss@{id_}.example",
            role="executive",
            last_seen_at=at(4 if later else 190),
            created_at=at(400),
        ),
        Opportunity(
            key=f"{id_}deal",
            version=version(10 if later else 180),
            company_key=id_,
            name="More seats",
            type=OpportunityType.EXPANSION,
            stage=OpportunityStage.WON if later else OpportunityStage.OPEN,
            amount=500.0,
            created_at=at(200),
        ),
    ]


async def put(connection: Connection, source: str, records: Sequence[Record], *, now: datetime = NOW) -> None:
    companies: list[Record] = [Company(key=id_, version=1, company_key=id_, segment="small") for id_ in IDS]
    await upsert(connection, [*companies, *records], source=source, now=now, historical=now == NOW)


async def fill(store: Store) -> None:
    rows = [{"id": id_, "name": id_, "segment": "small", "created_at": at(700), "updated_at": at(700)} for id_ in IDS]
    leaves = {"bob": 15, "cia": 50}
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), rows)
        await put(connection, "crm", [one for id_ in IDS for one in people(id_, later=False)], now=at(179))
        await put(connection, "crm", [one for id_ in IDS for one in people(id_, later=True)], now=at(3))
        for id_ in IDS:
            await put(connection, "product", use(id_))
            await put(connection, "desk", desk(id_))
            await put(connection, "money", billing(id_, leaves=leaves.get(id_)))
        severe = [one for one in desk("ann") if isinstance(one, Ticket) and one.severity is Severity.LOW]
        raised = [
            Ticket(
                key=one.key,
                version=version(0),
                company_key="ann",
                status=one.status,
                severity=Severity.URGENT,
                created_at=one.created_at,
                solved_at=one.solved_at,
            )
            for one in severe
        ]
        await upsert(connection, raised, source="desk", now=NOW, historical=False)
        for name, table in RECORD_TABLES.items():
            await connection.execute(update(table).values(customer_id=table.c.company_key))
            assert name
        counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        runs = [
            {"id": f"{source}{ago}", "source": source, "state": "succeeded", "started_at": at(ago), "finished_at": NOW}
            | {"streams": {}, **counts}
            for source in ("crm", "product", "desk", "money")
            for ago in range(1, 180, 2)
        ]
        await connection.execute(insert(sync_run), runs)
        stated = {"customer_id": "ann", "reason": "a call", "by": "csm@example.com", "set_at": at(100)}
        ended = {"expires_on": day(-30), "withdrawn_at": at(30), "withdrawn_by": "csm@example.com"}
        await connection.execute(insert(sentiment), [{"id": "s", "value": 0.3, **stated, **ended}])
        await connection.execute(insert(health_override), [{"id": "o", "score": 0.3, **stated, **ended}])


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
