"""A CSV file as a source: its settings, and one stream of its rows."""

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from connectors.csvfile.files import FilePull, HttpFile, LocalFile
from connectors.csvfile.mapping import key_of, record
from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.tables import DelimitedSettings, TableSettings
from hub.model.records import RECORD_KINDS, Record

MANIFEST = Manifest.of(Path(__file__).parent)
SCHEMES = ("http", "https")


class Settings(TableSettings, DelimitedSettings, SourceSettings):
    """See manifest.yaml for each."""

    location: str = Field(min_length=1)
    base_url: str = ""
    token: SecretStr | None = None

    @field_validator("location")
    @classmethod
    def _is_a_file_or_a_page(cls, value: str) -> str:
        scheme, url, _ = value.partition("://")
        if url and scheme not in SCHEMES:
            raise ValueError(
                f"is a file's path, or begins with {' or '.join(SCHEMES)}://; filesource reads more, s3:// say"
            )
        return value

    def address(self) -> tuple[str, str] | None:
        """(base URL, path) where the file is served; None for a local file."""
        if self.base_url:
            return self.base_url, "/" + self.location.lstrip("/")
        parts = urlsplit(self.location)
        if parts.scheme not in SCHEMES:
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
        plan = settings.plan()
        file = HttpFile(self._address[1]) if self._address else LocalFile(Path(settings.location))

        def records(raw: Raw) -> list[Record]:
            return [record(raw, plan)]

        return (
            Stream(
                name="rows",
                makes=(RECORD_KINDS[settings.record],),
                pull=FilePull(file, plan, settings.dialect()),
                records=records,
                key=partial(key_of, columns=settings.key),
                whole=True,
            ),
        )
