"""Pipedrive as a source: its settings, and which rows become which records."""

from functools import partial
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from connectors.kit.base import Stream
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.oauth import RefreshToken, Tokens, Vault
from connectors.kit.settings import SourceSettings
from connectors.pipedrive import mapping
from connectors.pipedrive.lookups import Lookups
from connectors.pipedrive.pull import ObjectPull
from connectors.pipedrive.refusals import judge, rate_headers
from hub.model.records import Company, Contact, Opportunity, OpportunityType

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    api_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    token_url: str = "https://oauth.pipedrive.com/oauth/token"  # noqa: S105  # an address
    webhook_user: str = "cshub"
    webhook_secret: SecretStr | None = None
    page_size: int = Field(default=500, ge=1, le=500)
    customer_labels: tuple[int, ...] = ()
    customer_field: str | None = None
    customer_values: tuple[str, ...] = ()
    became_customer_field: str | None = None
    csm_field: str = "owner_id"
    segment_field: str | None = None
    segments: dict[str, str] = Field(default={})
    domain_field: str | None = "website"
    industry_field: str | None = "industry"
    employees_field: str | None = "employee_count"
    external_key_field: str | None = None
    title_field: str | None = "job_title"
    role_field: str | None = None
    left_labels: tuple[int, ...] = ()
    amount_field: str = "value"
    target_amount_field: str | None = None
    type_field: str | None = None
    deal_types: dict[str, OpportunityType] = Field(default={})

    @model_validator(mode="after")
    def _has_a_credential(self) -> Self:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        if (self.api_token is None) == all(part is None for part in oauth) or (
            self.api_token is None and None in oauth
        ):
            raise ValueError("needs either api_token, or client_id, client_secret and refresh_token")
        if self.type_field is not None and not self.deal_types:
            raise ValueError("type_field needs deal_types, which say what its values mean")
        return self


class Connector:
    """`vault`: where refresh tokens are kept, which are good once."""

    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.vault = Vault()

    def client(self) -> Client:
        settings = self._settings
        credential = settings.api_token or settings.refresh_token or SecretStr("")
        tokens = self._tokens()
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, credential.get_secret_value()),
            headers={"x-api-token": settings.api_token.get_secret_value()} if settings.api_token else None,
            authorize=tokens.current if tokens else None,
            renew=tokens.renew if tokens else None,
            judge=judge,
            rate_headers=rate_headers,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        settings = self._settings
        customers = mapping.CompanyFields(
            labels=settings.customer_labels,
            customer_field=settings.customer_field,
            customer_values=settings.customer_values,
            domain=settings.domain_field,
            external_key=settings.external_key_field,
            segment=settings.segment_field,
            segments=settings.segments,
            industry=settings.industry_field,
            employees=settings.employees_field,
            became_customer=settings.became_customer_field,
            csm=settings.csm_field,
        )
        deal_fields = mapping.DealFields(
            type_field=settings.type_field,
            types=settings.deal_types,
            amount=settings.amount_field,
            target_amount=settings.target_amount_field,
        )
        a_contact = partial(
            mapping.contact, title=settings.title_field, role=settings.role_field, left_labels=settings.left_labels
        )
        an_opportunity = partial(mapping.opportunity, fields=deal_fields)
        size, lag = settings.page_size, MANIFEST.lag_seconds
        organizations = ObjectPull(
            name="organizations",
            lag_seconds=lag,
            page_size=size,
            dress=Lookups(user_fields=() if settings.csm_field == "owner_id" else (settings.csm_field,)),
            fields=("won_deals_count",) if customers.by_deals else (),
            also_won=customers.by_deals,
        )
        persons = ObjectPull(name="persons", lag_seconds=lag, page_size=size)
        deals = ObjectPull(
            name="deals", lag_seconds=lag, page_size=size, dress=Lookups(stages=True, page_size=size), deleted=True
        )
        return (
            Stream(
                name="organizations",
                makes=(Company,),
                pull=organizations,
                records=partial(mapping.companies, fields=customers),
                fetch=organizations.fetch,
                whole=True,
            ),
            Stream(
                name="persons",
                makes=(Contact,),
                pull=persons,
                records=lambda raw: [a_contact(raw)],
                fetch=persons.fetch,
                whole=True,
            ),
            Stream(
                name="deals",
                makes=(Opportunity,),
                pull=deals,
                records=lambda raw: [an_opportunity(raw)],
                fetch=deals.fetch,
                whole=True,
            ),
        )

    def _tokens(self) -> Tokens | None:
        settings = self._settings
        if settings.client_id is None or settings.refresh_token is None:
            return None
        grant = RefreshToken(settings.client_id, settings.client_secret, settings.refresh_token)
        return Tokens(settings.token_url, grant=grant, vault=self.vault, basic_auth=True, proxy=settings.proxy)
