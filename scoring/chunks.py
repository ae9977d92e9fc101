"""Work on long columns, a chunk of rows at a time, by a few threads.

A chunk's columns stay in the processor's cache from one step to the next, and numpy lets go of the interpreter while it
calculates. What comes out must not depend on either: work on a chunk reads and writes its own rows alone.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

CHUNK = 8_192
THREADS = min(4, os.cpu_count() or 1)


def in_chunks(rows: int, work: Callable[[slice], None], *, size: int | None = None) -> None:
    """Call `work` with each chunk of so many rows; `size` of a chunk, if not the usual one."""
    step = size or CHUNK
    side_by_side(work, [slice(start, start + step) for start in range(0, rows, step)])


def side_by_side(work: Callable[[Task], Result], tasks: Iterable[Task], *, threads: bool = True) -> list[Result]:
    """What `work` makes of each task, in their order; `threads`: whether each is enough work to be worth a thread."""
    todo = list(tasks)
    if not threads or len(todo) < 2 or THREADS == 1:
        return [work(task) for task in todo]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, todo))
