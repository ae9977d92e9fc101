"""A tab of a real browser, driven over the DevTools protocol: Chromium without a window.

    async with tab(folder) as page:
        await page.go("http://127.0.0.1:5173/")
        await page.until("document.querySelector('h1')")         # an expression that is true at last; its value
        page.asked                                               # every address that was asked for

An expression that stays false for SECONDS fails with what stands on the page. What the page throws or logs as an error is in
`page.complaints`.
"""

import asyncio
import base64
import itertools
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.fakes.browser import browser

SECONDS = 30.0
_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000")
_NAMED = ("button", "textbox", "searchbox", "combobox", "link", "meter", "table", "navigation", "region")


class Tab:
    """See the module."""

    def __init__(self, socket: ClientConnection) -> None:
        self.asked: list[str] = []
        self.posted: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def read(self) -> None:
        """Hears what the browser says, until it ends."""
        async for text in self._socket:
            said = json.loads(text)
            if "id" in said:
                self._waiting.pop(said["id"]).set_result(said)
                continue
            given = said["params"]
            if said["method"] == "Network.requestWillBeSent":
                self.asked.append(given["request"]["url"])
                if (body := given["request"].get("postData")) is not None:
                    self.posted.append(json.loads(body))
            elif said["method"] == "Network.webSocketCreated":
                self.asked.append(given["url"])
            elif said["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(given["exceptionDetails"]))
            elif said["method"] == "Log.entryAdded" and given["entry"]["level"] == "error":
                self.complaints.append(f"{given['entry']['text']} {given['entry'].get('url')}")

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, and its result."""
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        said = await asyncio.wait_for(self._waiting[number], SECONDS)
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def go(self, url: str) -> None:
        await self.do("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def run(self, expression: str) -> Any:
        """The value of an expression of JavaScript, as JSON."""
        found = await self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Asks until the expression is true; gives its value."""
        asked = f"(() => {{ const it = {expression}; return it instanceof Node || it; }})()"
        try:
            async with asyncio.timeout(SECONDS):
                while not (value := await self.run(asked)):  # noqa: ASYNC110 - the page is another process's
                    await asyncio.sleep(0.05)
        except TimeoutError:
            shown = await self.run("document.body.innerText")
            raise AssertionError(f"never true: {expression}\n{shown}\n{self.complaints}") from None
        return value

    async def text(self, selector: str) -> str:
        """What an element shows, when it is there."""
        shown: str = await self.until(f"document.querySelector({json.dumps(selector)})?.innerText")
        return shown

    async def texts(self, selector: str) -> list[str]:
        found: list[str] = await self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.innerText)"
        )
        return found

    async def click(self, selector: str) -> None:
        await self.until(
            f"[document.querySelector({json.dumps(selector)})].some((at) => at && !at.disabled && (at.click(), true))"
        )

    async def fill(self, selector: str, value: str) -> None:
        """As a person does: the value, and that it was changed."""
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.run(
            f"(() => {{ const at = document.querySelector({json.dumps(selector)}); at.value = {json.dumps(value)};"
            " for (const kind of ['input', 'change']) at.dispatchEvent(new Event(kind, {bubbles: true})); })()"
        )

    async def nameless(self) -> list[str]:
        """What those who do not see the page would be offered without being told what it is."""
        nodes = (await self.do("Accessibility.getFullAXTree"))["nodes"]
        roles = [(each["role"]["value"], each.get("name", {}).get("value")) for each in nodes if not each["ignored"]]
        return [role for role, name in roles if role in _NAMED and not name]

    async def picture(self) -> bytes:
        """A PNG of the whole page."""
        taken = await self.do("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])


@asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """A browser with a profile of its own in `folder`, and its one tab."""
    profile = folder / "profile"
    options = (*_OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank")
    pipe, silent = subprocess.PIPE, subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(browser(), *options, stdout=silent, stderr=pipe)
    assert process.stderr is not None, "it was asked for"
    try:
        address = await _address(process.stderr)
        rest = asyncio.create_task(process.stderr.read())  # a full pipe would stop it
        async with httpx.AsyncClient(trust_env=False) as client:
            listed = (await client.get(f"http://{address}/json/list")).json()
        url = next(each["webSocketDebuggerUrl"] for each in listed if each["type"] == "page")
        async with connect(url, max_size=None, proxy=None) as socket:
            made = Tab(socket)
            reading = asyncio.create_task(made.read())
            for part in ("Page", "Runtime", "Network", "Log", "Accessibility"):
                await made.do(f"{part}.enable")
            yield made
        await reading
        process.terminate()
        await rest
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _address(said: asyncio.StreamReader) -> str:
    async with asyncio.timeout(SECONDS):
        while line := (await said.readline()).decode():
            if line.startswith("DevTools listening on ws://"):
                return urlsplit(line.split()[-1]).netloc
    raise AssertionError("Chromium ended before it listened")
