"""What is special about Heap: tables as files, dumps that come by night, users that were merged; and what files can do."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from os import utime
from pathlib import Path
from typing import Any

import polars
import pytest

from connectors.heap.sandbox import MERGED, avro, dumped_on, fill, heap_id, truth
from connectors.heap.tables import final
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.simulated import World
from hub.model.records import UserActivityDay


@pytest.fixture
def dumps(tmp_path: Path, small_world: World) -> Path:
    fill(tmp_path, small_world)
    return tmp_path


async def test_every_dump_is_read_and_days_are_whole(
    probe: Callable[..., Any], dumps: Path, small_world: World
) -> None:
    pulled = await probe("heap").pull("usage", location=str(dumps))
    assert pulled.keys == set(truth(small_world)["usage"])
    days = [record for record in pulled.records if isinstance(record, UserActivityDay)]
    assert sum(day.events for day in days) == len([e for e in small_world.events if dumped_on(e) <= small_world.until])
    assert {day.user_key for day in days} == {"u-1", "u-2"}, "what a visitor did before they were known is theirs"
    assert pulled.faults == []


async def test_nothing_new_reads_nothing_and_a_new_dump_the_open_days_only(
    probe: Callable[..., Any], dumps: Path, small_world: World
) -> None:
    heap = probe("heap")
    first = await heap.pull("usage", location=str(dumps))
    assert first.bookmark["through"] == "2026-11-19"
    assert (await heap.pull("usage", location=str(dumps), bookmark=first.bookmark)).pages == []
    later = small_world.until + timedelta(days=1)
    new = replace(small_world.events[-1], insert_id="late-one", at=later - timedelta(hours=11))
    events = [*small_world.events, replace(new, at=small_world.until.replace(hour=1))]
    fill(dumps, replace(small_world, events=events, until=later))
    again = await heap.pull("usage", location=str(dumps), bookmark=first.bookmark, started_at=later)
    assert {record.day.isoformat() for record in again.records} >= {"2026-11-22"}
    assert min(record.day.isoformat() for record in again.records) >= "2026-11-20"


async def test_an_event_dumped_anew_is_told_and_changes_no_complete_day(probe: Callable[..., Any], dumps: Path) -> None:
    heap = probe("heap")
    first = await heap.pull("usage", location=str(dumps))
    old = {"event_id": 1, "user_id": heap_id(1), "session_id": 1, "time": datetime(2026, 10, 1, 9, tzinfo=UTC)}
    path = dumps / "sync_again" / "login" / "part.avro"
    path.parent.mkdir(parents=True)
    path.write_bytes(avro("login", [old]))
    at = datetime(2026, 11, 22, 4, tzinfo=UTC).timestamp()
    utime(path, (at, at))
    again = await heap.pull("usage", location=str(dumps), bookmark=first.bookmark)
    assert [fault.key for fault in again.faults] == ["late|2026-10-01"]
    assert all(record.day.isoformat() > "2026-11-18" for record in again.records)


async def test_users_come_file_by_file_and_merged_ones_are_gone(
    probe: Callable[..., Any], dumps: Path, small_world: World
) -> None:
    heap = probe("heap")
    pulled = await heap.pull("users", location=str(dumps))
    assert pulled.keys == set(truth(small_world)["users"])
    assert pulled.gone == {str(MERGED + heap_id(1))}
    again = await heap.pull("users", location=str(dumps), bookmark=pulled.bookmark)
    assert again.records == []


async def test_parquet_does_as_well(probe: Callable[..., Any], tmp_path: Path) -> None:
    users = tmp_path / "users" / "a.parquet"
    signed = tmp_path / "Sign_Up" / "b.parquet"
    for path in (users, signed):
        path.parent.mkdir()
    polars.DataFrame(
        {"user_id": [7], "identity": ["nia"], "email": ["n@x.example"], "account_id": ["acme"]}
    ).write_parquet(users)
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    polars.DataFrame({"event_id": [1, 1], "user_id": [7, 7], "time": [at, at]}).write_parquet(signed)
    pulled = await probe("heap").pull("usage", location=str(tmp_path))
    assert pulled.keys == {"2026-11-20|acme|nia", "2026-11-20|acme|sign_up"}
    assert [record.events for record in pulled.records] == [1, 1]


async def test_damage_and_absence_are_told(probe: Callable[..., Any], dumps: Path) -> None:
    (broken, *_) = sorted(await asyncio.to_thread(lambda: [*dumps.glob("*/login/*.avro")]))
    await asyncio.to_thread(lambda: broken.write_bytes(broken.read_bytes()[:-7]))
    with pytest.raises(ContractError, match=r"part-00000\.avro|no Avro|ends too early"):
        await probe("heap").pull("usage", location=str(dumps))
    with pytest.raises(DeniedError, match="there is no such file or folder"):
        await probe("heap").pull("usage", location=str(dumps / "nowhere"))


def test_a_circle_of_merges_is_no_endless_loop() -> None:
    assert final("a", {"a": "b", "b": "c"}) == "c"
    with pytest.raises(ContractError, match="leads from user"):
        final("a", {"a": "b", "b": "a"})
