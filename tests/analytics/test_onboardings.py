"""Completion and time to value of onboardings, against numbers computed by hand; on both databases."""

from datetime import UTC, datetime
from typing import Any

from hub.analytics import Month, Request, Value, measure
from hub.store import Store
from hub.store.onboarding import Onboarding, begin
from hub.store.tables import customer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


async def tell(store: Store, *rows: dict[str, Any]) -> None:
    """One customer for each row, in segments by turns."""
    ids = [f"c{number}" for number in range(len(rows))]
    async with store.transaction() as connection:
        profiles = [
            {"id": id_, "name": id_, "segment": ("smb", "enterprise")[place % 2], "created_at": NOW, "updated_at": NOW}
            for place, id_ in enumerate(ids)
        ]
        await connection.execute(customer.insert(), profiles)
        made = [
            Onboarding(id=f"onb_{id_}", customer_id=id_, attempt=1, programme="default", cause="hand", **row)
            for id_, row in zip(ids, rows, strict=True)
        ]
        assert len(await begin(connection, made)) == len(rows)


async def ask(store: Store, name: str, *, first: int = 10, by: str | None = None) -> list[Value]:
    request = Request(first=Month(2026, first), last=Month(2026, 11), metrics=(name,), by=by)
    return list((await measure(store, request, now=NOW)).values)


async def test_time_to_value_is_censored_for_who_is_not_there(store: Store) -> None:
    await tell(
        store,
        {"state": "completed", "started_at": at(11, 1), "value_at": at(11, 5), "ended_at": at(11, 9)},  # 4 days
        {"state": "failed", "started_at": at(10, 1), "ended_at": at(10, 7)},  # censored after 6
        {"state": "active", "started_at": at(11, 2), "value_at": at(11, 12)},  # 10
        {"state": "active", "started_at": at(11, 10)},  # censored after 12.5
        {"state": "cancelled", "started_at": at(10, 2), "ended_at": at(10, 22)},  # censored after 20
        {"state": "completed", "started_at": at(10, 5), "value_at": at(11, 4), "ended_at": at(11, 4)},  # 30
        {"state": "failed", "started_at": at(9, 30), "value_at": at(10, 1), "ended_at": at(10, 20)},  # began before
    )
    (value,) = await ask(store, "onboarding_time_to_value")
    # at risk 6: 5/6 after day 4; at risk 4 (one censored on day 6): 5/6 x 3/4 = 0.625 after day 10;
    # two are censored on 12.5 and 20, so at risk 1: 0 after day 30. Half is passed there. Without censoring it would be 10.
    assert (value.value, value.n, value.reason) == (30.0, 6, None)
    assert value.components == {"reached": 3.0, "censored": 3.0}
    assert {row.customer_id: (row.numerator, row.denominator, row.note) for row in value.rows()} == {
        "c0": (4.0, 1.0, "on 2026-11-05"),
        "c1": (6.0, 0.0, "not by 2026-10-07, failed"),
        "c2": (10.0, 1.0, "on 2026-11-12"),
        "c3": (12.5, 0.0, "not by 2026-11-22, active"),
        "c4": (20.0, 0.0, "not by 2026-10-22, cancelled"),
        "c5": (30.0, 1.0, "on 2026-11-04"),
    }
    (earlier, *_) = await ask(store, "onboarding_time_to_value", first=9)
    # at risk 7: 6/7, then 6/7 x 5/6 = 5/7, then x 3/4 = 0.536, and half only after day 30, too
    assert (earlier.value, earlier.n) == (30.0, 7)
    groups = {
        value.group: (value.value, value.n) for value in await ask(store, "onboarding_time_to_value", by="segment")
    }
    # smb: 4, 10, 20+ -> 2/3, 1/3: 10. enterprise: 6+, 12.5+, 30 -> 0 after day 30
    assert groups == {None: (30.0, 6), "enterprise": (30.0, 3), "smb": (10.0, 3)}


async def test_a_median_that_is_not_reached_says_so(store: Store) -> None:
    await tell(
        store,
        {"state": "completed", "started_at": at(11, 1), "value_at": at(11, 2), "ended_at": at(11, 3)},
        {"state": "active", "started_at": at(11, 1)},
        {"state": "failed", "started_at": at(11, 1), "ended_at": at(11, 20)},
    )
    (value,) = await ask(store, "onboarding_time_to_value")
    assert (value.value, value.reason) == (
        None, "the median is not reached: 1 of 3 have got there, the others are censored",
    )  # fmt: skip


async def test_completion_is_of_those_that_ended_by_themselves(store: Store) -> None:
    await tell(
        store,
        {"state": "completed", "started_at": at(8, 1), "ended_at": at(10, 1)},
        {"state": "completed", "started_at": at(10, 1), "ended_at": at(11, 22)},
        {"state": "completed", "started_at": at(8, 1), "ended_at": at(9, 30)},  # before
        {"state": "failed", "started_at": at(9, 1), "ended_at": at(11, 1), "ended_why": "not completed within 60 days"},
        {"state": "cancelled", "started_at": at(9, 1), "ended_at": at(11, 1), "ended_why": "the customer left"},
        {
            "state": "cancelled",
            "started_at": at(9, 1),
            "ended_at": at(11, 1),
            "ended_by": "ann",
            "ended_why": "a mistake",
        },
        {"state": "active", "started_at": at(11, 1)},
    )
    (value,) = await ask(store, "onboarding_completion")
    assert (value.value, value.n) == (0.5, 4)
    assert value.components == {"completed": 2.0, "failed": 1.0, "left": 1.0, "called_off": 1.0}
    assert {row.customer_id: row.note for row in value.rows()} == {
        "c0": "completed on 2026-10-01",
        "c1": "completed on 2026-11-22",
        "c3": "failed on 2026-11-01: not completed within 60 days",
        "c4": "cancelled on 2026-11-01: the customer left",
    }


async def test_nothing_is_none_with_a_reason(store: Store) -> None:
    await tell(store, {"state": "active", "started_at": at(8, 1)})
    (completion,) = await ask(store, "onboarding_completion")
    (time,) = await ask(store, "onboarding_time_to_value")
    assert (completion.value, completion.reason) == (None, "no onboarding ended in 2026-10-01 to 2026-11-22")
    assert (time.value, time.reason) == (None, "no onboarding began in 2026-10-01 to 2026-11-22")
