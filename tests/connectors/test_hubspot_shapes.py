"""HubSpot's answers and settings of another shape than documented, without a sandbox."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.hubspot.connector import Connector, Settings
from connectors.hubspot.portal import owner_id
from connectors.hubspot.sandbox import app
from connectors.kit import registry
from connectors.kit.base import Window, map_rows
from connectors.kit.budget import Budget
from connectors.kit.errors import ContractError
from connectors.kit.http import Client

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = int(NOON.timestamp() * 1000)
TOKEN = "pat-simulated-token"


def test_the_registry_builds_it_and_names_every_fault_of_its_settings() -> None:
    assert registry.build("hubspot", {"token": "t"}).manifest.title == "HubSpot CRM"
    assert registry.sandbox("hubspot") is app
    with pytest.raises(registry.ConfigError) as caught:
        registry.build("hubspot", {"tokn": "t", "time_zone": "Mars/Base", "deal_types": {"a": "gift"}})
    assert [(fault.key, fault.choices[:3]) for fault in caught.value.faults] == [
        ("token", ()),
        ("time_zone", ()),
        ("deal_types.a", ("new", "renewal", "expansion")),
        ("tokn", ("base_url", "proxy", "token")),
    ]


class Odd(httpx.MockTransport):
    """HubSpot, but every answer of a path that ends so is something else."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        super().__init__(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        name = "associations" if "associations" in request.url.path else request.url.path.rpartition("/")[2]
        archive = request.url.params.get("archived") == "true"
        return httpx.Response(200, json={"results": []} if archive else self.answers.get(name, {"results": []}))


CHANGED = {"id": "7", "updatedAt": "2026-11-22T11:00:00Z", "createdAt": "2026-11-22T11:00:00Z", "properties": {}}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"search": []}, "has no list of results"),
        ({"search": {"results": None}}, "has no list of results"),
        ({"search": {"results": ["7"]}}, "a result is no object"),
        ({"search": {"results": [], "paging": {"next": {"after": "9"}}}}, "holds no key to go on from"),
        ({"search": {"results": [CHANGED]}, "associations": {"results": [{"to": []}]}}, "not shaped as documented"),
        ({"search": {"results": [CHANGED]}, "associations": {"status": "COMPLETE"}}, "has no list of results"),
    ],
)
async def test_an_answer_of_another_shape_ends_the_pull_before_its_page(answers: Any, message: str) -> None:
    (stream,) = (one for one in Connector(Settings(token=TOKEN)).streams() if one.name == "contacts")
    bookmark = {"since": NOW - 3_600_000, "listed": NOW, "swept": NOW}
    client = Client("http://hubspot.example", budget=Budget({}), transport=Odd(**answers))
    pages = aiter(stream.pull(client, Window(bookmark=bookmark, started_at=NOON)))
    with pytest.raises(ContractError, match=message):
        await anext(pages)


async def test_rows_of_another_shape_go_to_quarantine() -> None:
    (stream,) = (one for one in Connector(Settings(token=TOKEN)).streams() if one.name == "contacts")
    odd = Odd(contacts={"results": [{"id": "8"}, {"properties": {}}, CHANGED]})
    client = Client("http://hubspot.example", budget=Budget({}), transport=odd)
    pages = [page async for page in stream.pull(client, Window(bookmark=None, started_at=NOON))]
    records, bad = map_rows(stream, [row for page in pages for row in page.rows])
    assert ([record.key for record in records], [(one.key, one.field) for one in bad]) == (
        ["7"],
        [("8", "properties"), ("no id fa2e4964e36d7d0d", "id")],
    )


def test_owner_ids_do_not_depend_on_who_else_there_is() -> None:
    assert owner_id("ada@ourco.example") == owner_id("ada@ourco.example") != owner_id("bo@ourco.example")
