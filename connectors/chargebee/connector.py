"""Chargebee as a source: its settings, and which rows become which records."""

from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.chargebee import mapping
from connectors.chargebee.catalog import Catalog, Version
from connectors.chargebee.pull import ObjectPull
from connectors.chargebee.refusals import judge
from connectors.kit.base import Stream
from connectors.kit.http import Client, basic
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Invoice, Subscription

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    api_key: SecretStr
    webhook_user: str = "cshub"
    webhook_secret: SecretStr | None = None
    page_size: int = Field(default=100, ge=1, le=100)
    catalog: Version = "auto"
    email_domains: bool = False
    external_key_field: str | None = None
    domain_field: str | None = None
    segment_field: str | None = None
    csm_email_field: str | None = None


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog = Catalog(settings.catalog)

    def client(self) -> Client:
        settings = self._settings
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, settings.api_key.get_secret_value()),
            authorization=basic(settings.api_key.get_secret_value(), SecretStr("")),
            judge=judge,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        settings = self._settings
        fields = mapping.CustomerFields(
            external_key=settings.external_key_field,
            domain=settings.domain_field,
            segment=settings.segment_field,
            csm_email=settings.csm_email_field,
        )
        a_company = partial(mapping.company, fields=fields, email_domains=settings.email_domains)
        customers = self._pull("customers", "customer")
        subscriptions = self._pull("subscriptions", "subscription", self._catalog)
        invoices = self._pull("invoices", "invoice")
        return (
            Stream(
                name="customers",
                makes=(Company,),
                pull=customers,
                records=lambda raw: [a_company(raw)],
                fetch=customers.fetch,
                whole=True,
            ),
            Stream(
                name="subscriptions",
                makes=(Subscription,),
                pull=subscriptions,
                records=mapping.subscriptions,
                fetch=subscriptions.fetch,
                whole=True,
            ),
            Stream(
                name="invoices",
                makes=(Invoice,),
                pull=invoices,
                records=mapping.invoices,
                fetch=invoices.fetch,
                whole=True,
            ),
        )

    def _pull(self, name: str, wrapped: str, catalog: Catalog | None = None) -> ObjectPull:
        return ObjectPull(
            name=name,
            wrapped=wrapped,
            lag_seconds=MANIFEST.lag_seconds,
            page_size=self._settings.page_size,
            catalog=catalog,
        )
