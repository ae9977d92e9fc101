"""What is special about PostHog: HogQL keysets, the team's limit told in a sentence, persons, events without a group."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.registry import build, manifest
from connectors.kit.simulated import ProductEvent, World
from connectors.posthog import queries
from connectors.posthog.sandbox import truth
from hub.errors import ConfigError
from hub.model.records import UserActivityDay


def asked(posthog: Any) -> list[dict[str, Any]]:
    return [orjson.loads(body)["query"] for _, _, body in posthog.asked]


async def test_events_of_one_moment_are_all_read_across_pages(probe: Callable[..., Any], small_world: World) -> None:
    at = small_world.until - timedelta(days=2)
    same = [ProductEvent(insert_id=f"same-{n}", at=at, account=1, person=n, name="login") for n in range(40)]
    posthog = probe("posthog", world=replace(small_world, events=same), nobodys=3)
    pulled = await posthog.pull("usage", page_size=7)
    users = {record.user_key for record in pulled.records if isinstance(record, UserActivityDay)}
    nobodys = [fault for fault in pulled.faults if fault.field == "$group_0"]
    (fault,) = nobodys
    assert fault.reason.startswith(f"no usable $group_0 in {40 - len(users)} of the events 'login' of ")
    assert pulled.keys < set(truth(posthog.world)["usage"])
    assert [query["values"]["limit"] for query in asked(posthog)] == [7] * len(posthog.asked)


async def test_a_day_is_complete_an_hour_after_its_end_and_not_before(probe: Callable[..., Any]) -> None:
    posthog = probe("posthog")
    midnight = posthog.world.until.replace(hour=0)
    early = await posthog.pull("usage", started_at=midnight + timedelta(minutes=59))
    assert early.bookmark == {"through": "2026-11-20"}
    later = await posthog.pull("usage", started_at=midnight + timedelta(minutes=61), bookmark=early.bookmark)
    assert later.bookmark == {"through": "2026-11-21"}
    (begin,) = {query["values"]["start"] for query in asked(posthog)}
    assert begin == (midnight - timedelta(days=1)).timestamp()


async def test_the_wait_of_a_429_stands_in_its_sentence(probe: Callable[..., Any], fake_time: Any) -> None:
    posthog = probe("posthog")
    posthog.faults.rate_limited, posthog.faults.retry_after = 1, 30
    pulled = await posthog.pull("groups")
    assert pulled.keys == {"acct-1", "acct-2", "acct-3"}
    assert 30 <= sum(fake_time.slept) < 34


async def test_another_pages_rows_are_refused(probe: Callable[..., Any]) -> None:
    posthog = probe("posthog")
    posthog.faults.repeated_pages = 1
    with pytest.raises(ContractError, match="it is another page's"):
        await posthog.pull("usage", page_size=3, history_days=6)
    posthog = probe("posthog")
    posthog.faults.repeated_pages = 1
    with pytest.raises(ContractError, match="does not advance"):
        await posthog.pull("groups", page_size=1)


async def test_a_key_without_the_scope_is_told_after_one_call(probe: Callable[..., Any]) -> None:
    posthog = probe("posthog", scopes="person:read")
    with pytest.raises(DeniedError, match="needs the scope query:read") as caught:
        await posthog.pull("usage")
    assert (caught.value.permission, len(posthog.asked)) == ("query:read", 1)


async def test_single_rows_can_be_asked_for_and_missing_ones_are_gone(probe: Callable[..., Any]) -> None:
    posthog = probe("posthog")
    source = posthog.source()
    groups = source.streams()[0]
    assert groups.fetch is not None
    async with source.client() as client:
        (page,) = [page async for page in groups.fetch(client, ["acct-2", "acct-99"])]
    assert ([row["key"] for row in page.rows], page.gone) == (["acct-2"], ["acct-99"])


def test_companies_are_named_by_groups_or_by_a_property_not_by_both_or_none() -> None:
    example = dict(manifest("posthog").example)
    for wrong in ({"company_property": "company"}, {"group_type_index": None}):
        with pytest.raises(ConfigError, match="group_type_index or by company_property"):
            build("posthog", {**example, **wrong})
    source = build("posthog", {**example, "group_type_index": None, "company_property": "co`mpany"})
    assert [stream.name for stream in source.streams()] == ["persons", "usage"]
    assert queries.property_of_event("co`mpany") == "properties.`co\\`mpany`"
