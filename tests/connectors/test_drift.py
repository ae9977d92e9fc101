"""What is special to Drift, against its sandbox over loopback HTTP."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from connectors.drift.connector import Connector
from connectors.drift.sandbox import app, conversation_id, settings
from connectors.kit.base import Page, Window, map_rows
from connectors.kit.errors import DeniedError
from connectors.kit.registry import build
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import World

NUMBERS = count()


class Desk:
    """A served sandbox and a source; `asked` are path and query of the requests that arrived, `keys` those of the records."""

    def __init__(self, serve: Any, world: World, fake_time: Any, **options: Any) -> None:
        self.world, self.time, self.asked = world, fake_time, list[str]()
        self.token = f"drift-s3cret-{next(NUMBERS)}"
        sandbox = app(lambda: self.world, token=self.token, faults=Faults(), **options)

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}".removesuffix("?"))
            await sandbox(scope, receive, send)

        self.url = serve(heard)

    async def pages(self, name: str, *, bookmark: Any = None) -> list[Page]:
        source = build("drift", {**settings(self.url, token=self.token), "page_size": 2})
        assert isinstance(source, Connector)
        stream = next(one for one in source.streams() if one.name == name)
        self.asked.clear()
        async with source.client() as client:
            client._sleep, client._clock, client._monotonic = self.time.sleep, self.time.clock, self.time.monotonic
            window = Window(bookmark=bookmark, started_at=self.world.until)
            pages = [page async for page in stream.pull(client, window)]
        self.records = [record for page in pages for record in map_rows(stream, page.rows)[0]]
        self.keys = [record.key for record in self.records]
        return pages


@pytest.fixture
def desk(serve: Any, small_world: World, fake_time: Any) -> Any:
    return lambda **options: Desk(serve, small_world, fake_time, **options)


async def test_a_conversation_brings_its_contact_who_is_asked_for_once(desk: Any) -> None:
    served: Desk = desk()
    served.world = replace(served.world, tickets=[replace(ticket, person=1) for ticket in served.world.tickets])
    await served.pages("conversations")
    assert served.keys.count("contact-3000001") == 4
    assert {record.company_key for record in served.records} == {"acme.example"}
    assert [asked for asked in served.asked if asked.startswith("/contacts")] == ["/contacts/3000001"]


@pytest.mark.parametrize(("in_order", "lists"), [(True, 2), (False, 3)])
async def test_reading_stops_at_the_bookmark_only_while_pages_are_in_order(
    desk: Any, in_order: bool, lists: int
) -> None:
    served: Desk = desk(in_order=in_order)
    tickets = [
        replace(ticket, number=n) for n, ticket in enumerate([*served.world.tickets, served.world.tickets[3]], 1)
    ]
    served.world = replace(served.world, tickets=tickets)
    mark = (await served.pages("conversations"))[-1].bookmark
    changed = replace(served.world.tickets[2], updated_at=served.world.until)
    kept = [ticket for ticket in served.world.tickets if ticket.number != changed.number]
    served.world = replace(served.world, tickets=[*kept, changed], until=served.world.until + timedelta(hours=1))
    await served.pages("conversations", bookmark=mark)
    assert str(conversation_id(3)) in served.keys
    assert len([asked for asked in served.asked if asked.startswith("/conversations/list")]) == lists


async def test_accounts_go_on_by_path_and_by_their_domain(desk: Any) -> None:
    served: Desk = desk()
    await served.pages("accounts")
    assert served.keys == ["acme.example", "cloud.acme.example", "borealis.example"]
    assert served.asked == ["/accounts?index=0&size=2", "/accounts?index=2&size=2"]


async def test_a_missing_scope_is_named_after_one_call(desk: Any) -> None:
    served: Desk = desk(without=["conversation_read"])
    with pytest.raises(DeniedError, match="the private app needs conversation_read and contact_read"):
        await served.pages("conversations")
    assert len(served.asked) == 1
