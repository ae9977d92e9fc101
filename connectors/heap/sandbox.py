"""What Heap Connect leaves in a bucket, for the simulated company: a dump a day, in a folder each, as Avro files.

    sync_<number>/users/…avro, sync_<number>/<event>/…avro, sync_<number>/user_migrations/…avro, manifests beside them

`fill` writes them; nothing of a folder is served over HTTP, so `app` has nothing to say. An event comes with the dump of the
night after it; one in 30 a night later. Heap's ids are numbers; the identity is "u-<person number>".
"""

import io
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, time, timedelta
from os import utime
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from zlib import crc32

import orjson
from starlette.applications import Starlette

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import Person, ProductEvent, World
from connectors.kit.truth import usage_days

LATE = 30  # one event in so many comes a night later
MERGED = 5_000_000  # added to the id of a visitor before they were known
NIGHT = time(3, tzinfo=UTC)
STAMP = {"type": "long", "logicalType": "timestamp-micros"}
Row = dict[str, Any]
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "users": {
        "user_id": "long", "identity": ["null", "string"], "email": ["null", "string"], "account_id": ["null", "string"],
        "joindate": STAMP, "last_modified": STAMP,
    },
    "user_migrations": {"from_user_id": "long", "to_user_id": "long", "time": STAMP},
    "": {"event_id": "long", "user_id": "long", "session_id": "long", "time": STAMP},
}  # fmt: skip


def app(world: Callable[[], World], *, token: str, faults: Faults) -> Starlette:
    return assemble([], faults=faults)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """A source of a folder; `token` is a part of its name."""
    return {"location": str(Path(gettempdir()) / f"cshub-heap-{token}")}


def truth(world: World) -> Mapping[str, Collection[str]]:
    first = world.until.date() - timedelta(days=540)
    dumped = [event for event in world.events if dumped_on(event) <= world.until and event.at.date() >= first]
    return {"users": [str(heap_id(person.number)) for person in world.people], "usage": usage_days(dumped)}


def heap_id(person: int) -> int:
    return 1_000_000 + person


def dumped_on(event: ProductEvent) -> datetime:
    """The moment of the dump an event comes with."""
    nights = 2 if crc32(event.insert_id.encode()) % LATE == 0 else 1
    return datetime.combine(event.at.date() + timedelta(days=nights), NIGHT)


def fill(folder: Path, world: World) -> None:
    """Write the dumps up to the World's end; those that are there already are left alone."""
    nights: dict[datetime, list[ProductEvent]] = defaultdict(list)
    for event in world.events:
        if dumped_on(event) <= world.until:
            nights[dumped_on(event)].append(event)
    for night, events in sorted(nights.items()):
        dump = folder / f"sync_{night:%Y%m%d}"
        if dump.exists():
            continue
        _write(dump, "users", [_user(person, night) for person in world.people], night)
        old, new = MERGED + heap_id(1), heap_id(1)
        _write(dump, "user_migrations", [{"from_user_id": old, "to_user_id": new, "time": night}], night)
        for name in sorted({event.name for event in events}):
            _write(dump, name, [_event(event) for event in events if event.name == name], night)
        (dump / "manifest.json").write_bytes(orjson.dumps({"dump_id": night.toordinal(), "complete": True}))


def avro(table: str, rows: list[Row]) -> bytes:
    """An Avro file."""
    import fastavro  # an extra: the demo serves every sandbox, and this one needs no files there

    fields = [{"name": name, "type": kind} for name, kind in SCHEMAS.get(table, SCHEMAS[""]).items()]
    made = io.BytesIO()
    fastavro.writer(made, {"type": "record", "name": "row", "fields": fields}, rows)
    return made.getvalue()


def _write(dump: Path, table: str, rows: list[Row], at: datetime) -> None:
    path = dump / table / "part-00000.avro"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(avro(table, rows))
    utime(path, (at.timestamp(),) * 2)


def _user(person: Person, night: datetime) -> Row:
    return {
        "user_id": heap_id(person.number), "identity": f"u-{person.number}", "email": person.email,
        "account_id": f"acct-{person.account}", "joindate": person.created_at,
        "last_modified": min(person.updated_at, night),
    }  # fmt: skip


def _event(event: ProductEvent) -> Row:
    """The first person's events of the first days carry the id they had before they were known."""
    number = crc32(event.insert_id.encode())
    before = MERGED if event.person == 1 and number % 2 else 0
    return {
        "event_id": number, "user_id": before + heap_id(event.person), "session_id": number % 1000, "time": event.at,
    }  # fmt: skip
