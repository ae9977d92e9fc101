"""Post-mortems from a store, on both databases: every signal at its edge, every action, everybody at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from hub.model.records import CancellationKind, Invoice, Subscription, UserActivityDay
from hub.postmortem import SIGNS, PostMortems, post_mortems
from hub.store import Store, audit, staying
from hub.store.records import upsert
from hub.store.signals import Signals
from hub.store.tables import (
    RECORD_TABLES,
    alert,
    customer,
    delivery,
    health_override,
    playbook_run,
    scorecard,
)
from scoring.postmortem import SIGNALS

LEFT = date(2026, 9, 1)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def day(before: int) -> date:
    return LEFT - timedelta(days=before)


def at(before: int, hour: int = 10) -> datetime:
    return datetime.combine(day(before), time(hour), UTC)


class Past:
    """Customers who left on LEFT if nothing else is said, and what was noted of them, in days before LEFT."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._count = 0

    async def customers(self, *names: str, kind: CancellationKind | None = None, until: int | None = 0) -> None:
        rows = [
            {
                "id": name,
                "name": name.title(),
                "segment": "smb",
                "csm_email": "ann@x.example",
                "created_at": NOW,
                "updated_at": NOW,
            }
            for name in names
        ]
        terms = [
            Subscription(
                key=name,
                version=1,
                company_key=name,
                plan="Pro",
                mrr=100.0,
                started_on=day(900),
                ended_on=None if until is None else day(until),
                cancelled_at=None if until is None else at(until + 14),
                cancellation_kind=kind,
            )
            for name in names
        ]
        async with self.store.transaction() as connection:
            await connection.execute(insert(customer), rows)
        await self.records(*terms)

    async def records(self, *records: Any) -> None:
        async with self.store.transaction() as connection:
            await upsert(connection, list(records), source="billing", now=NOW, historical=True)
            for table in RECORD_TABLES.values():
                await connection.execute(update(table).values(customer_id=table.c.company_key))

    async def card(
        self, who: str, before: int, health: float | None = 0.8, band: str | None = "healthy", **given: Any
    ) -> None:
        facts = given.pop("facts", {})
        row = {
            "id": f"{who}:{day(before)}",
            "customer_id": who,
            "as_of": day(before),
            "health": health,
            "band": band,
            "computed_health": health,
            "computed_band": band,
            "coverage": 0.9,
            "churn_risk": 0.1,
            "churn_annualised": 0.3,
            "churn_band": "low",
            "facts": facts,
            "readings": [],
            "definition_hash": "h",
            "computed_at": at(before, 5),
            "latest": False,
        }
        async with self.store.transaction() as connection:
            await connection.execute(insert(scorecard), [row | given])

    async def add(self, table: Any, **values: Any) -> str:
        self._count += 1
        id_ = f"{table.name}_{self._count}"
        async with self.store.transaction() as connection:
            await connection.execute(insert(table), [{"id": id_, **values}])
        return id_

    async def alert(self, who: str, before: int, **given: Any) -> str:
        usual = {
            "customer_id": who,
            "kind": "alert",
            "title": "Call them",
            "severity": "normal",
            "state": "open",
            "dedup_key": f"{who}{before}{given}",
            "opened_at": at(before),
            "updated_at": at(before),
        }
        return await self.add(alert, **usual | given)

    async def run(self, who: str, before: int, **given: Any) -> str:
        usual = {
            "playbook": "save",
            "playbook_version": 1,
            "definition": {},
            "customer_id": who,
            "episode": f"e{before}",
            "cause": "scorecard",
            "state": "done",
            "step": 1,
            "fence": 1,
            "facts": {},
            "started_at": at(before),
            "updated_at": at(before),
        }
        return await self.add(playbook_run, **usual | given)

    async def delivery(self, who: str, before: int, *, confirmed: int | None) -> str:
        return await self.add(
            delivery,
            dedup_key=f"{who}{before}",
            customer_id=who,
            channel="slack",
            address="#cs",
            payload={},
            state="confirmed" if confirmed is not None else "failed",
            attempts=1,
            reserved_at=at(before),
            confirmed_at=None if confirmed is None else at(confirmed),
        )

    async def told(self, alert_id: str, before: int, *, outcome: str = "done", action: str = "alertUpdate") -> None:
        async with self.store.transaction() as connection:
            entry = audit.new_entry()
            request = {"state": "in_progress"}
            await audit.insert(
                connection,
                entry_id=entry,
                at=at(before),
                actor="bea@x.example",
                action=action,
                subject=alert_id,
                request=request,
            )
            await audit.finish(connection, entry, at=at(before), outcome=outcome)

    async def override(self, who: str, before: int) -> None:
        await self.add(
            health_override,
            customer_id=who,
            score=0.9,
            reason="they like us",
            by="bea@x.example",
            set_at=at(before),
            expires_on=day(before - 30),
        )

    async def found(self, **asked: Any) -> PostMortems:
        return await post_mortems(self.store, **{"grace_days": 30, "now": NOW, **asked})


@pytest.fixture
def past(store: Store) -> Past:
    return Past(store)


async def test_who_left_is_listed_when_it_is_certain(past: Past) -> None:
    await past.customers("early", until=50)
    await past.customers("late", kind=CancellationKind.INVOLUNTARY)
    await past.customers("stays", until=None)
    await past.records(
        UserActivityDay(
            key="u", version=1, company_key="late", user_key="u", day=day(3), events=1, sessions=1, minutes=1
        ),
        UserActivityDay(
            key="v", version=1, company_key="late", user_key="u", day=day(-2), events=1, sessions=1, minutes=1
        ),
    )
    found = (await past.found()).found
    assert [(one.customer_id, one.churned_on, one.kind) for one in found] == [
        ("late", LEFT, "involuntary"),
        ("early", day(50), "voluntary"),
    ]
    late = found[0]
    assert (late.noticed_on, late.last_used_on) == (day(14), day(3))
    assert (late.customer_name, late.segment, late.csm_email) == ("Late", "smb", "ann@x.example")
    certain = datetime.combine(LEFT + timedelta(days=31), time(), UTC)
    assert [one.customer_id for one in (await past.found(now=certain)).found] == ["late", "early"]
    not_yet = certain - timedelta(days=1)
    assert [one.customer_id for one in (await past.found(now=not_yet)).found] == ["early"]
    assert [one.customer_id for one in (await past.found(since=day(49))).found] == ["late"]
    assert [one.customer_id for one in (await past.found(since=day(50))).found] == ["late", "early"]
    assert [one.customer_id for one in (await past.found(customer_ids=["early", "stays"])).found] == ["early"]
    assert (await past.found(customer_ids=[])).found == ()


async def test_scorecards_of_90_60_and_30_days_before_are_the_newest_not_later(past: Past) -> None:
    await past.customers("acme")
    for before, health in ((100, 0.9), (90, 0.8), (59, 0.6), (30, 0.5), (29, 0.4), (1, 0.3), (0, 0.2)):
        await past.card("acme", before, health, "stable")
    (one,) = (await past.found()).found
    cards = {each.days_before: each.card for each in one.milestones}
    assert {days: card and (card.as_of, card.health) for days, card in cards.items()} == {
        90: (day(90), 0.8),
        60: (day(90), 0.8),  # that of 59 days before is later
        30: (day(30), 0.5),
    }
    assert one.last is not None
    assert (one.last.as_of, one.last.health, one.last.coverage, one.last.churn_band) == (day(1), 0.3, 0.9, "low")


async def test_what_was_in_force_and_what_was_computed_are_both_shown(past: Past) -> None:
    await past.customers("acme")
    await past.card("acme", 10, 0.9, "healthy", computed_health=0.2, computed_band="critical")
    (one,) = (await past.found()).found
    assert one.last is not None
    assert (one.last.band, one.last.computed_band, one.last.computed_health) == ("healthy", "critical", 0.2)
    assert one.green is True
    assert one.signals == ()  # nobody could see the critical


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("band_warning", {"health": 0.4, "band": "warning"}),
        ("band_critical", {"health": 0.2, "band": "critical"}),
        ("churn_medium", {"churn_band": "medium"}),
        ("churn_high", {"churn_band": "high"}),
        ("usage_halved", {"facts": {"usage_trend": -0.5}}),
        ("unused", {"facts": {"days_since_active": 28}}),
        ("nps_detractor", {"facts": {"nps_last": 6.0}}),
        ("champion_lost", {"facts": {"champions_lost_90d": 1}}),
    ],
)
async def test_a_sign_counts_from_the_first_day_it_held_in_the_year_before(
    past: Past, kind: str, given: dict[str, Any]
) -> None:
    await past.customers("acme", "calm")
    await past.card("acme", 366, **given)  # longer ago than a year
    await past.card("acme", 200)
    await past.card("acme", 120, **given)
    await past.card("acme", 60)
    await past.card("acme", 50, **given)
    await past.card("acme", 0, **given)  # on the day itself it is too late
    almost = {"usage_trend": -0.49, "days_since_active": 27, "nps_last": 7, "champions_lost_90d": 0}
    await past.card("calm", 120, 0.5, "stable", facts=almost)
    found = {one.customer_id: one for one in (await past.found()).found}
    assert [(each.kind, each.on, each.lead_days) for each in found["acme"].signals] == [(kind, day(120), 120)]
    assert found["calm"].signals == ()


async def test_a_sign_of_exactly_a_year_before_counts(past: Past) -> None:
    await past.customers("acme")
    await past.card("acme", 365, 0.2, "critical")
    (one,) = (await past.found()).found
    assert one.first_signal is not None
    assert one.first_signal.lead_days == 365


async def test_alerts_and_failed_payments_are_signs_with_moments_of_their_own(past: Past) -> None:
    await past.customers("acme", "task")
    await past.alert("acme", 400)
    await past.alert("acme", 30)
    await past.alert("acme", 20)
    await past.alert("task", 30, kind="task")
    bill = {"version": 1, "company_key": "acme", "amount": 9.0, "issued_on": day(60)}
    await past.records(
        Invoice(key="paid", **bill),
        Invoice(key="second", failed_at=at(40), **bill),
        Invoice(key="f", failed_at=at(45), **bill),
    )
    found = {one.customer_id: one for one in (await past.found()).found}
    assert [(each.kind, each.lead_days) for each in found["acme"].signals] == [
        ("payment_failed", 45),
        ("alert_opened", 30),
    ]
    assert found["task"].signals == ()


def test_every_sign_is_in_words() -> None:
    assert {*SIGNS, "alert_opened", "payment_failed"} == set(SIGNALS)


async def test_everything_that_was_done_after_the_first_sign(past: Past) -> None:
    await past.customers("acme")
    await past.card("acme", 100, 0.4, "warning")
    first = await past.alert("acme", 100, state="closed", closed_at=at(80))
    await past.told(first, 90)
    await past.told(first, 95, outcome="refused: closing needs an outcome")
    await past.told(first, 96, action="alertOpen")
    await past.run("acme", 110)  # before
    await past.run("acme", 100, started_by="bea@x.example")
    await past.run("acme", 0)  # after
    await past.delivery("acme", 99, confirmed=99)
    await past.delivery("acme", 98, confirmed=None)
    await past.override("acme", 70)
    (one,) = (await past.found()).found
    assert [(each.kind, (LEFT - each.on).days, each.by, each.what) for each in one.actions] == [
        ("playbook_run", 100, "bea@x.example", "save"),
        ("delivery_confirmed", 99, None, "slack"),
        ("alert_worked_on", 90, "bea@x.example", "Call them"),
        ("alert_closed", 80, None, "Call them"),
        ("override_set", 70, "bea@x.example", "they like us"),
    ]
    assert (one.acted, one.acted_by_person) == (True, True)


async def test_an_alert_that_nobody_touched_is_no_action(past: Past) -> None:
    await past.customers("acme")
    await past.alert("acme", 30)
    await past.alert("acme", 20, state="closed", closed_at=at(-5))  # tidied up afterwards
    (one,) = (await past.found()).found
    assert (one.acted, one.summary.count("nobody acted on it")) == (False, 1)


async def test_who_left_twice_has_two_with_what_belongs_to_each(past: Past) -> None:
    await past.customers("acme", until=500)
    again = Subscription(
        key="again", version=1, company_key="acme", plan="Pro", mrr=1.0, started_on=day(300), ended_on=day(0)
    )
    await past.records(again)
    await past.card("acme", 510, 0.1, "critical")
    await past.card("acme", 100, 0.4, "warning")
    await past.run("acme", 505)
    second, first = (await past.found()).found
    assert (second.churned_on, first.churned_on) == (day(0), day(500))
    assert [(each.kind, each.lead_days) for each in first.signals] == [("band_critical", 10)]
    assert [(each.kind, each.lead_days) for each in second.signals] == [("band_warning", 100)]
    assert (first.acted, second.acted) == (True, False)


async def test_the_book_by_segment_and_csm(past: Past) -> None:
    await past.customers("a", "b", "c")
    async with past.store.transaction() as connection:
        await connection.execute(
            update(customer).where(customer.c.id == "c").values(segment=None, csm_email="bea@x.example")
        )
    await past.card("a", 5)
    await past.card("b", 40, 0.2, "critical")
    await past.run("b", 30)
    await past.card("c", 10, 0.4, "warning")
    report = await past.found()
    everybody = report.everybody
    assert (everybody.churned, everybody.judged, everybody.green) == (3, 3, 1)
    assert (everybody.with_signal, everybody.median_lead_days, everybody.acted) == (2, 25.0, 1)
    assert [(each.group, each.churned, each.acted) for each in report.by_segment] == [("(none)", 1, 0), ("smb", 2, 1)]
    assert [(each.group, each.share_green) for each in report.by_csm] == [
        ("ann@x.example", 0.5),
        ("bea@x.example", 0.0),
    ]


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    engine = store._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_statements_do_not_grow_with_customers(past: Past) -> None:
    await past.customers("a")
    with counting(past.store) as few:
        await past.found()
    await past.customers(*(f"more{number}" for number in range(30)))
    with counting(past.store) as many:
        assert len((await past.found()).found) == 31
    assert len(few) == len(many) == 17


def told(report: PostMortems) -> dict[str, tuple[int, int, int, int]]:
    """{kind: who left with it, who left, who stayed with it, who stayed} of the signs that anybody had."""
    return {
        each.kind: (each.left_with, each.left, each.stayed_with, each.stayed)
        for each in report.signs
        if each.left_with or each.stayed_with
    }


async def test_signs_of_who_left_beside_those_of_who_stayed(past: Past) -> None:
    await past.customers("a", "b", until=0)
    await past.customers("s", "t", "u", "v", until=None)
    for name in ("a", "b", "s"):
        await past.card(name, 100, 0.4, "warning")
    await past.card("a", 40, 0.2, "critical")
    await past.card("t", 365, 0.2, "critical")  # a year before the day on which others left
    await past.card("u", 366, 0.2, "critical")  # longer ago
    await past.card("u", 0, 0.2, "critical")  # on the day itself
    await past.card("v", -20, 0.2, "critical")  # since
    await past.alert("u", 30)
    report = await past.found()
    assert told(report) == {
        "any": (2, 2, 3, 4),
        "band_warning": (2, 2, 1, 4),
        "band_critical": (1, 2, 1, 4),
        "alert_opened": (0, 2, 1, 4),
    }
    assert [each.kind for each in report.signs] == ["any", *SIGNALS]
    assert (await past.found(customer_ids=["a"])).signs == ()


async def test_who_stayed_has_a_day_of_somebody_who_left_and_was_a_customer_then(past: Past) -> None:
    """Half of the days are before `new` began: it gets one of the others. Who left or gave notice did not stay."""
    await past.customers("early", until=850)
    await past.customers("late", until=0)
    await past.customers("old", until=None)
    await past.customers("notice", until=-90)  # given a week ago, ends in a week
    new = {"version": 1, "plan": "Pro", "mrr": 1.0}
    async with past.store.transaction() as connection:
        made = {"created_at": NOW, "updated_at": NOW}
        await connection.execute(insert(customer), [{"id": id_, "name": id_, **made} for id_ in ("new", "newest")])
    await past.records(
        Subscription(key="new", company_key="new", started_on=day(300), **new),
        Subscription(key="newest", company_key="newest", started_on=day(0), **new),  # nobody has left since
    )
    async with past.store.reading() as connection:
        signals = Signals.of_stayed(connection, until=NOW.date(), grace_days=30)
        keys = await signals.keys()
        since = Signals.of_stayed(connection, until=NOW.date(), grace_days=30, since=day(100))
        assert [on for _, on in await since.keys()] == [LEFT, LEFT]
    assert [who for who, _ in keys] == ["new", "old"]
    assert keys[0][1] == LEFT
    assert keys[1][1] in (LEFT, day(850))


async def test_many_who_stayed_are_a_sample_over_all_the_days(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staying, "MOST_STAYED", 20)
    for number in range(5):
        await past.customers(f"left{number}", until=10 * number)
    await past.customers(*(f"stays{number:02}" for number in range(59)), until=None)
    async with past.store.reading() as connection:
        keys = await Signals.of_stayed(connection, until=NOW.date(), grace_days=30).keys()
    assert [who for who, _ in keys] == [f"stays{number:02}" for number in range(0, 59, 3)]
    days = Counter(on for _, on in keys)
    assert days == {day(10 * number): 4 for number in range(5)}


async def test_what_was_there_after_notice_is_no_sign(past: Past) -> None:
    await past.customers("acme")  # gave notice 14 days before
    await past.card("acme", 14, 0.2, "critical")
    await past.card("acme", 15, 0.4, "warning")
    await past.customers("stays", until=None)
    report = await past.found()
    assert told(report) == {"any": (1, 1, 0, 1), "band_warning": (1, 1, 0, 1)}
    assert report.everybody.with_signal == 1


async def test_a_risk_worked_out_afterwards_was_not_to_be_seen(past: Past) -> None:
    """A model that learned from the leaving knows of it; what the facts were is as true later."""
    await past.customers("acme")
    await past.card("acme", 100, 0.4, "warning", churn_band="high", computed_at=at(-60))
    await past.card("acme", 50, 0.4, "warning", churn_band="high", computed_at=at(0, 0))  # on the day itself
    (one,) = (await past.found()).found
    assert [each.kind for each in one.signals] == ["band_warning"]
    await past.card("acme", 40, 0.4, "warning", churn_band="high", computed_at=at(1, 23))
    (one,) = (await past.found()).found
    assert [(each.kind, each.lead_days) for each in one.signals] == [("band_warning", 100), ("churn_high", 40)]
