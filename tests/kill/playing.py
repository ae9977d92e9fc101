"""A worker that plays playbooks until it is killed; many of them come from one process, which imports everything once.

    python -m tests.kill.playing <store's URL> <folder of playbooks and templates> <URL of the sink> <file of the clock>

A line on standard input begins a worker: its process id is the answer, and `ready <id>` once it takes jobs. The workers' time
is this machine's plus the seconds in the clock's file, so that days pass while they are dead.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from hub.clock import utc_now
from hub.delivery.base import Manners
from hub.delivery.slack import SlackChannel
from hub.delivery.webhook import MANNERS, Endpoint, WebhookChannel
from hub.durable.engine import DbosDurable
from hub.playbooks import Playbooks, load_all
from hub.playbooks.jobs import SWEEP
from hub.store import Store

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1zaW5rLTEyMzQ1Njc4"
FOR_LONG = timedelta(days=400)
"""Days pass in jumps here; none of them is too late for a message."""
AT_ONCE = Manners(interval=timedelta(0), expiry=FOR_LONG)
"""Slack's own pace, a message a second, would make the proof a test of patience."""


async def work(url: str, folder: Path, sink: str, clock_file: Path) -> None:
    def clock() -> datetime:
        return utc_now() + timedelta(seconds=float(clock_file.read_text(encoding="utf-8")))

    async with Store.open(url) as store:
        durable = DbosDurable(store, clock=clock, poll_seconds=0.05, beat_seconds=1.0)
        slack = SlackChannel("xoxb-test", base_url=f"{sink}/slack/", manners=AT_ONCE)
        hooks = WebhookChannel(
            {f"sink{lane}": Endpoint(url=f"{sink}/hook", secrets=(SECRET,)) for lane in range(10)},
            allowed=[ip_network("127.0.0.0/8")],
            manners=replace(MANNERS, expiry=FOR_LONG),
        )
        playbooks = Playbooks(
            store,
            load_all(folder / "playbooks", templates=folder / "templates"),
            {"slack": slack, "webhook": hooks},
            durable,
            executor=durable.executor,
            clock=clock,
            hub_url="https://hub.example",
        )
        playbooks.register()
        durable.every("sweep", "* * * * *", SWEEP, {})
        await durable.start()
        await playbooks.sweep(now=clock(), stuck=timedelta(0))
        say(f"ready {os.getpid()}")
        await asyncio.Event().wait()


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # in one piece, whoever else writes


def main(url: str, folder: str, sink: str, clock_file: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for _ in sys.stdin:
        if pid := os.fork():
            say(f"begun {pid}")
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        try:
            asyncio.run(work(url, Path(folder), sink, Path(clock_file)))
        finally:
            os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
