"""One of several processes that fire the same playbook for the same customer at the same moment.

    python -m tests.playbooks.racing <store's URL> <folder> <name of the process>

Each line on standard input is a round, `<how> <customer>`; the answer is how many runs of `save` it began itself.
how: hand, due (after a scoring) or started (by another playbook).
"""

import asyncio
import sys
from pathlib import Path

from hub.playbooks import Playbooks, load_all
from hub.store import Store
from tests.fakes.clock import START, Clock
from tests.fakes.durable import FakeDurable


async def race(url: str, folder: Path, name: str) -> None:
    clock = Clock()
    async with Store.open(url) as store:
        durable = FakeDurable(clock=clock)
        playbooks = Playbooks(
            store,
            load_all(folder / "playbooks", templates=folder / "templates"),
            {},
            durable,
            executor=name,
            clock=clock,
            hub_url="https://hub.example",
        )
        playbooks.register()
        await durable.start()
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            how, customer = line.split()
            begun = 0
            if how == "due":
                begun = (await playbooks.fire_due(as_of=START.date(), now=clock())).fired.get("save", 0)
            elif how == "started":
                await playbooks.fire("starter", [customer], by=name, key=f"{name}-{customer}", now=clock())
                await durable.run()
            else:
                (firing,) = await playbooks.fire("save", [customer], by=name, key=f"{name}-{customer}", now=clock())
                begun = firing.state == "fired"
            say(str(int(begun)))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
