"""Events summed to days; what one vendor's events look like is tested with that vendor."""

from datetime import date
from typing import Any

import pytest

from connectors.kit.base import BadRowError
from connectors.kit.usage import SECONDS_A_DAY, Fields, Seen, Usage, sessions_of
from connectors.kit.usage_records import pages, usage, usage_key
from hub.model.records import FeatureUsageDay, UserActivityDay


def seen(at: int, **other: Any) -> Seen:
    event = {"name": "login", "company": "c", "user": "u", "id": f"i{at}", "version": at * 1000, **other}
    return (event["name"], event["company"], event["user"], at, event["id"], event["version"], event)


def test_a_session_ends_after_more_than_thirty_minutes_without_an_event() -> None:
    assert sessions_of([0]) == (1, 1.0)
    assert sessions_of([1800, 0]) == (1, 30.0)
    assert sessions_of([0, 1801]) == (2, 2.0)
    assert sessions_of([0, 600, 9000, 9090, 99_999]) == (3, 12.5)


def test_a_closed_day_is_told_once_and_what_comes_later_for_it_is_a_fault() -> None:
    sums = Usage(lookback_days=1)
    sums.add([seen(10), seen(15, version=2 * SECONDS_A_DAY * 1000), seen(SECONDS_A_DAY + 10), seen(3 * SECONDS_A_DAY)])
    closed = [(row["kind"], row["day"], row["events"]) for row in sums.close(date(1970, 1, 2))]
    assert closed == [
        ("user_day", "1970-01-01", 1),
        ("user_day", "1970-01-02", 1),
        ("feature_day", "1970-01-01", 1),
        ("feature_day", "1970-01-02", 1),
    ]
    again, late = seen(10), seen(20, version=2 * SECONDS_A_DAY * 1000)
    sums.add([again, late])
    assert [row["day"] for row in sums.rows()] == ["1970-01-04", "1970-01-04"]
    (fault,) = sums.faults()
    assert (fault.key, sums.outside) == ("late|1970-01-01", 3)
    assert "2 events of 1970-01-01 became known more than 1 days after it" in fault.reason


def test_an_event_counts_for_each_company_it_names_and_once_however_often_it_comes() -> None:
    sums = Usage()
    sums.add([seen(10, company=["c", 7]), seen(10, company=["c", 7], version=99_000)])
    rows = list(sums.rows())
    assert [(row["company"], row["events"], row["version"]) for row in rows[:2]] == [("7", 1, 99_000), ("c", 1, 99_000)]
    assert (sums.events, sums.duplicates) == (1, 1)


def test_what_cannot_be_counted_is_told_by_the_vendors_own_field_names() -> None:
    sums = Usage(fields=Fields(event="event_type", time="event_time", user="user_id", company="groups.company"))
    sums.add(
        [seen(5, user=None), seen(6, company=[]), seen(7, name=""), ("login", "c", "u", None, "i", None, {"a": 1})]
    )
    assert sorted((fault.field, fault.key.split("|")[0]) for fault in sums.faults()) == [
        ("event_time", "an unknown day"),
        ("event_type", "1970-01-01"),
        ("groups.company", "1970-01-01"),
        ("user_id", "1970-01-01"),
    ]
    assert list(sums.rows()) == []


def test_rows_become_records_and_names_too_long_are_refused() -> None:
    sums = Usage()
    sums.add([seen(10, company="a|b", user="50%")])
    user_day, feature_day = (usage(row)[0] for row in sums.rows())
    assert isinstance(user_day, UserActivityDay)
    assert isinstance(feature_day, FeatureUsageDay)
    assert (user_day.key, user_day.company_key) == ("1970-01-01|a%7Cb|50%25", "a|b")
    row = {**next(sums.rows()), "user": "u" * 300}
    with pytest.raises(BadRowError) as caught:
        usage(row, fields=Fields(user="user_id"))
    assert caught.value.field == "user_id"
    assert usage_key(row).startswith("1970-01-01|a|b|uuu")
    with pytest.raises(BadRowError, match="none of: user_day, feature_day"):
        usage({**row, "kind": "week"})


def test_pages_hold_a_thousand_rows_and_the_last_one_the_bookmark() -> None:
    made = list(pages(({"n": n} for n in range(2_000)), bookmark={"through": "x"}))
    assert [(len(page.rows), page.bookmark) for page in made] == [(1000, None), (1000, {"through": "x"})]
    assert [(len(page.rows), page.bookmark) for page in pages([], bookmark={"a": 1})] == [(0, {"a": 1})]
