"""What is special to SurveyMonkey, against its sandbox over loopback HTTP."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from connectors.kit.base import BadRowError, Page, Window, map_rows
from connectors.kit.errors import DeniedError, PausedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import World
from connectors.surveymonkey import webhook
from connectors.surveymonkey.connector import Connector, Settings
from connectors.surveymonkey.sandbox import app, event, settings, signed
from connectors.surveymonkey.wire import CSAT, CSAT_QUESTION, NPS, nps_id
from hub.model.records import SurveyResponse, SurveyType

NUMBERS = count()


class Desk:
    """A served sandbox and a source; `asked` are path and query of the requests that arrived, `records` the last pull's."""

    def __init__(self, serve: Any, world: World, fake_time: Any, **options: Any) -> None:
        self.world, self.faults, self.time, self.asked = world, Faults(), fake_time, list[str]()
        self.token = f"surveymonkey-s3cret-{next(NUMBERS)}"
        sandbox = app(lambda: self.world, token=self.token, faults=self.faults, **options)

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
            await sandbox(scope, receive, send)

        self.url = serve(heard)

    async def pages(self, *, keys: list[str] | None = None, bookmark: Any = None, **more: Any) -> list[Page]:
        source = build("surveymonkey", {**settings(self.url, token=self.token), **more})
        assert isinstance(source, Connector)
        (stream,) = source.streams()
        assert stream.fetch is not None
        self.asked.clear()
        async with source.client() as client:
            client._sleep, client._clock, client._monotonic = self.time.sleep, self.time.clock, self.time.monotonic
            window = Window(bookmark=bookmark, started_at=self.world.until)
            pages = [page async for page in (stream.fetch(client, keys) if keys else stream.pull(client, window))]
            self.quotas = {quota.name: quota.remaining for quota in client.quotas}
        records = [record for page in pages for record in map_rows(stream, page.rows)[0]]
        self.records = [record for record in records if isinstance(record, SurveyResponse)]
        return pages


@pytest.fixture
def desk(serve: Any, small_world: World, fake_time: Any) -> Any:
    return lambda **options: Desk(serve, small_world, fake_time, **options)


async def test_choices_become_numbers_by_the_surveys_details(desk: Any) -> None:
    served: Desk = desk()
    await served.pages()
    assert sorted((record.type, record.scale, record.score) for record in served.records) == [
        (SurveyType.CSAT, "1-5", 2.0), (SurveyType.CSAT, "1-5", 5.0),
        (SurveyType.NPS, "0-10", 3.0), (SurveyType.NPS, "0-10", 7.0), (SurveyType.NPS, "0-10", 9.0),
    ]  # fmt: skip
    assert "Good, fast\nand friendly" in {record.comment for record in served.records}
    await served.pages(questions={})
    assert {record.type for record in served.records} == {SurveyType.NPS}


async def test_a_survey_that_is_named_and_counts_nothing_says_which_questions_there_are(desk: Any) -> None:
    served: Desk = desk()
    with pytest.raises(DeniedError, match=rf"survey {CSAT} has no question that looks .* {CSAT_QUESTION} \(How was it"):
        await served.pages(surveys=[CSAT], questions={})
    with pytest.raises(DeniedError, match="there is no survey 999; see the setting surveys"):
        await served.pages(surveys=["999"])


async def test_details_are_asked_for_once_and_again_when_the_setting_changes(desk: Any) -> None:
    served: Desk = desk()
    mark = (await served.pages())[-1].bookmark
    assert len([asked for asked in served.asked if "/details" in asked]) == 3
    await served.pages(bookmark=mark)
    assert [asked.partition("?")[0] for asked in served.asked] == [
        "/v3/surveys", f"/v3/surveys/{NPS}/responses/bulk", f"/v3/surveys/{CSAT}/responses/bulk",
    ]  # fmt: skip
    assert all("start_modified_at=2026-" in asked for asked in served.asked[1:])
    await served.pages(bookmark=mark, questions={})
    assert len([asked for asked in served.asked if "/details" in asked]) == 3


async def test_a_used_up_day_is_a_pause_until_it_is_renewed(desk: Any) -> None:
    served: Desk = desk(calls_a_day=4)
    with pytest.raises(PausedError, match="calls of the SurveyMonkey app are used up; paused until 2026-11-2") as told:
        await served.pages()
    assert timedelta(hours=23) < told.value.until - served.time.clock() < timedelta(hours=25)
    assert served.time.slept == []
    assert len(served.asked) == 5


async def test_a_used_up_minute_is_waited_for_and_the_days_rest_is_known(desk: Any) -> None:
    served: Desk = desk(calls_a_day=500)
    served.faults.rate_limited, served.faults.retry_after = 1, 21
    await served.pages()
    assert 21 <= served.time.slept[0] < 23
    assert served.quotas["day"] == 500 - len(served.asked) + 1


async def test_a_response_that_changed_comes_again(desk: Any) -> None:
    served: Desk = desk()
    mark = (await served.pages())[-1].bookmark
    later = served.world.until + timedelta(hours=1)
    changed = replace(served.world.nps[0], score=2, at=later)
    served.world = replace(served.world, nps=[changed, *served.world.nps[1:]], until=later)
    await served.pages(bookmark=mark, surveys=[NPS])
    assert f"{NPS}.{nps_id(1)}" in {record.key for record in served.records if record.score == 2.0}


async def test_responses_are_fetched_by_key_and_missing_ones_are_gone(desk: Any) -> None:
    served: Desk = desk()
    pages = await served.pages(keys=[f"{NPS}.{nps_id(2)}", f"{NPS}.77", "1.2"])
    assert [record.key for record in served.records] == [f"{NPS}.{nps_id(2)}"]
    assert [key for page in pages for key in page.gone] == [f"{NPS}.77", "1.2"]


def test_webhooks_are_believed_by_client_id_and_secret(small_world: World) -> None:
    own = Settings.model_validate(settings("https://a.example", token="t0ken"))
    about: Any = {"method": "POST", "url": "https://hub.example/hooks/nps", "now": small_world.until}
    body = event("nps", 2)
    webhook.verified(signed(body, settings=own, **about), body, settings=own, **about)
    other = own.model_copy(update={"client_id": "another"})
    with pytest.raises(BadSignatureError, match="does not match"):
        webhook.verified(signed(body, settings=other, **about), body, settings=own, **about)
    (hint,) = webhook.hints({}, body)
    assert (hint.stream, hint.key) == ("responses", f"{NPS}.{nps_id(2)}")
    assert webhook.hints({}, b'{"event_type": "collector_created"}') == ()
    assert webhook.answer("HEAD", {}, b"") == b""
    with pytest.raises(BadRowError, match="names no survey and response"):
        webhook.hints({}, b'{"event_type": "response_completed", "object_id": "7"}')
