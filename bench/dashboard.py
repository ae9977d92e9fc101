"""How soon each page of the dashboard is there: over HTTP, and in Chromium; with very many customers.

    python -m bench.dashboard --customers 100000

The book is that of bench.daily for 2,000 customers, scored with predictions, and an alert for one customer in fifty; more
customers are copies of those under other names. The application is the real one with access, limits and audit, in a process of
its own on SQLite; each page is asked for anew (the first is the cold one). Goal: the first view of every page within 2 s.
"""

import argparse
import asyncio
import multiprocessing
import shutil
import statistics
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from playwright.async_api import async_playwright
from sqlalchemy import Insert, Table, select

from bench.daily import NOW, TODAY, build, environment, prepare
from bench.stopwatch import load, verdict
from hub.access.tokens import create
from hub.asgi import app
from hub.cli.serve import Served, listen
from hub.compose import Hub
from hub.compose.admission import admission_of
from hub.compose.graphql import guard_of
from hub.compose.web import routes_of
from hub.model.actions import Role
from hub.scorecards import run
from hub.settings import load as load_settings
from hub.store import Store
from hub.store.tables import (
    alert,
    churn_prediction,
    contact,
    customer,
    scorecard,
    subscription,
    survey_response,
    ticket,
)
from hub.training import load_predictors
from hub.web.dashboard.pages import PAGES

GOAL_SECONDS = 2.0
TIMES = 5
ORIGINALS = 2_000
COPIED = (customer, scorecard, churn_prediction, subscription, contact, ticket, survey_response, alert)
OWN = frozenset({"id", "customer_id", "key", "dedup_key", "name"})
SOME = 50
"""One customer in so many has an alert."""


async def prepare_dashboard(database: Path, customers: int) -> str:
    """Scores today with predictions, opens alerts, copies, and makes a token; its secret."""
    settings = load_settings(None, environment=environment(database))
    async with Store.open(settings.hub.store) as store:
        report = await run.score(
            store, settings.health, await load_predictors(store, settings.churn), as_of=TODAY, now=NOW
        )
        chosen = list(report.customer_ids)[::SOME]
        async with store.transaction() as connection:
            await connection.execute(alert.insert(), list(_alerts(chosen)))
        for number in range(1, max(customers // ORIGINALS, 1)):
            async with store.transaction() as connection:
                for table in COPIED:
                    await connection.execute(_copied(table, number))
        return (await create(store, name="bench", role=Role.ADMIN, now=NOW)).secret


def _copied(table: Table, number: int) -> Insert:
    """The originals once more, with ids, keys and names of their own."""
    mark = f"~{number}"
    columns = [(column + mark).label(column.name) if column.name in OWN else column for column in table.c]
    return table.insert().from_select(
        [column.name for column in table.c], select(*columns).where(~table.c.id.contains("~"))
    )


def _alerts(customers: Iterable[str]) -> Iterable[dict[str, Any]]:
    for number, id_ in enumerate(customers):
        opened = NOW - timedelta(hours=number % 200)
        yield {
            "id": f"bench-{id_}", "customer_id": id_, "kind": "alert", "title": f"Call {id_}", "reason": "use fell",
            "reason_key": "health", "dedup_key": f"bench-{id_}", "severity": ("urgent", "high", "normal")[number % 3],
            "state": "open", "opened_at": opened, "updated_at": opened,
        }  # fmt: skip


def serve(database: Path, port: int) -> None:
    async def served() -> None:
        settings = load_settings(None, environment=environment(database))
        async with Hub.open(settings, clock=lambda: NOW, work=False) as hub:
            application = app(
                Served(hub, None), routes=routes_of(hub), guard=guard_of(settings), admission=admission_of(hub)
            )
            with listen("127.0.0.1", port) as bound:
                await uvicorn.Server(uvicorn.Config(application, log_level="warning")).serve(sockets=[bound])

    asyncio.run(served())


def paths(key: str) -> dict[str, bool]:
    """Of each page that is about the book, or about a customer of it; whether it comes behind another's first view."""
    given = {"customer": key, "name": "churn_save"}
    found = {}
    for page in PAGES:
        names = [part[1:-1] for part in page.path.split("/") if part.startswith("{")]
        if all(name in given for name in names) and page.name not in ("portfolio_metric", "playbook_plan"):
            found[page.path.format(**{name: given[name] for name in names})] = page.later
    return found


async def measure(url: str, secret: str) -> bool:
    """Prints a line a page; whether all are there in time."""
    headers = {"authorization": f"Bearer {secret}"}
    fine = True
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client,
        async_playwright() as playwright,
    ):
        while not await _healthy(client):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.2)
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = await browser.new_context(extra_http_headers=headers)
        page = await context.new_page()
        for path, later in paths("c000100").items():
            took = []
            for _ in range(TIMES):
                began = time.perf_counter()
                answer = await client.get(path)
                took.append(time.perf_counter() - began)
            await page.goto(url + path, wait_until="domcontentloaded")
            painted = await page.evaluate(
                "performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"
            )
            fine &= later or (took[0] < GOAL_SECONDS and answer.status_code == 200)
            first, usual, size = took[0], statistics.median(took), len(answer.content) / 1e3
            print(
                f"{path:34} {answer.status_code}  first {first:5.2f} s, "
                f"{'comes later' if later else verdict(first, GOAL_SECONDS) + ' s'}; "
                f"median {usual:5.2f} s; in Chromium {painted / 1000:5.2f} s; {size:4.0f} kB",
                flush=True,
            )
        await browser.close()
    print(load())
    return fine


async def _healthy(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    base = options.folder / "dashboard.db"
    if not base.exists():
        making = base.with_suffix(".making")
        for path in options.folder.glob(f"{making.name}*"):
            path.unlink()
        asyncio.run(build(making, ORIGINALS))
        asyncio.run(prepare(making))
        making.rename(base)
    scratch = base.with_suffix(".run")
    shutil.copy(base, scratch)
    process = None
    try:
        secret = asyncio.run(prepare_dashboard(scratch, options.customers))
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(scratch, options.port))
        process.start()
        fine = asyncio.run(measure(f"http://127.0.0.1:{options.port}", secret))
    finally:
        if process is not None:
            process.terminate()
            process.join()
        for path in options.folder.glob(f"{scratch.name}*"):
            path.unlink()
    raise SystemExit(0 if fine else 1)


if __name__ == "__main__":
    main()
