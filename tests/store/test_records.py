"""Upserts are bulk, idempotent and guarded by version, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime

from sqlalchemy import insert, select

from hub.model.records import Company, Contact, Severity, Subscription, Ticket, TicketStatus, UserActivityDay
from hub.store import Store
from hub.store.records import Counts, upsert
from hub.store.tables import external_id, field_change, subscription, ticket, user_activity_day

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CREATED = datetime(2026, 3, 1, tzinfo=UTC)


def make_ticket(key: str = "1", version: int = 10, **changes: object) -> Ticket:
    made = Ticket(
        key=key, version=version, company_key="7", subject="Help", status=TicketStatus.OPEN, created_at=CREATED
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


async def put(store: Store, *records: object, **options: object) -> Counts:
    async with store.transaction() as connection:
        return await upsert(connection, records, source="desk", now=NOW, **options)  # type: ignore[arg-type]  # fields by name


async def subjects(store: Store) -> dict[str, str | None]:
    async with store.reading() as connection:
        return {row.id: row.subject for row in await connection.execute(select(ticket.c.id, ticket.c.subject))}


async def test_new_changed_unchanged_are_told_apart(store: Store) -> None:
    assert await put(store, make_ticket(), make_ticket("2")) == Counts(2, 0, 0)
    assert await put(store, make_ticket(), make_ticket("2", 11, subject="Still")) == Counts(0, 1, 1)
    assert await subjects(store) == {"desk:1": "Help", "desk:2": "Still"}


async def test_an_older_version_never_overwrites_a_newer_one(store: Store) -> None:
    await put(store, make_ticket(version=20, subject="new"))
    assert await put(store, make_ticket(version=19, subject="old")) == Counts(0, 0, 1)
    assert await subjects(store) == {"desk:1": "new"}


async def test_the_same_version_with_other_content_is_taken(store: Store) -> None:
    await put(store, make_ticket(subject="a"))
    assert await put(store, make_ticket(subject="b")) == Counts(0, 1, 0)
    assert await subjects(store) == {"desk:1": "b"}


async def test_twice_in_one_batch_keeps_the_higher_version(store: Store) -> None:
    assert await put(store, make_ticket(version=3, subject="c"), make_ticket(version=2, subject="b")) == Counts(1, 0, 0)
    assert await subjects(store) == {"desk:1": "c"}


async def test_a_first_sync_counts_as_learned_when_it_happened(store: Store) -> None:
    await put(store, make_ticket(), historical=True)
    await put(store, make_ticket("2"))
    async with store.reading() as connection:
        learned = {row.id: row.learned_at for row in await connection.execute(select(ticket.c.id, ticket.c.learned_at))}
    assert learned == {"desk:1": CREATED, "desk:2": NOW}


async def test_what_identity_decided_survives_the_next_pull(store: Store) -> None:
    await put(store, Company(key="7", version=1, company_key="7", name="Acme", domains=("acme.example",)))
    async with store.transaction() as connection:
        await connection.execute(external_id.update().values(state="ambiguous", candidates=["a", "b"]))
    await put(store, Company(key="7", version=2, company_key="7", name="Acme Ltd", domains=("acme.example",)))
    async with store.reading() as connection:
        row = (await connection.execute(select(external_id))).one()
    assert (row.name, row.state, row.candidates, row.domains) == ("Acme Ltd", "ambiguous", ["a", "b"], ["acme.example"])


async def test_every_type_of_value_comes_back_as_it_went_in(store: Store) -> None:
    term = Subscription(
        key="s", version=1, company_key="7", plan="Pro", mrr=99.5, started_on=date(2026, 1, 1), cancelled_at=CREATED
    )
    day = UserActivityDay(
        key="d", version=1, company_key="7", user_key="u", day=date(2026, 1, 2), events=3, sessions=1, minutes=2.5
    )
    assert await put(store, term, day) == Counts(2, 0, 0)
    async with store.reading() as connection:
        row = (await connection.execute(select(subscription))).one()
        use = (await connection.execute(select(user_activity_day))).one()
    assert (row.mrr, row.started_on, row.cancelled_at, row.auto_renew) == (99.5, date(2026, 1, 1), CREATED, True)
    assert (use.day, use.minutes, use.events) == (date(2026, 1, 2), 2.5, 3)


async def test_more_rows_than_one_batch(store: Store) -> None:
    assert await put(store, *(make_ticket(str(n)) for n in range(2_500))) == Counts(2_500, 0, 0)
    assert await put(store, *(make_ticket(str(n)) for n in range(2_500))) == Counts(0, 0, 2_500)


def at(version: int) -> datetime:
    return datetime.fromtimestamp(version / 1000, UTC)


async def changes(store: Store) -> list[tuple[str, str, str, str | None, str | None, datetime, datetime]]:
    row = field_change.c
    columns = (row.kind, row.record_id, row.field, row.before, row.after, row.at, row.learned_at)
    async with store.reading() as connection:
        return [tuple(found) for found in await connection.execute(select(*columns).order_by(row.id))]


async def test_what_a_vendor_rewrites_in_place_is_logged(store: Store) -> None:
    seen, later = datetime(2026, 10, 1, 9, tzinfo=UTC), datetime(2026, 10, 9, 9, tzinfo=UTC)
    one = Contact(key="1", version=10, company_key="7", name="Ann", role="champion", title="Head", last_seen_at=seen)
    await put(store, one, replace(one, key="2", role=None), make_ticket())
    assert await changes(store) == []
    await put(store, replace(one, version=20, name="Anna", title="VP", role="executive", last_seen_at=later))
    await put(store, replace(one, key="2", version=30, role=None, last_seen_at=later))  # nobody asks when
    await put(store, make_ticket(version=40, severity=Severity.URGENT, subject="Now"))
    assert await changes(store) == [
        ("contact", "desk:1", "role", "champion", "executive", at(20), NOW),
        ("contact", "desk:1", "title", "Head", "VP", at(20), NOW),
        ("contact", "desk:1", "last_seen_at", seen.isoformat(), later.isoformat(), at(20), NOW),
        ("ticket", "desk:1", "severity", "normal", "urgent", at(40), NOW),
    ]


async def test_only_what_is_written_is_logged(store: Store) -> None:
    await put(store, make_ticket(version=20))
    await put(store, make_ticket(version=20))
    await put(store, make_ticket(version=19, severity=Severity.HIGH))
    await put(store, make_ticket(version=30, subject="Other"))
    assert await changes(store) == []


async def test_leaving_is_logged_even_of_who_was_never_seen(store: Store) -> None:
    gone = Contact(key="1", version=10, company_key="7", role="champion", deleted=True)
    await put(store, gone, replace(gone, key="2", deleted=False), make_ticket(deleted=True))
    await put(store, replace(gone, key="2", version=10**18))  # a clock far ahead
    assert await changes(store) == [
        ("contact", "desk:1", "deleted", "false", "true", at(10), NOW),
        ("contact", "desk:2", "deleted", "false", "true", NOW, NOW),
    ]


async def test_the_profile_is_watched_from_the_first_row_of_the_company_on(store: Store) -> None:
    blank = {"version": 0, "digest": 0, "learned_at": NOW, "synced_at": NOW, "domains": []}
    async with store.transaction() as connection:
        await connection.execute(insert(external_id), [{"id": "desk:7", "source": "desk", "key": "7", **blank}])
    company = Company(key="7", version=1, company_key="7", segment="smb", csm_email="kim@us.example")
    await put(store, company)
    assert await changes(store) == []
    await put(store, replace(company, version=2, csm_email="lou@us.example"))
    assert await changes(store) == [
        ("external_id", "desk:7", "csm_email", "kim@us.example", "lou@us.example", at(2), NOW)
    ]
