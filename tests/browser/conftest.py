"""A real Chromium, driven by Playwright, that tells what went wrong on every page it opened."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from tests.fakes.browser import browser as find_browser

COMING = ".loading, .stale, [aria-busy=true]"
"""What comes after the first view, until it is there."""


@dataclass
class Watched:
    """A browser's context whose pages are listened to: errors on the console, failed policies, requests to elsewhere."""

    context: BrowserContext
    base_url: str
    complaints: list[str] = field(default_factory=list)

    async def page(self) -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base_url, "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {request.url}")


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    path = find_browser()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        )
        yield browser
        await browser.close()
