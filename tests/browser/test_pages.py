"""Every page in a real browser: sound, small, wide enough for a phone, and usable by everybody, in light and dark.

The rules of axe (WCAG 2.2 A and AA) find nothing serious or critical; nothing is asked of another host; no script or style is
refused by the page's own policy; script and style of a page are less than 300 kB.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Response, expect

from hub.access.tokens import create
from hub.asgi import app
from hub.cli.serve import Served
from hub.compose.admission import admission_of
from hub.compose.graphql import guard_of
from hub.compose.signing_in import sign_in_routes
from hub.compose.web import routes_of
from hub.model.actions import Role
from hub.web.dashboard.pages import PAGES
from schema.nodes import global_id
from tests.browser.conftest import COMING, Watched
from tests.fakes.scored_company import opened
from tests.fakes.serving import serving
from tests.schema.company import NOW

MOST_BYTES = 300_000
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES: dict[str, dict[str, Any]] = {
    "light": {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]},
}
"""In the dark only colours are other ones."""
GRAVE = ("serious", "critical")
PLACES = {
    "customer": global_id("customer", "c002"),
    "source": "desk",
    "name": "churn_save",
    "run": global_id("playbook_run", "run-c005-0"),
}
"""What stands in the paths of pages."""


@dataclass
class Found:
    """What is wrong, page by page."""

    faults: list[str]

    async def look(self, page: Page, path: str, *, theme: str) -> None:
        results = await Axe().run(page, options=RULES[theme])
        for each in results.response["violations"]:
            if each["impact"] in GRAVE:
                nodes = "; ".join(
                    f"{node['html'][:160]} ({node['failureSummary'][:200]})" for node in each["nodes"][:3]
                )
                self.faults.append(f"{path} in {theme}: {each['id']} ({each['impact']}): {each['help']}: {nodes}")


def paths() -> list[str]:
    """Of every page, about what is in the company of the tests."""
    found = [page.path.format(**PLACES) for page in PAGES]
    return [path for path in found if path != "/portfolio/metric"] + ["/portfolio/metric?name=nrr&basis=cohort"]


@pytest.mark.browser
async def test_every_page_is_sound_small_and_usable_by_everybody(
    scored_company: Path, tmp_path: Path, chromium: Browser
) -> None:
    found = Found([])
    async with opened(scored_company, tmp_path / "hub") as hub:
        token = await create(hub.store, name="Ann", role=Role.ADMIN, now=NOW)
        admission = admission_of(hub)
        application = app(
            Served(hub, None),
            routes=[*routes_of(hub), *sign_in_routes(hub, admission)],
            guard=guard_of(hub.settings),
            admission=admission,
        )
        async with serving(application, lifespan="on", ws="none") as url:
            context = await chromium.new_context(base_url=url, viewport=DESK, color_scheme="light")  # type: ignore[arg-type] # a typed dict
            watched = Watched(context, url)
            page = await watched.page()
            await page.goto("/sign-in")
            await found.look(page, "/sign-in", theme="light")
            await page.get_by_label("Token", exact=True).fill(token.secret)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await page.wait_for_url(f"{url}/")
            for path in paths():
                await visit(page, path, found)
            await context.close()
        await application.state.end_streams()
    faults = [*watched.complaints, *found.faults]
    assert not faults, "\n".join(faults)


async def visit(page: Page, path: str, found: Found) -> None:
    loaded: list[Response] = []

    def keep(response: Response) -> None:
        loaded.append(response)

    page.on("response", keep)
    answer = await page.goto(path, wait_until="load")
    page.remove_listener("response", keep)
    assert answer is not None
    if answer.status != 200:
        found.faults.append(f"{path}: {answer.status}")
        return
    await expect(page.locator(COMING)).to_have_count(0, timeout=30_000)
    size = 0
    for each in loaded:
        if each.status == 200 and each.request.resource_type in ("script", "stylesheet"):
            size += len(await each.body())
    if size > MOST_BYTES:
        found.faults.append(f"{path}: {size:,} bytes of script and style")
    await found.look(page, path, theme="light")
    await page.emulate_media(color_scheme="dark")
    await found.look(page, path, theme="dark")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type] # a typed dict
    wide = await page.evaluate("document.documentElement.scrollWidth")
    if wide > PHONE["width"]:
        found.faults.append(f"{path}: {wide} pixels wide on a phone")
    await page.set_viewport_size(DESK)  # type: ignore[arg-type] # a typed dict
