"""The filesource connector: its settings, and one stream of the rows of its files."""

from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from connectors.filesource.pulling import FilesPull
from connectors.kit.base import BadRowError, Raw, Stream
from connectors.kit.cells import key_of, record
from connectors.kit.files import ROW, Place, Reading
from connectors.kit.formats import Format, check_format, check_location
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.tables import DelimitedSettings, TableSettings
from hub.model.records import RECORD_KINDS, Record

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(TableSettings, DelimitedSettings, SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = ""
    location: str = Field(min_length=1)
    storage: dict[str, SecretStr] = Field(default_factory=dict)
    files: Literal["each", "latest"] = "each"
    format: Format | None = None

    @field_validator("location")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        check_location(value)
        return value

    @field_validator("format")
    @classmethod
    def _can_be_read(cls, value: Format | None) -> Format | None:
        check_format(value)
        return value


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        """It is never asked for anything: a filesystem has ways of its own."""
        return Client(MANIFEST.base_url, budget=MANIFEST.budget("files"))

    def streams(self) -> tuple[Stream, ...]:
        given = self._settings
        plan = given.plan()
        place = Place(given.location, {name: value.get_secret_value() for name, value in given.storage.items()})
        reading = Reading(format=given.format, dialect=given.dialect())

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
