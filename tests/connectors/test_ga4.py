"""What is special about GA4: sums by a custom dimension, quotas in each answer, rows that Google leaves out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from connectors.ga4.quota import next_day, next_hour
from connectors.ga4.refusals import judge
from connectors.ga4.sandbox import settings, truth
from connectors.kit.base import Window
from connectors.kit.errors import ContractError, DeniedError, PausedError, TransientError
from connectors.kit.registry import build
from connectors.kit.reply import Reply
from connectors.kit.simulated import World
from hub.errors import ConfigError
from hub.model.records import FeatureUsageDay


def reports(ga4: Any) -> list[dict[str, Any]]:
    return [orjson.loads(body) for path, _, body in ga4.asked if path.endswith(":runReport")]


async def test_both_reports_arrive_whole_page_by_page(probe: Callable[..., Any]) -> None:
    ga4 = probe("ga4")
    pulled = await ga4.pull("usage", page_size=4)
    assert pulled.keys == set(truth(ga4.world)["usage"])
    assert (pulled.faults, pulled.bookmark) == ([], {"through": "2026-11-18"})
    assert {each["limit"] for each in reports(ga4)} == {"4"}
    assert [path for path, _, _ in ga4.asked].count("/token") == 1


async def test_without_a_user_dimension_there_are_days_of_features_only(probe: Callable[..., Any]) -> None:
    pulled = await probe("ga4").pull("usage", user_dimension=None)
    assert {type(record) for record in pulled.records} == {FeatureUsageDay}


async def test_no_rows_is_no_error(probe: Callable[..., Any], small_world: World) -> None:
    pulled = await probe("ga4", world=replace(small_world, events=[])).pull("usage", history_days=10)
    assert (pulled.records, pulled.faults) == ([], [])


async def test_what_google_leaves_out_is_told(probe: Callable[..., Any]) -> None:
    cut = await probe("ga4", other=5).pull("usage", user_dimension=None, history_days=10)
    told = {fault.field: fault.reason for fault in cut.faults}
    assert set(told) == {"other", "not set"}
    assert "their use is missing" in told["other"]
    assert len(cut.records) == 5
    few = await probe("ga4", thresholded=True).pull("usage", history_days=10)
    assert {fault.field for fault in few.faults} == {"thresholding"}
    assert few.records == []


async def test_a_quota_that_will_not_do_pauses_before_it_is_used_up(probe: Callable[..., Any]) -> None:
    ga4 = probe("ga4", tokens_an_hour=30)
    with pytest.raises(PausedError, match="6 tokensPerHour are left and a report costs 12") as caught:
        await ga4.pull("usage")
    assert caught.value.until == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert len(reports(ga4)) == 2


async def test_a_pause_that_is_over_is_forgotten(probe: Callable[..., Any]) -> None:
    ga4 = probe("ga4", tokens_an_hour=30)
    source = ga4.source()
    (usage,) = source.streams()

    async def pull(hours: int) -> None:
        window = Window(bookmark=None, started_at=ga4.world.until + timedelta(hours=hours))
        async with source.client() as client:
            _ = [page async for page in usage.pull(client, window)]

    for hours, requests in ((0, 2), (0, 2), (1, 3)):
        with pytest.raises(PausedError):
            await pull(hours)
        assert len(reports(ga4)) == requests


def test_three_kinds_of_exhaustion() -> None:
    def refusal(message: str) -> Any:
        body = orjson.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message}})
        return judge(Reply(429, {}, body, "POST x"), datetime(2026, 11, 22, 12, 30, tzinfo=UTC))

    day, hour = refusal("Exhausted property tokens per day"), refusal("Exhausted property tokens per hour")
    assert (day.until, hour.until) == (
        datetime(2026, 11, 23, 8, tzinfo=UTC),
        datetime(2026, 11, 22, 13, tzinfo=UTC),
    )
    many = refusal("Exhausted concurrent requests quota.")
    assert isinstance(many, TransientError)
    assert not isinstance(many, PausedError)
    summer = datetime(2026, 7, 1, 6, 59, tzinfo=UTC)
    assert (next_day(summer), next_hour(summer)) == (datetime(2026, 7, 1, 7, tzinfo=UTC),) * 2


async def test_another_pages_rows_are_noticed(probe: Callable[..., Any]) -> None:
    ga4 = probe("ga4")
    ga4.faults.only, ga4.faults.repeated_pages = "/v1beta", 99
    with pytest.raises((ContractError, TransientError)):
        await ga4.pull("usage", page_size=3, history_days=10)


async def test_a_wrong_key_names_the_role_and_shows_nothing(probe: Callable[..., Any]) -> None:
    ga4 = probe("ga4")
    wrong = settings(ga4.url, token="another-key-id")["service_account"]
    with pytest.raises(DeniedError, match="Viewer of the property") as caught:
        await ga4.pull("usage", service_account=wrong)
    assert [path for path, _, _ in ga4.asked] == ["/token"]
    assert "another-key-id" not in str(caught.value)
    with pytest.raises(ConfigError, match="must be the JSON key of a service account"):
        build("ga4", {"property_id": 1, "service_account": '{"type": "user"}'})
