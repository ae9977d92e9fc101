"""`cshub` as a process: exit codes and what a shell sees."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from hub.access.tokens import create
from hub.clock import utc_now
from hub.model.actions import Role
from hub.store import Store
from tests.cli.conftest import Cli

pytestmark = pytest.mark.long

READY_WITHIN = 60.0
WATCH = "subscription { bandChanged { cursor } }"


def start(cli: Cli, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cshub", "--config", str(cli.config), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CSHUB_STORE": f"sqlite:///{cli.store}", "PYTHONUNBUFFERED": "1"},
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_a_wrong_configuration_ends_with_2_and_no_traceback(empty: Cli) -> None:
    empty.write("hub.yaml", "store: nonsense\n")
    process = start(empty, "check")
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, said) == (2, "")
    assert "1 fault in the configuration; nothing was done." in complained
    assert "Traceback" not in complained


def test_a_taken_port_is_a_line(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(cli, "serve", "--port", str(port))
        _, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complained == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_until_told_to_stop(cli: Cli, number: signal.Signals) -> None:
    process = start(cli, "serve", "--port", "0")
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"store    {cli.store}\n"
        place = process.stdout.readline().split()[1]
        assert place.startswith("http://127.0.0.1:")
        assert answer(place.replace("/graphql", "/healthz")) == b'{"store":"ok"}'
    finally:
        process.send_signal(number)
        _, complained = process.communicate(timeout=30)
    assert (process.returncode, complained) == (0, "")


def test_serve_ends_open_streams_and_then_itself(cli: Cli) -> None:
    secret = asyncio.run(make_token(cli))
    process = start(cli, "serve", "--port", "0", "--no-worker")
    assert process.stdout is not None
    try:
        process.stdout.readline()
        place = process.stdout.readline().split()[1]
        answer(place.replace("/graphql", "/healthz"))
        headers = {
            "authorization": f"Bearer {secret}",
            "accept": "text/event-stream",
            "content-type": "application/json",
        }
        body = json.dumps({"query": WATCH}).encode()
        stream = urlopen(Request(place, body, headers), timeout=20)
        assert stream.readline().startswith(b"id: ")
        address = place.replace("http:", "ws:")
        with connect(
            address, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=headers
        ) as socket_:
            socket_.send('{"type": "connection_init"}')
            assert json.loads(socket_.recv(20)) == {"type": "connection_ack"}
            socket_.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": WATCH}}))
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                socket_.recv(20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert b"event: complete" in stream.read()
        # no second signal: who sends one when the server is gone and the process about to go has killed it
        _, complained = process.communicate(timeout=30)
    finally:
        process.kill()  # where something above failed
        process.wait()
    assert (process.returncode, complained) == (0, "")


async def make_token(cli: Cli) -> str:
    async with Store.open(f"sqlite:///{cli.store}") as store:
        return (await create(store, name="watcher", role=Role.VIEWER, now=utc_now())).secret


def test_a_command_that_is_interrupted_ends_with_130(cli: Cli) -> None:
    """A source that never answers, and Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cli.write(
            "sources.yaml",
            f"sources: {{crm: {{connector: hubspot, settings: {{base_url: '{address}', token: x}}}}}}\n",
        )
        process = start(cli, "try", "crm")
        connection, _ = silent.accept()  # it has begun
        with connection:
            process.send_signal(signal.SIGINT)
            _, complained = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complained == "interrupted; what was done stays, the same command goes on from there\n"


def answer(url: str) -> bytes:
    """What a server answers that may still be starting."""
    give_up = time.monotonic() + READY_WITHIN
    while True:
        try:
            with urlopen(url, timeout=5) as response:
                content: bytes = response.read()
                return content
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
