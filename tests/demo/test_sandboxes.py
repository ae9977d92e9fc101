"""Everything around the hub in one process: found, served, living on, and gone when it should be."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from connectors.kit import registry
from hub.demo import sandboxes as module
from hub.demo.mounts import Mounts
from hub.demo.outbox import Outbox
from hub.demo.sandboxes import Sandboxes, token
from tests.fakes.serving import serving

ROOT = Path(__file__).parents[2]
STARTED_ON = date(2026, 9, 1)
UNTIL = datetime(2026, 10, 15, 9, tzinfo=UTC)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Sandboxes]:
    async with Sandboxes(folder=tmp_path, started_on=STARTED_ON, until=UNTIL, customers=12, months=2) as sandboxes:
        yield sandboxes


async def get(url: str) -> Any:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).json()


async def test_every_connector_has_its_sandbox(running: Sandboxes) -> None:
    ready = await get(f"{running.url}/_ready")
    assert set(ready["sandboxes"]) == set(registry.names())
    assert len(ready["sandboxes"]) >= 4
    assert ready["until"] == UNTIL.isoformat()
    async with httpx.AsyncClient(base_url=running.url) as client:
        for name in registry.names():
            switched = await client.post(f"/{name}/_faults", json={"server_errors": 2})
            assert switched.json()["server_errors"] == 2
            assert running.faults[name].server_errors == 2
    assert len({id(faults) for faults in running.faults.values()}) == len(registry.names())


async def test_a_sandbox_serves_the_company_to_who_has_its_token(running: Sandboxes) -> None:
    async with httpx.AsyncClient(base_url=f"{running.url}/csvfile") as client:
        refused = await client.get("/nps.csv")
        served = await client.get("/nps.csv", headers={"Authorization": f"Bearer {token('csvfile')}"})
    assert refused.status_code == 401
    assert len(served.text.splitlines()) == 1 + len(running.world.nps)


async def test_messages_and_mails_arrive_in_one_outbox(running: Sandboxes) -> None:
    headers = {"Authorization": f"Bearer {token('slack')}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
        body = {"channel": "#cs", "text": "Hello", "metadata": {"event_type": "e", "event_payload": {"dedup_key": "k"}}}
        for _ in range(2):
            assert (await client.post("/slack/api/chat.postMessage", json=body)).json()["ok"]
        staff = running.world.accounts[0]
        found = await client.get("/slack/api/users.lookupByEmail", params={"email": staff.csm_email})
        assert found.json()["user"]["real_name"] == staff.csm_name
        letter = "Subject: Hi\r\nMessage-ID: <1@x>\r\n\r\nWords\r\n"
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=running.smtp_port, start_tls=False) as smtp:
            await smtp.sendmail("cs@northbeam.example", ["ada@alder.example"], letter)
        data = (await client.get("/outbox.json")).json()
        page = await client.get("/outbox")
        switched = await client.post("/mail/_faults", json={"dropped": 1})
        assert (switched.json()["dropped"], running.mail.faults.dropped) == (1, 1)
    assert {kind: count for kind, count in data["counts"].items() if count} == {"slack": 2, "email": 1}
    assert [duplicate["dedup"] for duplicate in data["duplicates"]] == ["k"]
    assert "ada@alder.example" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_company_lives_on_when_told(running: Sandboxes) -> None:
    before = running.world
    async with httpx.AsyncClient(base_url=running.url) as client:
        answer = await client.post("/_world", json={"until": "2026-10-20T08:00:00Z"})
        assert answer.json()["until"] == "2026-10-20T08:00:00+00:00"
        for body in ({}, {"until": "soon"}, {"until": "2020-01-01T00:00:00Z"}, {"until": 3}):
            assert (await client.post("/_world", json=body)).status_code == 400
    assert running.world.until == datetime(2026, 10, 20, 8, tzinfo=UTC)
    assert list(running.world.events[: len(before.events)]) == list(before.events)
    assert len(running.world.events) > len(before.events)


async def test_the_company_lives_on_when_the_day_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = UNTIL
    monkeypatch.setattr(module, "DAY_CHECK_SECONDS", 0.01)
    async with Sandboxes(
        folder=tmp_path, started_on=STARTED_ON, customers=12, months=2, clock=lambda: now
    ) as sandboxes:
        first = sandboxes.world
        now = UNTIL + timedelta(hours=2)
        await asyncio.sleep(0.05)
        assert sandboxes.world is first
        now = UNTIL + timedelta(days=1)
        while sandboxes.world is first:  # noqa: ASYNC110  nothing announces a new world
            await asyncio.sleep(0.01)
        assert sandboxes.world.until == now.replace(hour=0)


async def test_mounted_applications_see_paths_of_their_own() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps([scope["path"], scope["raw_path"].decode()]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async with serving(Mounts({"acme": echo}, otherwise=echo)) as url:
        assert await get(f"{url}/acme/api/v2?x=1") == ["/api/v2", "/api/v2"]
        assert await get(f"{url}/acme") == ["/", "/"]
        assert await get(f"{url}/other/api") == ["/other/api", "/other/api"]


class Process:
    """`python -m hub.demo.sandboxes`, and what it said when it was ready."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any]) -> None:
        self.process, self.ready = process, ready


ARGUMENTS = ("--started-on", "2026-09-01", "--customers", "12", "--months", "2", "--until", "2026-10-15T09:00:00+00:00")


async def launch(folder: Path, *before: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        *before, sys.executable, "-m", "hub.demo.sandboxes", "--folder", str(folder), *ARGUMENTS,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return Process(process, json.loads(await asyncio.wait_for(process.stdout.readline(), 60)))


async def test_the_process_says_when_it_is_ready_and_ends_on_sigterm(tmp_path: Path) -> None:
    child = await launch(tmp_path)
    assert await get(f"{child.ready['url']}/_ready") == child.ready
    child.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(child.process.wait(), 30) == 0


async def test_what_was_taken_survives_kill(tmp_path: Path) -> None:
    child = await launch(tmp_path)
    headers = {"Authorization": f"Bearer {token('slack')}"}
    async with httpx.AsyncClient(headers=headers) as client:
        await client.post(f"{child.ready['url']}/slack/api/chat.postMessage", json={"channel": "cs", "text": "x"})
    child.process.kill()
    await child.process.wait()
    outbox = Outbox(tmp_path / "outbox.db")
    assert [arrival.body["text"] for arrival in outbox.arrivals()] == ["x"]
    outbox.close()


async def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'hub.demo.sandboxes', *sys.argv[1:]], stdout=subprocess.PIPE)\n"
        "print(child.pid, child.stdout.readline().decode().strip(), sep='\\n', flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, "--folder", str(tmp_path), *ARGUMENTS, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    orphan = int(await asyncio.wait_for(parent.stdout.readline(), 60))
    ready = json.loads(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    deadline = time.monotonic() + 60
    while _alive(orphan) and time.monotonic() < deadline:  # noqa: ASYNC110  no child of ours
        await asyncio.sleep(0.05)
    assert not _alive(orphan)
    with pytest.raises(httpx.ConnectError):
        await get(f"{ready['url']}/_ready")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")
