"""What spares the suite work that proves nothing: imported by tests/conftest.py before all else, for what is set here is read
when libraries are loaded.

threads   one for arithmetic in each process: workers fill the cores already, and threads that wait for each other do so busily
bytecode  where Python is told to write none, each of some hundred processes would compile all modules anew: then it is kept
          in pytest's own cache, which `make clean` removes, and not beside the sources
garbage   what was imported is none: it is not looked through again and again
misses    httpcore looks at every request for a package it can do without: in all folders, where it is not there
trials    loading a folder of playbooks renders every step of each; the same playbook with the same templates does so once
parses    nor is the same text parsed as YAML by each test that loads a configuration
templates nor the same template compiled by each hub that is opened
SQL       each store would compile its statements anew: those of all stores on one kind of database are kept together, as those
          of one store are
shares    what takes seconds to make and is only copied is made by one worker for all
"""

import fcntl
import gc
import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
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
STATEMENTS = 4_000
"""Kept of those that were compiled: as many as the suite has, with some to spare."""


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


@contextmanager
def remembering_parses() -> Iterator[None]:
    """A text that is good YAML is parsed once by this process; who reads it is given a value of its own."""
    from hub.documents import Document

    read, real = dict[str, tuple[bytes, Any]](), Document.from_text

    def from_text(text: str, *, name: str) -> Document:
        if text not in read:
            made = real(text, name=name)
            read[text] = (pickle.dumps(made.value), made.lines)
        value, lines = read[text]
        return Document(name, pickle.loads(value), lines)

    Document.from_text = from_text  # type: ignore[assignment,method-assign]  # a function of two for a method of the class
    try:
        yield
    finally:
        Document.from_text = real  # type: ignore[method-assign]  # as it was


@contextmanager
def remembering_templates() -> Iterator[None]:
    """A template is compiled once for all of Jinja's environments in which the same would come out of it."""
    from jinja2 import Environment
    from jinja2.lexer import get_lexer

    made, real = dict[tuple[Any, ...], Any](), Environment.compile

    def compiled(self: Environment, source: Any, name: Any = None, filename: Any = None, **how: Any) -> Any:
        if how or not isinstance(source, str):
            return real(self, source, name, filename, **how)
        called = [*self.filters.items(), *self.tests.items(), ("finalize", self.finalize)]
        key = (
            source, name, filename, type(self), get_lexer(self), self.undefined, self.optimized, self.is_async,
            self.autoescape(name) if callable(self.autoescape) else self.autoescape,
            *self.extensions, *((each, _same(function)) for each, function in called),
        )  # fmt: skip
        if key not in made:
            made[key] = real(self, source, name, filename)
        return made[key]

    Environment.compile = compiled  # type: ignore[method-assign,assignment]  # which has several signatures
    try:
        yield
    finally:
        Environment.compile = real  # type: ignore[method-assign]  # as it was


def _same(function: Any) -> Any:
    """What tells whether a function does the same as another: its code, if that is all it has."""
    code = getattr(function, "__code__", None)
    return (
        function if code is None or function.__closure__ or function.__kwdefaults__ else (code, function.__defaults__)
    )


class _Statements:
    """What SQLAlchemy keeps for one engine, kept for all: by what a statement is compiled for."""

    def __init__(self) -> None:
        from sqlalchemy.util import LRUCache

        self._kept: Any = LRUCache(STATEMENTS)

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return self._kept.get(_for_all(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._kept[_for_all(key)] = compiled


def _for_all(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Instead of an engine's dialect all of it that compiled statements and the processors they keep depend on."""
    dialect = key[0]
    told = ("name", "driver", "paramstyle", "server_version_info", "_json_serializer", "_json_deserializer")
    return (*(getattr(dialect, each, None) for each in told), *key[1:])


@contextmanager
def sharing_statements() -> Iterator[None]:
    from sqlalchemy import Engine

    kept = _Statements()
    Engine._compiled_cache = property(lambda _: kept, lambda *_: None)  # type: ignore[assignment]  # one of each engine's
    try:
        yield
    finally:
        del Engine._compiled_cache


def made_once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """What `make` puts at the place it is given, to be copied: the first worker who needs it makes it, others wait for it."""
    place = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            unfinished = folder / f"{name}.unfinished"
            make(unfinished)
            unfinished.rename(place)
    return place


def _content(folder: Path) -> list[tuple[str, int, int]]:
    """What tells whether a folder of templates is still the same."""
    found = [(str(path), path.stat()) for path in sorted(folder.glob("*"))]
    return [(name, stat.st_mtime_ns, stat.st_size) for name, stat in found]
