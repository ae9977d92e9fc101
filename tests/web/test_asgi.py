"""The application over real HTTP: who gets in, and the pages. What requests look like: tests/web/graphql."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.model.actions import Role
from hub.resources import TEMPLATES
from schema.nodes import global_id
from tests.schema.company import seed
from tests.web.conftest import FakeHub, serving

Bearer = Callable[..., Awaitable[dict[str, str]]]
QUERIES = sorted((TEMPLATES / "web" / "queries").glob("*.graphql"))
ME = {"query": "{ viewer { name role } }"}
ASKED = {"graphql-require-preflight": "1"}
FIRE = {
    "query": 'mutation ($ids: [ID!]!) { playbookFire(input: {playbook: "save", customerIds: $ids, idempotencyKey: "k"})'
    " { firings { state } errors { code } } }",
    "variables": {"ids": [global_id("customer", "c000")]},
}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer cshub_wrong"},
        {"authorization": "Basic cshub_wrong"},
        {"cookie": "token=cshub_wrong"},
    ],
)
async def test_without_a_token_nothing(client: httpx.AsyncClient, hub: FakeHub, headers: dict[str, str]) -> None:
    for body in (ME, {"query": "{ __schema { types { name } } }"}, {"query": "{ __typename }"}, FIRE):
        response = await client.post("/graphql", json=body, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer realm="cshub"'
        assert response.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "data" not in response.json()
    assert (await client.get("/graphql", params=ME, headers={**headers, **ASKED})).status_code == 401
    assert hub.actions.calls == []


async def test_a_token_opens_and_a_revoked_one_does_not(
    client: httpx.AsyncClient, hub: FakeHub, bearer: Bearer
) -> None:
    from hub.access.admission import KNOWN_FOR
    from hub.access.tokens import list_tokens, revoke

    headers = await bearer(Role.CSM)
    response = await client.post("/graphql", json=ME, headers=headers)
    assert response.status_code == 200
    assert response.json()["data"] == {"viewer": {"name": "a csm", "role": "CSM"}}
    assert response.headers["cache-control"] == "no-store"
    (token,) = await list_tokens(hub.store)
    await revoke(hub.store, token.id, now=hub.clock())
    await asyncio.sleep(KNOWN_FOR.total_seconds())  # so long a token is known
    assert (await client.post("/graphql", json=ME, headers=headers)).status_code == 401


async def test_roles_hold_over_http(client: httpx.AsyncClient, hub: FakeHub, bearer: Bearer) -> None:
    await seed(hub.store, 1)
    refused = await client.post("/graphql", json=FIRE, headers=await bearer(Role.VIEWER))
    assert refused.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert hub.actions.calls == []
    done = await client.post("/graphql", json=FIRE, headers=await bearer(Role.CSM))
    assert done.json()["data"] == {"playbookFire": {"firings": [{"state": "fired"}], "errors": []}}
    assert len(hub.actions.calls) == 1


@pytest.mark.parametrize("query", [path.read_text("utf-8") for path in QUERIES], ids=[path.stem for path in QUERIES])
async def test_the_ready_made_queries_answer(
    client: httpx.AsyncClient, hub: FakeHub, bearer: Bearer, query: str
) -> None:
    await seed(hub.store, 3)
    response = await client.post("/graphql", json={"query": query}, headers=await bearer(Role.CSM))
    body: dict[str, Any] = response.json()
    assert "errors" not in body
    assert all(value for value in body["data"].values())


def test_there_are_three_ready_made_queries() -> None:
    assert len(QUERIES) == 3


class References(HTMLParser):
    """Every script and stylesheet of a page, and scripts that stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        link = found.get("src") if tag == "script" else found.get("href") if tag == "link" else None
        if link:
            self.links.append(link)
        elif tag == "script":
            self.inline.append(found.get("type"))


async def test_the_page_and_everything_it_refers_to_are_served_from_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/graphiql")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    found = References()
    found.feed(page.text)
    assert found.inline == ["application/json"]  # data, no code: the policy would not run it
    assert len(found.links) == 6
    for link in found.links:
        assert link.startswith("/static/")
        asset = await client.get(link)
        assert asset.status_code == 200
        assert len(asset.content) > 200
        assert asset.headers["x-content-type-options"] == "nosniff"
    for path in QUERIES:
        assert path.read_text("utf-8").splitlines()[0] in page.text
    assert "cshub_" not in page.text.replace("cshub_…", "")


async def test_only_the_files_of_the_page_are_served(client: httpx.AsyncClient) -> None:
    for path in (
        "/static/graphiql/style.css",
        "/static/graphiql/../graphiql.html",
        "/static/graphiql/%2e%2e/%2e%2e/models.py",
        "/static/../graphiql.html",
        "/static/%2e%2e/graphiql.html",
        "/static/",
        "/static/graphiql/",
    ):
        assert (await client.get(path)).status_code == 404


async def test_a_demo_token_is_on_the_page_only_when_told(hub: FakeHub) -> None:
    async with serving(hub, demo_token="cshub_</script>demo") as url, httpx.AsyncClient(base_url=url) as client:
        text = (await client.get("/graphiql")).text
    assert '"demoToken":"cshub_\\u003c/script>demo"' in text


async def test_health_and_lifespan(hub: FakeHub) -> None:
    async with serving(hub) as url, httpx.AsyncClient(base_url=url) as client:
        assert hub.told == ["start"]
        response = await client.get("/healthz")
        assert (response.status_code, response.json()) == (200, {"store": "ok"})
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert hub.told == ["start", "stop"]


async def test_health_tells_when_the_store_is_gone(tmp_path: Path, sqlite_template: Path) -> None:
    from hub.store import Store

    path = tmp_path / "gone.db"
    shutil.copy(sqlite_template, path)
    async with (
        Store.open(f"sqlite:///{path}") as store,
        serving(FakeHub(store)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        path.unlink()
        path.mkdir()
        response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"store": "unreachable"})


async def test_the_explorer_is_for_admins_unless_said_otherwise(hub: FakeHub) -> None:
    for explorer in ("admins", "all"):
        async with serving(hub, explorer=explorer) as url, httpx.AsyncClient(base_url=url) as client:
            page = await client.get("/graphiql")
            assert page.status_code == 200  # it holds nothing, and a token must be put in somewhere
            assert f'"introspection":"admins","explorer":"{explorer}"' in page.text


async def test_where_there_is_no_explorer_there_is_no_page(hub: FakeHub, bearer: Bearer) -> None:
    async with serving(hub, explorer="nobody") as url, httpx.AsyncClient(base_url=url) as client:
        for path in ("/graphiql", "/static/graphiql/graphiql.min.js"):
            assert (await client.get(path)).status_code == 404
        assert (await client.post("/graphql", json=ME, headers=await bearer())).status_code == 200
