"""Pulling a CSV file: whole when it has changed, not at all when it has not, and from the row an earlier pull came to.

The bookmark: {"tag": which version of the file, "rows": how many of its rows have been handed on, "done": all of them}.
A file's tag is its ETag, else its Last-Modified, else a digest of its bytes; on this machine its time and size.

Where rows tell when they changed, so that the newest of a key wins in whatever order they come, a changed file's rows that
an earlier pull handed on are left out. For that the bookmark has {"read_by": how rows were read, "blocks": marks of what they
were}, see `blocks`.
"""

from collections import deque
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from hashlib import blake2b, sha256
from itertools import islice
from os import SEEK_END
from pathlib import Path
from typing import IO, Any, Protocol

from connectors.csvfile.blocks import MOST_BITS, Told, bits_for
from connectors.csvfile.mapping import FILE_TIME, Plan, key_of
from connectors.kit.base import Page, Window
from connectors.kit.delimited import LINE, Dialect, HeaderError, rows
from connectors.kit.errors import ContractError, DeniedError, TransientError
from connectors.kit.http import Client
from connectors.kit.values import version
from hub.model.records import Quarantined

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a file: its tag, its time (milliseconds since 1970, None where unknown), and its bytes."""

    tag: str
    changed: int | None
    file: IO[bytes]


class Location(Protocol):
    def open(self, client: Client, *, unless: str | None) -> AbstractAsyncContextManager[Version | None]:
        """The file, or None where it still has the tag `unless`."""
        ...


@dataclass(frozen=True, slots=True)
class LocalFile:
    path: Path

    @asynccontextmanager
    async def open(self, client: Client, *, unless: str | None) -> AsyncIterator[Version | None]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            raise DeniedError(f"there is no file {self.path}") from None
        except (PermissionError, IsADirectoryError) as error:
            raise DeniedError(f"{self.path} cannot be read: {error.strerror}") from None
        except OSError as error:
            raise TransientError(f"{self.path} cannot be read: {error.strerror}") from None
        with file:
            told = self.path.stat()
            tag = f"{told.st_mtime_ns}-{told.st_size}"
            yield None if tag == unless else Version(tag, told.st_mtime_ns // 1_000_000, file)


@dataclass(frozen=True, slots=True)
class HttpFile:
    path: str

    @asynccontextmanager
    async def open(self, client: Client, *, unless: str | None) -> AsyncIterator[Version | None]:
        """Asked conditionally; a server that knows no conditions sends it all, and the tag decides."""
        condition = {}
        if unless is not None and '"' in unless:
            condition["If-None-Match"] = unless
        elif unless is not None and unless.endswith("GMT"):
            condition["If-Modified-Since"] = unless
        async with client.download(self.path, headers=condition) as download:
            if download.reply.status == 304:
                yield None
                return
            headers = download.reply.headers
            tag = headers.get("etag") or headers.get("last-modified")
            if not tag:
                tag = _digest(download.file)
            yield None if tag == unless else Version(tag, _time(headers.get("last-modified")), download.file)


class FilePull:
    """`Stream.pull` of one file."""

    def __init__(self, location: Location, plan: Plan, dialect: Dialect) -> None:
        self._location, self._plan, self._dialect = location, plan, dialect
        read_by = blake2b(repr((plan, dialect)).encode(), digest_size=8).hexdigest()
        self._read_by = None if plan.updated_at is None else read_by

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        before: Mapping[str, Any] = window.bookmark or {}
        unless = before.get("tag") if before.get("done") else None
        async with self._location.open(client, unless=unless) as found:
            if found is None:
                return
            changed = found.changed if found.changed is not None else version(window.started_at)
            size, ended = _end(found.file)
            most = PAGE if window.limit is None else min(PAGE, window.limit)
            same, before_marks = before.get("tag") == found.tag, self._marks(before)
            bits = bits_for(size)
            told = Told(known=() if same or bits is None else before_marks, bits=bits or MOST_BITS)
            with closing(self._rows(found.file)) as some:
                read = skipped = before["rows"] if same else 0
                deque(islice(some, skipped), maxlen=0)
                news, given, done = told.news(some, since=skipped), 0, False
                while not done and (window.limit is None or given < window.limit):
                    page = list(islice(news, most))
                    given, done = given + len(page), len(page) < most
                    read = told.read if done else page[-1][1]
                    cut = done and bool(page) and isinstance(page[-1][0], Quarantined) and not ended
                    if cut:
                        page, read, done = page[:-1], read - 1, False
                    bookmark = {"tag": found.tag, "rows": read, "done": done}
                    if self._read_by is not None and bits is not None:
                        marks = [*(before_marks if same else ()), *told.until(read)]
                        bookmark |= {"read_by": self._read_by, "blocks": marks}
                    yield Page(
                        rows=[{**row, FILE_TIME: str(changed)} for row, _ in page if isinstance(row, dict)],
                        faults=[row for row, _ in page if isinstance(row, Quarantined)],
                        bookmark=bookmark,
                    )
                    if cut:
                        raise ContractError(f"the file stops within its last row; the {read} rows before it are kept")

    def _marks(self, bookmark: Mapping[str, Any]) -> Sequence[str]:
        """Of blocks that were handed on, as these settings read them."""
        if self._read_by is None or bookmark.get("read_by") != self._read_by:
            return ()
        marks: Sequence[str] = bookmark["blocks"]
        return marks

    def _rows(self, file: IO[bytes]) -> Generator[Mapping[str, str] | Quarantined, None, None]:
        """Rows and faults; a header that does not fit the settings is a DeniedError that names what there is."""
        try:
            with closing(rows(file, self._dialect)) as some:
                header: Sequence[str] = ()
                for row in some:
                    if isinstance(row, Quarantined):
                        yield self._named(row, header)
                    elif isinstance(row, Mapping):
                        yield row
                    elif missing := self._plan.missing(row):
                        raise DeniedError(f"the file has no column {'; none '.join(missing)}. It has: {', '.join(row)}")
                    else:
                        header = row
        except HeaderError as error:
            raise DeniedError(str(error)) from None
        except UnicodeError:
            raise DeniedError(f"the file is not written in {self._dialect.encoding}; set encoding") from None

    def _named(self, fault: Quarantined, header: Sequence[str]) -> Quarantined:
        """The fault under its row's own key, if that can be seen, so that the repaired row takes it out of quarantine."""
        cells = fault.raw.get("cells")
        if not header or not isinstance(cells, list):
            return fault
        own = {column: cell for column, cell in zip(header, cells, strict=False) if column in self._plan.key}
        return replace(fault, key=key_of({**own, LINE: fault.raw[LINE]}, self._plan.key))


def _end(file: IO[bytes]) -> tuple[int, bool]:
    """Its size, and whether the last thing in it is the end of a line, in whatever encoding; an empty one ends well."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - 4))
    tail = file.read()
    file.seek(0)
    return size, not tail or b"\n" in tail or b"\r" in tail


def _digest(file: IO[bytes]) -> str:
    digest = sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _time(last_modified: str | None) -> int | None:
    try:
        return version(parsedate_to_datetime(last_modified)) if last_modified else None
    except ValueError:
        return None
