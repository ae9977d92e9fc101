"""GET /export: who may take which rows, in three formats, and that it is noted."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import polars
import pytest
from starlette.applications import Starlette

from hub.access import Viewer
from hub.model.actions import Role, Scope
from hub.store import Store, tables
from hub.store.audit import find_latest
from hub.store.bi import VIEWS
from hub.web import export
from hub.web.receiving import bearer
from tests.schema.company import NOW, insert, record, seed
from tests.schema.test_access_books import ANN, FOREIGN, ZOE, filled

VIEWERS = {
    "admin": Viewer(token_id="t1", name="root", role=Role.ADMIN),
    "plain": Viewer(token_id="t2", name="bi", role=Role.ADMIN, granted=frozenset({Scope.READ, Scope.EXPORT})),
    "csm": Viewer(token_id="t3", name="ann", role=Role.CSM),
    "ann": Viewer(token_id="t5", name="ann", role=Role.ADMIN, book=ANN),
    "viewer": Viewer(token_id="t6", name="eve", role=Role.VIEWER),
    "manager": Viewer(token_id="t7", name="max", role=Role.MANAGER),
    "booked": Viewer(token_id="t4", name="bob", role=Role.ADMIN, book="bob@cs.example"),
}


@pytest.fixture
async def client(sqlite_store: Store) -> AsyncIterator[httpx.AsyncClient]:
    async def find(headers: Mapping[str, str]) -> Viewer | None:
        return VIEWERS.get(bearer(headers) or "")

    app = Starlette(routes=export.routes(sqlite_store, find_viewer=find, clock=lambda: NOW))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub") as made:
        yield made


async def get(client: httpx.AsyncClient, path: str, who: str = "admin", **params: str) -> httpx.Response:
    return await client.get(path, params=params, headers={"authorization": f"Bearer {who}"})


async def taken(store: Store) -> list[tuple[str, str, Any]]:
    async with store.reading() as connection:
        return [(each.actor, each.subject, each.detail["request"]) for each in await find_latest(connection, limit=10)]


async def test_the_three_formats_say_the_same(client: httpx.AsyncClient, sqlite_store: Store) -> None:
    await seed(sqlite_store, 2)
    as_csv = await get(client, "/export/scores.csv")
    as_lines = await get(client, "/export/scores.jsonl")
    as_parquet = await get(client, "/export/scores.parquet")
    assert [each.status_code for each in (as_csv, as_lines, as_parquet)] == [200] * 3
    lines = [json.loads(line) for line in as_lines.text.splitlines()]
    assert len(lines) == 6
    frame = polars.read_parquet(io.BytesIO(as_parquet.content))
    assert [row["id"] for row in frame.to_dicts()] == [row["id"] for row in lines]
    assert (frame.schema["health"], frame.schema["as_of"]) == (polars.Float64, polars.Date)
    assert frame.schema["computed_at"] == polars.Datetime("us", "UTC")
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [(row["id"], float(row["health"]), row["computed_at"]) for row in rows] == [
        (row["id"], row["health"], row["computed_at"]) for row in lines
    ]
    assert as_csv.headers["content-disposition"] == 'attachment; filename="scores-2026-11-01.csv"'
    assert as_csv.headers["cache-control"] == "no-store"


async def test_nothing_gives_a_heading_or_an_empty_file(client: httpx.AsyncClient) -> None:
    assert (await get(client, "/export/usage.csv")).text == "customer_id,day,users,events,sessions,minutes\r\n"
    assert (await get(client, "/export/usage.jsonl")).content == b""
    assert polars.read_parquet(io.BytesIO((await get(client, "/export/usage.parquet")).content)).height == 0


async def test_a_text_is_no_formula_in_a_spreadsheet(client: httpx.AsyncClient, sqlite_store: Store) -> None:
    await seed(sqlite_store, 1)
    row = record("desk", "x", "c000", subject='=HYPERLINK("http://elsewhere.example")', status="open", severity="low")
    await insert(sqlite_store, tables.ticket, [row])
    subjects = {row["subject"] for row in csv.DictReader(io.StringIO((await get(client, "/export/tickets.csv")).text))}
    assert "'" + row["subject"] in subjects
    lines = (await get(client, "/export/tickets.jsonl")).text.splitlines()
    assert row["subject"] in {json.loads(line)["subject"] for line in lines}


async def test_personal_data_takes_the_scope(client: httpx.AsyncClient, sqlite_store: Store) -> None:
    await seed(sqlite_store, 1)
    shown = await get(client, "/export/contacts.csv", "plain")
    assert shown.headers["x-cshub-left-out"] == "id,email,name,title"
    assert "Person" not in shown.text
    refused = await get(client, "/export/contacts.csv", "plain", columns="role,email")
    assert (refused.status_code, refused.json()["error"].partition(":")[0]) == (403, "email")
    assert "p0@c000.example" in (await get(client, "/export/contacts.csv")).text
    told = (await get(client, "/export", "plain")).json()
    (contacts,) = [each for each in told["exports"] if each["name"] == "contacts"]
    assert "email" not in {each["name"] for each in contacts["columns"]}


async def test_who_may_not_gets_nothing(client: httpx.AsyncClient, sqlite_store: Store) -> None:
    await seed(sqlite_store, 1)
    for path in ("/export", "/export/customers.csv", "/export/nothing.csv"):
        assert (await client.get(path)).status_code == 401
        assert (await get(client, path, "who")).status_code == 401
        assert (await get(client, path, "csm")).status_code == 403
    assert await taken(sqlite_store) == []
    assert (await get(client, "/export/customers.csv", "booked")).text.count("\r\n") == 1


async def test_every_export_is_of_ones_own_book(client: httpx.AsyncClient, sqlite_store: Store) -> None:
    """To the letter as if nobody else were there, for whom has one; and the same words for all who may not export."""
    await seed(sqlite_store, 1)
    where = {"where": json.dumps({"name": {"exists": True}})}
    asked = [(f"/export/{name}.{kind}", more) for name in VIEWS for kind in ("csv", "jsonl") for more in ({}, where)]
    alone = [(await get(client, path, "ann", **more)).text for path, more in asked]
    await filled(sqlite_store)
    grown = 0
    for (path, more), before in zip(asked, alone, strict=True):
        assert (await get(client, path, "ann", **more)).text == before, path
        everything = (await get(client, path, **more)).text
        grown += any(word in everything for word in (FOREIGN, ZOE, "Customer 001"))
    assert grown > len(VIEWS), "everybody's are there"
    asked += [("/export", {}), ("/export/nothing.csv", {})]
    for who in ("viewer", "csm", "manager"):
        assert len({(await get(client, path, who, **more)).text for path, more in asked}) == 1


async def test_a_condition_and_columns(client: httpx.AsyncClient, sqlite_store: Store) -> None:
    await seed(sqlite_store, 3)
    where = json.dumps({"name": {"eq": "Customer 001"}})
    shown = await get(client, "/export/customers.csv", columns="name,id", where=where)
    assert shown.text == "name,id\r\nCustomer 001,c001\r\n"
    assert await taken(sqlite_store) == [
        (
            "root",
            "customers",
            {"view": "customers", "format": "csv", "columns": ["name", "id"], "where": json.loads(where)},
        )
    ]


@pytest.mark.parametrize(
    ("path", "params", "status", "words"),
    [
        ("/export/nothing.csv", {}, 404, "there are: customers, scores"),
        ("/export/customers.xls", {}, 404, ".csv, .jsonl, .parquet"),
        ("/export/customers.csv", {"columns": "nmae"}, 400, "no column nmae; it has: id, name"),
        ("/export/customers.csv", {"columns": ","}, 400, "no column is named"),
        ("/export/customers.csv", {"where": "{"}, 400, "where is a JSON object"),
        ("/export/customers.csv", {"where": '{"helth": {"lt": 1}}'}, 400, "where: helth"),
        ("/export/customers.csv", {"where": '{"in_segment": "none-such"}'}, 400, "none-such"),
        ("/export/customers.csv", {"colums": "id"}, 400, "there are: columns, where"),
    ],
)
async def test_what_is_wrong_is_named(
    client: httpx.AsyncClient, sqlite_store: Store, path: str, params: dict[str, str], status: int, words: str
) -> None:
    refused = await get(client, path, **params)
    assert refused.status_code == status
    assert words in refused.json()["error"]
    assert await taken(sqlite_store) == []


async def test_a_third_one_waits_its_turn(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 0)

    async def find(headers: Mapping[str, str]) -> Viewer | None:
        return VIEWERS.get(bearer(headers) or "")

    app = Starlette(routes=export.routes(sqlite_store, find_viewer=find, clock=lambda: NOW))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub") as client:
        refused = await get(client, "/export/customers.csv")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert await taken(sqlite_store) == []
