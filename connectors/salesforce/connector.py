"""Salesforce as a source: its settings, and which objects become which records."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client
from connectors.kit.jobs import Polling
from connectors.kit.manifest import Manifest
from connectors.kit.oauth import ClientCredentials, Grant, JwtBearer, Tokens
from connectors.kit.settings import SourceSettings
from connectors.salesforce import mapping
from connectors.salesforce.bulk import BulkQuery
from connectors.salesforce.pull import Dress, ObjectPull
from connectors.salesforce.refusals import judge, usage
from connectors.salesforce.roles import contact_roles
from connectors.salesforce.soql import FIELD_NAME, Table, among
from hub.model.records import Company, Contact, Opportunity, OpportunityType, Record, Severity, Ticket, TicketStatus

MANIFEST = Manifest.of(Path(__file__).parent)
FieldName = Annotated[str, Field(pattern=FIELD_NAME, examples=["Type", "Owner.Name", "Health__c"])]
OPPORTUNITY_TYPES = {
    "": OpportunityType.NEW,  # Type is optional
    "New Business": OpportunityType.NEW,
    "New Customer": OpportunityType.NEW,
    "Existing Business": OpportunityType.EXPANSION,
    "Existing Customer - Upgrade": OpportunityType.EXPANSION,
    "Existing Customer - Replacement": OpportunityType.RENEWAL,
    "Existing Customer - Downgrade": OpportunityType.RENEWAL,
    "Renewal": OpportunityType.RENEWAL,
}
CASE_STATUSES = {
    "New": TicketStatus.NEW,
    "Working": TicketStatus.OPEN,
    "Escalated": TicketStatus.OPEN,
    "On Hold": TicketStatus.ON_HOLD,
    "Waiting on Customer": TicketStatus.PENDING,
    "Closed": TicketStatus.CLOSED,
}
CASE_PRIORITIES = {
    "": Severity.NORMAL,
    "Low": Severity.LOW,
    "Medium": Severity.NORMAL,
    "High": Severity.HIGH,
    "Critical": Severity.URGENT,
}


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    client_id: str
    client_secret: SecretStr | None = None
    username: str | None = None
    private_key: SecretStr | None = None
    login_url: str = "https://login.salesforce.com"
    api_version: str = Field(default="66.0", pattern=r"^\d+\.0$", examples=["66.0"])
    api_ceiling: float = Field(default=0.8, gt=0, le=1)
    page_size: int = Field(default=2000, ge=1, le=2000)
    bulk_from: int | None = Field(default=2000, ge=1)
    bulk_wait: float = Field(default=2, gt=0)
    customer_field: FieldName = "Type"
    customer_types: tuple[str, ...] = ("Customer", "Customer - Direct", "Customer - Channel")
    became_customer_field: FieldName | None = None
    segment_field: FieldName | None = None
    csm_relationship: FieldName = "Owner"
    external_key_field: FieldName | None = None
    contact_role_field: FieldName | None = None
    contact_left_field: FieldName | None = None
    opportunity_roles: bool = False
    amount_field: FieldName = "Amount"
    target_amount_field: FieldName | None = None
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$", examples=["USD", "EUR"])
    multi_currency: bool = False
    opportunity_types: dict[str, OpportunityType] = Field(default=OPPORTUNITY_TYPES)
    case_statuses: dict[str, TicketStatus] = Field(default=CASE_STATUSES)
    case_priorities: dict[str, Severity] = Field(default=CASE_PRIORITIES)
    first_response_field: FieldName | None = None

    @field_validator("base_url")
    @classmethod
    def _is_my_domain(cls, value: str) -> str:
        if urlsplit(value).hostname in ("login.salesforce.com", "test.salesforce.com"):
            raise ValueError("must be the organisation's own My Domain address, such as https://acme.my.salesforce.com")
        return value

    @model_validator(mode="after")
    def _has_a_credential(self) -> Self:
        signs = self.private_key is not None and self.username is not None
        if signs == (self.client_secret is not None) or (self.private_key is None) != (self.username is None):
            raise ValueError("needs either client_secret, or private_key together with username")
        return self


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(
            f"{settings.base_url}/services/oauth2/token", grant=_grant(settings), proxy=settings.proxy
        )

    def client(self) -> Client:
        settings = self._settings
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, settings.client_id, str(settings.username)),
            authorize=self._tokens.current,
            renew=self._tokens.renew,
            judge=judge,
            rate_headers=usage(settings.api_ceiling),
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        settings = self._settings
        accounts = mapping.CompanyFields(
            customer=settings.customer_field,
            customer_types=settings.customer_types,
            became_customer=settings.became_customer_field,
            segment=settings.segment_field,
            csm=settings.csm_relationship,
            external_key=settings.external_key_field,
        )
        deals = mapping.DealFields(
            amount=settings.amount_field,
            target_amount=settings.target_amount_field,
            currency=settings.currency,
            currency_field="CurrencyIsoCode" if settings.multi_currency else None,
            types=settings.opportunity_types,
        )
        cases = mapping.CaseFields(
            statuses=settings.case_statuses,
            priorities=settings.case_priorities,
            first_response=settings.first_response_field,
        )
        people = [name for name in (settings.contact_role_field, settings.contact_left_field) if name]
        is_customer = among(settings.customer_field, settings.customer_types)
        if settings.became_customer_field:
            is_customer += f" OR {settings.became_customer_field} != null"
        dress = partial(contact_roles, data=self._data) if settings.opportunity_roles else None
        left = settings.contact_left_field
        still_there = f"{left} = false" if left else None
        a_contact = partial(
            mapping.contact, role_field=settings.contact_role_field, left_field=settings.contact_left_field
        )
        an_opportunity = partial(mapping.opportunity, fields=deals)
        a_ticket = partial(mapping.ticket, fields=cases, base_url=settings.base_url)
        return (
            self._stream(
                "accounts",
                Company,
                Table(name="Account", fields=accounts.names, where=is_customer),
                partial(mapping.companies, fields=accounts),
            ),
            self._stream(
                "contacts",
                Contact,
                Table(name="Contact", fields=(*mapping.ALWAYS, *mapping.CONTACT_FIELDS, *people), live=still_there),
                lambda raw: [a_contact(raw)],
                dress,
            ),
            self._stream(
                "opportunities",
                Opportunity,
                Table(name="Opportunity", fields=deals.names),
                lambda raw: [an_opportunity(raw)],
            ),
            self._stream("cases", Ticket, Table(name="Case", fields=cases.names), lambda raw: [a_ticket(raw)]),
        )

    def _stream(
        self,
        name: str,
        makes: type[Record],
        table: Table,
        records: Callable[[Raw], Sequence[Record]],
        dress: Dress | None = None,
    ) -> Stream:
        pull = ObjectPull(
            table=table,
            bulk=BulkQuery(data=self._data, polling=Polling(first=self._settings.bulk_wait)),
            data=self._data,
            lag_seconds=MANIFEST.lag_seconds,
            page_size=self._settings.page_size,
            bulk_from=self._settings.bulk_from,
            dress=dress,
        )
        return Stream(
            name=name,
            makes=(makes,),
            pull=pull,
            records=records,
            key=lambda raw: str(raw.get("Id", "")),
            fetch=pull.fetch,
            ids=pull.ids,
            whole=True,
        )

    @property
    def _data(self) -> str:
        return f"/services/data/v{self._settings.api_version}"


def _grant(settings: Settings) -> Grant:
    if settings.private_key is not None:
        return JwtBearer(
            settings.client_id, settings.private_key, subject=settings.username, audience=settings.login_url
        )
    return ClientCredentials(settings.client_id, settings.client_secret)
