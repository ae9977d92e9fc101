"""The segment connector: its settings, and what calls become. It pulls nothing: see webhook.py."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.kit.base import Page, Stream, Window
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.kit.usage_records import usage
from connectors.segment import mapping
from hub.model.records import Company, Contact, FeatureUsageDay, UserActivityDay

NO_PAGES: tuple[Page, ...] = ()
MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = ""
    write_key: SecretStr = Field(min_length=16)
    old_write_key: SecretStr | None = Field(default=None, min_length=16)
    company_property: str | None = None
    crm_trait: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The newest first."""
        return tuple(key.get_secret_value() for key in (self.write_key, self.old_write_key) if key is not None)


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        """It is never asked for anything."""
        return Client(MANIFEST.base_url, budget=MANIFEST.budget("segment"))

    def streams(self) -> tuple[Stream, ...]:
        given = self._settings
        return (
            Stream(
                name="companies",
                makes=(Company,),
                pull=_nothing,
                records=partial(mapping.companies, crm_trait=given.crm_trait),
                key=mapping.key_of,
            ),
            Stream(
                name="contacts",
                makes=(Contact,),
                pull=_nothing,
                records=mapping.contacts,
                key=mapping.key_of,
                tracked=mapping.profile,
            ),
            Stream(
                name="usage",
                makes=(UserActivityDay, FeatureUsageDay),
                pull=_nothing,
                records=usage,
                key=mapping.key_of,
                tracked=partial(mapping.act, company_property=given.company_property),
            ),
        )


async def _nothing(client: Client, window: Window) -> AsyncIterator[Page]:
    """There is nobody to ask: what is sent is kept as it comes."""
    for page in NO_PAGES:
        yield page
