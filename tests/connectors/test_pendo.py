"""What is special about Pendo: keysets instead of pages, hours instead of the subscription's days, reasons of NPS answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
import pytest

from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.simulated import ProductEvent, World
from connectors.pendo.hours import Days
from connectors.pendo.pipeline import HOUR, Ask
from connectors.pendo.sandbox import truth
from hub.model.records import Contact, FeatureUsageDay, SurveyResponse, UserActivityDay

WHOLE = Ask(what="who", source={"visitors": None}, key=("visitorId",))
SELECTED = replace(WHOLE, select={"visitorId": "visitorId", "email": "metadata.agent.email"})
SUMMED = replace(WHOLE, sums=("numEvents",))


def pipelines(pendo: Any) -> list[list[dict[str, Any]]]:
    return [orjson.loads(body)["request"]["pipeline"] for _, _, body in pendo.asked if body]


async def test_days_are_utc_days_whatever_the_subscriptions_zone(probe: Callable[..., Any], small_world: World) -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    events = [
        ProductEvent(insert_id=f"z{n}", at=late + timedelta(hours=n), account=1, person=1, name="login") for n in (0, 1)
    ]
    pendo = probe("pendo", world=replace(small_world, events=events), timezone="Pacific/Auckland")
    pulled = await pendo.pull("usage", window_days=3, history_days=4)
    days = {record.day.isoformat() for record in pulled.records if isinstance(record, UserActivityDay)}
    assert days == {"2026-11-20", "2026-11-21"}
    sources = [steps[0]["source"]["timeSeries"] for steps in pipelines(pendo)]
    assert {each["period"] for each in sources} == {"hourRange"}
    assert {each["first"] % HOUR for each in sources} == {0}


async def test_many_rows_of_one_hour_go_on_from_the_whole_key(probe: Callable[..., Any], small_world: World) -> None:
    at = small_world.until - timedelta(days=1)
    events = [
        ProductEvent(insert_id=f"k{n}", at=at, account=1 + n % 3, person=n // 3, name=("login", "export_made")[n % 2])
        for n in range(60)
    ]
    pendo = probe("pendo", world=replace(small_world, events=events))
    pulled = await pendo.pull("usage", page_size=4, history_days=3)
    assert pulled.keys == truth(pendo.world)["usage"]
    assert {type(record) for record in pulled.records} == {UserActivityDay, FeatureUsageDay}


def test_a_filter_cannot_be_broken_out_of() -> None:
    ask = Ask(what="x", source={"events": None}, key=("visitorId", "hour"))
    steps = ask.body(['a" || 1 == 1', 7], 10)["request"]["pipeline"]
    assert steps[1]["filter"] == (r'(visitorId > "a\" || 1 == 1") || (visitorId == "a\" || 1 == 1" && hour > 7)')


async def test_an_nps_answer_has_its_reason_and_its_address(probe: Callable[..., Any]) -> None:
    pulled = await probe("pendo").pull("nps", page_size=1)
    answers = {record.key: record for record in pulled.records if isinstance(record, SurveyResponse)}
    assert set(answers) == set(truth(probe("pendo").world)["nps"])
    assert not [key for key in answers if "u-" in key], "no key tells who answered: visitors may be addresses"
    (first,) = (each for each in answers.values() if each.score == 9)
    assert (first.comment, first.respondent_email) == ("Good, fast\nand friendly", "nia@acme.example")
    assert [each.comment for each in answers.values() if each.score == 7] == [None]


async def test_later_pulls_ask_for_what_has_changed_only(probe: Callable[..., Any]) -> None:
    pendo = probe("pendo")
    first = await pendo.pull("visitors")
    assert {record.key for record in first.records if isinstance(record, Contact)} == truth_of(pendo, "visitors")
    again = await pendo.pull("visitors", bookmark=first.bookmark)
    assert again.records == []
    steps, again_asked = pipelines(pendo)
    assert again_asked == steps, "nothing is believed at the second word: all queries go to one address"
    assert steps[1]["filter"].startswith("metadata.auto.lastupdatedat >= ")


def truth_of(pendo: Any, stream: str) -> set[str]:
    return set(truth(pendo.world)[stream])


async def test_another_querys_answer_and_a_page_again_are_refused(probe: Callable[..., Any]) -> None:
    pendo = probe("pendo")
    pendo.faults.repeated_pages = 1
    with pytest.raises(ContractError, match="does not go on"):
        await pendo.pull("visitors", page_size=2)


@pytest.mark.parametrize(
    ("ask", "row", "said"),
    [
        (SELECTED, {"visitorId": "u-1", "browserTime": 1, "pollResponse": 9}, "a row with browserTime, pollResponse"),
        (SELECTED, {"accountId": "acct-1"}, "a row without visitorId"),
        (SUMMED, {"visitorId": "u-1", "featureId": "f", "numEvents": 2}, "a row with featureId"),
        (WHOLE, {"visitorId": "u-1", "email": "kim@acme.example"}, "a page without metadata"),
    ],
)
async def test_a_row_of_another_shape_is_another_querys(ask: Ask, row: dict[str, Any], said: str) -> None:
    class Answering:
        async def post_json(self, _path: str, **_: Any) -> Any:
            return {"results": [row]}

    with pytest.raises(ContractError, match=f"who: {said}; it is another query's"):
        _ = [rows async for rows in ask.pages(cast("Client", Answering()), 5)]


async def test_a_wrong_key_is_told_after_one_call(probe: Callable[..., Any]) -> None:
    pendo = probe("pendo")
    with pytest.raises(DeniedError, match="does not accept integration_key") as caught:
        await pendo.pull("accounts", integration_key="another-key-entirely")
    assert len(pendo.asked) == 1
    assert "another-key-entirely" not in str(caught.value)


def test_hours_that_follow_one_another_are_one_session() -> None:
    days, noon = Days(), 1_795_348_800_000
    row = {"accountId": "a", "visitorId": "v", "numEvents": 2, "numMinutes": 5}
    days.use([{**row, "hour": noon + n * HOUR} for n in (0, 1, 5)])
    days.use([{**row, "accountId": "", "hour": noon}])
    (made,) = days.rows()
    assert (made["events"], made["sessions"], made["minutes"], made["version"]) == (6, 2, 15.0, noon + 5 * HOUR)
    assert [fault.reason for fault in days.faults()] == [
        "no usable accountId or visitorId in 2 of the events 'events' of 2026-11-22"
    ]
