"""A steady customer looks the same on each day of the week and at any hour, from the records in the store to the columns of
a model."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from hub.model.records import Company, FeatureUsageDay, Record, Subscription, UserActivityDay
from hub.store import Store
from hub.store.facts import find_facts, find_product_use
from scoring.encoding import Encoding
from scoring.facts import FactTable, Floats
from tests.test_training import put

MONDAY = date(2026, 3, 2)
BEGAN = MONDAY - timedelta(days=300)
TIME_ITSELF = {"tenure_days", "days_to_renewal"}


def steady(until: date) -> Iterator[Record]:
    """Three users, on every day from Monday to Friday."""
    yield Company(key="acme", version=1, company_key="acme")
    yield Subscription(
        key="acme", version=1, company_key="acme", plan="Pro", mrr=90.0, seats_purchased=5,
        started_on=BEGAN, renews_on=BEGAN + timedelta(days=365),
    )  # fmt: skip
    for ago in range(200):
        day = until - timedelta(days=ago)
        if day.weekday() > 4:
            continue
        for user in "abc":
            yield UserActivityDay(
                key=f"{user}{day}",
                version=1,
                company_key="acme",
                user_key=user,
                day=day,
                events=7,
                sessions=2,
                minutes=9,
            )
        yield FeatureUsageDay(
            key=f"f{day}", version=1, company_key="acme", feature="export", day=day, events=21, users=3
        )


async def columns(store: Store, days: Sequence[date]) -> dict[str, Floats]:
    """{feature: its value on each of the days}."""
    encoding = Encoding({"plan": ("Pro",)}, ("export",))
    rows = []
    for day in days:
        async with store.reading() as connection:
            facts = await find_facts(connection, as_of=day)
            facts |= await find_product_use(connection, as_of=day, customers=facts["customer_id"], features=["export"])
        [row] = encoding.matrix(FactTable.of(day, facts))
        rows.append(row.astype(np.float64))
    return dict(zip(encoding.names, np.column_stack(rows), strict=True))


async def test_a_steady_customer_has_the_same_features_on_each_weekday(store: Store) -> None:
    await put(store, list(steady(MONDAY + timedelta(days=7))))
    by_name = await columns(store, [MONDAY + timedelta(days=number) for number in range(7)])
    assert list(by_name["tenure_days"]) == [300 + number for number in range(7)]
    for name in by_name.keys() - TIME_ITSELF:
        assert np.array_equal(by_name[name], by_name[name][:1].repeat(7), equal_nan=True), name
    assert by_name["working_days_unused"][0] == 0
    assert by_name["events_28d"][0] == 20 * 3 * 7
    assert by_name["days_a_week"][0] == 5


async def test_a_morning_before_anybody_came_is_nearly_the_day_before(store: Store) -> None:
    """Scored early on a Tuesday: of the last 20 working days 19 have been seen, and nothing jumps for that."""
    await put(store, list(steady(MONDAY)))
    by_name = await columns(store, [MONDAY, MONDAY + timedelta(days=1)])
    for name in (
        "working_days_unused",
        "days_a_week",
        "mau",
        "wau",
        "features_used_28d",
        "wau_share",
        "minutes_per_session",
    ):
        assert by_name[name][0] == by_name[name][1], name
    for name in (
        "events_28d",
        "mean_dau_28d",
        "stickiness",
        "sessions_28d",
        "logins_per_user_week",
        "events_28d:export",
    ):
        assert by_name[name][1] / by_name[name][0] == pytest.approx(19 / 20), name
    assert by_name["usage_trend"][1] == pytest.approx(-1 / 20)
