"""The levels of all customers after every scoring, against the same series replayed at once; both databases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from hub.lifecycle.watch import Scales, keep, switch_off
from hub.store import Store
from hub.store.lifecycle import Change, find_lifecycles
from hub.store.tables import customer, lifecycle_change, scorecard, watch
from hub.store.watch import FIELDS
from scoring.levels import levels
from tests.lifecycle.watch.test_levels import CHURN, HEALTH, flapping

DAY = date(2026, 3, 1)
SCALES = Scales(health=HEALTH, churn=CHURN)
NO_PAST = timedelta(0)


def at(day: int, hour: int = 5) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC) + timedelta(days=day)


async def add(store: Store, *ids: str) -> None:
    rows = [{"id": id_, "name": id_, "created_at": at(0), "updated_at": at(0)} for id_ in ids]
    async with store.transaction() as connection:
        await connection.execute(insert(customer), rows)


async def score(
    store: Store,
    now: datetime,
    health: Mapping[str, float | None],
    churn: Mapping[str, float | None] | None = None,
    *,
    noticed: Sequence[str] = (),
    made_at: datetime | None = None,
) -> None:
    """Scorecards of the day, the newest ones; who has none is no customer any more."""
    day = now.date()
    rows: list[dict[str, Any]] = [
        {
            "id": f"{id_}:{day}",
            "customer_id": id_,
            "as_of": day,
            "health": value,
            "churn_annualised": (churn or {}).get(id_),
            "churn_band": "noticed" if id_ in noticed else None,
            "coverage": 1.0,
            "facts": {},
            "readings": [],
            "definition_hash": "x",
            "computed_at": made_at or now,
            "latest": True,
        }
        for id_, value in health.items()
    ]
    async with store.transaction() as connection:
        await connection.execute(scorecard.delete().where(scorecard.c.as_of == day))
        await connection.execute(update(scorecard).values(latest=False))
        if rows:
            await connection.execute(insert(scorecard), rows)


async def run(
    store: Store, now: datetime, *, look_back: timedelta = NO_PAST
) -> list[tuple[str, str, str | None, str | None]]:
    changes = await keep(store, SCALES, look_back=look_back, now=now)
    return [(each.customer_id, each.field, each.old, each.new) for each in changes]


async def stands(store: Store) -> dict[str, dict[str, Any]]:
    async with store.reading() as connection:
        return await find_lifecycles(connection, FIELDS)


async def remembered(store: Store) -> list[str]:
    async with store.reading() as connection:
        return list((await connection.execute(select(watch.c.customer_id).order_by(watch.c.customer_id))).scalars())


async def test_levels_are_written_with_the_days_they_have_lasted(store: Store) -> None:
    await add(store, "a", "b")
    await score(store, at(0), {"a": 0.2, "b": 0.8}, {"a": 0.1, "b": 0.5})
    assert await run(store, at(0)) == [
        ("a", "churn_level", None, "clear"),
        ("a", "watch_level", None, "critical"),
        ("b", "churn_level", None, "clear"),
        ("b", "watch_level", None, "clear"),
    ]
    await score(store, at(3), {"a": 0.2, "b": 0.8}, {"a": 0.1, "b": 0.5})
    assert await run(store, at(3)) == [("b", "churn_level", "clear", "medium")]
    assert await stands(store) == {
        "a": {"watch_level": "critical", "watch_days": 3.0, "churn_level": "clear", "churn_days": 3.0},
        "b": {"watch_level": "clear", "watch_days": 3.0, "churn_level": "medium", "churn_days": 0.0},
    }


async def test_twice_is_once(store: Store) -> None:
    await add(store, "a")
    await score(store, at(0), {"a": 0.45})
    await run(store, at(0))
    assert await run(store, at(0, 9)) == []
    assert await run(store, at(3)) == [], "a score has held when another one says the same, not when time has passed"
    await score(store, at(4), {"a": 0.45})
    assert await run(store, at(4)) == [("a", "watch_level", "clear", "warning")]
    assert await run(store, at(4)) == []


async def test_who_left_has_no_level_and_is_forgotten(store: Store) -> None:
    await add(store, "a", "b")
    await score(store, at(0), {"a": 0.2, "b": 0.2})
    await run(store, at(0))
    await score(store, at(1), {"b": 0.2})
    assert await run(store, at(1)) == [("a", "watch_level", "critical", None)]
    assert (await stands(store))["a"] == dict.fromkeys(FIELDS)
    assert await remembered(store) == ["b"]
    await score(store, at(2), {"a": 0.8, "b": 0.2})
    assert await run(store, at(2)) == [("a", "watch_level", None, "clear")], "who comes back begins anew"


async def test_a_missing_score_changes_nothing_for_so_long(store: Store) -> None:
    await add(store, "a")
    await score(store, at(0), {"a": 0.2})
    await run(store, at(0))
    for day in range(1, 15):
        await score(store, at(day), {"a": None})
        assert await run(store, at(day)) == []
    await score(store, at(15), {"a": None})
    assert await run(store, at(15)) == [("a", "watch_level", "critical", None)]
    assert (await stands(store))["a"]["watch_days"] is None


async def test_notice_given_is_no_risk_any_more(store: Store) -> None:
    await add(store, "a")
    await score(store, at(0), {"a": 0.8}, {"a": 0.9})
    await run(store, at(0))
    await score(store, at(2), {"a": 0.8}, {"a": 0.9})
    assert await run(store, at(2)) == [("a", "churn_level", "clear", "high")]
    await score(store, at(3), {"a": 0.8}, {"a": None}, noticed=["a"])
    assert await run(store, at(3)) == [("a", "churn_level", "high", None)]


async def test_the_past_counts_for_who_is_watched_for_the_first_time(store: Store) -> None:
    await add(store, "long", "short", "mended")
    late = at(10)
    for day in range(10):
        health = {"long": 0.45, "short": 0.8, "mended": 0.2 if day < 5 else 0.9}
        await score(store, at(day), health, made_at=late)
    await score(store, late, {"long": 0.45, "short": 0.45, "mended": 0.9})
    assert await run(store, late, look_back=timedelta(days=30)) == [
        ("long", "watch_level", None, "warning"),
        ("mended", "watch_level", None, "clear"),
        ("short", "watch_level", None, "clear"),
    ]
    assert (await stands(store))["long"]["watch_days"] == 9.0
    assert await run(store, late, look_back=timedelta(days=30)) == []


async def test_the_past_is_looked_at_only_so_far(store: Store) -> None:
    await add(store, "a")
    for day in (0, 9):
        await score(store, at(day), {"a": 0.45 if day else 0.2})
    assert await run(store, at(9), look_back=timedelta(days=5)) == [("a", "watch_level", None, "clear")]


async def test_switched_off(store: Store) -> None:
    await add(store, "a")
    await score(store, at(0), {"a": 0.2})
    await run(store, at(0))
    await switch_off(store, now=at(1))
    assert (await stands(store))["a"] == dict.fromkeys(FIELDS)
    assert await remembered(store) == []
    assert await run(store, at(1)) == [("a", "watch_level", None, "critical")], "and on again"


async def test_another_definition_of_levels_takes_over_where_the_old_one_stood(store: Store) -> None:
    await add(store, "a")
    await score(store, at(0), {"a": 0.28})
    await run(store, at(0))
    stricter = Scales(health=replace(HEALTH, limits=(0.4, 0.1)), churn=CHURN)
    for day in (1, 2):
        await score(store, at(day), {"a": 0.28})
        changes = await keep(store, stricter, look_back=NO_PAST, now=at(day))
    assert changes == [Change("a", "watch_level", "critical", "warning")]


@pytest.mark.parametrize("seed", [0, 1])
async def test_scoring_by_scoring_is_as_the_replay_of_the_whole_series(store: Store, seed: int) -> None:
    """Flapping and gappy series of many customers: the changes kept are those that `levels` finds."""
    count, scorings = 25, 40
    chance = np.random.default_rng(seed)
    ids = [f"c{i:02}" for i in range(count)]
    health = {id_: [value for _, value in flapping(seed * 1000 + i, steps=scorings)] for i, id_ in enumerate(ids)}
    churn = {id_: [value for _, value in flapping(seed * 1000 + 500 + i, steps=scorings)] for i, id_ in enumerate(ids)}
    await add(store, *ids)
    now, moments = at(0), []
    for place in range(scorings):
        moments.append(now)
        await score(store, now, {id_: health[id_][place] for id_ in ids}, {id_: churn[id_][place] for id_ in ids})
        await run(store, now)
        if chance.random() < 0.3:
            await run(store, now + timedelta(minutes=1))
        now += timedelta(hours=int(chance.choice([3, 7, 24, 24, 24, 60])))
    async with store.reading() as connection:
        found = (await connection.execute(select(lifecycle_change).order_by(lifecycle_change.c.id))).all()
    for id_ in ids:
        for field, scale, series in (("watch_level", HEALTH, health[id_]), ("churn_level", CHURN, churn[id_])):
            kept = [(row.old, row.new, row.changed_at) for row in found if (row.customer_id, row.field) == (id_, field)]
            wanted = levels(zip(moments, series, strict=True), scale)
            assert [(old, new) for old, new, _ in kept] == [(each.old, each.new) for each in wanted]
            assert all(
                abs(when - each.at) <= timedelta(minutes=1) for (_, _, when), each in zip(kept, wanted, strict=True)
            )
    assert len(found) > 3 * count
