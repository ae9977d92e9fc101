"""A worker process for tests: `python worker.py '{"url": …}'` starts an engine, works until told to stop or killed.

It writes what its handlers do to the table `trace` of the store, and says "ready" and "began" on standard output.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

hosts: list[str] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Write down every host this process looks up or connects to, and "" for a socket in the file system."""
    if event == "socket.connect":
        hosts.append(str(arguments[1][0]) if isinstance(arguments[1], tuple) else "")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        hosts.append(str(arguments[0]))


sys.addaudithook(_audit)

from sqlalchemy import text  # noqa: E402  the hook comes before all that could connect

from hub.clock import utc_now  # noqa: E402  below the hook, too
from hub.durable import Argument, process  # noqa: E402  below the hook, too
from hub.durable.engine import DbosDurable  # noqa: E402  below the hook, too
from hub.store import Store  # noqa: E402  below the hook, too


async def main(settings: dict[str, object]) -> None:
    name, url = str(settings["name"]), str(settings["url"])
    if settings.get("hidden"):
        process.place = lambda: f"place-of-{name}"  # nobody can see whether this process lives
    if settings.get("release") == 2:
        from dbos import DBOS

        # other code, which would make another application version of it
        @DBOS.workflow(name="unrelated")
        async def unrelated() -> str:
            return "only in release 2"

    async with Store.open(url) as store:

        async def trace(what: str) -> None:
            async with store.transaction() as connection:
                await connection.execute(
                    text("INSERT INTO trace (worker, what, at) VALUES (:worker, :what, :at)"),
                    [{"worker": name, "what": what, "at": utc_now().timestamp()}],
                )

        async def beginners() -> int:
            async with store.reading() as connection:
                rows = await connection.execute(text("SELECT DISTINCT worker FROM trace WHERE what = 'began'"))
                return len(rows.all())

        async def mark(argument: Argument) -> None:
            await asyncio.sleep(0.02)
            await trace(f"mark {argument['id']}")

        async def slow(argument: Argument) -> None:
            await trace("began")
            await durable.enqueue("mark", {"id": f"of {name}"})
            print("began", flush=True)  # noqa: T201  the test reads it
            await asyncio.sleep(float(str(settings.get("slow", 0))))
            while settings.get("meet") and await beginners() < 2:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.05)
            await trace("ended")

        dead = float(str(settings.get("dead", 30)))  # on a busy machine a second says nothing
        durable = DbosDurable(store, queues={"default": 2}, poll_seconds=0.05, beat_seconds=0.2, dead_seconds=dead)
        durable.register("mark", mark)
        durable.register("slow", slow)
        if settings.get("ticks"):
            durable.every("second", "* * * * * *", "mark", {"id": "tick"})
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await durable.start()
        print("ready", flush=True)  # noqa: T201  the test reads it
        await stop.wait()
        await durable.stop()
    print(json.dumps({"hosts": hosts}), flush=True)  # noqa: T201  the test reads it


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
