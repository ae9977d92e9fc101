"""Facts of a day: exact values by hand, what a day may know, and that missing is not zero; on both databases."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.model.actions import SyncState
from hub.model.records import (
    Company,
    FeatureUsageDay,
    Record,
    Severity,
    Subscription,
    SurveyResponse,
    SurveyType,
    Ticket,
    TicketStatus,
    UserActivityDay,
)
from hub.store import Store
from hub.store.facts import find_customers, find_facts
from hub.store.facts.support import is_good
from hub.store.records import upsert
from hub.store.streams import Check, note_checked, note_pulled, set_demands
from hub.store.syncs import declare_sources
from hub.store.tables import RECORD_TABLES, customer, sync_run
from scoring.facts import CATALOGUE, FACTS

AS_OF = date(2026, 6, 30)
SYNCED = datetime(2026, 6, 30, 6, tzinfo=UTC)
CREATED = datetime(2025, 1, 1, tzinfo=UTC)


def moment(days_ago: int, hour: int = 12) -> datetime:
    return datetime(2026, 6, 30, hour, tzinfo=UTC) - timedelta(days=days_ago)


def day(days_ago: int) -> date:
    return AS_OF - timedelta(days=days_ago)


class Writer:
    """Writes records whose company key is the customer's id, and counts their keys."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.keys = 0

    async def customers(self, *ids: str, **values: Any) -> None:
        rows = [{"id": id_, "name": id_, "created_at": CREATED, "updated_at": CREATED, **values} for id_ in ids]
        async with self.store.transaction() as connection:
            await connection.execute(customer.insert(), rows)

    async def put(self, source: str, *records: Record, now: datetime = SYNCED, historical: bool = True) -> None:
        async with self.store.transaction() as connection:
            await upsert(connection, records, source=source, now=now, historical=historical)
            for table in RECORD_TABLES.values():
                await connection.execute(update(table).values(customer_id=table.c.company_key))

    async def known(self, source: str, *ids: str) -> None:
        await self.put(source, *(Company(key=id_, version=1, company_key=id_) for id_ in ids))

    async def sync(self, days_ago: int, state: SyncState = SyncState.SUCCEEDED, *, hour: int = 12) -> None:
        values = {"source": "desk", "streams": {}, "started_at": moment(days_ago, hour), "state": state.value}
        counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        async with self.store.transaction() as connection:
            await connection.execute(sync_run.insert(), [{"id": self.key(), **values, **counts}])

    def key(self) -> str:
        self.keys += 1
        return str(self.keys)

    def use(self, id_: str, user: str, days_ago: int, events: int = 10, **changes: Any) -> UserActivityDay:
        values = {"sessions": 1, "minutes": 6.0, **changes}
        return UserActivityDay(
            key=self.key(), version=1, company_key=id_, user_key=user, day=day(days_ago), events=events, **values
        )

    def feature(self, id_: str, feature: str, days_ago: int) -> FeatureUsageDay:
        return FeatureUsageDay(
            key=self.key(), version=1, company_key=id_, feature=feature, day=day(days_ago), events=1, users=1
        )

    def ticket(self, id_: str, days_ago: int, **changes: Any) -> Ticket:
        values: dict[str, Any] = {"status": TicketStatus.OPEN, **changes}
        return Ticket(key=self.key(), version=1, company_key=id_, created_at=moment(days_ago), **values)

    def answer(
        self, id_: str, type_: SurveyType, score: float, days_ago: int, who: str | None, scale: str = "0-10"
    ) -> SurveyResponse:
        return SurveyResponse(
            key=self.key(),
            version=1,
            company_key=id_,
            type=type_,
            scale=scale,
            score=score,
            respondent_email=who,
            responded_at=moment(days_ago),
        )

    def term(self, id_: str, started_on: date, **changes: Any) -> Subscription:
        values: dict[str, Any] = {"plan": "Pro", "mrr": 100.0, **changes}
        return Subscription(key=self.key(), version=1, company_key=id_, started_on=started_on, **values)


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store)


async def facts(store: Store, as_of: date = AS_OF, ids: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    async with store.reading() as connection:
        columns = await find_facts(connection, as_of=as_of, customer_ids=ids)
    return {
        id_: {name: columns[name][place] for name in columns if name != "customer_id"}
        for place, id_ in enumerate(columns["customer_id"])
    }


async def test_the_columns_are_exactly_those_of_the_catalogue(store: Store, writer: Writer) -> None:
    async with store.reading() as connection:
        nobody = await find_facts(connection, as_of=AS_OF)
    assert set(nobody) == {"customer_id", *FACTS}
    assert len(nobody) == len(CATALOGUE) + 1
    assert all(column == [] for column in nobody.values())
    await writer.customers("a")
    async with store.reading() as connection:
        assert set(await find_facts(connection, as_of=AS_OF)) == {"customer_id", *FACTS}


async def test_use(store: Store, writer: Writer) -> None:
    await writer.customers("a", "quiet")
    await writer.known("product", "a", "quiet")
    await writer.put(
        "product",
        writer.use("a", "ann", 0, 10, sessions=2, minutes=30.0),
        writer.use("a", "bob", 0, 5),
        writer.use("a", "ann", 6, 5, sessions=1, minutes=10.0),
        writer.use("a", "cid", 7),
        writer.use("a", "dan", 27),
        writer.use("a", "ann", 28, 30),
        writer.use("a", "eve", 55, 20),
        writer.use("a", "fay", 56, 7),
        writer.use("a", "gus", 83, 3),
        writer.use("a", "hal", 84, 1000),
        writer.use("a", "ian", 1, 0),
    )
    row = (await facts(store))["a"]
    assert {name: row[name] for name in FACTS if FACTS[name].group == "usage" and row[name] is not None} == {
        "dau": 2,
        "wau": 2,
        "mau": 4,  # ann, bob, cid, dan
        "mau_previous": 2,  # ann, eve
        "mean_dau_28d": 5 / 28,  # ann twice, bob, cid, dan
        "events_28d": 40,
        "events_previous_28d": 50,
        "usage_trend": -0.2,
        "events_84d": 100,
        "active_days_28d": 4,  # 0, 6, 7 and 27 days ago
        "days_since_active": 0,
        "sessions_28d": 6,
        "logins_per_user_week": 6 / 4 / 4,
        "minutes_per_session": (30 + 6 + 10 + 6 + 6) / 6,
        "stickiness": 5 / 28 / 4,
        "events_per_user_28d": 10,
        "events_per_user_previous_28d": 25,
        "depth_trend": -0.6,
        "usage_age_days": 0,
    }
    quiet = (await facts(store))["quiet"]
    zeros = ("dau", "wau", "mau", "events_28d", "active_days_28d", "stickiness", "logins_per_user_week")
    assert {quiet[name] for name in zeros} == {0.0}
    assert quiet["days_since_active"] is quiet["minutes_per_session"] is quiet["usage_trend"] is None


async def test_features(store: Store, writer: Writer) -> None:
    await writer.customers("a", "b")
    await writer.known("product", "a", "b")
    await writer.put(
        "product",
        *(
            writer.feature("a", name, ago)
            for name, ago in (("export", 0), ("export", 3), ("import", 27), ("share", 28))
        ),
        *(writer.feature("b", name, 1) for name in ("export", "chart", "alert")),
    )
    row = (await facts(store))["a"]
    assert (row["features_used_28d"], row["features_used_previous_28d"], row["feature_adoption"]) == (2, 1, 0.5)
    alone = (await facts(store, ids=["a"]))["a"]
    assert alone == row, "a share of what anybody used doesn't depend on who is asked for"


async def test_money(store: Store, writer: Writer) -> None:
    await writer.customers("a", "mixed")
    first = date(2024, 7, 1)
    await writer.put(
        "billing",
        # a year, an early change of price within the next, and its renewal
        writer.term("a", first, mrr=80, seats_purchased=10, renews_on=date(2025, 7, 1), ended_on=date(2025, 7, 1)),
        writer.term("a", date(2025, 7, 1), mrr=100, renews_on=date(2026, 7, 1), ended_on=date(2026, 5, 1)),
        writer.term("a", date(2026, 5, 1), mrr=120, plan="Team", seats_purchased=20, renews_on=date(2026, 7, 10)),
        writer.term("a", date(2026, 6, 1), mrr=30, plan="Extra", renews_on=date(2027, 6, 1)),
        writer.term("a", date(2026, 7, 1), mrr=999, plan="Later"),
        writer.term("mixed", date(2026, 6, 1), mrr=10),
        writer.term("mixed", date(2026, 6, 1), mrr=10, currency="EUR"),
    )
    row = (await facts(store))["a"]
    expected = {
        "plan": "Team",
        "tenure_days": (AS_OF - first).days,
        "mrr": 150,
        "mrr_change_90d": 0.5,
        "seats_purchased": 20,
        "days_to_renewal": 10,
        "renewals": 1,
    }
    assert {name: row[name] for name in expected} == expected
    assert (await facts(store))["mixed"]["mrr"] is None


async def test_seats_may_be_overused(store: Store, writer: Writer) -> None:
    await writer.customers("a")
    await writer.known("product", "a")
    await writer.put("billing", writer.term("a", date(2025, 1, 1), seats_purchased=2))
    await writer.put("product", *(writer.use("a", user, 1) for user in ("ann", "bob", "cid")))
    assert (await facts(store))["a"]["seat_utilisation"] == 1.5


async def test_tickets(store: Store, writer: Writer) -> None:
    await writer.customers("a", "none", "elsewhere")
    await writer.known("desk", "a", "none")
    solved = {"status": TicketStatus.SOLVED}
    await writer.put(
        "desk",
        writer.ticket("a", 0, severity=Severity.URGENT, first_response_minutes=60.0),
        writer.ticket("a", 27, **solved, solved_at=moment(26), resolution_minutes=600.0, reopens=2),
        writer.ticket("a", 28, severity=Severity.HIGH, **solved, solved_at=moment(26), first_response_minutes=30.0),
        writer.ticket("a", 89, first_response_minutes=90.0, reopens=5),
        writer.ticket("a", 90, **solved, solved_at=moment(85), resolution_minutes=7200.0, first_response_minutes=999.0),
        writer.ticket("a", 300, **solved, solved_at=moment(290), resolution_minutes=1.0),
    )
    rows = await facts(store)
    expected = {
        "tickets_28d": 2,
        "tickets_90d": 4,
        "tickets_open": 2,
        "urgent_tickets_90d": 2,
        "severe_share_90d": 0.5,
        "first_response_minutes_90d": 60,
        "resolution_hours_90d": (600 + 2 * 1440 + 7200) / 3 / 60,  # the second's minutes follow from its moments
        "reopens_90d": 2,
        "tickets_solved_90d": 3,
        "reopen_rate_90d": 2 / 3,
    }
    assert {name: rows["a"][name] for name in expected} == pytest.approx(expected, abs=1e-4)
    assert (rows["none"]["tickets_90d"], rows["none"]["severe_share_90d"]) == (0, None)
    assert (rows["elsewhere"]["tickets_90d"], rows["elsewhere"]["tickets_open"]) == (None, None)


async def test_what_happened_to_a_ticket_later_is_not_known_before(store: Store, writer: Writer) -> None:
    await writer.customers("a")
    await writer.known("desk", "a")
    await writer.put(
        "desk",
        writer.ticket(
            "a",
            10,
            status=TicketStatus.SOLVED,
            solved_at=moment(3),
            resolution_minutes=7 * 1440.0,
            first_response_minutes=2 * 1440.0,
            reopens=1,
        ),
    )
    names = ("tickets_90d", "tickets_open", "first_response_minutes_90d", "resolution_hours_90d", "reopens_90d")
    seen = {}
    for ago in (11, 10, 8, 4, 3):
        row = (await facts(store, day(ago)))["a"]
        seen[ago] = tuple(row[name] for name in names)
    assert seen == {
        11: (None, None, None, None, None),  # nobody's ticket had come in yet
        10: (1, 1, None, None, 0),
        8: (1, 1, 2880, None, 0),
        4: (1, 1, 2880, None, 0),
        3: (1, 0, 2880, 168, 1),
    }


async def test_csat_over_scales(store: Store, writer: Writer) -> None:
    await writer.customers("a", "unasked")
    await writer.known("desk", "a", "unasked")
    csat = SurveyType.CSAT
    scored = [(1, "0-1"), (0, "0-1"), (5, "1-5"), (4, "1-5"), (3, "1-5"), (50, "0-100"), (1, "smileys")]
    await writer.put("desk", *(writer.answer("a", csat, score, 5, None, scale) for score, scale in scored))
    await writer.put("desk", writer.answer("a", csat, 1, 90, None, "0-1"))
    rows = await facts(store)
    assert (rows["a"]["csat_90d"], rows["a"]["csat_answers_90d"]) == (0.6, 5)
    assert (rows["unasked"]["csat_90d"], rows["unasked"]["csat_answers_90d"]) == (None, 0)


@pytest.mark.parametrize(
    ("scale", "score", "good"),
    [("1-7", 6, True), ("1-7", 5, False), ("1-3", 2, False), ("1-3", 3, True), ("1-5", 6, None), ("-1-1", 1, None)],
)
def test_good_is_the_top_of_a_scale(scale: str, score: float, good: bool | None) -> None:
    assert is_good(scale, score) is good


async def test_nps(store: Store, writer: Writer) -> None:
    await writer.customers("a", "old", "unasked")
    await writer.known("survey", "a", "old", "unasked")
    nps = SurveyType.NPS
    await writer.put(
        "survey",
        writer.answer("a", nps, 2, 100, "ann"),
        writer.answer("a", nps, 9, 10, "ann"),
        writer.answer("a", nps, 6, 20, "bob"),
        writer.answer("a", nps, 3, 30, None),
        writer.answer("a", nps, 0, 180, "cid"),
        writer.answer("a", nps, 5, 1, "dan", "1-5"),
        writer.answer("old", nps, 7, 200, "eve"),
    )
    rows = await facts(store)
    names = ("nps_last", "nps_mean_180d", "nps_age_days", "nps_answers_180d")
    assert {id_: tuple(row[name] for name in names) for id_, row in rows.items()} == {
        "a": (9, 6, 10, 4),
        "old": (7, None, 200, 0),
        "unasked": (None, None, None, 0),
    }


async def test_who_is_a_customer(store: Store, writer: Writer) -> None:
    await writer.customers("runs", "ended", "later", "unbilled", "early", "twin")
    async with store.transaction() as connection:
        await connection.execute(
            update(customer).where(customer.c.id == "early").values(became_customer_on=AS_OF + timedelta(days=1))
        )
        await connection.execute(update(customer).where(customer.c.id == "twin").values(merged_into_id="runs"))
    await writer.put(
        "billing",
        writer.term("runs", date(2026, 6, 30)),
        writer.term("ended", date(2025, 6, 30), ended_on=AS_OF),
        writer.term("later", date(2026, 1, 1), ended_on=date(2026, 2, 1)),
        writer.term("later", date(2026, 7, 1)),
        writer.term("twin", date(2026, 1, 1)),
    )

    async def on(as_of: date) -> list[str]:
        async with store.reading() as connection:
            return await find_customers(connection, as_of=as_of)

    assert await on(AS_OF) == ["runs", "unbilled"]
    assert await on(day(-1)) == ["early", "later", "runs", "unbilled"]
    assert await on(day(1)) == [
        "ended",
        "runs",
        "unbilled",
    ]  # of "runs" nothing was billed yet: it was there all the same
    assert list(await facts(store, ids=["unbilled", "ended", "nobody"])) == ["unbilled"]


async def test_missing_is_not_zero(store: Store, writer: Writer) -> None:
    await writer.customers("a", "b", "unmatched")
    await writer.known("product", "a", "b")
    await writer.put("product", writer.use("b", "bob", 5))
    rows = await facts(store)
    assert {id_: row["mau"] for id_, row in rows.items()} == {"a": 0, "b": 1, "unmatched": None}
    before = await facts(store, day(6))
    assert {id_: row["mau"] for id_, row in before.items()} == {"a": None, "b": None, "unmatched": None}


async def test_a_dead_source_is_missing_and_not_silent(store: Store, writer: Writer) -> None:
    await writer.customers("a")
    await writer.known("desk", "a")
    await writer.put("desk", writer.ticket("a", 20))

    await writer.sync(10)
    await writer.sync(1, SyncState.FAILED)
    seen = {ago: (await facts(store, day(ago)))["a"]["tickets_90d"] for ago in (11, 10, 4, 3, 0)}
    assert seen == {11: 1, 10: 1, 4: 1, 3: None, 0: None}
    await writer.sync(0)
    assert (await facts(store))["a"]["tickets_90d"] == 1


async def test_what_a_stream_that_slipped_would_say_is_missing(store: Store, writer: Writer) -> None:
    """On 20 days the tickets were whole; then the stream was denied for a while, and then it was found to lack rows."""
    await writer.customers("a")
    await writer.known("desk", "a")
    await writer.put("desk", writer.ticket("a", 40), writer.answer("a", SurveyType.NPS, 9, 40, "ann"))
    for ago in range(30, -1, -1):
        await writer.sync(ago, SyncState.INCOMPLETE)

    async def stood(ago: int, complete_to: int | None, completeness: float | None = None) -> None:
        now = moment(ago)
        whole = None if complete_to is None else moment(complete_to)
        check = Check(way="ids", theirs=100, completeness=completeness)
        async with store.transaction() as connection:
            await note_pulled(connection, "desk", "tickets", makes=["ticket"], complete_to=whole, now=now)
            if completeness is not None:
                await note_checked(connection, "desk", "tickets", check, makes=["ticket"], now=now)

    async def seen(*days_ago: int) -> dict[int, tuple[Any, Any]]:
        rows = {ago: (await facts(store, day(ago)))["a"] for ago in days_ago}
        return {ago: (row["tickets_90d"], row["nps_last"]) for ago, row in rows.items()}

    async def demand(**asked: Any) -> None:
        async with store.transaction() as connection:
            await declare_sources(connection, {"desk": "fake"})
            usual = {"fresh_seconds": None, "complete_share": 0.95, "raw_days": None}
            await set_demands(connection, {"desk": usual | asked})

    await demand()
    await stood(30, None)
    await stood(28, 28)
    await stood(20, 20)
    assert await seen(31, 30, 29, 28, 13, 12) == {
        31: (1, 9),  # nothing is known of that day
        30: (None, 9),  # a part had come
        29: (None, 9),
        28: (1, 9),
        13: (1, 9),
        12: (None, 9),  # eight days behind the source's own syncs
    }
    await stood(5, 5, 0.96)
    await stood(3, 3, 0.94)
    assert await seen(5, 4, 3, 0) == {5: (1, 9), 4: (1, 9), 3: (None, 9), 0: (None, 9)}
    await demand(complete_share=0.9, fresh_seconds=86_400)
    assert await seen(5, 4, 3, 2, 1) == {5: (1, 9), 4: (1, 9), 3: (1, 9), 2: (1, 9), 1: (None, 9)}


async def test_a_source_that_comes_seldom_is_given_its_time(store: Store, writer: Writer) -> None:
    await writer.customers("a")
    await writer.known("desk", "a")
    await writer.put("desk", writer.ticket("a", 80))
    await writer.sync(75)
    await writer.sync(45)
    await writer.sync(45, hour=13)  # a second try on the same day says nothing about its rhythm
    seen = {ago: (await facts(store, day(ago)))["a"]["tickets_90d"] for ago in (68, 67, 46, 45, 10, 0)}
    assert seen == {68: None, 67: None, 46: None, 45: 1, 10: 1, 0: 1}
    later = await facts(store, day(-16))
    assert later["a"]["tickets_90d"] is None


async def test_a_past_day_computed_again_is_the_same(store: Store, writer: Writer) -> None:
    await writer.customers("a", "b")
    for source in ("product", "desk", "survey"):
        await writer.known(source, "a", "b")
    nps, csat = SurveyType.NPS, SurveyType.CSAT
    past = [
        writer.use("a", "ann", 3),
        writer.use("a", "bob", 20),
        writer.feature("a", "export", 4),
        writer.ticket("a", 9),
        writer.answer("a", nps, 8, 12, "ann"),
        writer.answer("a", csat, 1, 12, "ann", "0-1"),
        writer.term("a", date(2025, 7, 1), renews_on=date(2026, 7, 1), seats_purchased=5),
    ]
    await writer.put("product", *past)
    before = await facts(store, day(2))
    assert before["a"]["mau"] == 2
    later = [
        writer.use("a", "cid", 1),
        writer.use("b", "eve", 0),
        writer.feature("b", "chart", 1),
        writer.ticket("a", 1),
        writer.answer("a", nps, 0, 1, "ann"),
        writer.answer("b", csat, 0, 0, "eve", "0-1"),
        writer.term("b", day(1)),
    ]
    await writer.put("product", *later)
    # happened before the day, but nobody knew by then: a late row of a source that was already connected
    late = [writer.use("a", "fay", 3, 500), writer.ticket("b", 30), writer.term("b", date(2026, 1, 1))]
    await writer.put("product", *late, now=moment(1), historical=False)
    gone = UserActivityDay(
        key="gone", version=1, company_key="a", user_key="x", day=day(3), events=9, sessions=1, minutes=1, deleted=True
    )
    await writer.put("product", gone)
    assert await facts(store, day(2)) == before
    assert (await facts(store))["a"]["mau"] == 4
