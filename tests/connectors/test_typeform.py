"""What is special to Typeform, against its sandbox over loopback HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from connectors.kit.base import BadRowError, Page, Window, map_rows
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import World
from connectors.typeform import webhook
from connectors.typeform.connector import Connector, Settings
from connectors.typeform.sandbox import app, event, settings, signed
from connectors.typeform.wire import CSAT, NPS, SIGNUP, token
from hub.model.records import SurveyResponse, SurveyType

NUMBERS = count()


class Desk:
    """A served sandbox and a source; `asked` are path and query of the requests that arrived, `records` the last pull's."""

    def __init__(self, serve: Callable[[Any], str], world: World, fake_time: Any) -> None:
        self.world, self.faults, self.time, self.asked = world, Faults(), fake_time, list[str]()
        self.token = f"typeform-s3cret-{next(NUMBERS)}"
        self.before: Callable[[], None] = lambda: None
        sandbox = app(lambda: self.world, token=self.token, faults=self.faults, requests_per_second=1_000)

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}".removesuffix("?"))
            self.before()
            await sandbox(scope, receive, send)

        self.url = serve(heard)

    async def pages(self, *, keys: list[str] | None = None, bookmark: Any = None, **more: Any) -> list[Page]:
        source = build("typeform", {**settings(self.url, token=self.token), **more})
        assert isinstance(source, Connector)
        (stream,) = source.streams()
        assert stream.fetch is not None
        self.asked.clear()
        async with source.client() as client:
            client._sleep, client._clock, client._monotonic = self.time.sleep, self.time.clock, self.time.monotonic
            window = Window(bookmark=bookmark, started_at=self.world.until)
            pages = [page async for page in (stream.fetch(client, keys) if keys else stream.pull(client, window))]
        records = [record for page in pages for record in map_rows(stream, page.rows)[0]]
        self.records = [record for record in records if isinstance(record, SurveyResponse)]
        return pages


@pytest.fixture
def desk(serve: Any, small_world: World, fake_time: Any) -> Desk:
    return Desk(serve, small_world, fake_time)


async def test_nps_counts_always_and_other_scales_where_they_are_named(desk: Desk) -> None:
    await desk.pages()
    assert sorted((record.type, record.scale, record.score) for record in desk.records) == [
        (SurveyType.CSAT, "1-5", 1.0), (SurveyType.CSAT, "1-5", 5.0),
        (SurveyType.NPS, "0-10", 3.0), (SurveyType.NPS, "0-10", 7.0), (SurveyType.NPS, "0-10", 9.0),
    ]  # fmt: skip
    assert {record.company_key for record in desk.records} == {"9000000001", "9000000002"}
    await desk.pages(questions={})
    assert {record.type for record in desk.records} == {SurveyType.NPS}
    assert not [asked for asked in desk.asked if asked.startswith((f"/forms/{CSAT}/r", f"/forms/{SIGNUP}/r"))]


async def test_a_form_that_is_named_and_counts_nothing_says_which_questions_there_are(desk: Desk) -> None:
    with pytest.raises(DeniedError, match=rf"form '{CSAT}' has no question of type nps; .* of: how-did-we-do"):
        await desk.pages(forms=[CSAT], questions={})
    with pytest.raises(DeniedError, match="there is no form 'Nowhere'; see the setting forms"):
        await desk.pages(forms=["Nowhere"])


async def test_the_bookmark_stays_half_an_hour_behind_and_an_hour_is_read_again(desk: Desk) -> None:
    now = desk.world.until
    recent = [replace(desk.world.nps[0], number=n, at=now - timedelta(minutes=n)) for n in (1, 50)]
    desk.world = replace(desk.world, nps=[*desk.world.nps[1:], *recent])
    (*_, last) = await desk.pages(forms=[NPS])
    behind = int((now - timedelta(minutes=30)).timestamp())
    assert last.bookmark == {"since": {NPS: behind}}
    await desk.pages(forms=[NPS], bookmark=last.bookmark)
    since = (now - timedelta(minutes=90)).strftime("%Y-%m-%dT%H:%M:%SZ").replace(":", "%3A")
    assert f"since={since}" in desk.asked[1]
    assert sorted(record.key for record in desk.records) == [f"{NPS}.{token(NPS, n)}" for n in (1, 50)]


async def test_pages_go_back_by_token_and_without_sort_and_new_answers_move_nobody(desk: Desk) -> None:
    answers = [replace(desk.world.nps[0], number=n, at=desk.world.until - timedelta(days=n)) for n in range(1, 9)]
    desk.world = replace(desk.world, nps=answers)

    def answer() -> None:  # between the first page and the second
        if len(desk.asked) == 3:
            newest = replace(answers[0], number=99, at=desk.world.until)
            desk.world = replace(desk.world, nps=[*answers, newest])

    desk.before = answer
    await desk.pages(forms=[NPS])
    assert sorted(record.key for record in desk.records) == [f"{NPS}.{token(NPS, n)}" for n in range(1, 9)]
    assert not [asked for asked in desk.asked if "sort=" in asked]
    assert f"before={token(NPS, 3)}" in desk.asked[2]


async def test_a_page_of_another_request_is_refused(desk: Desk) -> None:
    (*_, last) = await desk.pages(forms=[NPS], page_size=1_000)
    bookmark = {"since": {NPS: int(desk.world.until.timestamp())}}
    assert last.bookmark
    desk.faults.repeated_pages, desk.faults.only = 1, f"/forms/{NPS}/responses"
    with pytest.raises(ContractError, match="not in the order and span they were asked for"):
        await desk.pages(forms=[NPS], bookmark=bookmark)


async def test_responses_are_fetched_by_form_and_missing_ones_are_gone(desk: Desk) -> None:
    here, gone = f"{NPS}.{token(NPS, 2)}", f"{NPS}.{token(NPS, 77)}"
    pages = await desk.pages(keys=[here, gone, "Nowhere.x"])
    assert [record.key for record in desk.records] == [here]
    assert [key for page in pages for key in page.gone] == [gone, "Nowhere.x"]
    assert len(desk.asked) == 3  # two definitions, and one request for both responses


def test_webhooks_are_believed_by_their_signature(small_world: World) -> None:
    own = Settings.model_validate(settings("https://a.example", token="t0ken"))
    about: Any = {"method": "POST", "url": "https://hub.example/hooks/nps", "now": small_world.until}
    body = event("nps", 2)
    webhook.verified(signed(body, settings=own, **about), body, settings=own, **about)
    with pytest.raises(BadSignatureError, match="does not match"):
        webhook.verified(signed(body, settings=own, **about), body + b" ", settings=own, **about)
    (hint,) = webhook.hints({}, body)
    assert (hint.stream, hint.key, hint.event_id) == ("responses", f"{NPS}.{token(NPS, 2)}", "01nps2")
    assert webhook.hints({}, b'{"event_type": "form_response_partial"}') == ()
    with pytest.raises(BadRowError, match="names no form_id and token"):
        webhook.hints({}, b'{"event_type": "form_response", "form_response": {}}')
