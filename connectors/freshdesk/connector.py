"""The Freshdesk connector: its settings, and which listing becomes which records."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.freshdesk import mapping
from connectors.freshdesk.pulls import Pulls
from connectors.freshdesk.refusals import judge, rate_headers
from connectors.kit.base import Stream
from connectors.kit.budget import Budget, Rate, shared
from connectors.kit.http import Client, basic
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Contact, SurveyResponse, Ticket, TicketStatus

MANIFEST = Manifest.of(Path(__file__).parent)
NO_PASSWORD = SecretStr("X")  # the key is the user's name, and any word does


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    api_key: SecretStr
    history_days: int = Field(default=730, ge=1)
    ratings_lookback_days: int = Field(default=7, ge=0)
    requests_per_minute: int = Field(default=MANIFEST.rates["default"][0].requests, ge=1)
    page_size: int = Field(default=100, ge=1, le=100)
    statuses: dict[int, TicketStatus] = Field(default={})
    company_id_field: str | None = None
    webhook_secret: SecretStr | None = None


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=shared(MANIFEST.name, s.base_url, s.api_key.get_secret_value(), make=self._budget),
            authorization=basic(s.api_key.get_secret_value(), NO_PASSWORD),
            judge=judge,
            rate_headers=rate_headers,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        pulls = Pulls(
            page_size=s.page_size,
            lag=timedelta(seconds=MANIFEST.lag_seconds),
            history=timedelta(days=s.history_days),
            lookback=timedelta(days=s.ratings_lookback_days),
            site=s.base_url,
        )
        to_ticket = partial(mapping.ticket, statuses=s.statuses)
        return (
            Stream(
                name="companies",
                makes=(Company,),
                pull=pulls.companies,
                records=partial(mapping.company, id_field=s.company_id_field),
                fetch=partial(pulls.fetch, name="companies"),
                whole=True,
            ),
            Stream(
                name="contacts",
                makes=(Contact,),
                pull=pulls.contacts,
                records=mapping.contact,
                fetch=partial(pulls.fetch, name="contacts"),
                whole=True,
            ),
            Stream(
                name="tickets",
                makes=(Ticket,),
                pull=pulls.tickets,
                records=to_ticket,
                fetch=partial(pulls.fetch, name="tickets"),
            ),
            Stream(
                name="ratings",
                makes=(SurveyResponse,),
                pull=pulls.ratings,
                records=mapping.rating,
                key=lambda raw: mapping.rating_key(raw.get("ticket_id")),
            ),
        )

    def _budget(self) -> Budget:
        rates = {"default": [Rate(self.settings.requests_per_minute, 60)]}
        return Budget(rates, concurrency=MANIFEST.concurrency)
