"""Files of a folder or an object store, as rows: CSV, JSON Lines, Parquet and Avro, compressed or not.

    place = Place("s3://exports/usage/*.parquet", storage={"key": …, "secret": …})
    for file in place.files(): …                    name, tag (another one once the file has changed), time of its last change
    async for rows in place.pages(file, reading):   lists of rows, and of faults where one could not be read

A location is a path, or a URL of any filesystem fsspec knows (s3, gs, abfs, sftp, …), with `*` and `**` in it; a folder means
everything in it. What a filesystem or a format needs beyond what is installed is named, with how to install it. All of it
happens in a thread; a row at a time is in memory, or a batch of Parquet.

A file that ends too early, in a compressed stream or within a row, is a ContractError: what came before has been handed on.
"""

import asyncio
import gzip
import lzma
import tempfile
import zlib
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any

import fsspec
import orjson

from connectors.kit.delimited import Dialect, HeaderError
from connectors.kit.delimited import rows as delimited_rows
from connectors.kit.errors import ConnectorError, ContractError, DeniedError, TransientError
from connectors.kit.formats import FORMATS, Format, format_of, in_need
from hub.model.records import Quarantined

ROW = "#row"  # beside a raw row's columns: its file and its number in it
CUT_SHORT = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)
COMMAS = Dialect(delimiter=",", encoding="utf-8")
Row = Mapping[str, Any] | Quarantined


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """name: within the location. tag: size and time, or what else tells that it is the same as before."""

    name: str
    path: str
    tag: str
    size: int
    changed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """format: None: by the file's ending. dialect: of CSV."""

    format: Format | None = None
    dialect: Dialect = COMMAS

    def of(self, file: File) -> Format:
        """DeniedError for an ending that names no format."""
        if self.format is not None:
            return self.format
        if (found := format_of(file.name)) is None:
            endings = ", ".join(FORMATS)
            raise DeniedError(f"{file.name}: its ending names no format ({endings}); set format", scope="stream")
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """location: see above. storage: what the filesystem is opened with, such as keys; shown nowhere."""

    location: str
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)

    def files(self) -> Sequence[File]:
        """The files there are, the oldest change first; DeniedError where there is no such place, or none in it."""
        with self._told():
            system, path = self._system()
            if not any(sign in path for sign in "*?["):
                path = f"{path.rstrip('/')}/**" if system.isdir(path) else path
                system.info(path.removesuffix("/**"))  # raises where there is none
            found = system.glob(path, detail=True)
            made = [_file(name, info, _base(path)) for name, info in found.items() if info["type"] == "file"]
        if not made:
            raise DeniedError(f"{self.location}: there are no files")
        return sorted(made, key=lambda each: (each.changed or datetime.min.replace(tzinfo=UTC), each.name))

    async def pages(self, file: File, reading: Reading, *, size: int, skip: int = 0) -> AsyncIterator[list[Row]]:
        """Its rows from number `skip` on, `size` at a time."""
        with closing(self._rows(file, reading)) as rows:
            await asyncio.to_thread(_advance, rows, skip)
            error: ConnectorError | None = None
            while error is None:
                page, error = await asyncio.to_thread(_some, rows, size)
                if page:
                    yield page
                elif error is None:
                    return
            raise error

    def _rows(self, file: File, reading: Reading) -> Generator[Row, None, None]:
        format_ = reading.of(file)
        with self._told(file.name), self._opened(file) as opened:
            if format_ == "csv":
                yield from _csv(opened, file, reading.dialect)
            elif format_ == "jsonl":
                yield from _lines(opened, file)
            else:
                yield from _numbered(_avro(opened) if format_ == "avro" else _parquet(opened), file)

    def _system(self) -> tuple[Any, str]:
        """The filesystem, and the path in it."""
        try:
            system, path = fsspec.core.url_to_fs(self.location, **self.storage)
        except ValueError as error:  # a scheme nobody knows, or storage that it does not take
            raise DeniedError(f"{self.location}: {error}") from None
        return system, path

    @contextmanager
    def _opened(self, file: File) -> Iterator[IO[bytes]]:
        system, _ = self._system()
        with system.open(file.path, "rb", compression="infer") as opened:
            yield opened

    @contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        """What a filesystem or a library raises, as what to do about it."""
        place = f"{self.location}: {name}".removesuffix(": ")
        try:
            yield
        except FileNotFoundError:
            raise DeniedError(f"{place}: there is no such file or folder") from None
        except (PermissionError, IsADirectoryError) as error:
            raise DeniedError(f"{place}: cannot be read ({error.strerror or type(error).__name__})") from None
        except ImportError as error:
            raise DeniedError(f"{place}: {in_need(error, self.location.partition('://')[0])}") from None
        except CUT_SHORT:
            raise ContractError(f"{place}: the file is damaged, or ends too early") from None
        except UnicodeError:
            raise DeniedError(f"{place}: is not written in the encoding it is said to be; set encoding") from None
        except HeaderError as error:
            raise DeniedError(f"{place}: {error}") from None
        except OSError as error:
            raise TransientError(f"{place}: {error.strerror or type(error).__name__}") from None


def _file(name: str, info: Mapping[str, Any], base: str) -> File:
    changed = next((at for key in ("mtime", "LastModified", "last_modified", "created") if (at := info.get(key))), None)
    if isinstance(changed, int | float):
        changed = datetime.fromtimestamp(changed, UTC)
    if isinstance(changed, datetime) and changed.tzinfo is None:
        changed = changed.replace(tzinfo=UTC)
    tag = info.get("ETag") or info.get("etag") or f"{info.get('size')}-{changed.isoformat() if changed else ''}"
    return File(
        name=name.removeprefix(base),
        path=name,
        tag=str(tag).strip('"'),
        size=int(info.get("size") or 0),
        changed=changed,
    )


def _base(path: str) -> str:
    """What all names of a pattern begin with: its folders without a sign."""
    fixed = path
    for sign in "*?[":
        fixed = fixed.partition(sign)[0]
    return fixed[: fixed.rfind("/") + 1]


def _some(rows: Iterator[Row], size: int) -> tuple[list[Row], ConnectorError | None]:
    """The next rows, and the error that came after them."""
    some: list[Row] = []
    try:
        some.extend(islice(rows, size))
    except ConnectorError as error:
        return some, error
    return some, None


def _advance(rows: Iterator[Row], by: int) -> None:
    for _ in islice(rows, by):
        pass


def _csv(opened: IO[bytes], file: File, dialect: Dialect) -> Iterator[Row]:
    number = 0
    with closing(delimited_rows(opened, dialect)) as some:
        for row in some:
            if isinstance(row, Quarantined):
                number += 1
                yield Quarantined(key=f"{file.name}, {row.key}", reason=f"{file.name}, {row.reason}", raw=row.raw)
            elif isinstance(row, Mapping):
                number += 1
                yield {**row, ROW: f"{file.name}, row {number}"}


def _lines(opened: IO[bytes], file: File) -> Iterator[Row]:
    for number, line in enumerate(opened, start=1):
        if not line.strip():
            continue
        place = f"{file.name}, row {number}"
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if not line.endswith(b"\n"):
                raise ContractError(f"{place}: the file stops within its last row") from None
            shown = {"line": line[:2_000].decode("utf-8", "replace")}
            yield Quarantined(key=place, reason=f"{place} is no JSON: {error}", raw=shown)
            continue
        if isinstance(row, dict):
            yield {**row, ROW: place}
        else:
            yield Quarantined(key=place, reason=f"{place} is no JSON object", raw={"line": row})


def _avro(opened: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    import fastavro  # an extra: few read Avro

    try:
        yield from fastavro.reader(opened)  # type: ignore[misc]  # rows of a schema of records
    except (ValueError, KeyError, IndexError) as error:
        raise ContractError(f"the file is no Avro, or ends too early ({type(error).__name__})") from None


def _parquet(opened: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    """Parquet is read from its end, so what is not on this machine is copied here first."""
    import polars  # an extra: seconds to import, and most hubs never read Parquet

    with tempfile.NamedTemporaryFile(prefix="cshub-", suffix=".parquet") as local:
        while piece := opened.read(1 << 20):
            local.write(piece)
        local.flush()
        try:
            for batch in polars.scan_parquet(local.name).collect_batches(chunk_size=10_000):
                yield from batch.iter_rows(named=True)
        except polars.exceptions.PolarsError as error:
            raise ContractError(f"the file is no Parquet, or ends too early: {str(error).splitlines()[0]}") from None


def _numbered(rows: Iterator[Mapping[str, Any]], file: File) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        yield {**{name: _plain(value) for name, value in row.items()}, ROW: f"{file.name}, row {number}"}


def _plain(value: Any) -> Any:
    """As JSON has it: a row may go to quarantine."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
