"""The example frontend, built from nothing and used in a real browser against a real hub: `make test-example`. Needs node.

Everything is done twice: as the page is built by default, which sends the texts of its documents, and by a build that sends
their ids, to a hub that answers these documents and no others.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from schema.nodes import global_id
from tests.example.chromium import Tab, tab
from tests.example.serving import EXAMPLE, ROOT, TROUBLED, Served, hub, site

pytestmark = pytest.mark.example
PICTURES = ROOT / ".artifacts" / "example"
ROWS = "#customers tbody tr"
FIRST = f"document.querySelector('{ROWS} a')?.innerText"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    hub: Served
    site: str
    trusted: bool


def npm(*arguments: str, **environment: str) -> None:
    done = subprocess.run(
        ["npm", *arguments], cwd=EXAMPLE, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed() -> None:
    assert shutil.which("node") is not None, "the example is built with node and npm: install them first"
    kept = EXAMPLE / "node_modules" / ".package-lock.json"
    if not kept.is_file() or kept.stat().st_mtime < (EXAMPLE / "package-lock.json").stat().st_mtime:
        npm("ci")
    npm("run", "check")  # TypeScript, strictly, against the types made of the SDL


@pytest.fixture(scope="module", params=["texts", "ids"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, installed: None) -> Iterator[World]:
    trusted = request.param == "ids"
    npm("run", "build", TRUSTED="1" if trusted else "0")
    documents = EXAMPLE / "dist" / "documents.json" if trusted else None
    with hub(tmp_path_factory.mktemp("hub"), documents=documents) as served, site(served.url) as url:
        yield World(hub=served, site=url, trusted=trusted)


@pytest.fixture
async def page(world: World, tmp_path: Path) -> AsyncIterator[Tab]:
    async with tab(tmp_path) as made:
        await made.go(f"{world.site}/")
        yield made


def keep(name: str, picture: bytes) -> None:
    """For people."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(picture)


async def enter(page: Tab, token: str) -> None:
    await page.fill("input[name=token]", token)
    await page.click("form button")
    await page.text(".viewer")


def alert(title: str) -> str:
    return f'[data-alert="{title}"]'


async def test_the_portfolio_shows_the_customers(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["manager"])
    assert await page.text(".viewer") == "a manager, manager"
    assert await page.text("#customers caption") == "30 customers"
    assert len(await page.texts(ROWS)) == 25
    top = (await page.texts(ROWS))[0]
    assert [part in top for part in ("Customer 003", "critical", "20", "high", "94 %", "10,800 EUR", "Ann")] == [
        True
    ] * 7
    groups = await page.texts(".groups li")
    assert [each.split("\n")[:2] for each in groups] == [["stable", "29"], ["critical", "1"]]
    assert "34,800 EUR" in groups[0]
    keep("portfolio", await page.picture())
    assert await page.nameless() == []
    assert page.complaints == []


async def test_it_is_filtered_ordered_and_paged(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["viewer"])
    await page.click("[aria-label='Pages of customers'] button:last-child")
    await page.until(f"document.querySelectorAll('{ROWS}').length === 5")
    await page.fill(".choices[role=search] label:nth-child(2) select", "name")
    await page.until(f"{FIRST} === 'Customer 000'")
    assert len(await page.texts(ROWS)) == 25, "another order begins at its first page"
    await page.fill(".choices[role=search] label:nth-child(1) select", "CRITICAL")
    await page.until(f"document.querySelectorAll('{ROWS}').length === 1 && {FIRST} === 'Customer 003'")
    await page.click(".groups [aria-pressed=true]")
    await page.until(f"document.querySelectorAll('{ROWS}').length === 25")
    await page.fill("input[type=search]", "c17.exa")
    await page.until(f"{FIRST} === 'Customer 017'")
    await page.fill(".choices:not([role]) select", "SEGMENT")
    await page.until("document.querySelector('.groups').innerText.includes('enterprise')")
    assert page.complaints == []


async def test_a_customer(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["csm"])
    await page.click(f"{ROWS} a")
    await page.until("document.querySelector('h1')?.innerText === 'Customer 003'")
    assert await page.run("location.hash") == f"#/customers/{quote(global_id('customer', TROUBLED), safe='')}"
    everything = await page.text("main")
    for shown in ("20 critical", "adoption", "50 % high", "Usage fell", "Health fell", "10,800 EUR", "Sentiment"):
        assert shown in everything.replace("\n", " "), shown
    assert "p0@c003.example" in await page.text("#contacts")
    await page.until("document.querySelector('.timeline .said')")
    assert len(await page.texts(".timeline time")) == 20
    await page.click(".timeline button")
    await page.until("document.querySelectorAll('.timeline time').length > 20")
    keep("customer", await page.picture())
    assert await page.nameless() == []
    assert page.complaints == []


async def test_a_token_without_personal_data_asks_for_none(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["viewer"])
    await page.click(f"{ROWS} a")
    assert "This token does not see personal data." in await page.text("main .columns")
    await page.until("document.querySelectorAll('.timeline time').length === 20")
    assert "@c003.example" not in await page.text("main")
    assert await page.texts(".timeline .said") == []
    assert page.complaints == []


async def test_an_alert_appears_as_it_is_opened_and_is_acknowledged(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["csm"])
    await page.click("a[href='#/alerts']")
    await page.until("document.querySelectorAll('#alerts li').length === 30")
    await page.until("document.querySelector('#live.live')")
    world.hub.fire("c005")
    title = "Call Customer 005 now"
    shown = await page.text(alert(title))
    assert "urgent" in shown
    assert "open" in shown
    assert (await page.texts("#alerts li strong"))[0] == title
    keep("alerts", await page.picture())
    assert await page.nameless() == []
    await page.click(f"{alert(title)} button")
    await page.until(f"document.querySelector('{alert(title)}').innerText.includes('in progress')")
    assert await page.run(f"document.querySelector('{alert(title)} button')") is None
    (sent,) = (each for each in page.posted if "key" in each["variables"])
    assert len(sent["variables"]["key"]) == 36
    assert page.complaints == []


async def test_what_happens_while_the_connection_is_lost_is_told_afterwards(
    world: World, page: Tab, tmp_path: Path
) -> None:
    with site(world.hub.url) as own:
        await page.go(f"{own}/")
        await enter(page, world.hub.tokens["csm"])
        await page.click("a[href='#/alerts']")
        await page.until("document.querySelector('#live.live')")
        world.hub.fire("c007")  # its cursor is the one to go on behind
        await page.text(alert("Call Customer 007 now"))
    await page.until("document.querySelector('#live.waiting, #live.connecting')")
    world.hub.fire("c009")
    assert await page.texts(alert("Call Customer 009 now")) == []
    with site(world.hub.url, port=urlsplit(own).port or 0):
        await page.text(alert("Call Customer 009 now"))
        assert len(await page.texts(alert("Call Customer 007 now"))) == 1


async def test_who_only_looks_is_offered_nothing_to_do(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["viewer"])
    await page.click("a[href='#/alerts']")
    await page.text("#alerts li")
    assert await page.texts("#alerts button") == []


async def test_errors_are_shown(world: World, page: Tab) -> None:
    await page.fill("input[name=token]", "cshub_nothing")
    await page.click("form button")
    assert "does not take this token" in await page.text("[role=alert]")
    assert await page.run("sessionStorage.length") == 0, "it is not kept"
    await page.go(f"{world.site}/#/customers/{global_id('customer', 'nobody')}")
    await enter(page, world.hub.tokens["csm"])
    assert "There is no such customer" in await page.text("main [role=alert]")
    with site("http://127.0.0.1:9") as astray:  # nobody is there
        await page.go(f"{astray}/")
        await page.fill("input[name=token]", world.hub.tokens["csm"])
        await page.click("form button")
        assert "no hub answers at http://127.0.0.1:9" in await page.text("main [role=alert]")
        assert "Try again" in await page.text("main [role=alert] button")


async def test_nothing_is_fetched_from_elsewhere_and_documents_go_as_they_should(world: World, page: Tab) -> None:
    await enter(page, world.hub.tokens["csm"])
    await page.click("a[href='#/alerts']")
    await page.until("document.querySelector('#live.live')")
    here = urlsplit(world.site).netloc
    assert {urlsplit(each).netloc for each in page.asked if not each.startswith("data:")} == {here}
    assert all(("query" in each) is not world.trusted for each in page.posted)
    assert world.hub.tokens["csm"] not in "".join(page.asked), "a token in an address is in logs"
