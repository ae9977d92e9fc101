"""Stripe as a source: its settings, and which objects become which records."""

from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.kit.base import Stream
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.stripe import mapping
from connectors.stripe.completing import Completing
from connectors.stripe.pull import Dress, ObjectPull
from connectors.stripe.refusals import judge
from hub.model.records import Company, Invoice, Subscription

MANIFEST = Manifest.of(Path(__file__).parent)
API_VERSION = "2025-09-30.clover"
EVENTS = {
    "customers": ("customer.created", "customer.updated", "customer.deleted"),
    "subscriptions": tuple(
        f"customer.subscription.{what}"
        for what in (
            "created", "updated", "deleted", "paused", "resumed", "pending_update_applied", "pending_update_expired",
        )
    ),
    "invoices": tuple(
        f"invoice.{what}"
        for what in (
            "created", "deleted", "finalized", "marked_uncollectible", "overdue", "paid", "payment_failed",
            "payment_succeeded", "sent", "updated", "voided",
        )
    ),
}  # fmt: skip
STREAM_OF = {event: stream for stream, events in EVENTS.items() for event in events}


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    api_key: SecretStr
    webhook_secret: SecretStr | None = None
    api_version: str = Field(default=API_VERSION, pattern=r"^\d{4}-\d\d-\d\d(\.\w+)?$", examples=[API_VERSION])
    page_size: int = Field(default=100, ge=1, le=100)
    relist_from: int = Field(default=2000, ge=1)
    plans: dict[str, str] = Field(default={})
    email_domains: bool = False
    external_key_metadata: str | None = None
    domain_metadata: str | None = None
    segment_metadata: str | None = None
    csm_email_metadata: str | None = None


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._completing = Completing()

    def client(self) -> Client:
        settings = self._settings
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, settings.api_key.get_secret_value()),
            authorization=bearer(settings.api_key),
            headers={"Stripe-Version": settings.api_version},
            judge=judge,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        settings = self._settings
        metadata = mapping.Metadata(
            external_key=settings.external_key_metadata,
            domain=settings.domain_metadata,
            segment=settings.segment_metadata,
            csm_email=settings.csm_email_metadata,
        )
        a_company = partial(mapping.company, metadata=metadata, email_domains=settings.email_domains)
        customers = self._pull("customers")
        subscriptions = self._pull("subscriptions", self._completing)
        invoices = self._pull("invoices")
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
                records=partial(mapping.subscriptions, plans=mapping.PlanNames(names=settings.plans)),
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

    def _pull(self, name: str, dress: Dress | None = None) -> ObjectPull:
        subscriptions = name == "subscriptions"
        return ObjectPull(
            name=name,
            events=EVENTS[name],
            lag_seconds=MANIFEST.lag_seconds,
            page_size=self._settings.page_size,
            relist_from=self._settings.relist_from,
            listed={"status": "all", "expand[]": ["data.discounts"]} if subscriptions else {},
            single={"expand[]": ["discounts"]} if subscriptions else {},
            dress=dress,
        )
