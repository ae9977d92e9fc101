"""A past in which everything happens: rows that change later, of every kind of record, and customers who leave.

await fill(store)       four customers with half a year of everything, of whom bob left 15 and cia 50 days ago
await crowd(store)      forty with a year of use; every other one uses less and leaves
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, update

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
from hub.store.records import upsert
from hub.store.tables import RECORD_TABLES, customer, health_override, sentiment, sync_run

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
                sessions=2 + IDS.index(id_),
                minutes=11.0 + ago,
            )
            for user in ("x", "y", "z")[: 1 + (ago < 95) + (id_ == "cia")]
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


async def own(connection: Connection) -> None:
    """Every row belongs to the customer that its company key names."""
    for table in RECORD_TABLES.values():
        await connection.execute(update(table).values(customer_id=table.c.company_key))


async def fill(store: Store, *, desk_until: int = 0) -> None:
    """`desk_until`: so many days ago the desk was synced for the last time."""
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
        await own(connection)
        counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        runs = [
            {"id": f"{source}{ago}", "source": source, "state": "succeeded", "started_at": at(ago), "finished_at": NOW}
            | {"streams": {}, **counts}
            for source in ("crm", "product", "desk", "money")
            for ago in range(1, 180, 2)
            if source != "desk" or ago >= desk_until
        ]
        await connection.execute(insert(sync_run), runs)
        stated = {"customer_id": "ann", "reason": "a call", "by": "csm@example.com", "set_at": at(100)}
        ended = {"expires_on": day(-30), "withdrawn_at": at(30), "withdrawn_by": "csm@example.com"}
        await connection.execute(insert(sentiment), [{"id": "s", "value": 0.3, **stated, **ended}])
        await connection.execute(insert(health_override), [{"id": "o", "score": 0.3, **stated, **ended}])


def left_ago(number: int) -> int | None:
    """Days since the customer of the crowd left; None: it stays."""
    return None if number % 2 else 60 + 6 * number


async def crowd(store: Store, *, customers: int = 40) -> None:
    """Customers c00, c01, …; who leaves does less from 100 days before on. Segments and CSMs alternate."""
    ids = [f"c{number:02}" for number in range(customers)]
    rows = [
        {"id": id_, "name": id_.upper(), "segment": ("small", "large")[number % 4 // 2], "industry": "retail"}
        | {"csm_email": f"{'abc'[number % 3]}@cs.example", "created_at": at(700), "updated_at": at(700)}
        for number, id_ in enumerate(ids)
    ]
    records: list[Record] = [Company(key=id_, version=1, company_key=id_) for id_ in ids]
    for number, id_ in enumerate(ids):
        left = left_ago(number)
        records.append(
            Subscription(
                key=id_,
                version=version(left or 0),
                company_key=id_,
                plan="Pro",
                mrr=100.0,
                started_on=day(600),
                ended_on=None if left is None else day(left),
                status=SubscriptionStatus.ACTIVE if left is None else SubscriptionStatus.ENDED,
            )
        )
        records += [
            UserActivityDay(
                key=f"{id_}{ago}",
                version=version(ago),
                company_key=id_,
                user_key="u",
                day=day(ago),
                events=9,
                sessions=1 if left is not None and ago < left + 100 else 3 + (number + ago) % 3,
                minutes=20.0,
            )
            for ago in range(left or 0, 480, 3)
        ]
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), rows)
        await upsert(connection, records, source="everything", now=NOW, historical=True)
        await own(connection)
