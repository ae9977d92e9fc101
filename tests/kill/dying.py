"""`cshub` that kills itself: reads lines `{"after": n, "arguments": […]}`, does each in a process of its own, says its end.

The process gets SIGKILL right after the n-th commit to the store (null: never). With `"here": true` there is no other
process: that is for the first one, which imports and compiles everything once for all its forks.
"""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stdout

from hub.cli import main
from hub.store import Connection, Store


def die_after(commits: int) -> None:
    left = commits
    transaction = Store.transaction

    @asynccontextmanager
    async def counted(store: Store) -> AsyncIterator[Connection]:
        nonlocal left
        async with transaction(store) as connection:
            yield connection
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    Store.transaction = counted  # type: ignore[method-assign, assignment]  # the point of this program


def here(arguments: list[str]) -> int:
    try:
        with redirect_stdout(sys.stderr):
            main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 70


def fork(arguments: list[str], after: int | None) -> int:
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if after is not None:
        die_after(after)
    code = 71
    try:
        code = here(arguments)
    finally:
        os._exit(code)


if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        code = here(order["arguments"]) if order.get("here") else fork(order["arguments"], order["after"])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()
