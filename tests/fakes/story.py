"""A handmade store with a story: Acme used the product well in May and less in June, when two urgent tickets came."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import update

from hub.documents import Document
from hub.model.records import (
    Company,
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
from hub.scorecards import score
from hub.store import Store
from hub.store.records import upsert
from hub.store.tables import RECORD_TABLES, customer
from scoring.book import HealthBook
from scoring.definition import HealthDefinition, load

MAY, JUNE = date(2026, 5, 20), date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)


def definition(
    *, logins: float = 0.5, seats: float = 0.2, severity: float = 0.2, response: float = 0.1
) -> HealthDefinition:
    """Health of four measures, by their weights."""
    return load(
        Document.from_text(
            f"""
bands:
  critical: {{from: 0, below: 0.3}}
  warning: {{from: 0.3, below: 0.5}}
  stable: {{from: 0.5, below: 0.7}}
  healthy: {{from: 0.7}}
groups:
  login_frequency: {{weight: {logins}, curve: {{points: [[0, 0], [4, 1]]}}}}
  mau: {{weight: {seats}, curve: {{points: [[0, 0], [1, 1]]}}}}
  ticket_severity: {{weight: {severity}, curve: {{points: [[0, 1], [4, 0]]}}}}
  first_response: {{weight: {response}, curve: {{points: [[0, 1], [1000, 0]]}}}}
""",
            name="health.yaml",
        )
    )


DEFINITION = definition()


def at(day: date, hour: int = 8) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def use(day: date, user: str, sessions: int) -> UserActivityDay:
    return UserActivityDay(
        key=f"{user}:{day}",
        version=1,
        company_key="acme",
        user_key=user,
        day=day,
        events=sessions * 5,
        sessions=sessions,
        minutes=sessions * 10,
    )


def ticket(key: str, day: date, severity: Severity, response: float | None) -> Ticket:
    return Ticket(
        key=key,
        version=1,
        company_key="acme",
        subject=f"Ticket {key}",
        status=TicketStatus.OPEN,
        severity=severity,
        created_at=at(day),
        first_response_minutes=response,
        url=f"https://desk.example/{key}",
    )


ACME: dict[str, list[Record]] = {
    "product": [
        *(use(MAY - timedelta(days=back), user, 6) for user in ("ann", "bob") for back in (0, 10)),
        use(JUNE - timedelta(days=2), "ann", 4),
    ],
    "desk": [
        ticket("t1", JUNE - timedelta(days=20), Severity.URGENT, 500),
        ticket("t2", JUNE - timedelta(days=10), Severity.URGENT, None),
        ticket("t3", JUNE - timedelta(days=130), Severity.LOW, 5),
        ticket("t4", JUNE + timedelta(days=1), Severity.URGENT, 5),
    ],
    "billing": [
        Subscription(
            key="s1",
            version=1,
            company_key="acme",
            plan="Pro",
            mrr=500,
            currency="EUR",
            seats_purchased=4,
            started_on=date(2025, 1, 1),
            auto_renew=True,
            status=SubscriptionStatus.ACTIVE,
        )
    ],
    "survey": [
        SurveyResponse(
            key="n1",
            version=1,
            company_key="acme",
            type=SurveyType.NPS,
            scale="0-10",
            score=9,
            comment="Good",
            responded_at=at(JUNE - timedelta(days=3)),
        )
    ],
}


async def tell(store: Store) -> None:
    """Acme, and two customers who are called alike; scored in May and in June by `DEFINITION`."""
    created = datetime(2025, 1, 1, tzinfo=UTC)
    named = (("acme", "Acme", "acme.example"), ("north", "Twin", "north.example"), ("south", "Twin", None))
    rows = [
        {"id": id_, "name": name, "domain": domain, "created_at": created, "updated_at": created}
        for id_, name, domain in named
    ]
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), rows)
        for source, records in ACME.items():
            company = Company(key="acme", version=1, company_key="acme")
            await upsert(connection, [company, *records], source=source, now=NOW, historical=True)
        for table in RECORD_TABLES.values():
            await connection.execute(update(table).values(customer_id=table.c.company_key))
    for day in (MAY, JUNE):
        await score(store, HealthBook(DEFINITION), [], as_of=day, now=NOW)
