"""A CSV file as a source: its settings, and one stream of its rows."""

import codecs
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.csvfile.files import FilePull, HttpFile, LocalFile
from connectors.csvfile.mapping import Plan, key_of, parsers, record
from connectors.kit.base import BadRowError, Raw, Stream
from connectors.kit.delimited import Dialect
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import RECORD_KINDS, Record

MANIFEST = Manifest.of(Path(__file__).parent)
Kind = Literal[
    "company",
    "contact",
    "ticket",
    "survey_response",
    "subscription",
    "invoice",
    "opportunity",
    "user_activity_day",
    "feature_usage_day",
]


class Settings(SourceSettings):
    location: str = Field(min_length=1)
    base_url: str = ""
    token: SecretStr | None = None
    record: Kind
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    key: tuple[str, ...] = Field(min_length=1)
    company_key: str | None = None
    updated_at: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; examples: utf-8, utf-16, cp1252, latin-1") from None
        return value

    @model_validator(mode="after")
    def _fields_exist(self) -> Self:
        known = parsers(self.record)
        for name in (*self.columns, *self.constants):
            if name not in known:
                raise ValueError(f"a {self.record} has no field {name!r}; it has: {', '.join(known)}")
        self.parsed_constants()
        return self

    def parsed_constants(self) -> dict[str, Any]:
        known = parsers(self.record)
        try:
            return {name: known[name](value, name) for name, value in self.constants.items()}
        except BadRowError as error:
            raise ValueError(f"constant {error.field}: {error}") from None

    def address(self) -> tuple[str, str] | None:
        """(base URL, path) where the file is served; None for a local file."""
        if self.base_url:
            return self.base_url, "/" + self.location.lstrip("/")
        parts = urlsplit(self.location)
        if parts.scheme not in ("http", "https"):
            return None
        path = parts.path or "/"
        return f"{parts.scheme}://{parts.netloc}", f"{path}?{parts.query}" if parts.query else path


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._address = settings.address()

    def client(self) -> Client:
        """For a local file it is never asked for anything."""
        settings = self._settings
        base_url = self._address[0] if self._address else MANIFEST.base_url
        token = settings.token.get_secret_value() if settings.token else ""
        return Client(
            base_url,
            budget=MANIFEST.budget(base_url, token),
            authorization=bearer(settings.token) if settings.token else None,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        settings = self._settings
        plan = Plan(
            kind=settings.record,
            columns=settings.columns,
            constants=settings.parsed_constants(),
            key=settings.key,
            company_key=settings.company_key,
            updated_at=settings.updated_at,
        )
        file = HttpFile(self._address[1]) if self._address else LocalFile(Path(settings.location))
        dialect = Dialect(delimiter=settings.delimiter, encoding=settings.encoding)

        def records(raw: Raw) -> list[Record]:
            return [record(raw, plan)]

        return (
            Stream(
                name="rows",
                makes=(RECORD_KINDS[settings.record],),
                pull=FilePull(file, plan, dialect),
                records=records,
                key=partial(key_of, columns=settings.key),
                whole=True,
            ),
        )
