"""GraphQL over HTTP, on a real server: requests of every form, and the status and type of their answers.

The names in `AUDITS` are those of the public audit suite (graphql-http's), which `make audit-http` runs itself.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from hub.model.actions import Role
from tests.web.conftest import FakeHub, serving

Bearer = Callable[..., Awaitable[dict[str, str]]]
JSON = "application/json"
RESPONSE = "application/graphql-response+json"
UTF8 = "; charset=utf-8"
ASKED = {"graphql-require-preflight": "1"}
TYPENAME = "{ __typename }"
NAMED = "query Type($name: String!) { __type(name: $name) { name } }"


async def test_the_answer_has_the_type_that_is_accepted(client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = await bearer()
    del client.headers["accept"]
    for accept, type_ in (
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}, {RESPONSE}", JSON),
        (f"{RESPONSE};q=0.5, {JSON};q=0.9", JSON),
        (f"text/html, {JSON};q=0.1, {RESPONSE};q=0.2", RESPONSE),
        (f"{RESPONSE}; charset=utf-8, {JSON};q=0.9", RESPONSE),
        (f"{RESPONSE}; charset=utf-16, {JSON};q=0.9", JSON),
        (f"{JSON};q=0, */*", RESPONSE),
        (f"{RESPONSE.upper()}", RESPONSE),
    ):
        given = {**headers, **({} if accept is None else {"accept": accept})}
        response = await client.post("/graphql", json={"query": TYPENAME}, headers=given)
        assert (response.status_code, response.headers["content-type"]) == (200, type_ + UTF8), accept
        assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", f"{JSON}; charset=utf-16", "image/*"])
async def test_what_cannot_be_answered_in_is_said(client: httpx.AsyncClient, bearer: Bearer, accept: str) -> None:
    response = await client.post("/graphql", json={"query": TYPENAME}, headers={**await bearer(), "accept": accept})
    assert response.status_code == 406
    assert RESPONSE in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": TYPENAME}, 200),
        ({"query": TYPENAME, "variables": None, "operationName": None, "extensions": None}, 200),
        ({"query": "query Query { __typename }", "operationName": "Query"}, 200),
        ({"query": NAMED, "variables": {"name": "Customer"}}, 200),
        ({"query": TYPENAME, "extensions": {"some": "value"}}, 200),
        ({"query": '{ __type(name: "Run🏃Swim🏊") { name } }'}, 200),
        ({"query": "{"}, 400),
        ({"query": "{ 8f31403dfe404bccbb0e835f2629c6a7 }"}, 400),
        ({"query": "{ nothing }"}, 400),
        ({"query": "query CoerceFailure($id: ID!){ __typename }", "variables": {"id": None}}, 400),
        ({"query": "query A { __typename } query B { __typename }"}, 400),
        ({"query": "query A { __typename }", "operationName": "B"}, 400),
        ({"query": "subscription { nothing }"}, 400),
    ],
)
async def test_status_of_what_is_well_formed(
    client: httpx.AsyncClient, bearer: Bearer, accept: str, body: dict[str, Any], status: int
) -> None:
    """Older clients take anything but 200 for a broken server, so they get it for every well-formed request."""
    response = await client.post("/graphql", json=body, headers={**await bearer(Role.ADMIN), "accept": accept})
    assert response.status_code == (status if accept == RESPONSE else 200)
    assert ("data" in response.json()) == (status == 200)
    assert ("errors" in response.json()) == (status != 200)


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize(
    ("content", "type_", "status"),
    [
        (b'{"query": "{ __typename }"}', "text/plain", 415),
        (b'{"query": "{ __typename }"}', None, 415),
        (b'{"query": "{ __typename }"}', "application/json; charset=utf-16", 415),
        (b"query=%7B+__typename+%7D", "application/x-www-form-urlencoded", 415),
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b'{ "not a JSON', JSON, 400),
        (b"null", JSON, 400),
        (b'"{ __typename }"', JSON, 400),
        (b'[{"query": "{ __typename }"}]', JSON, 400),
        (b'{"qeury": "{ __typename }"}', JSON, 400),
        (b'{"query": " "}', JSON, 400),
        *((json.dumps({"query": each}).encode(), JSON, 400) for each in ({"a": 1}, 0, False, ["a"], None)),
        *(
            (json.dumps({"query": TYPENAME, key: each}).encode(), JSON, 400)
            for key in ("operationName", "variables", "extensions", "documentId")
            for each in (1, True, ["a"], {"a": 1} if key in ("operationName", "documentId") else "a")
        ),
        (b'{"query": "{ __typename }", "variables": {"a": NaN}}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": {"a": 1e999}}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": {"a": "\\u0000"}}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": {"a": "\xff"}}', JSON, 400),
        (b'{"query": "{ __typename }", "query": "{ viewer { name } }"}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": {"a": 1, "a": 2}}', JSON, 400),
        (b'{"query": "{ __typename }", "variables": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", JSON, 400),
        (b'{"query": "{ __typename }", "variables": {"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}}", JSON, 400),
        (b'{"query": "' + b"x" * 1_000_001 + b'"}', JSON, 413),
    ],
)
async def test_what_is_no_request_is_refused(
    client: httpx.AsyncClient, bearer: Bearer, content: bytes, type_: str | None, status: int, accept: str
) -> None:
    headers = {**await bearer(), "accept": accept, **({} if type_ is None else {"content-type": type_})}
    response = await client.post("/graphql", content=content, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == accept + UTF8
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert response.json().keys() == {"errors"}


async def test_a_batch_is_told_what_to_do(client: httpx.AsyncClient, bearer: Bearer) -> None:
    response = await client.post("/graphql", json=[{"query": TYPENAME}] * 10, headers=await bearer())
    assert response.json()["errors"][0]["message"].startswith("one request at a time: batches")


async def test_a_compressed_body_is_refused(client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = {**await bearer(), "content-type": JSON, "content-encoding": "gzip"}
    assert (await client.post("/graphql", content=b"\x1f\x8b", headers=headers)).status_code == 415


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_get_reads(client: httpx.AsyncClient, bearer: Bearer, accept: str) -> None:
    headers = {**await bearer(Role.ADMIN), **ASKED, "accept": accept}
    asked = {"query": f"query A {TYPENAME} {NAMED}", "operationName": "Type", "variables": '{"name": "Customer"}'}
    response = await client.get("/graphql", params={**asked, "extensions": '{"some": "value"}'}, headers=headers)
    assert response.json()["data"] == {"__type": {"name": "Customer"}}
    assert (response.status_code, response.headers["content-type"]) == (200, accept + UTF8)


async def test_get_never_acts(client: httpx.AsyncClient, hub: FakeHub, bearer: Bearer) -> None:
    headers = {**await bearer(Role.ADMIN), **ASKED}
    acting = {"query": 'mutation { sourceSync(input: {source: "desk"}) { errors { code } } }'}
    for accept in (JSON, RESPONSE):
        refused = await client.get("/graphql", params=acting, headers={**headers, "accept": accept})
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert "data" not in refused.json()
    assert hub.actions.calls == []


async def test_get_needs_a_header_that_no_form_sends(client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = await bearer()
    plain = await client.get("/graphql", params={"query": TYPENAME}, headers=headers)
    assert plain.status_code == 400
    assert "graphql-require-preflight" in plain.json()["errors"][0]["message"]
    for name in ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name"):
        asked = await client.get("/graphql", params={"query": TYPENAME}, headers={**headers, name: "yes"})
        assert asked.status_code == 200
    typed = {**headers, "content-type": "application/json"}
    assert (await client.get("/graphql", params={"query": TYPENAME}, headers=typed)).status_code == 200


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "variables={}",
        "query={__typename}&variables={",
        "query={__typename}&variables=[1]",
        "query={__typename}&extensions=1",
        "query={__typename}&query={a}",
        "query=%ff",
        "query={__typename}&variables=%7B%22a%22%3A%22%5Cu0000%22%7D",
        "&".join(f"a{n}=1" for n in range(60)) + "&query={__typename}",
    ],
)
async def test_what_is_no_get_request_is_refused(client: httpx.AsyncClient, bearer: Bearer, query_string: str) -> None:
    response = await client.get(f"/graphql?{query_string}", headers={**await bearer(), **ASKED})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods_are_named(client: httpx.AsyncClient, bearer: Bearer, method: str) -> None:
    response = await client.request(method, "/graphql", headers=await bearer())
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, OPTIONS")


PREFLIGHT = {
    "origin": "https://app.example.com",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


async def test_no_page_of_another_origin_may_call_it(client: httpx.AsyncClient, bearer: Bearer) -> None:
    asked = await client.options("/graphql", headers=PREFLIGHT)
    assert asked.status_code == 204
    answered = await client.post(
        "/graphql", json={"query": TYPENAME}, headers={**await bearer(), "origin": "https://app.example.com"}
    )
    for response in (asked, answered):
        assert not [name for name in response.headers if name.startswith("access-control")]


async def test_origins_that_are_listed_may(hub: FakeHub, bearer: Bearer) -> None:
    async with (
        serving(hub, origins=["https://app.example.com"]) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        asked = await client.options("/graphql", headers=PREFLIGHT)
        assert asked.headers["access-control-allow-origin"] == "https://app.example.com"
        assert {"authorization", "content-type"} <= set(asked.headers["access-control-allow-headers"].split(", "))
        headers = {**await bearer(), "origin": "https://app.example.com"}
        answered = await client.post("/graphql", json={"query": TYPENAME}, headers=headers)
        assert answered.headers["access-control-allow-origin"] == "https://app.example.com"
        refused = await client.post("/graphql", json={}, headers=headers)  # its reason can be read, too
        assert refused.headers["access-control-allow-origin"] == "https://app.example.com"
        for response in (asked, answered, refused):
            assert response.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in response.headers
        for origin in ("https://app.example.com.evil.example", "http://app.example.com", "null"):
            other = await client.options("/graphql", headers={**PREFLIGHT, "origin": origin})
            assert "access-control-allow-origin" not in other.headers
