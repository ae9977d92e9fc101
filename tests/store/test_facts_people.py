"""Facts of what sources rewrite in place: champions, executives, severity, profile; each day as it was known that day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from hub.model.actions import SyncState
from hub.model.records import Company, Contact, Record, Severity, SurveyResponse, SurveyType, Ticket, TicketStatus
from hub.store import Store
from hub.store.evidence import find_evidence
from hub.store.facts import find_facts
from hub.store.records import upsert
from hub.store.tables import RECORD_TABLES, customer, external_id, sync_run

AS_OF = date(2026, 6, 30)
FIRST_SYNC, LAST_SYNC = 60, -60  # days ago
CREATED = datetime(2025, 1, 1, tzinfo=UTC)
COUNTS = ("champions", "champions_lost_90d", "executives")


def moment(days_ago: int) -> datetime:
    return datetime(2026, 6, 30, 12, tzinfo=UTC) - timedelta(days=days_ago)


def version(days_ago: int) -> int:
    return int(moment(days_ago).timestamp() * 1000)


def person(id_: str, key: str, role: str | None, changed: int = 200, **changes: Any) -> Contact:
    values: dict[str, Any] = {"email": f"{key}@{id_}.example", "created_at": CREATED, **changes}
    return Contact(key=f"{id_}.{key}", version=version(changed), company_key=id_, role=role, **values)


class Crm:
    """A source that syncs on every day, and customers whose keys are their ids."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def customers(self, *ids: str) -> None:
        rows = [{"id": id_, "name": id_, "created_at": CREATED, "updated_at": CREATED} for id_ in ids]
        async with self.store.transaction() as connection:
            await connection.execute(insert(customer), rows)
        await self.put("crm", FIRST_SYNC, *(Company(key=id_, version=1, company_key=id_) for id_ in ids))
        counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        run = {"source": "crm", "streams": {}, "state": SyncState.SUCCEEDED.value, **counts}
        runs = [{"id": str(ago), "started_at": moment(ago), **run} for ago in range(FIRST_SYNC, LAST_SYNC - 1, -1)]
        async with self.store.transaction() as connection:
            await connection.execute(insert(sync_run), runs)

    async def put(self, source: str, days_ago: int, *records: Record) -> None:
        """Land `records` on a day; on the first they are history."""
        now = moment(days_ago)
        async with self.store.transaction() as connection:
            await upsert(connection, records, source=source, now=now, historical=days_ago == FIRST_SYNC)
            for table in RECORD_TABLES.values():
                await connection.execute(update(table).values(customer_id=table.c.company_key))


@pytest.fixture
def crm(store: Store) -> Crm:
    return Crm(store)


async def facts(store: Store, days_ago: int, ids: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    as_of = AS_OF - timedelta(days=days_ago)
    async with store.reading() as connection:
        columns = await find_facts(connection, as_of=as_of, customer_ids=ids)
    return {id_: {name: columns[name][place] for name in columns} for place, id_ in enumerate(columns["customer_id"])}


async def counts(store: Store, days_ago: int, id_: str = "a") -> tuple[float | None, ...]:
    row = (await facts(store, days_ago))[id_]
    return tuple(row[name] for name in COUNTS)


async def test_a_champion_is_lost_by_leaving_and_by_another_role(store: Store, crm: Crm) -> None:
    await crm.customers("a", "b", "plain")
    ann, bob, cid = (person("a", key, "champion") for key in ("ann", "bob", "cid"))
    eve = person("b", "eve", "executive_sponsor")
    await crm.put("crm", 59, ann, bob, cid, eve, person("plain", "flo", "end_user"))
    await crm.put("crm", 40, replace(ann, version=version(41), role="end_user"))
    await crm.put("crm", 30, replace(bob, version=version(33), deleted=True))
    await crm.put("crm", 20, replace(eve, version=version(21), role="decision_maker"))
    seen = {ago: await counts(store, ago) for ago in (61, 58, 41, 40, 31, 30, 0, -48, -49, -56, -57, -68)}
    assert seen == {
        61: (None, None, None),  # who was there before the hub looked, nobody knows
        58: (3, 0, 0),
        41: (3, 0, 0),  # it happened, and the hub had not learned of it
        40: (2, 1, 0),
        31: (2, 1, 0),
        30: (1, 2, 0),
        0: (1, 2, 0),
        -48: (1, 2, 0),
        -49: (1, 1, 0),  # ann's change is 90 days old, bob left 82 days ago
        -56: (1, 1, 0),
        -57: (1, 0, 0),
        -68: (None, None, None),  # the source is dead
    }
    assert (await counts(store, 0, "b"), await counts(store, 0, "plain")) == ((0, 0, 1), (0, 0, 0))
    alone = (await facts(store, 30, ["a"]))["a"]
    assert tuple(alone[name] for name in COUNTS) == (1, 2, 0)


async def test_who_comes_back_is_not_lost(store: Store, crm: Crm) -> None:
    await crm.customers("a")
    ann = person("a", "ann", "champion")
    await crm.put("crm", 59, ann)
    await crm.put("crm", 30, replace(ann, version=version(31), deleted=True))
    await crm.put("crm", 10, replace(ann, version=version(11)))
    assert [await counts(store, ago) for ago in (31, 30, 11, 10)] == [(1, 0, 0), (0, 1, 0), (0, 1, 0), (1, 0, 0)]


async def test_a_contact_merged_into_another_is_nobodys_loss(store: Store, crm: Crm) -> None:
    await crm.customers("a")
    await crm.put("crm", 59, person("a", "ann", "champion"), person("a", "twin", "champion"))
    await crm.put("crm", 30, Contact(key="a.twin", version=version(31), deleted=True))
    assert await counts(store, 30) == (1, 0, 0)


async def test_who_left_before_the_hub_knew_them_counts_from_when_it_learned(store: Store, crm: Crm) -> None:
    await crm.customers("a")
    await crm.put("crm", 59, person("a", "ann", "executive"))
    await crm.put("crm", 20, person("a", "bob", "champion", 80, deleted=True, created_at=moment(300)))
    assert [await counts(store, ago) for ago in (21, 20, -9, -10)] == [(0, 0, 1), (0, 1, 1), (0, 1, 1), (0, 0, 1)]


async def test_executives_are_heard_of_in_many_ways(store: Store, crm: Crm) -> None:
    await crm.customers("seen", "answered", "wrote", "silent", "none")
    boss = {id_: person(id_, "boss", "executive") for id_ in ("seen", "answered", "wrote", "silent")}
    boss["seen"] = replace(boss["seen"], last_seen_at=moment(70))
    boss["answered"] = replace(boss["answered"], last_seen_at=moment(70))
    other = person("silent", "user", "end_user", last_seen_at=moment(1))
    await crm.put("crm", 59, *boss.values(), other, person("none", "user", "champion", last_seen_at=moment(1)))
    answer = SurveyResponse(
        key="1",
        version=1,
        company_key="answered",
        type=SurveyType.NPS,
        scale="0-10",
        score=9,
        respondent_email="Boss@Answered.example",
        responded_at=moment(50),
    )
    ticket = Ticket(
        key="1",
        version=1,
        company_key="wrote",
        status=TicketStatus.OPEN,
        requester_email="boss@wrote.example",
        created_at=moment(30),
    )
    await crm.put("desk", 30, answer, ticket)
    await crm.put("crm", 20, replace(boss["seen"], version=version(22), last_seen_at=moment(22)))

    async def silence(days_ago: int) -> dict[str, float | None]:
        return {id_: row["executive_silence_days"] for id_, row in (await facts(store, days_ago)).items()}

    assert await silence(61) == dict.fromkeys(("answered", "none", "seen", "silent", "wrote"))
    assert await silence(58) == {"seen": 12, "answered": 12, "wrote": None, "silent": None, "none": None}
    assert await silence(20) == {"seen": 2, "answered": 30, "wrote": 10, "silent": None, "none": None}
    assert (await silence(21))["seen"] == 49, "it was the day before, and the hub had not learned of it"


async def test_severity_is_what_it_was(store: Store, crm: Crm) -> None:
    await crm.customers("a")
    ticket = Ticket(key="1", version=version(50), company_key="a", status=TicketStatus.OPEN, created_at=moment(50))
    await crm.put("crm", 49, ticket)
    await crm.put("crm", 40, replace(ticket, version=version(40), severity=Severity.URGENT))
    await crm.put("crm", 30, replace(ticket, version=version(30), severity=Severity.LOW))
    seen = {ago: (await facts(store, ago))["a"]["urgent_tickets_90d"] for ago in (49, 41, 40, 31, 30, 25)}
    assert seen == {49: 0, 41: 0, 40: 1, 31: 1, 30: 0, 25: 0}


async def test_the_profile_is_what_it_was(store: Store, crm: Crm) -> None:
    await crm.customers("a")
    company = Company(key="a", version=version(58), company_key="a", segment="smb", csm_email="kim@us.example")
    async with store.transaction() as connection:
        await connection.execute(update(external_id).values(method="created"))
        values = {"segment": "mid", "csm_email": "lou@us.example"}
        await connection.execute(update(customer).values(**values))  # what identity makes of it in the end
    await crm.put("crm", 58, company)
    await crm.put("crm", 40, replace(company, version=version(41), csm_email="lou@us.example"))
    await crm.put("crm", 30, replace(company, version=version(30), csm_email="lou@us.example", segment="mid"))
    rows = {ago: (await facts(store, ago))["a"] for ago in (57, 41, 40, 31, 30)}
    assert {ago: (row["segment"], row["csm_email"]) for ago, row in rows.items()} == {
        57: ("smb", "kim@us.example"),
        41: ("smb", "kim@us.example"),
        40: ("smb", "lou@us.example"),
        31: ("smb", "lou@us.example"),
        30: ("mid", "lou@us.example"),
    }


async def said(store: Store, days_ago: int, fact: str, id_: str = "a") -> list[list[str]]:
    as_of = AS_OF - timedelta(days=days_ago)
    async with store.reading() as connection:
        found = (await find_evidence(connection, [id_], [fact], as_of=as_of))[id_][fact]
    assert [each.total for each in found] == [len(each.records) for each in found]
    return [[f"{record.key} {record.on} {record.what}" for record in each.records] for each in found]


async def test_the_people_behind_the_facts_as_they_were(store: Store, crm: Crm) -> None:
    await crm.customers("a", "b")
    ann = person("a", "ann", "champion", name="Ann", title="Head of Data")
    bob = person("a", "bob", "champion", name="Bob", created_at=moment(300))
    eve = person("a", "eve", "executive", name="Eve", last_seen_at=moment(70), created_at=moment(90))
    await crm.put("crm", 59, ann, bob, eve, person("b", "cid", "champion"))
    await crm.put("crm", 30, replace(bob, version=version(33), deleted=True))
    await crm.put("crm", 20, replace(ann, version=version(20), role="end_user"))
    await crm.put("crm", 20, replace(eve, version=version(22), last_seen_at=moment(22)))
    answer = SurveyResponse(
        key="9",
        version=1,
        company_key="a",
        type=SurveyType.CSAT,
        scale="0-1",
        score=1,
        respondent_email="EVE@a.example",
        responded_at=moment(25),
    )
    await crm.put("desk", 25, answer)
    assert await said(store, 31, "champions") == [
        ["a.bob 2025-09-03 Bob: champion", "a.ann 2025-01-01 Ann, Head of Data: champion"]
    ]
    assert await said(store, 30, "champions_lost_90d") == [["a.bob 2026-05-28 Bob: left, was a champion"]]
    assert await said(store, 0, "champions_lost_90d") == [
        [
            "a.ann 2026-06-10 Ann, Head of Data: end_user, was a champion",
            "a.bob 2026-05-28 Bob: left, was a champion",
        ]
    ]
    answered = "9 2026-06-05 1 on 0-1"
    assert await said(store, 26, "executive_silence_days") == [
        ["a.eve 2026-04-01 Eve: executive, last heard of on 2026-04-21"],
        [],
        [],
    ]
    assert await said(store, 0, "executive_silence_days") == [
        ["a.eve 2026-04-01 Eve: executive, last heard of on 2026-06-08"],
        [answered],
        [],
    ]
