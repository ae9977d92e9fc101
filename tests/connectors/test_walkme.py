"""What is special about WalkMe: tokens of a day by client credentials, events by offset within a range that is over."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.registry import build, manifest
from connectors.kit.simulated import World
from connectors.walkme.sandbox import truth
from hub.errors import ConfigError
from hub.model.records import UserActivityDay


def paths(walkme: Any) -> list[str]:
    return [path for path, _, _ in walkme.asked]


async def test_one_token_does_for_a_pull_and_every_page_is_read(probe: Callable[..., Any]) -> None:
    walkme = probe("walkme")
    pulled = await walkme.pull("usage", page_size=5, history_days=10, window_days=30)
    assert pulled.keys == set(truth(walkme.world)["usage"])
    assert paths(walkme)[0] == "/accounts/connect/token"
    assert paths(walkme).count("/accounts/connect/token") == 1
    assert [query["offset"][0] for _, query, _ in walkme.asked[1:]] == ["0", "5", "10", "15", "20"]
    assert pulled.bookmark == {"through": "2026-11-19"}


async def test_a_token_that_runs_out_is_renewed_once_and_the_page_asked_for_again(probe: Callable[..., Any]) -> None:
    walkme = probe("walkme", runs_out=3)
    pulled = await walkme.pull("usage", page_size=5, history_days=10, window_days=30)
    assert pulled.keys == set(truth(walkme.world)["usage"])
    assert paths(walkme).count("/accounts/connect/token") == 2


async def test_an_event_counts_once_where_pages_overlap(probe: Callable[..., Any], small_world: World) -> None:
    walkme = probe("walkme")
    walkme.faults.duplicate_rows = 2
    pulled = await walkme.pull("usage", page_size=5, history_days=10, window_days=30)
    days = [record for record in pulled.records if isinstance(record, UserActivityDay)]
    assert sum(day.events for day in days) == len(small_world.events)


async def test_a_page_again_ends_the_pull(probe: Callable[..., Any]) -> None:
    walkme = probe("walkme")
    walkme.faults.only, walkme.faults.repeated_pages = "/public", 1
    with pytest.raises(ContractError, match="a page without a new event"):
        await walkme.pull("usage", page_size=5, history_days=10, window_days=30)


async def test_a_wrong_secret_and_a_missing_permission_are_told_apart(probe: Callable[..., Any]) -> None:
    walkme = probe("walkme")
    with pytest.raises(DeniedError, match="no access token: invalid_client; the key needs the permission") as caught:
        await walkme.pull("usage", client_secret="another-secret")
    assert paths(walkme) == ["/accounts/connect/token"]
    assert "another-secret" not in str(caught.value)
    walkme = probe("walkme", scope="enduser:write")
    with pytest.raises(DeniedError, match="needs the permission to read Insights") as caught:
        await walkme.pull("usage")
    assert (caught.value.scope, len(walkme.asked)) == ("stream", 2)


async def test_events_of_no_company_are_counted_in_quarantine(probe: Callable[..., Any], small_world: World) -> None:
    walkme = probe("walkme", world=replace(small_world, events=small_world.events[:4]))
    pulled = await walkme.pull("usage", company_field="properties.team", history_days=10)
    assert pulled.records == []
    assert {fault.field for fault in pulled.faults} == {"properties.team"}


def test_the_export_is_below_the_configured_address() -> None:
    with pytest.raises(ConfigError, match="must be a path"):
        build("walkme", {**manifest("walkme").example, "export_path": "//elsewhere.example/events"})
