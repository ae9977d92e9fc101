"""HubSpot as a source: its settings, and which objects become which records."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator

from connectors.hubspot import mapping
from connectors.hubspot.associations import Kind
from connectors.hubspot.objects import OBJECTS, ObjectPull
from connectors.hubspot.refusals import judge, rate_headers
from connectors.hubspot.single import Single
from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Contact, Opportunity, OpportunityType, Record

MANIFEST = Manifest.of(Path(__file__).parent)
ARCHIVE_DAYS = 90  # so long HubSpot keeps what was archived; whoever left in it is known to have left
DEAL_TYPES = {
    "": OpportunityType.NEW,  # dealtype is optional in HubSpot
    "newbusiness": OpportunityType.NEW,
    "existingbusiness": OpportunityType.EXPANSION,
    "renewal": OpportunityType.RENEWAL,
}


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    token: SecretStr
    time_zone: str = "UTC"
    customer_stages: tuple[str, ...] = ("customer", "evangelist")
    segment_property: str = "customer_segment"
    amount_property: str = "amount"
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$", examples=["USD", "EUR"])
    deal_types: dict[str, OpportunityType] = Field(default=DEAL_TYPES)
    deletions_hours: float = Field(default=6, ge=0)
    relist_days: float = Field(default=7, ge=0)
    page_size: int = Field(default=100, ge=1, le=100)
    webhook_secret: SecretStr | None = None

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {value!r}; it is named like Europe/Berlin") from None
        return value


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        settings = self._settings
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, settings.token.get_secret_value()),
            authorization=bearer(settings.token),
            judge=judge(settings.time_zone),
            rate_headers=rate_headers,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        settings = self._settings
        companies = Kind(
            name="companies",
            modified="hs_lastmodifieddate",
            properties=(*mapping.COMPANY_PROPERTIES, settings.segment_property),
            owners=True,
        )
        contacts = Kind(
            name="contacts",
            modified="lastmodifieddate",  # contacts alone name it so
            properties=mapping.CONTACT_PROPERTIES,
            primary_company=1,
            archive_days=ARCHIVE_DAYS,
        )
        deals = Kind(
            name="deals",
            modified="hs_lastmodifieddate",
            properties=(*mapping.DEAL_PROPERTIES, settings.amount_property),
            primary_company=5,
            owners=True,
            stages=True,
        )
        to_companies = partial(
            mapping.companies, stages=settings.customer_stages, segment_property=settings.segment_property
        )
        to_opportunities = partial(
            mapping.opportunities,
            types=settings.deal_types,
            amount_property=settings.amount_property,
            currency=settings.currency,
        )
        customers = Single(
            kind=companies,
            path=f"{OBJECTS}/companies",
            asked=("lifecyclestage", mapping.CUSTOMER_SINCE),
            belongs=partial(mapping.is_customer, stages=settings.customer_stages),
        )
        return (
            self._stream(companies, Company, to_companies, customers),
            self._stream(contacts, Contact, mapping.contacts, Single(kind=contacts, path=f"{OBJECTS}/contacts")),
            self._stream(deals, Opportunity, to_opportunities, Single(kind=deals, path=f"{OBJECTS}/deals")),
        )

    def _stream(
        self, kind: Kind, makes: type[Record], records: Callable[[Raw], Iterable[Record]], single: Single
    ) -> Stream:
        return Stream(
            name=kind.name,
            makes=(makes,),
            pull=self._pull(kind),
            records=records,
            fetch=single.fetch,
            ids=single.ids,
        )

    def _pull(self, kind: Kind) -> ObjectPull:
        settings = self._settings
        return ObjectPull(
            kind,
            lag_seconds=MANIFEST.lag_seconds,
            deletions_hours=settings.deletions_hours,
            relist_days=settings.relist_days,
            page_size=settings.page_size,
        )
