"""`cshub demo` in a process of its own, told from its words when it is ready, and ended as a person would."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
SMALL = ("--customers", "40", "--months", "8", "--days", "0")


@dataclass(frozen=True, slots=True)
class Demo:
    """What `cshub demo` said when it was ready."""

    url: str
    outbox: str
    token: str


@asynccontextmanager
async def running(folder: Path, *, options: Sequence[str] = SMALL, seconds: float = 240) -> AsyncIterator[Demo]:
    """See the module. seconds: until it must be ready."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cshub", "demo", "--folder", str(folder), "--port", str(port), *options),
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = ""
    reading: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(seconds):
            while "Ctrl-C ends it" not in said:
                line = await process.stdout.readline()
                assert line, f"the demo ended: {said[-2_000:]}"
                said += line.decode()
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                while not await _healthy(client):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.1)
        reading = asyncio.create_task(process.stdout.read())  # so that it never waits for a reader
        yield Demo(_told("Dashboard", said), _told("Outbox", said), _told("Token", said))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                process.kill()
        if reading is not None:
            await reading
        await process.wait()


def _told(name: str, said: str) -> str:
    found = re.search(rf"^{name}\s+(\S+)", said, re.MULTILINE)
    assert found is not None, f"the demo does not say its {name}"
    return found[1]


async def _healthy(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False
