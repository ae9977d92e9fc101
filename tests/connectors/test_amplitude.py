"""What is special about Amplitude: exports by arrival, no data, exports too large, late phones, groups."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from connectors.amplitude.events import Reader
from connectors.amplitude.sandbox import OFFLINE, line, truth, uploaded
from connectors.kit.errors import BrokenBodyError, ContractError, DeniedError
from connectors.kit.simulated import ProductEvent, World
from connectors.kit.usage import Usage
from hub.model.records import Company, UserActivityDay


@pytest.fixture
def busy_world(small_world: World) -> World:
    """Ten days of an event every half hour; some arrive 20 hours late, some are exported twice."""
    events = [
        ProductEvent(
            insert_id=f"busy-{n}",
            at=small_world.until - timedelta(minutes=30 * (480 - n)),
            account=1 + n % 2,
            person=1 + n % 2,
            name=("report_viewed", "login")[n % 2],
        )
        for n in range(480)
    ]
    return replace(small_world, events=events)


def hours(asked: list[Any]) -> list[tuple[str, str]]:
    return [(query["start"][0], query["end"][0]) for _, query, _ in asked]


async def test_every_day_is_summed_whole_late_phones_and_doubles_included(
    probe: Callable[..., Any], busy_world: World
) -> None:
    late = [event for event in busy_world.events if uploaded(event) - event.at > timedelta(hours=1)]
    assert any(uploaded(event).date() > event.at.date() for event in late)
    amplitude = probe("amplitude", world=busy_world)
    pulled = await amplitude.pull("usage")
    assert pulled.keys == truth(busy_world)["usage"]
    ready = datetime(2026, 11, 22, 9, tzinfo=UTC)
    arrived = [event for event in busy_world.events if uploaded(event) < ready]
    days = [record for record in pulled.records if isinstance(record, UserActivityDay)]
    assert sum(day.events for day in days) == len(arrived)
    assert len({day.key for day in days}) == len(days)
    assert pulled.faults == []
    assert pulled.bookmark == {"through": "2026-11-18"}


async def test_the_last_three_hours_are_not_asked_for(probe: Callable[..., Any]) -> None:
    amplitude = probe("amplitude")
    started_at = datetime(2026, 11, 22, 12, 59, tzinfo=UTC)
    await amplitude.pull("usage", bookmark={"through": "2026-11-18"}, started_at=started_at)
    assert hours(amplitude.asked) == [("20261119T00", "20261122T08")]


async def test_a_later_pull_reads_the_open_days_again_and_changes_nothing(
    probe: Callable[..., Any], busy_world: World
) -> None:
    amplitude = probe("amplitude", world=busy_world)
    first = await amplitude.pull("usage")
    again = await amplitude.pull("usage", bookmark=first.bookmark)
    known = {(type(record), record.key): record for record in first.records}
    assert again.records
    for record in again.records:
        if not isinstance(record, Company):
            assert known[type(record), record.key] == record
    assert {type(record) for record in again.records} == {type(record) for record in first.records}


async def test_a_window_too_large_is_halved_down_to_an_hour_which_is_told(
    probe: Callable[..., Any], busy_world: World
) -> None:
    amplitude = probe("amplitude", world=busy_world, most_events=20)
    pulled = await amplitude.pull("usage", history_days=5, window_hours=48)
    begin = datetime(2026, 11, 17, tzinfo=UTC)
    assert {key for key in truth(busy_world)["usage"] if key > begin.date().isoformat() and "|" in key} == {
        key for key in pulled.keys if "|" in key
    }
    assert ("20261117T00", "20261118T23") in hours(amplitude.asked)
    assert ("20261117T00", "20261117T05") in hours(amplitude.asked)
    amplitude = probe("amplitude", world=busy_world, most_events=0)
    with pytest.raises(ContractError, match="even one hour from 2026"):
        await amplitude.pull("usage", history_days=2)


async def test_an_event_later_than_the_lookback_is_told_and_its_day_stays_as_it_was(
    probe: Callable[..., Any], busy_world: World
) -> None:
    amplitude = probe("amplitude", world=busy_world)
    first = await amplitude.pull("usage", lookback_days=0)
    assert first.bookmark == {"through": "2026-11-21"}
    ready = datetime(2026, 11, 22, 9, tzinfo=UTC)
    late = [
        event for event in busy_world.events if uploaded(event).date() > event.at.date() and uploaded(event) < ready
    ]
    assert {fault.key for fault in first.faults} == {f"late|{event.at.date()}" for event in late}
    days = {record.key: record for record in first.records if isinstance(record, UserActivityDay)}
    again = await amplitude.pull("usage", lookback_days=0, window_hours=1, history_days=10)
    for record in again.records:
        if isinstance(record, UserActivityDay):
            assert record == days[record.key], "however it is pulled"


async def test_nothing_at_all_is_no_error_and_a_wrong_key_is_one_after_one_call(
    probe: Callable[..., Any], small_world: World
) -> None:
    amplitude = probe("amplitude", world=replace(small_world, events=[]))
    pulled = await amplitude.pull("usage", history_days=10)
    assert (pulled.records, pulled.faults, pulled.bookmark) == ([], [], {"through": "2026-11-18"})
    with pytest.raises(DeniedError, match="does not accept api_key and secret_key") as caught:
        await amplitude.pull("usage", secret_key="another-secret-key")
    assert len(amplitude.asked) == 1
    assert "another-secret-key" not in str(caught.value)


async def test_an_export_of_other_hours_is_refused(probe: Callable[..., Any], busy_world: World) -> None:
    amplitude = probe("amplitude", world=busy_world)
    amplitude.faults.repeated_pages = 1
    with pytest.raises(BrokenBodyError, match="outside of the hours asked for"):
        await amplitude.pull("usage", history_days=8, window_hours=24)


async def test_damage_is_noticed_and_asked_for_again(probe: Callable[..., Any], busy_world: World) -> None:
    amplitude = probe("amplitude", world=busy_world)
    amplitude.faults.cut_json, amplitude.faults.truncated, amplitude.faults.html = 1, 1, 1
    pulled = await amplitude.pull("usage", history_days=20)
    assert pulled.keys == truth(busy_world)["usage"]
    assert len(amplitude.asked) == len(set(hours(amplitude.asked))) + 3


def test_lines_are_read_as_they_come(busy_world: World) -> None:
    event = busy_world.events[0]
    account = busy_world.accounts[event.account - 1]
    whole = line(event, account)
    anonymous = {**whole, "user_id": None, "uuid": "2", "group_properties": {}}
    nobody = {**whole, "groups": {}, "uuid": "3", "event_time": "2026-11-22 10:00:00"}
    lines = [orjson.dumps(each) for each in (whole, whole, anonymous, nobody, {**whole, "event_type": "$identify"})]
    reader, usage = Reader(group_type="company", company_property=None, ignored=("$identify",)), Usage()
    usage.add(reader.events([*lines, b"{cut", b"\n", b"[]"]))
    rows = list(usage.rows())
    assert [(row["user"], row["events"]) for row in rows if row["kind"] == "user_day"] == [
        (f"device-{event.person}", 1),
        (f"u-{event.person}", 1),
    ]
    assert [fault.field for fault in usage.faults()] == ["company"]
    assert len(reader.faults) == 2
    assert next(iter(reader.met()))["properties"]["name"] == account.name
    by_property = Reader(group_type="company", company_property="user_properties.company_id", ignored=())
    (seen,) = by_property.events([orjson.dumps({**whole, "groups": {}})])
    assert seen[1] == f"acct-{event.account}"
    assert OFFLINE > 1
