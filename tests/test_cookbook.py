"""docs/cookbook.md is true: every operation on it runs as it stands there, over HTTP, against a hub with a company in it.

The recipes are asked in the order of the page, each by the least role it names, with ids from the answers of those before, as
the page says. Queries are asked on both paths; who lacks the role or the scope is refused; mutations are carried out, once.
"""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from hub.access.tokens import create
from hub.asgi import app
from hub.cli.serve import Served
from hub.compose import Hub
from hub.compose.graphql import guard_of
from hub.compose.web import routes_of
from hub.model.actions import Role, Scope
from hub.resources import CONFIG
from hub.settings import load
from hub.store import tables
from schema.answering import READER
from tests.fakes.cookbook import PAGE, Recipe, found, places, recipes
from tests.fakes.scored_company import Engine, company
from tests.fakes.serving import serving
from tests.schema.company import NOW, insert

ROOT = Path(__file__).parent.parent
ALL = recipes()
ROLES = [role.value for role in Role]


@dataclass
class Desk:
    """A hub that is served, the tokens that open it, and what was learned from answers so far."""

    hub: Hub
    client: httpx.AsyncClient
    tokens: Mapping[str, str]
    known: dict[str, Any] = field(default_factory=dict)

    async def ask(self, recipe: Recipe, who: str, **more: Any) -> httpx.Response:
        body = {"query": recipe.text, "variables": {**recipe.filled(self.known), **more}}
        headers = {"authorization": f"Bearer {self.tokens[who]}", "accept": "application/graphql-response+json"}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def events(self, recipe: Recipe, who: str, **more: Any) -> Any:
        """The data of the first event."""
        body = {"query": recipe.text, "variables": {**recipe.filled(self.known), **more}}
        headers = {"authorization": f"Bearer {self.tokens[who]}", "accept": "text/event-stream"}
        async with self.client.stream("POST", "/graphql", json=body, headers=headers) as stream:
            assert stream.status_code == 200, await stream.aread()
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    return json.loads(line.removeprefix("data: "))
        raise AssertionError("the stream ended")

    def learn(self, recipe: Recipe, data: Any) -> None:
        for place, (name, path) in places().items():
            if name == recipe.name:
                self.known[place] = found(data, path)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Desk]:
    config = folder / "config"
    shutil.copytree(CONFIG, config)
    team = (config / "team.yaml").read_text("utf-8")
    assert "members: {}" in team
    (config / "team.yaml").write_text(team.replace("members: {}", "members: {ann@cs.example: {name: Ann}}"), "utf-8")
    settings = load(config, environment={"CSHUB_STORE": f"sqlite:///{folder / 'cshub.db'}"})
    engine = Engine(clock=lambda: NOW)
    async with Hub.open(settings, clock=lambda: NOW, migrate=True, work=False, engine=engine) as hub:
        await company(hub)
        tokens = {}
        for role in Role:
            new = await create(
                hub.store, name=f"a {role.value}", role=role, now=NOW, expires_at=NOW + timedelta(days=1)
            )
            tokens[role.value] = new.secret
        for role in (Role.CSM, Role.MANAGER, Role.ADMIN):
            name = f"{role.value} without personal"
            new = await create(hub.store, name=name, role=role, now=NOW, scopes={Scope.READ, Scope.ACT})
            tokens[name] = new.secret
        application = app(Served(hub, None), routes=routes_of(hub), guard=guard_of(settings))
        async with serving(application, lifespan="on", ws="websockets-sansio") as url:
            async with httpx.AsyncClient(base_url=url, timeout=60) as client:
                yield Desk(hub, client, tokens)
            await application.state.end_streams()


def rows(data: Any) -> list[Any]:
    """All lists of an answer."""
    if isinstance(data, dict):
        return [each for value in data.values() for each in rows(value)]
    if isinstance(data, list):
        return [data, *(each for value in data for each in rows(value))]
    return []


async def test_every_recipe_is_answered(tmp_path: Path) -> None:
    async with served(tmp_path) as desk:
        for recipe in ALL:
            assert not (missing := recipe.places() - desk.known.keys()), (
                f"{recipe.name}: {missing} are of no recipe before"
            )
            match recipe.kind:
                case "query":
                    await check_query(desk, recipe)
                case "mutation":
                    await check_mutation(desk, recipe)
                case "subscription":
                    await check_subscription(desk, recipe)
            await check_refusals(desk, recipe)


async def check_query(desk: Desk, recipe: Recipe) -> None:
    who = recipe.with_personal or recipe.role
    if recipe.name == "Approvals":
        await ask_somebody(desk)
    response = await desk.ask(recipe, who)
    body = response.json()
    assert response.status_code == 200, (recipe.name, body)
    assert "errors" not in body, (recipe.name, body)
    for name, value in body["data"].items():
        assert value not in (None, [], {}), f"{recipe.name}: {name} is empty"
    pages = [value["nodes"] for value in body["data"].values() if isinstance(value, dict) and "nodes" in value]
    assert all(pages), f"{recipe.name}: a page is empty"
    assert any(rows(body["data"])) or not rows(body["data"]), f"{recipe.name}: all lists are empty"
    READER.enabled = False
    try:
        ordinary = (await desk.ask(recipe, who)).json()
    finally:
        READER.enabled = True
    if recipe.name != "AuditLog":  # which grows by being read
        assert ordinary["data"] == body["data"], f"{recipe.name}: the two paths do not agree"
    desk.learn(recipe, body["data"])


async def check_mutation(desk: Desk, recipe: Recipe) -> None:
    first = (await desk.ask(recipe, recipe.role)).json()
    assert "errors" not in first, (recipe.name, first)
    for name, payload in first["data"].items():
        assert payload.pop("errors") == [], f"{recipe.name}: {name} has errors: {first}"
        assert any(value not in (None, []) for value in payload.values()), f"{recipe.name}: {name} says nothing"
    if "idempotencyKey" in json.dumps(recipe.variables):
        again = (await desk.ask(recipe, recipe.role)).json()
        for payload in again["data"].values():
            assert payload.pop("errors") == [], (recipe.name, again)
        assert again["data"] == first["data"], f"{recipe.name}: the same key did something else"
    desk.learn(recipe, first["data"])


async def check_subscription(desk: Desk, recipe: Recipe) -> None:
    """What mutations did since the cursor of the page comes first, and behind its own cursor comes the next."""
    told = await asyncio.wait_for(desk.events(recipe, recipe.role), 20)
    assert "errors" not in told
    [event] = told["data"].values()
    assert event["cursor"] not in desk.known.values()
    [about] = [value for key, value in event.items() if key in ("alert", "run", "scorecard")]
    assert about["id"], f"{recipe.name}: says of nothing what it is about"


async def check_refusals(desk: Desk, recipe: Recipe) -> None:
    """The role below gets nothing, and neither does the same role without the scope."""
    if recipe.kind == "subscription":
        return
    place = ROLES.index(recipe.role)
    if place:
        response = await desk.ask(recipe, ROLES[place - 1])
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN"), (
            recipe.name
        )
    if recipe.with_personal:
        assert (await desk.ask(recipe, recipe.role)).status_code == 403
        response = await desk.ask(recipe, recipe.role, personal=False)
        assert response.status_code == 200, (recipe.name, response.json())
        assert "errors" not in response.json()
    if recipe.personal:
        response = await desk.ask(recipe, f"{recipe.role} without personal")
        assert response.status_code == 403, recipe.name
        assert "personal" in response.text
    elif recipe.role in ("csm", "manager", "admin"):
        text = (await desk.ask(recipe, f"{recipe.role} without personal")).text
        assert "the scope personal" not in text, f"{recipe.name} reads personal data, and does not say so"


SCRIPT = """
const URL = process.env.HUB, TOKEN = process.env.TOKEN;
%s
const told = { viewer: (await ask("{ viewer { role } }")).viewer.role };
try {
  await ask("{ nothing }");
} catch (error) {
  told.code = error instanceof Refused && [error.status, error.errors[0].extensions.code];
}
try {
  await ask("mutation { alertUpdate(input: {id: \\"x\\", note: \\"y\\"}) { errors { code message } } }");
} catch (error) {
  told.refused = error instanceof Refused && error.errors[0].code;
}
for await (const { data } of listen(process.env.QUERY, { after: process.env.AFTER })) {
  told.change = data.alertChanged.change;
  break;
}
console.log(JSON.stringify(told));
process.exit(0);
"""


async def test_the_javascript_of_the_page_works(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        why = "there is no node here, and the page's JavaScript is run by one"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    by_name = {recipe.name: recipe for recipe in ALL}
    blocks = re.findall(r"^```js\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    script = tmp_path / "page.mjs"
    own = [block for block in blocks if "graphql-ws" not in block]
    assert len(own) == len(blocks) - 1 == 2
    script.write_text(SCRIPT % "\n".join(own), "utf-8")
    async with served(tmp_path) as desk:
        for name in ("Portfolio", "AlertInbox", "TakeAlert"):
            recipe = by_name[name]
            desk.learn(recipe, (await desk.ask(recipe, recipe.role)).json()["data"])
        environment = {
            "PATH": os.environ["PATH"],
            "HUB": f"{desk.client.base_url}/graphql".replace("//graphql", "/graphql"),
            "TOKEN": desk.tokens["csm"],
            "QUERY": by_name["AlertsLive"].text,
            "AFTER": desk.known["EVENT_CURSOR"],
        }
        process = await asyncio.create_subprocess_exec(
            "node", str(script), env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        said, complained = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complained.decode()
    told = json.loads(said)
    assert told == {"viewer": "CSM", "code": [400, "BAD_QUERY"], "refused": "BAD_INPUT", "change": "CHANGED"}


async def ask_somebody(desk: Desk) -> None:
    """A run that waits for a person's word, as one of a configured playbook does."""
    ran = {
        "id": "run-asks", "playbook": "churn_offer", "playbook_version": 1, "definition": {}, "customer_id": "c002",
        "episode": "x", "cause": "hand", "started_by": "ann", "state": "waiting", "step": 0, "fence": 1,
        "wake_at": NOW + timedelta(days=1), "awaits": "approval", "since": NOW, "facts": {}, "error": None,
        "started_at": NOW, "updated_at": NOW, "finished_at": None,
    }  # fmt: skip
    asked = {
        "id": "run-asks:0", "run_id": "run-asks", "step": 0, "customer_id": "c002", "question": "Offer it?", "asked_of": None,
        "state": "open", "asked_at": NOW, "expires_at": NOW + timedelta(days=1),
    }  # fmt: skip
    await insert(desk.hub.store, tables.playbook_run, [ran])
    await insert(desk.hub.store, tables.approval, [asked])


def test_the_page_has_what_pages_are_built_of() -> None:
    kinds = [recipe.kind for recipe in ALL]
    assert len(ALL) == len({recipe.name for recipe in ALL}) >= 35
    assert kinds.count("subscription") >= 2
    assert kinds.count("mutation") >= 10
    blocks = re.findall(r"^```graphql\n", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(blocks) == len(ALL), "an operation is in no recipe, and is not tried"
    assert {name for name, _ in places().values()} <= {recipe.name for recipe in ALL}


@cache
def released() -> GraphQLSchema:
    return build_schema((ROOT / "schema/schema.graphql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)
def test_a_recipe_is_valid_and_says_when_to_use_it(recipe: Recipe) -> None:
    assert validate(released(), parse(recipe.text)) == []
    assert recipe.words.endswith(".")
    assert recipe.role in ROLES


def test_links_of_the_page_lead_somewhere() -> None:
    text = PAGE.read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= headings
