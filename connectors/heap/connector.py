"""The Heap connector: files of tables, read in the order in which they were written.

A dump holds what arrived since the last one, so days are summed as those of `connectors.kit.usage_pull` by arrival: each sync
reads the files written since the first day that is still open. Where nothing was written since the last sync, it reads
nothing.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator

from connectors.heap.tables import MIGRATIONS, USERS, People, Row, files_of, migrations, rows, table_of
from connectors.kit import usage_records
from connectors.kit.base import BadRowError, Page, Raw, Stream, Window
from connectors.kit.files import File, Place
from connectors.kit.formats import check_location
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.usage import Fields, Seen, Usage
from connectors.kit.usage_pull import ONE_DAY, first_day, midnight
from connectors.kit.values import given, moment, text, version
from hub.model.records import Contact, FeatureUsageDay, Quarantined, UserActivityDay

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = ""
    location: str = Field(min_length=1)
    storage: dict[str, SecretStr] = Field(default_factory=dict)
    company_column: str = "account_id"
    email_column: str = "email"
    identity_column: str = "identity"
    ignored_tables: tuple[str, ...] = ("sessions",)
    history_days: int = Field(default=540, ge=1, le=3650)
    lookback_days: int = Field(default=2, ge=0, le=30)

    @field_validator("location")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        check_location(value)
        return value


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        storage = {name: value.get_secret_value() for name, value in settings.storage.items()}
        self._place = Place(settings.location, storage)
        self._fields = Fields(event="table", time="time", user="user_id", company=settings.company_column)

    def client(self) -> Client:
        """It is never asked for anything: a filesystem has ways of its own."""
        return Client(MANIFEST.base_url, budget=MANIFEST.budget("files"))

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        contact = partial(_contact, company=s.company_column, email=s.email_column, identity=s.identity_column)
        return (
            Stream(
                name="users",
                makes=(Contact,),
                pull=self.pull_users,
                records=contact,
                key=lambda raw: str(raw.get("user_id", "")),
            ),
            Stream(
                name="usage",
                makes=(UserActivityDay, FeatureUsageDay),
                pull=self.pull_usage,
                records=partial(usage_records.usage, fields=self._fields),
                key=usage_records.usage_key,
            ),
        )

    async def pull_users(self, client: Client, window: Window) -> AsyncIterator[Page]:
        """Files of users that are new or newer. `{"files": {name: tag}}`."""
        files = await asyncio.to_thread(self._place.files)
        read: dict[str, str] = dict((window.bookmark or {}).get("files") or {})
        here = {file.name for file in files}
        read = {name: tag for name, tag in read.items() if name in here}
        merged = await migrations(self._place, files)
        for file in files_of(files, USERS):
            if read.get(file.name) == file.tag:
                continue
            async for some, faults in rows(self._place, file):
                yield Page(rows=[row for row in some if str(row.get("user_id")) not in merged], faults=faults)
            read[file.name] = file.tag
            yield Page(rows=(), bookmark={"files": dict(read)})
        yield Page(rows=(), gone=sorted(merged), bookmark={"files": read})

    async def pull_usage(self, client: Client, window: Window) -> AsyncIterator[Page]:
        s, now = self.settings, window.started_at
        files = await asyncio.to_thread(self._place.files)
        events = [file for file in files if self._is_event(file)]
        newest = max((file.changed for file in events if file.changed), default=None)
        newest_said = newest.isoformat() if newest else None
        if newest is None or (window.bookmark or {}).get("newest") == newest_said:
            return
        first = first_day(window.bookmark, now=now, history_days=s.history_days)
        people = People(s.company_column, s.identity_column)
        await people.read(self._place, files)
        late = Counter[date]()
        usage = Usage(fields=self._fields, days=(first, now.date()))
        faults: list[Quarantined] = []
        for file in events:
            if file.changed is not None and file.changed < midnight(first):
                continue
            async for some, bad in rows(self._place, file):
                usage.add(_seen(some, table_of(file) or "", people))
                faults += bad
                if window.bookmark is not None and file.changed is not None:
                    late.update(_too_late(some, before=first, known=file.changed - timedelta(days=s.lookback_days)))
        surely = (newest - ONE_DAY - timedelta(days=s.lookback_days)).date()
        through = max(surely, first - ONE_DAY)
        for page in usage_records.pages(usage.close(through), faults=usage.faults(through)):
            yield page
        bookmark = {"through": through.isoformat(), "newest": newest_said}
        for page in usage_records.pages(
            usage.rows(), bookmark=bookmark, faults=[*faults, *usage.faults(), *_told(late)]
        ):
            yield page

    def _is_event(self, file: File) -> bool:
        table = table_of(file)
        return table is not None and table not in (USERS, MIGRATIONS, *self.settings.ignored_tables)


def _seen(some: Sequence[Row], table: str, people: People) -> Iterator[Seen]:
    for row in some:
        company, user = people.of(row.get("user_id"))
        at = _time(row.get("time"))
        yield (table, company, user, None if at is None else int(at.timestamp()), text(row.get("event_id")), None, row)


def _too_late(some: Sequence[Row], *, before: date, known: datetime) -> Iterator[date]:
    """Days of events that came with a dump so late that their day had been given for complete."""
    for row in some:
        at = _time(row.get("time"))
        if at is not None and at.date() < before and midnight(at.date()) + ONE_DAY < known:
            yield at.date()


def _told(late: Counter[date]) -> Iterator[Quarantined]:
    for day, count in sorted(late.items()):
        yield Quarantined(
            key=f"late|{day}",
            reason=f"{count} events of {day} came with a later dump than is waited for and are not counted: either"
            " lookback_days is too small, or the event was defined anew and dumped as a whole; reset the source's bookmark"
            " to read all again",
            field="time",
        )


def _time(value: Any) -> datetime | None:
    try:
        return moment(value, field="time")
    except BadRowError:
        return None


def _contact(raw: Raw, *, company: str, email: str, identity: str) -> tuple[Contact, ...]:
    """The contact of a user; nobody's where neither name nor address is known, as of most visitors."""
    key = text(raw.get("user_id"))
    if key is None:
        raise BadRowError("a user without an id", field="user_id")
    address, name = text(raw.get(email)), text(raw.get(identity))
    if address is None and name is None:
        return ()
    joined, changed = raw.get("joindate"), raw.get("last_modified")
    return (
        Contact(
            key=key,
            version=version(moment(changed, field="last_modified")) if given(changed) else 0,
            company_key=text(raw.get(company)),
            email=address.lower() if address else None,
            name=name,
            created_at=moment(joined, field="joindate") if given(joined) else None,
        ),
    )
