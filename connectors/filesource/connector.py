"""The filesource connector: its settings, and one stream of the rows of its files."""

import codecs
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.filesource.pulling import FilesPull
from connectors.kit.base import BadRowError, Raw, Stream
from connectors.kit.cells import Kind, Plan, check_fields, constants_of, key_of, record
from connectors.kit.delimited import Dialect
from connectors.kit.files import ROW, Format, Place, Reading
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import RECORD_KINDS, Record

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = ""
    location: str = Field(min_length=1)
    storage: dict[str, SecretStr] = Field(default_factory=dict)
    files: Literal["each", "latest"] = "each"
    format: Format | None = None
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
        check_fields(self.record, *self.columns, *self.constants)
        constants_of(self.record, self.constants)
        return self


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        """It is never asked for anything: a filesystem has ways of its own."""
        return Client(MANIFEST.base_url, budget=MANIFEST.budget("files"))

    def streams(self) -> tuple[Stream, ...]:
        given = self._settings
        plan = Plan(
            kind=given.record,
            columns=given.columns,
            constants=constants_of(given.record, given.constants),
            key=given.key,
            company_key=given.company_key,
            updated_at=given.updated_at,
        )
        place = Place(given.location, {name: value.get_secret_value() for name, value in given.storage.items()})
        reading = Reading(format=given.format, dialect=Dialect(delimiter=given.delimiter, encoding=given.encoding))

        def records(raw: Raw) -> list[Record]:
            try:
                return [record(raw, plan)]
            except BadRowError as error:
                raise BadRowError(f"{raw.get(ROW, 'a row')}: {error}", field=error.field) from None

        return (
            Stream(
                name="rows",
                makes=(RECORD_KINDS[given.record],),
                pull=FilesPull(place=place, reading=reading, plan=plan, latest=given.files == "latest").pull,
                records=records,
                key=partial(key_of, columns=given.key),
                whole=given.files == "latest",  # else an old file that is let go would take its rows with it
            ),
        )
