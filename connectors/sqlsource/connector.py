"""The sqlsource connector: its settings, and a stream a query."""

import re
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from connectors.kit.base import Raw, Stream
from connectors.kit.cells import key_of, record
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.tables import TableSettings
from connectors.sqlsource.database import Database, check_url
from connectors.sqlsource.pulling import Query
from hub.model.records import RECORD_KINDS, Record

MANIFEST = Manifest.of(Path(__file__).parent)
STREAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


class QuerySettings(TableSettings):
    """One query; bookmark: a column that only grows."""

    query: str = Field(min_length=1)
    bookmark: str | None = None

    @field_validator("query")
    @classmethod
    def _is_one_query(cls, value: str) -> str:
        text = value.strip().rstrip(";").strip()
        if [word.lower() for word in text.split(None, 1)[:1]] not in (["select"], ["with"]) or ";" in text:
            raise ValueError("is one SELECT (or WITH … SELECT), and no other statement")
        return text


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = ""
    url: SecretStr
    streams: dict[str, QuerySettings] = Field(min_length=1)
    overlap_minutes: int = Field(default=10, ge=0)
    page_size: int = Field(default=1_000, ge=1, le=100_000)

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, value: SecretStr) -> SecretStr:
        check_url(value.get_secret_value())
        return value

    @field_validator("streams")
    @classmethod
    def _are_names(cls, value: dict[str, QuerySettings]) -> dict[str, QuerySettings]:
        for name in value:
            if not STREAM_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no name for a stream: small letters, digits and _, a letter first, at most 60"
                )
        return value


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        """It is never asked for anything: a database has drivers of its own."""
        return Client(MANIFEST.base_url, budget=MANIFEST.budget("sql"))

    def streams(self) -> tuple[Stream, ...]:
        return tuple(self._stream(name, given) for name, given in self._settings.streams.items())

    def _stream(self, name: str, given: QuerySettings) -> Stream:
        plan = given.plan()
        query = Query(
            name=name,
            text=given.query,
            plan=plan,
            bookmark=given.bookmark,
            database=Database(self._settings.url),
            overlap=timedelta(minutes=self._settings.overlap_minutes),
            page_size=self._settings.page_size,
        )

        def records(raw: Raw) -> list[Record]:
            return [record(raw, plan)]

        return Stream(
            name=name,
            makes=(RECORD_KINDS[given.record],),
            pull=query.pull,
            records=records,
            key=partial(key_of, columns=given.key),
            fetch=query.fetch if len(given.key) == 1 else None,
            ids=query.ids,
            whole=True,
        )
