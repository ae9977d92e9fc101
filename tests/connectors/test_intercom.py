"""What is special to Intercom, against its sandbox over loopback HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import orjson
import pytest

from connectors.intercom import webhook
from connectors.intercom.connector import Connector, Settings
from connectors.intercom.sandbox import app, event, settings, signed
from connectors.intercom.wire import company_id, contact_id, conversation_id, ticket_id
from connectors.kit import tempo
from connectors.kit.base import BadRowError, Page, Window
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import Removed, World

NUMBERS = count()


class Desk:
    """A served sandbox and a source; `asked` are bodies and paths of the requests that arrived."""

    def __init__(
        self, serve: Callable[[Any], str], world: World, fake_time: Any, monkeypatch: pytest.MonkeyPatch, **options: Any
    ) -> None:
        self.world, self.faults, self.time = world, Faults(), fake_time
        self.token = f"intercom-s3cret-{next(NUMBERS)}"
        monkeypatch.setattr(tempo, "monotonic", fake_time.monotonic)
        sandbox = app(lambda: self.world, token=self.token, faults=self.faults, **options)
        self.asked: list[str] = []

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            async def kept() -> Any:
                message = await receive()
                self.asked[-1] += message.get("body", b"").decode()
                return message

            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()} ")
            await sandbox(scope, kept, send)

        self.url = serve(heard)

    def source(self, **more: Any) -> Connector:
        source = build("intercom", {**settings(self.url, token=self.token), **more})
        assert isinstance(source, Connector)
        return source

    async def pages(self, name: str, *, keys: list[str] | None = None, bookmark: Any = None, **more: Any) -> list[Page]:
        source = self.source(**more)
        stream = next(one for one in source.streams() if one.name == name)
        async with source.client() as client:
            client._sleep, client._clock, client._monotonic = self.time.sleep, self.time.clock, self.time.monotonic
            window = Window(bookmark=bookmark, started_at=self.world.until)
            asked = stream.pull(client, window) if keys is None or stream.fetch is None else stream.fetch(client, keys)
            return [page async for page in asked]


@pytest.fixture
def desk(serve: Any, small_world: World, fake_time: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    return lambda **options: Desk(serve, options.pop("world", small_world), fake_time, monkeypatch, **options)


def ids(pages: list[Page]) -> list[str]:
    return [row["id"] for page in pages for row in page.rows]


async def test_contacts_are_searched_two_days_back_and_left_out_to_the_second(desk: Any) -> None:
    served: Desk = desk()
    first = await served.pages("contacts")
    since = first[-1].bookmark["since"] if first[-1].bookmark else 0
    assert since == int((served.world.until - timedelta(days=1)).timestamp())
    person = replace(served.world.people[1], updated_at=served.world.until)
    served.world = replace(served.world, people=[served.world.people[0], person, *served.world.people[2:]])
    served.asked.clear()
    later = await served.pages("contacts", bookmark=first[-1].bookmark)
    assert orjson.loads(served.asked[0].partition("? ")[2])["query"]["value"] == [
        {"field": "updated_at", "operator": ">", "value": since - 900 - 2 * 86_400}
    ]
    assert sorted(ids(later)) == [contact_id(1), contact_id(2)]  # 3 to 5 are as old as days, and were found again


async def test_a_scroll_whose_answer_got_lost_is_begun_anew_once_the_old_one_is_closed(desk: Any) -> None:
    served: Desk = desk(scroll_size=1)
    all_three = [company_id(n) for n in (1, 2, 3)]
    source = served.pages("companies")
    served.faults.only, served.faults.truncated = "/companies/scroll", 0
    assert ids(await source) == all_three
    served.faults.truncated = 2  # of two scrolls the first answer is lost
    assert ids(await served.pages("companies")) == all_three
    assert sum(served.time.slept) >= 60


async def test_a_listing_beyond_its_cap_is_told(desk: Any, small_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.intercom.companies.LIST_CAP", 120)
    many = [replace(small_world.accounts[0], number=n) for n in range(1, 130)]
    served: Desk = desk(world=replace(small_world, accounts=many), list_cap=120)
    with pytest.raises(ContractError, match="more than 120 rows, which is all the vendor lets us page through"):
        await served.pages("companies", companies_by="list")


async def test_deleted_conversations_take_their_ratings_with_them(desk: Any) -> None:
    served: Desk = desk()
    marks = {name: (await served.pages(name))[-1].bookmark for name in ("conversations", "ratings")}
    at = served.world.until + timedelta(hours=1)
    grave = Removed(what="ticket", number=2, account=2, at=at)
    kept = [ticket for ticket in served.world.tickets if ticket.number != 2]
    served.world = replace(served.world, tickets=kept, removed=[grave], until=at)
    for name, mark in marks.items():
        assert [key for page in await served.pages(name, bookmark=mark) for key in page.gone] == [conversation_id(2)]
    with pytest.raises(DeniedError, match="needs another api_version: Requested resource"):
        await served.pages("ratings", bookmark=marks["ratings"], api_version="2.14")


async def test_a_429_waits_for_the_reset_of_the_slice(desk: Any) -> None:
    served: Desk = desk()
    served.faults.rate_limited, served.faults.retry_after = 1, 7
    assert len(ids(await served.pages("tickets"))) == 0
    assert served.time.slept[0] == pytest.approx(7, abs=1)


async def test_a_missing_permission_is_named_after_one_call(desk: Any) -> None:
    served: Desk = desk(without=["conversations"])
    with pytest.raises(DeniedError, match=r"needs the permission 'Read conversations'") as told:
        await served.pages("ratings")
    assert (told.value.scope, told.value.permission, len(served.asked)) == ("stream", "Read conversations", 1)


async def test_an_answer_to_another_question_is_refused(desk: Any) -> None:
    served: Desk = desk()
    await served.pages("conversations")
    served.faults.repeated_pages, served.faults.only = 1, "/conversations/search"
    with pytest.raises(ContractError, match="is not what was searched for"):
        await served.pages("ratings", page_size=150)


async def test_rows_are_fetched_by_key_and_missing_ones_are_gone(desk: Any, small_world: World) -> None:
    tickets = [*small_world.tickets, replace(small_world.tickets[0], number=5)]
    served: Desk = desk(world=replace(small_world, tickets=tickets))
    (page,) = await served.pages("tickets", keys=[f"ticket-{ticket_id(5)}", "ticket-77"])
    assert ([row["id"] for row in page.rows], page.gone) == ([ticket_id(5)], ["ticket-77"])
    assert page.rows[0]["asked"]["companies"]["data"][0]["id"] == company_id(1)
    (page,) = await served.pages("companies", keys=["nowhere"])
    assert page.gone == ["nowhere"]


def test_webhooks_are_believed_by_their_signature_and_hint_at_the_row(small_world: World) -> None:
    own = Settings.model_validate(settings("https://a.example", token="t0ken"))
    about: Any = {"method": "POST", "url": "https://hub.example/hooks/chat", "now": small_world.until}
    body = event("ticket", 2)
    webhook.verified(signed(body, settings=own, **about), body, settings=own, **about)
    with pytest.raises(BadSignatureError, match="does not match"):
        webhook.verified(signed(body, settings=own, **about), body + b" ", settings=own, **about)
    hints = webhook.hints({}, body)
    assert [(hint.stream, hint.key) for hint in hints] == [("conversations", conversation_id(2))]
    rated = webhook.hints({}, body.replace(b"conversation.updated", b"conversation.rating.added"))
    assert [(hint.stream, hint.key) for hint in rated] == [
        (s, conversation_id(2)) for s in ("conversations", "ratings")
    ]
    assert len({hint.event_id for hint in rated}) == 2
    assert webhook.hints({}, b'{"type":"notification_event","topic":"ping","data":{"item":{"type":"ping"}}}') == ()
    assert (webhook.answer("HEAD", {}, b""), webhook.answer("POST", {}, body)) == (b"", None)
    with pytest.raises(BadRowError, match="is no JSON"):
        webhook.hints({}, b"<html>")
