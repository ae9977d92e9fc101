"""Each kind of record goes when its time is over, no earlier, and what figures rest on stays."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from hub.access.privacy import retaining
from hub.access.privacy.retaining import find_last, plan_retention, retain
from hub.settings.retention import Retention
from hub.store import Store, audit, tables
from hub.store.privacy.kinds import BY_NAME, KINDS
from tests.schema.company import NOW, TODAY, customer_row, insert, record, scorecard_row

AGES = Retention().ages()


def only(**days: int) -> Mapping[Any, timedelta | None]:
    return {kind: timedelta(days=days[kind.name]) if kind.name in days else None for kind in KINDS}


async def rows(store: Store, table: Any) -> list[Any]:
    async with store.reading() as connection:
        return list((await connection.execute(select(table).order_by(*table.primary_key))).all())


async def test_details_of_old_days_go_but_for_the_last_of_each_month_and_scores_stay(store: Store) -> None:
    await insert(store, tables.customer, [customer_row(1)])
    first = date(2026, 1, 1)
    days = [first + timedelta(days=days) for days in range((TODAY - first).days + 1)]
    cards = [scorecard_row("c001", day, health=index / 1000, latest=day == TODAY) for index, day in enumerate(days)]
    await insert(store, tables.scorecard, cards)
    plan = {due.kind.name: due.rows for due in await plan_retention(store, AGES, now=NOW)}
    before = TODAY - timedelta(days=180)
    old = [day for day in days if day < before]
    kept = {max(day for day in old if day.month == month) for month in {day.month for day in old}}
    assert plan["score_readings"] == len(old) - len(kept)
    assert await retain(store, AGES, now=NOW) == dict.fromkeys(
        [kind.name for kind, age in AGES.items() if age is not None], 0
    ) | {"score_readings": len(old) - len(kept)}
    found = await rows(store, tables.scorecard)
    assert [(row.as_of, row.health) for row in found] == [(card["as_of"], card["health"]) for card in cards]
    assert {row.as_of for row in found if not row.readings} == set(old) - kept
    assert all(row.facts for row in found)
    # the next run has nothing more to do, and a month later the days in between go
    assert (await retain(store, AGES, now=NOW))["score_readings"] == 0
    later = await retain(store, AGES, now=NOW + timedelta(days=31))
    assert 25 <= later["score_readings"] <= 31


async def test_words_go_and_what_counts_stays(store: Store) -> None:
    await insert(store, tables.customer, [customer_row(1)])
    old, young = NOW - timedelta(days=1_200), NOW - timedelta(days=1_000)
    tickets = [
        {**record("desk", str(number), "c001", subject="S", status=status, created_at=at), "severity": "high"}
        for number, (status, at) in enumerate([("solved", old), ("open", old), ("closed", young)])
    ]
    await insert(store, tables.ticket, tickets)
    answer = {"type": "nps", "scale": "0-10", "score": 9.0, "respondent_email": "a@b.example"}
    await insert(
        store,
        tables.survey_response,
        [{**record("s", "1", "c001", comment="C", responded_at=old), **answer},
         {**record("s", "2", "c001", comment="D", responded_at=young), **answer}],
    )  # fmt: skip
    message = {
        "channel": "email",
        "address": "a@b.example",
        "attempts": 1,
        "customer_id": "c001",
        "payload": {"text": "T"},
    }
    await insert(
        store,
        tables.delivery,
        [{**message, "id": f"d{state}", "dedup_key": state, "state": state, "subject": "S", "reserved_at": old}
         for state in ("confirmed", "held")],
    )  # fmt: skip
    done = await retain(store, AGES, now=NOW)
    assert {name: count for name, count in done.items() if count} == {
        "ticket_texts": 1, "survey_comments": 1, "message_bodies": 1
    }  # fmt: skip
    assert [row.subject for row in await rows(store, tables.ticket)] == [None, "S", "S"]
    assert [(row.comment, row.score) for row in await rows(store, tables.survey_response)] == [(None, 9.0), ("D", 9.0)]
    assert [(row.state, row.subject, row.payload) for row in await rows(store, tables.delivery)] == [
        ("confirmed", None, {}),
        ("held", "S", {"text": "T"}),
    ]
    last = await find_last(store)
    assert last is not None
    assert (last.finished_at, last.counts["ticket_texts"]["rows"]) == (NOW, 1)


async def test_rows_that_nothing_rests_on_are_deleted(store: Store) -> None:
    old = NOW - timedelta(days=100)
    seen = {"seen": 1, "first_seen_at": old, "source": "crm", "stream": "s", "field": None, "reason": "r", "raw": {}}
    await insert(
        store,
        tables.quarantine,
        [{**seen, "id": f"q{n}", "key": str(n), "last_seen_at": at} for n, at in enumerate((old, NOW))],
    )
    await insert(store, tables.source, [{"name": "crm", "connector": "x", "last_run_id": "r0"}])
    await insert(
        store,
        tables.sync_run,
        [{"id": f"r{n}", "source": "crm", "state": "succeeded", "streams": {}, "started_at": NOW - timedelta(days=2_000)}
         for n in range(2)],
    )  # fmt: skip
    await insert(
        store,
        tables.slack_request,
        [{"id": "1", "kind": "action", "payload": {}, "received_at": old, "done_at": old},
         {"id": "2", "kind": "action", "payload": {}, "received_at": old, "done_at": None}],
    )  # fmt: skip
    done = await retain(store, AGES, now=NOW)
    assert {name: count for name, count in done.items() if count} == {"quarantine": 1, "syncs": 1, "slack_requests": 1}
    assert [row.id for row in await rows(store, tables.quarantine)] == ["q1"]
    assert [row.id for row in await rows(store, tables.sync_run)] == ["r0"], "the newest of a source stays"
    assert [row.id for row in await rows(store, tables.slack_request)] == ["2"], "what is not done stays"


async def test_details_of_the_audit_log_go_and_its_chain_stays(store: Store) -> None:
    async with store.transaction() as connection:
        for at in (NOW - timedelta(days=2_500), NOW):
            await audit.insert(
                connection, entry_id=audit.new_entry(), at=at, actor="a", action="x", subject="s", request={"n": 1}
            )
    assert (await retain(store, only(audit_details=2_200), now=NOW))["audit_details"] == 1
    async with store.reading() as connection:
        assert [(link.redacted, link.broken) async for link in audit.verify(connection)] == [
            (True, None), (False, None), (False, None)
        ]  # fmt: skip


async def test_a_run_that_is_killed_is_finished_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await insert(store, tables.customer, [customer_row(1)])
    day = TODAY - timedelta(days=1_200)
    used = {"events": 1, "sessions": 1, "minutes": 1.0, "day": day}
    await insert(
        store, tables.user_activity_day, [record("u", str(n), "c001", user_key=str(n), **used) for n in range(25)]
    )
    monkeypatch.setattr(retaining, "BATCH", 10)
    whole, batches = retaining.sweep_batch, 0

    async def dying(*args: Any, **named: Any) -> int:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise KeyboardInterrupt
        return await whole(*args, **named)

    monkeypatch.setattr(retaining, "sweep_batch", dying)
    with pytest.raises(KeyboardInterrupt):
        await retain(store, AGES, now=NOW)
    async with store.reading() as connection:
        left = (await connection.execute(select(func.count()).select_from(tables.user_activity_day))).scalar_one()
    assert left == 15
    assert (await retain(store, AGES, now=NOW + timedelta(hours=1)))["usage"] == 15


def test_every_kind_says_what_it_means_and_why_no_less() -> None:
    for kind in KINDS:
        assert kind.about
        assert kind.why_least
        assert kind.days is None or kind.days >= kind.least_days
    assert BY_NAME["audit_details"].days is None


async def test_scores_of_another_platform_stay_until_somebody_says_for_how_long(store: Store) -> None:
    assert {kind.name: age for kind, age in AGES.items()}.get("imported_scores") is None
    await insert(store, tables.customer, [customer_row(1)])
    ages = (NOW - timedelta(days=days) for days in (401, 399))
    scores = [
        record("old", str(number), "c001", name="Health", scale="0-100", value=0.5, scored_at=at)
        for number, at in enumerate(ages)
    ]
    await insert(store, tables.imported_score, scores)
    assert await retain(store, only(imported_scores=400), now=NOW) == {"imported_scores": 1}
    assert [row.key for row in await rows(store, tables.imported_score)] == ["1"]
