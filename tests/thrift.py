"""What spares the suite work that proves nothing: imported by tests/conftest.py before all else, for what is set here is read
when libraries are loaded.

threads   one for arithmetic in each process: workers fill the cores already, and threads that wait for each other do so busily
bytecode  where Python is told to write none, each of some hundred processes would compile all modules anew: then it is kept
          in pytest's own cache, which `make clean` removes, and not beside the sources
garbage   what was imported is none: it is not looked through again and again
misses    httpcore looks at every request for a package it can do without: in all folders, where it is not there
trials    loading a folder of playbooks renders every step of each; the same playbook with the same templates does so once
"""

import gc
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BYTECODE = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
GARBAGE = 5_000
"""Objects that are made before it is looked for such as are garbage."""
WORKERS_A_CORE = 2
MOST_WORKERS = 16
WORKER_BYTES = 1.3e9
"""What a worker needs at most, with what it starts."""


def _spare() -> None:
    for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(BYTECODE)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # how Python notes that there is no such module


_spare()


@contextmanager
def without_garbage() -> Iterator[None]:
    """What is made meanwhile is kept, and never looked through for what might be thrown away."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE, 10, 10)
        gc.enable()


def workers() -> int:
    """How many processes of pytest there is use and room for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_WORKERS, cores * WORKERS_A_CORE, int(_free_bytes() / WORKER_BYTES)))


def _free_bytes() -> float:
    """Memory to be had; where nobody tells, enough for a few."""
    try:
        told = Path("/proc/meminfo").read_text("utf-8").split()
    except OSError:
        return 4 * WORKER_BYTES
    return float(told[told.index("MemAvailable:") + 1]) * 1024


@contextmanager
def remembering_trials() -> Iterator[None]:
    """A trial that found nothing is not made again of the same definition, templates and event, by this process."""
    from hub.playbooks.loading import _Reading  # not above: environment variables come first

    made, real = set[bytes](), _Reading.trial

    def trial(self: _Reading, playbook: Any) -> None:
        folders = (self.renderer._slack._folder, self.renderer._mail._folder)
        told = repr((playbook.definition, self.event(), *(_content(folder) for folder in folders)))
        key = hashlib.sha256(told.encode()).digest()
        if key not in made:
            before = len(self.faults)
            real(self, playbook)
            if len(self.faults) == before:
                made.add(key)

    _Reading.trial = trial
    try:
        yield
    finally:
        _Reading.trial = real


def _content(folder: Path) -> list[tuple[str, int, int]]:
    """What tells whether a folder of templates is still the same."""
    found = [(str(path), path.stat()) for path in sorted(folder.glob("*"))]
    return [(name, stat.st_mtime_ns, stat.st_size) for name, stat in found]
