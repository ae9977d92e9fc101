"""A steady customer looks the same on each day of the week, from the records in the store to the columns of a model."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from hub.model.records import Company, FeatureUsageDay, Record, Subscription, UserActivityDay
from hub.store import Store
from hub.store.facts import find_facts, find_product_use
from scoring.encoding import Encoding
from scoring.facts import FactTable
from tests.test_training import put

MONDAY = date(2026, 3, 2)
BEGAN = MONDAY - timedelta(days=300)
TIME_ITSELF = {"tenure_days", "days_to_renewal"}


def steady() -> Iterator[Record]:
    """Three users, on every day from Monday to Friday."""
    yield Company(key="acme", version=1, company_key="acme")
    yield Subscription(
        key="acme", version=1, company_key="acme", plan="Pro", mrr=90.0, seats_purchased=5,
        started_on=BEGAN, renews_on=BEGAN + timedelta(days=365),
    )  # fmt: skip
    for ago in range(-7, 200):
        day = MONDAY - timedelta(days=ago)
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


async def test_a_steady_customer_has_the_same_features_on_each_weekday(store: Store) -> None:
    await put(store, list(steady()))
    encoding = Encoding({"plan": ("Pro",)}, ("export",))
    rows = []
    for number in range(7):
        day = MONDAY + timedelta(days=number)
        async with store.reading() as connection:
            facts = await find_facts(connection, as_of=day)
            facts |= await find_product_use(connection, as_of=day, customers=facts["customer_id"], features=["export"])
        [row] = encoding.matrix(FactTable.of(day, facts))
        rows.append(row)
    by_name = dict(zip(encoding.names, np.column_stack(rows), strict=True))
    assert list(by_name["tenure_days"]) == [300 + number for number in range(7)]
    for name in by_name.keys() - TIME_ITSELF:
        assert np.array_equal(by_name[name], by_name[name][:1].repeat(7), equal_nan=True), name
    assert by_name["working_days_unused"][0] == 0
    assert by_name["events_28d"][0] == 20 * 3 * 7
