"""Pictures of every page of the dashboard on the demo, in light, in dark and on a phone; those of the README besides.

    python -m tests.browser.screenshots --folder build/screenshots --demo .demo

The demo goes on from where it was (`make demo`), or lives its month first, which takes minutes.
"""

import argparse
import asyncio
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, async_playwright, expect

from hub.web.dashboard.pages import PAGES
from tests.browser.conftest import COMING
from tests.fakes.browser import NAMES
from tests.fakes.demo import Demo, running

LOOKS: Mapping[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
}
README = ("today", "customer", "portfolio")
"""Pages whose picture in light, as it is first seen, stands in the README."""
MINUTES = 10
_IDS = "{ inbox(first: 1) { customerId } playbookRuns(first: 1) { nodes { id } } sources { name } }"


async def paths(demo: Demo) -> dict[str, str]:
    """{name of a page: its path}, with ids of what is there."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {demo.token}"}, timeout=60) as client:
        told = (await client.post(f"{demo.url}graphql", json={"query": _IDS})).json()["data"]
    given = {
        "customer": told["inbox"][0]["customerId"],
        "run": told["playbookRuns"]["nodes"][0]["id"],
        "source": told["sources"][0]["name"],
        "name": "churn_save",
    }
    found = {}
    for page in PAGES:
        names = [part[1:-1] for part in page.path.split("/") if part.startswith("{")]
        if all(name in given for name in names):
            found[page.name] = page.path.format(**{name: given[name] for name in names})
    return found | {"portfolio_metric": "/portfolio/metric?name=nrr&basis=cohort", "sign_in": "/sign-in"}


async def picture(
    browser: Browser, demo: Demo, places: Mapping[str, str], *, looks: Iterable[str], folder: Path, docs: Path
) -> None:
    for look in looks:
        options = LOOKS[look]
        context = await browser.new_context(base_url=demo.url, locale="en-GB", timezone_id="Europe/Berlin", **options)
        page = await context.new_page()
        page.set_default_timeout(60_000)
        await page.goto("/sign-in")
        await page.locator("section", has_text="This is a demo").get_by_role("button").first.click()
        await page.wait_for_url(re.compile("/$"))
        for name, path in places.items():
            await page.goto(path, wait_until="load")
            await expect(page.locator(COMING)).to_have_count(0, timeout=60_000)
            await page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
            if look == "light" and name in README:
                await page.screenshot(path=docs / f"{name}.png")
        await context.close()


async def run(folder: Path, home: Path, docs: Path, *, readme: bool) -> None:
    chromium = next((path for name in NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit(f"there is no Chromium here: install one of {', '.join(NAMES)}")
    async with running(home, options=(), seconds=MINUTES * 60) as demo, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        places = await paths(demo)
        if readme:
            places = {name: places[name] for name in README}
        looks = ("light",) if readme else LOOKS
        await picture(browser, demo, places, looks=looks, folder=folder, docs=docs)
        await browser.close()
    print(json.dumps({"pages": len(places), "folder": str(folder), "README": str(docs)}))  # noqa: T201 - a command's own words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--demo", type=Path, default=Path(".demo"))
    parser.add_argument("--docs", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--readme", action="store_true", help="only the pictures of the README")
    options = parser.parse_args()
    for each in (options.folder, options.docs):
        each.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(options.folder, options.demo, options.docs, readme=options.readme))


if __name__ == "__main__":
    main()
