"""A morning at the dashboard, on the demo: whom to call is found and understood, helped, and what was sent is in the outbox."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tests.fakes.demo import Demo, running

SENT_SECONDS = 60


@pytest.mark.browser
async def test_a_morning(tmp_path: Path, chromium: Browser) -> None:
    async with running(tmp_path / "demo") as demo:
        url = demo.url.rstrip("/")
        context = await chromium.new_context(base_url=url, locale="en-GB", timezone_id="Europe/Berlin")
        watched = Watched(context, url)
        page = await watched.page()
        await sign_in(page, url)
        name = await first_to_call(page)
        await find_in_the_table(page, name)
        await read_why(page)
        said = await fire(page)
        await in_the_outbox(chromium, demo, name, said)
        await snooze(page)
        await decide_a_match(page)
        await see_what_others_do(page, demo)
        await sign_out(page, url)
        await context.close()
    assert not watched.complaints


async def sign_in(page: Page, url: str) -> None:
    await page.goto("/")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await page.locator("section", has_text="This is a demo").get_by_role("button").first.click()
    await expect(page).to_have_url(f"{url}/")


async def first_to_call(page: Page) -> str:
    """The customer that the page puts first, as it is named."""
    await expect(page.locator("#first")).to_contain_text("Why")
    return await page.locator("#first h2 a").inner_text()


async def find_in_the_table(page: Page, name: str) -> None:
    await page.goto("/customers")
    await page.locator("#customers-search").press_sequentially(name[:-1])
    row = page.locator("#customers tbody tr")
    await expect(row).to_have_count(1)
    await expect(page).to_have_url(re.compile("search="))
    await page.keyboard.press("Escape")
    await row.first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(name)


async def read_why(page: Page) -> None:
    why = page.locator("#why")
    await expect(why.locator("h2")).to_contain_text("Why")
    await why.locator("summary").first.click()
    await expect(why.locator("details[open]").first).to_be_visible()
    await expect(page.locator("#lift")).to_contain_text(re.compile("points|reach|lift", re.IGNORECASE))


async def fire(page: Page) -> str:
    """The first words of the message that the preview showed."""
    await page.locator("#fire-open").click()
    form = page.locator("#fire-dialog form.fire")
    await form.locator("select[name=playbook]").select_option("health_critical")
    await form.get_by_role("button", name="Preview").click()
    preview = form.locator(".action-preview")
    await expect(preview).to_be_visible()
    force = form.locator("[data-force]")
    if await force.is_visible():
        await force.locator("input").check()
        await form.get_by_role("button", name="Preview").click()
    await expect(preview.locator(".preview-step").first).to_be_visible()
    shown = await preview.locator(".preview-step").first.inner_text()
    await form.get_by_role("button", name="Fire it now").click()
    await expect(page.locator(".toast").first).to_contain_text("Fired")
    return shown


async def in_the_outbox(chromium: Browser, demo: Demo, name: str, preview: str) -> None:
    """What was previewed has arrived."""
    async with httpx.AsyncClient() as client, asyncio.timeout(SENT_SECONDS):
        while name not in (await client.get(f"{demo.outbox}.json", params={"limit": "20"})).text:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.2)
    assert preview
    page = await chromium.new_page()
    await page.goto(demo.outbox)
    await expect(page.locator("body")).to_contain_text(name)
    await page.close()


async def snooze(page: Page) -> None:
    await page.goto("/")
    first = page.locator("#first")
    name = await first.locator("h2 a").inner_text()
    await first.get_by_text("More", exact=True).click()
    await first.get_by_role("button", name="Snooze for a week").click()
    await expect(page.locator(".toast").first).to_contain_text("Snoozed for a week")
    await expect(page.locator("#first h2 a")).not_to_have_text(name)


async def decide_a_match(page: Page) -> None:
    await page.goto("/sources/matches")
    matches = page.locator("section.match")
    count = await matches.count()
    assert count > 0, "the demo has companies that a person is to decide"
    identity = await matches.first.get_attribute("data-identity")
    await matches.first.get_by_role("button", name="A new customer").click()
    await expect(page.locator(f'section.match[data-identity="{identity}"]')).to_have_count(0)


async def see_what_others_do(page: Page, demo: Demo) -> None:
    """A task that somebody else makes is on the page without loading it again."""
    await page.goto("/?csm=all")
    href = await page.locator("#first h2 a").get_attribute("href")
    assert href is not None
    made = "mutation ($input: TaskCreateInput!) { taskCreate(input: $input) { errors { message } } }"
    given = {"customerId": href.rpartition("/")[2], "title": "Bring cake to them", "severity": "URGENT"}
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {demo.token}"}) as client:
        answer = await client.post(f"{demo.url}graphql", json={"query": made, "variables": {"input": given}})
    assert answer.json() == {"data": {"taskCreate": {"errors": []}}, "extensions": answer.json()["extensions"]}
    await expect(page.locator("#fresh")).to_contain_text("Bring cake to them")


async def sign_out(page: Page, url: str) -> None:
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(re.compile("/sign-in"))
    await page.goto("/customers")
    await expect(page).to_have_url(f"{url}/sign-in?next=%2Fcustomers")
