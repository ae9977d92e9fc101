"""Looking at a source without writing anything: pull some rows and map them, or map such as are here (`cshub try`)."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from connectors.kit.base import Bookmark, Connector, Raw, Stream, Window, map_rows
from connectors.kit.errors import ConnectorError
from hub.errors import NotFoundError, RefusedError
from hub.model.records import Quarantined, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one stream gave: raw rows as they came, their records, what was refused, and the error that ended it."""

    stream: str
    rows: Sequence[Raw]
    records: Sequence[Record]
    quarantined: Sequence[Quarantined]
    bookmark: Bookmark | None
    error: ConnectorError | None = None


async def read(
    connector: Connector,
    streams: Collection[str] | None = None,
    *,
    now: datetime,
    limit: int | None = None,
    bookmark: Bookmark | None = None,
) -> AsyncIterator[Sample]:
    """A Sample per stream, or of these streams; at most `limit` rows each.

    A stream's ConnectorError is part of its sample, and the next stream goes on.
    """
    async with connector.client() as client:
        for stream in (each for each in connector.streams() if streams is None or each.name in streams):
            window = Window(bookmark=bookmark, started_at=now, limit=limit)
            rows: list[Raw] = []
            faults: list[Quarantined] = []
            error, reached = None, bookmark
            try:
                async for page in stream.pull(client, window):
                    rows.extend(page.rows)
                    faults.extend(page.faults)
                    reached = page.bookmark if page.bookmark is not None else reached
                    if limit is not None and len(rows) >= limit:
                        break
            except ConnectorError as caught:
                error = caught
            yield _sample(stream, rows[:limit], faults, reached, error)


def remapped(connector: Connector, rows: Mapping[str, Sequence[Raw]], *, limit: int | None = None) -> Iterator[Sample]:
    """A Sample per stream in `rows`, of rows that are here already; the vendor is not asked."""
    for stream in connector.streams():
        if stream.name in rows:
            yield _sample(stream, rows[stream.name][:limit], [], None, None)


def rows_in(file: Path) -> list[Raw]:
    """The raw rows of a JSON file (a list, or an object with a list `rows`, as fixtures have) or of JSON Lines.

    Raises NotFoundError and RefusedError, which say what is wrong.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read: {error.strerror}") from None
    try:
        found = orjson.loads(content)
        rows = found.get("rows", [found]) if isinstance(found, dict) else found
    except orjson.JSONDecodeError:
        try:
            rows = [orjson.loads(line) for line in content.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise RefusedError(f"{file} is neither JSON nor JSON Lines") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusedError(f"{file} holds no list of rows")
    return rows


def _sample(
    stream: Stream,
    rows: Sequence[Raw],
    faults: list[Quarantined],
    reached: Bookmark | None,
    error: ConnectorError | None,
) -> Sample:
    records, bad = map_rows(stream, rows)
    return Sample(
        stream=stream.name, rows=rows, records=records, quarantined=[*faults, *bad], bookmark=reached, error=error
    )
