"""Facts counted from memory are those counted by the database, for every day of a range."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import insert

from hub.store import Store
from hub.store.facts import UseInMemory, find_facts, find_product_features, find_product_use
from hub.store.tables import customer, external_id, feature_usage_day, user_activity_day

FIRST = date(2026, 1, 1)
DAYS = 130
CREATED = datetime(2025, 1, 1, tzinfo=UTC)


async def make_use(store: Store) -> None:
    """Five customers, eight user keys shared among them, two sources; some rows late, deleted, empty or of nobody."""
    random = np.random.default_rng(11)
    ids = [f"c{i}" for i in range(5)]
    users, features = [], []
    for n in range(1_500):
        day = FIRST + timedelta(days=int(random.integers(0, DAYS)))
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        late = timedelta(days=int(random.integers(1, 40))) if random.random() < 0.1 else timedelta()
        shared = {
            "source": "product" if n % 3 else "other",
            "key": str(n),
            "company_key": "x",
            "customer_id": None if random.random() < 0.05 else ids[int(random.integers(0, 4))],
            "version": 1,
            "digest": 0,
            "deleted": bool(random.random() < 0.05),
            "learned_at": at + late,
            "synced_at": at + late,
            "day": day,
            "events": int(random.integers(0, 30)),
        }
        name = int(random.integers(0, 8))
        users.append({**shared, "id": f"u{n}", "user_key": f"user {name}", "sessions": 2, "minutes": 1.5})
        features.append({**shared, "id": f"f{n}", "feature": f"feature {name}", "users": 1})
    async with store.transaction() as connection:
        values = {"created_at": CREATED, "updated_at": CREATED}
        await connection.execute(insert(customer), [{"id": id_, "name": id_, **values} for id_ in ids])
        companies = [
            {
                "id": f"product:{id_}",
                "source": "product",
                "key": id_,
                "company_key": id_,
                "customer_id": id_,
                "domains": [],
            }
            for id_ in ids
        ]
        seen = {"version": 1, "digest": 0, "learned_at": CREATED, "synced_at": CREATED}
        await connection.execute(insert(external_id), [{**company, **seen} for company in companies])
        await connection.execute(insert(user_activity_day), users)
        await connection.execute(insert(feature_usage_day), features)


async def test_memory_counts_as_the_database_does(store: Store) -> None:
    await make_use(store)
    first, last = FIRST + timedelta(days=60), FIRST + timedelta(days=DAYS + 40)
    async with store.reading() as connection:
        memory = await UseInMemory.read(connection, first=first, last=last)
        assert memory is not None
        assert await UseInMemory.read(connection, first=first, last=last, most=1_000) is None
        compared: Counter[str] = Counter()
        for ago in range(0, (last - first).days + 1, 7):
            day = first + timedelta(days=ago)
            asked = await find_facts(connection, as_of=day)
            counted = await find_facts(connection, as_of=day, memory=memory)
            for name, column in asked.items():
                assert counted[name] == (column if name in ("customer_id", "segment") else pytest.approx(column)), name
                compared[name] += sum(bool(value) for value in column)
        some = await find_facts(connection, as_of=first, memory=memory, customer_ids=["c1", "c4"])
        assert some == await find_facts(connection, as_of=first, customer_ids=["c1", "c4"])
    names = (
        "mau",
        "mau_previous",
        "active_days_28d",
        "stickiness",
        "feature_adoption",
        "usage_trend",
        "dau",
        "events_84d",
    )
    assert all(compared[name] > 5 for name in names), "there was something to compare"


async def test_a_memory_of_other_days_is_a_mistake(sqlite_store: Store) -> None:
    async with sqlite_store.reading() as connection:
        memory = await UseInMemory.read(connection, first=FIRST, last=FIRST)
        assert (await find_facts(connection, as_of=FIRST, memory=memory))["mau"] == []
        with pytest.raises(AssertionError, match="other days"):
            await find_facts(connection, as_of=FIRST + timedelta(days=1), memory=memory)


async def test_the_use_of_single_features(store: Store) -> None:
    learned = {"learned_at": CREATED, "synced_at": CREATED, "version": 1, "digest": 0}
    async with store.transaction() as connection:
        ids = ("a", "b", "unknown")
        await connection.execute(
            insert(customer), [{"id": i, "name": i, "created_at": CREATED, "updated_at": CREATED} for i in ids]
        )
        companies = [{"id": i, "source": "p", "key": i, "customer_id": i, "domains": [], **learned} for i in ids[:2]]
        await connection.execute(insert(external_id), companies)
        used = [
            ("a", "export", 0, 3),
            ("a", "export", 27, 4),
            ("a", "export", 28, 9),
            ("b", "import", 1, 5),
            ("b", "export", 1, 1),
        ]
        rows = [
            {"id": str(n), "source": "p", "key": str(n), "customer_id": id_, "feature": feature, "users": 1, **learned}
            | {"day": FIRST - timedelta(days=ago), "events": events}
            for n, (id_, feature, ago, events) in enumerate(used)
        ]
        await connection.execute(insert(feature_usage_day), rows)
    async with store.reading() as connection:
        table = await find_product_use(
            connection, as_of=FIRST, customers=["b", "a", "unknown"], features=["export", "share"]
        )
        assert table == {"events_28d:export": [1, 7, None], "events_28d:share": [0, 0, None]}
        assert await find_product_use(connection, as_of=FIRST, customers=["a"], features=[]) == {}
        assert await find_product_features(connection, as_of=FIRST) == ["export", "import"]
        assert await find_product_features(connection, as_of=FIRST, most=1) == ["export"]
