"""The application with all of its routes, as `cshub serve` puts it together: what every answer has."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from hub.access.admission import Admission
from hub.access.tokens import create
from hub.asgi import app
from hub.cli.serve import Served
from hub.compose import Hub
from hub.compose.admission import admission_of
from hub.compose.exporting import export_routes
from hub.compose.resthooks import resthook_routes
from hub.compose.signing_in import sign_in_routes
from hub.compose.web import routes_of
from hub.model.actions import Role
from hub.settings import load
from hub.store import Store, tables
from tests.audits.test_injection import Engine
from tests.fakes.clock import Clock
from tests.schema.company import NOW, seed

KEPT = {"/dashboard/actions.json": "no-cache"}
"""Files that are the same for everybody."""


@pytest.fixture
async def hub(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Hub]:
    url = sqlite_store.url.render_as_string(hide_password=False)
    (tmp_path / "hub.yaml").write_text(f"store: {url}\nurl: https://hub.example\n", "utf-8")
    settings = load(tmp_path, environment={"CSHUB_SECRETS_KEY": "k" * 32})
    clock = Clock(NOW)
    async with Hub.open(settings, clock=clock, engine=Engine(clock=clock)) as opened:
        yield opened


@pytest.fixture
async def served(hub: Hub) -> AsyncIterator[tuple[httpx.AsyncClient, list[Route]]]:
    """A client of the application, and its routes."""
    admission: Admission = admission_of(hub)
    routes = [
        *routes_of(hub),
        *export_routes(hub, admission),
        *resthook_routes(hub, admission),
        *sign_in_routes(hub, admission),
    ]
    made = app(Served(hub, None), routes=routes, admission=admission)
    transport = httpx.ASGITransport(app=made, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as opened:
        yield opened, [each for each in made.routes if isinstance(each, Route)]


async def bearer(hub: Hub, role: Role) -> dict[str, str]:
    new = await create(hub.store, name=f"a {role.value}", role=role, now=NOW)
    return {"authorization": f"Bearer {new.secret}"}


async def test_nothing_of_any_route_is_kept_on_the_way(hub: Hub, served: tuple[httpx.AsyncClient, list[Route]]) -> None:
    client, routes = served
    await seed(hub.store, 1)
    async with hub.store.transaction() as connection:
        await connection.execute(tables.scorecard.delete())  # made up, and no page can explain them
    admin = await bearer(hub, Role.ADMIN)
    seen = set()
    for route in routes:
        path = route.path.replace("{customer}", "c000").replace("{file}", "customers.csv").replace("{view}", "x")
        path = path.replace("{event}", "alert.opened")
        for name in route.param_convertors:
            path = path.replace(f"{{{name}}}", "x").replace(f"{{{name}:path}}", "x")
        if path.startswith("/customers/c000/"):
            continue  # parts of one page, sent by the same words
        ways = [(method, admin) for method in {"GET", "POST"} & (route.methods or {"GET", "POST"})] + [("GET", {})]
        for method, headers in [*ways, *([("POST", {**admin, "accept": "text/event-stream"})] * (path == "/graphql"))]:
            answer = await client.request(method, path, headers=headers, json=None if method == "GET" else {})
            assert answer.status_code < 500, (method, path, answer.text)
            assert answer.headers["cache-control"] == KEPT.get(path, "no-store"), (method, path)
            assert answer.headers["x-content-type-options"] == "nosniff", (method, path)
            assert answer.headers["strict-transport-security"].startswith("max-age="), (method, path)
            seen.add((route.path, answer.status_code))
    assert {path for path, _ in seen} >= {"/graphql", "/", "/rate/{token}", "/survey/{token}", "/sign-in"}
    assert {("/export/{file}", 200), ("/customers/{customer}", 200), ("/subscriptions", 200)} <= seen
    picture = await client.get("/static/nothing.css")
    assert (picture.status_code, "cache-control" in picture.headers) == (404, False)
