"""The example's whole world on loopback: a seeded hub as `cshub serve` runs it, and the example's own server before it.

    with hub(folder) as served, site(served.url) as url: …

Thirty customers that have a few of everything (tests/schema/company.py), one of them in trouble, a playbook that is fired by
hand and opens an alert, and a token for each of those who look.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import httpx
import yaml

from hub.access.tokens import create
from hub.clock import utc_now
from hub.model.actions import Role
from hub.resources import CONFIG
from hub.store import Store, tables
from hub.store.migrate import upgrade
from schema.nodes import global_id
from tests.schema.company import seed

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "portfolio"
CUSTOMERS = 30
TROUBLED = "c003"
PLAYBOOK = """
playbook: call
version: 1
title: Call
by: hand
do:
  - alert: {title: "Call {{ customer.name }} now", owner: csm, severity: urgent}
"""
FIRE = "mutation ($input: PlaybookFireInput!) { playbookFire(input: $input) { runs { id } errors { message } } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """url: of the hub; tokens: by role."""

    url: str
    tokens: Mapping[str, str]

    def ask(self, query: str, variables: Mapping[str, object]) -> Any:
        """As an admin."""
        headers = {"authorization": f"Bearer {self.tokens['admin']}"}
        answered = httpx.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, headers=headers, timeout=30
        ).json()
        assert "errors" not in answered, answered
        return answered["data"]

    def fire(self, key: str) -> None:
        """Open an alert for a customer, as the playbook does."""
        given = {
            "playbook": "call",
            "customerIds": [global_id("customer", key)],
            "idempotencyKey": f"call-{key}",
        }
        done = self.ask(FIRE, {"input": given})["playbookFire"]
        assert (len(done["runs"]), done["errors"]) == (1, [])


@contextmanager
def hub(folder: Path, *, documents: Path | None = None) -> Iterator[Served]:
    """A hub of its own. documents: the only ones it answers, but to admins."""
    config = folder / "config"
    (config / "playbooks").mkdir(parents=True)
    (config / "playbooks" / "call.yaml").write_text(PLAYBOOK, "utf-8")
    given = yaml.safe_load((CONFIG / "hub.yaml").read_text("utf-8"))
    if documents is not None:
        shutil.copy(documents, config / "documents.json")
        given["graphql"] = {"documents": "documents.json", "only_trusted": True}
    (config / "hub.yaml").write_text(yaml.safe_dump(given), "utf-8")
    store = f"sqlite:///{folder / 'cshub.db'}"
    tokens = asyncio.run(_filled(store))
    command = (Path(sys.executable).with_name("cshub"), "--config", config, "serve", "--port", "0")
    environment = {**os.environ, "CSHUB_STORE": store, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    with _process(command, environment, cwd=folder) as said:
        line = next(line for line in said if line.startswith("GraphQL"))
        yield Served(url=line.split()[1].removesuffix("/graphql"), tokens=tokens)


@contextmanager
def site(hub_url: str, *, port: int = 0) -> Iterator[str]:
    """The example's server; its address."""
    environment = {**os.environ, "HUB": hub_url, "PORT": str(port)}
    with _process(("node", "serve.mjs"), environment, cwd=EXAMPLE) as said:
        yield next(said).split()[0]


@contextmanager
def _process(command: tuple[object, ...], environment: Mapping[str, str], *, cwd: Path) -> Iterator[Iterator[str]]:
    """A process that says where it is; ended when left."""
    arguments = [str(each) for each in command]
    with subprocess.Popen(arguments, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _lines(process.stdout)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _lines(stream: IO[str] | None) -> Iterator[str]:
    assert stream is not None
    yield from iter(stream.readline, "")
    raise AssertionError("it ended before it said where it is")


async def _filled(url: str) -> dict[str, str]:
    async with Store.open(url) as store:
        await upgrade(store)
        await seed(store, CUSTOMERS)
        await _trouble(store)
        now = utc_now()
        made = [
            await create(store, name=f"a {role.value}", role=role, now=now, expires_at=now + timedelta(days=1))
            for role in Role
        ]
    return {each.token.role.value: each.secret for each in made}


async def _trouble(store: Store) -> None:
    """One customer pays the most and is likely to leave. What was going on is over: this hub's engine would go on with it."""
    card, risk, run, sent = tables.scorecard, tables.churn_prediction, tables.playbook_run, tables.delivery
    known = {"health": 0.2, "band": "critical", "churn_risk": 0.5, "churn_annualised": 0.94, "churn_band": "high"}
    latest = card.update().where(card.c.customer_id == TROUBLED, card.c.latest)
    predicted = risk.update().where(risk.c.customer_id == TROUBLED)
    async with store.transaction() as connection:
        await connection.execute(latest.values(**known, facts={"mrr": 900.0, "plan": "Pro"}))
        await connection.execute(predicted.values(probability=0.5, annualised=0.94, band="high"))
        await connection.execute(run.update().values(state="done", finished_at=run.c.updated_at))
        await connection.execute(sent.update().values(state="confirmed", confirmed_at=sent.c.sent_at))
