"""Rows into bytes, page by page: CSV, JSON Lines and Parquet.

CSV      RFC 4180, UTF-8, times in ISO 8601; a text that a spreadsheet would run as a formula begins with an apostrophe
JSONL    one object a line, exact
Parquet  typed columns, exact; needs polars (`pip install 'cshub[parquet]'`)
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from hub.errors import RefusedError
from hub.store.bi import Given

if TYPE_CHECKING:
    import polars

Rows = Sequence[Mapping[str, Any]]
Pages = AsyncIterator[list[dict[str, Any]]]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet begins a formula with; in East Asian width, too."""
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Format:
    """`encode(columns, pages)` gives the bytes, in pieces."""

    media_type: str
    encode: Callable[[Sequence[Given], Pages], AsyncIterator[bytes]]


def encoded(name: str, columns: Sequence[Given], pages: Pages) -> AsyncIterator[bytes]:
    """The rows in the format called `name`; RefusedError where there is none, or its library is not installed."""
    if name not in FORMATS:
        raise RefusedError(f"there is no format {name!r}; there are: {', '.join(FORMATS)}")
    if name == "parquet":
        _polars()
    return FORMATS[name].encode(columns, pages)


async def _csv(columns: Sequence[Given], pages: Pages) -> AsyncIterator[bytes]:
    names = [each.name for each in columns]
    yield _lines([names])
    async for rows in pages:
        yield _lines([[_cell(row[name]) for name in names] for row in rows])


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _moment(value) if isinstance(value, datetime) else value


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def _jsonl(_: Sequence[Given], pages: Pages) -> AsyncIterator[bytes]:
    async for rows in pages:
        yield b"".join(orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for row in rows)


async def _parquet(columns: Sequence[Given], pages: Pages) -> AsyncIterator[bytes]:
    """A Parquet file has its table of contents at its end, so it is made on disk first."""
    with TemporaryDirectory(prefix="cshub-export-") as folder:
        at = Path(folder)
        number = 0
        schema = _schema(columns)
        async for rows in pages:
            await asyncio.to_thread(_write_part, at / f"{number:08}.arrow", rows, schema)
            number += 1
        if number == 0:
            await asyncio.to_thread(_write_part, at / "00000000.arrow", [], schema)
        made = at / "made.parquet"
        await asyncio.to_thread(_join_parts, at, made)
        with made.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece


def _write_part(path: Path, rows: Rows, schema: "Mapping[str, polars.DataType | type[polars.DataType]]") -> None:
    _polars().DataFrame(list(rows), schema=schema, orient="row").write_ipc(path)


def _join_parts(folder: Path, made: Path) -> None:
    _polars().scan_ipc(folder / "*.arrow").sink_parquet(made)


def _schema(columns: Sequence[Given]) -> "Mapping[str, polars.DataType | type[polars.DataType]]":
    types = _polars()
    kinds = {
        "text": types.String,
        "integer": types.Int64,
        "number": types.Float64,
        "boolean": types.Boolean,
        "date": types.Date,
        "time": types.Datetime("us", "UTC"),
    }
    return {each.name: kinds[each.kind] for each in columns}


def _polars() -> Any:
    try:
        import polars  # an extra: seconds to import, and most hubs never write Parquet
    except ImportError:
        raise RefusedError("Parquet needs polars: pip install 'cshub[parquet]'; csv and jsonl need nothing") from None
    return polars


FORMATS: Mapping[str, Format] = {
    "csv": Format("text/csv; charset=utf-8", _csv),
    "jsonl": Format("application/x-ndjson", _jsonl),
    "parquet": Format("application/vnd.apache.parquet", _parquet),
}
