"""What is special to Freshdesk, against its sandbox over loopback HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from connectors.freshdesk import webhook
from connectors.freshdesk.connector import Connector, Settings
from connectors.freshdesk.sandbox import app, event, settings, signed
from connectors.kit.base import BadRowError, Page, Window, map_rows
from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import Removed, World

NUMBERS = count()


class Desk:
    """A served sandbox and a source; `asked` are path and query of the requests that arrived."""

    def __init__(self, serve: Callable[[Any], str], world: World, fake_time: Any, **options: Any) -> None:
        self.world, self.faults, self.time, self.asked = world, Faults(), fake_time, list[str]()
        self.token = f"freshdesk-s3cret-{next(NUMBERS)}"
        self.before: Callable[[], None] = lambda: None
        sandbox = app(lambda: self.world, token=self.token, faults=self.faults, **options)

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
            self.before()
            await sandbox(scope, receive, send)

        self.url = serve(heard)

    async def pages(self, name: str, *, keys: list[str] | None = None, bookmark: Any = None, **more: Any) -> list[Page]:
        source = build("freshdesk", {**settings(self.url, token=self.token), **more})
        assert isinstance(source, Connector)
        stream = next(one for one in source.streams() if one.name == name)
        self.asked.clear()
        async with source.client() as client:
            client._sleep, client._clock, client._monotonic = self.time.sleep, self.time.clock, self.time.monotonic
            window = Window(bookmark=bookmark, started_at=self.world.until)
            asked = stream.pull(client, window) if keys is None or stream.fetch is None else stream.fetch(client, keys)
            pages = [page async for page in asked]
        self.records = [record for page in pages for record in map_rows(stream, page.rows)[0]]
        return pages


@pytest.fixture
def desk(serve: Any, small_world: World, fake_time: Any) -> Callable[..., Desk]:
    return lambda **options: Desk(serve, options.pop("world", small_world), fake_time, **options)


def ids(pages: list[Page]) -> list[int]:
    return [row["id"] for page in pages for row in page.rows]


def busy(world: World, number: int, *, apart: timedelta) -> World:
    """`number` tickets, changed one after the other."""
    begin = world.until - timedelta(days=2)
    tickets = [
        replace(world.tickets[0], number=n, updated_at=begin + n * apart, csat=None, csat_at=None)
        for n in range(1, number + 1)
    ]
    return replace(world, tickets=tickets)


async def test_a_row_that_changes_while_pages_are_read_pushes_nobody_off(desk: Any, small_world: World) -> None:
    served: Desk = desk(world=busy(small_world, 12, apart=timedelta(minutes=1)))

    def change() -> None:  # after the first page its first row moves to the end
        if len(served.asked) == 2:
            first, *others = served.world.tickets
            served.world = replace(served.world, tickets=[replace(first, updated_at=served.world.until), *others])

    served.before = change
    assert set(ids(await served.pages("tickets"))) == set(range(1, 13))
    assert not [asked for asked in served.asked if "&page=2" in asked]


async def test_more_rows_of_one_second_than_a_page_holds_are_paged_by_number(desk: Any, small_world: World) -> None:
    served: Desk = desk(world=busy(small_world, 12, apart=timedelta(0)))
    assert sorted(ids(await served.pages("tickets"))) == list(range(1, 13))
    assert [asked.rpartition("&page=")[2][0] for asked in served.asked] == ["1", "1", "2", "3"]


async def test_beyond_the_last_page_a_listing_fails_rather_than_ends(desk: Any, small_world: World) -> None:
    served: Desk = desk(world=busy(small_world, 12, apart=timedelta(0)), pages=2)
    with pytest.raises(ContractError, match=r"/tickets answered 400: Validation failed"):
        await served.pages("tickets")


async def test_deleted_tickets_come_marked_and_take_their_rating_with_them(desk: Any) -> None:
    served: Desk = desk()
    marks = {name: (await served.pages(name))[-1].bookmark for name in ("tickets", "ratings", "contacts")}
    at = served.world.until + timedelta(hours=1)
    graves = [Removed(what=what, number=2, account=2, at=at) for what in ("ticket", "person")]
    kept = {part: [row for row in getattr(served.world, part) if row.number != 2] for part in ("tickets", "people")}
    served.world = replace(served.world, **kept, removed=graves, until=at)
    for name, key in (("tickets", "2"), ("contacts", "70002")):
        await served.pages(name, bookmark=marks[name])
        assert [record.key for record in served.records if record.deleted] == [key]
    pages = await served.pages("ratings", bookmark=marks["ratings"])
    assert [key for page in pages for key in page.gone] == ["ticket-2"]


async def test_tickets_are_always_asked_for_since_a_time_and_with_their_stats(desk: Any) -> None:
    served: Desk = desk()
    assert len(ids(await served.pages("tickets"))) == 4  # one is older than 30 days
    assert all("updated_since=" in asked and "include=stats%2Crequester" in asked for asked in served.asked)
    solved = next(record for record in served.records if record.key == "2")
    assert (solved.first_response_minutes, solved.resolution_minutes) == (30.0, 1440.0)


async def test_a_few_who_rated_are_asked_for_and_many_are_listed(desk: Any, small_world: World) -> None:
    served: Desk = desk()
    await served.pages("ratings")
    assert [asked.partition("?")[0] for asked in served.asked] == [
        "/api/v2/surveys/satisfaction_ratings", "/api/v2/contacts/70002", "/api/v2/contacts/70005",
    ]  # fmt: skip
    assert [record.company_key for record in served.records] == ["60002", "60001"]
    people = [replace(small_world.people[0], number=n) for n in range(1, 31)]
    rated = [replace(small_world.tickets[1], number=n, person=n) for n in range(1, 31)]
    many: Desk = desk(world=replace(small_world, people=people, tickets=rated))
    await many.pages("ratings", page_size=100)
    assert len(many.records) == 30
    assert len(many.asked) == 2


async def test_what_the_role_or_the_plan_lacks_is_named_after_one_call(desk: Any) -> None:
    served: Desk = desk(without=["surveys"])
    with pytest.raises(DeniedError, match="needs the permission to view reports, and satisfaction surveys") as told:
        await served.pages("ratings")
    assert (told.value.scope, len(served.asked)) == ("stream", 1)


async def test_rows_are_fetched_by_key_and_missing_ones_are_gone(desk: Any) -> None:
    served: Desk = desk()
    pages = await served.pages("tickets", keys=["2", "77"])
    assert (ids(pages), [key for page in pages for key in page.gone]) == ([2], ["77"])


def test_webhooks_are_believed_by_their_secret_header(small_world: World) -> None:
    own = Settings.model_validate(settings("https://a.example", token="t0ken"))
    about: Any = {"method": "POST", "url": "https://hub.example/hooks/desk", "now": small_world.until}
    body = event("ticket", 2)
    webhook.verified(signed(body, settings=own, **about), body, settings=own, **about)
    with pytest.raises(BadSignatureError, match="x-webhook-secret is not the source's webhook_secret"):
        webhook.verified({"x-webhook-secret": "guess"}, body, settings=own, **about)
    with pytest.raises(BadSignatureError, match="is missing"):
        webhook.verified({}, body, settings=own, **about)
    assert [(hint.stream, hint.key) for hint in webhook.hints({}, body)] == [("tickets", "2")]
    times = ("2026-11-22T10:00:00+00:00", "2026-11-22T10:00:07+00:00")
    again = [webhook.hints({":received-at": at}, b'{"ticket_id": "INC-12"}')[0] for at in times]
    assert [hint.key for hint in again] == ["12", "12"]
    assert (
        again[0].event_id != again[1].event_id
    )  # nothing names the event, and a change must not be taken for another one
    with pytest.raises(BadRowError, match="is no id"):
        webhook.hints({}, b'{"ticket_id": "{{ticket.id}}"}')
