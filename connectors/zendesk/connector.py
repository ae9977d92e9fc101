"""The Zendesk connector: its settings, and which export becomes which records."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from connectors.kit.base import Stream
from connectors.kit.budget import Budget, Rate, shared
from connectors.kit.http import Client, basic
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.zendesk import mapping
from connectors.zendesk.csat import Csat
from connectors.zendesk.exports import CursorExport, Row, TimeExport, rows_of
from connectors.zendesk.refusals import judge, rate_headers
from connectors.zendesk.shown import Shown, organization_ids
from hub.model.records import Company, Contact, SurveyResponse, Ticket

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    email: str = Field(min_length=3)
    token: SecretStr
    history_days: int = Field(default=730, ge=1)
    csat_lookback_days: int = Field(default=28, ge=0)
    requests_per_minute: int = Field(default=MANIFEST.rates["default"][0].requests, ge=1)
    exports_per_minute: int = Field(default=MANIFEST.rates["exports"][0].requests, ge=1)
    page_size: int = Field(default=1_000, ge=1, le=1_000)
    webhook_secret: SecretStr | None = None


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=shared(MANIFEST.name, s.base_url, s.email, s.token.get_secret_value(), make=self._budget),
            authorization=basic(f"{s.email}/token", s.token),
            judge=judge,
            rate_headers=rate_headers,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        history, lookback = timedelta(days=s.history_days), timedelta(days=s.csat_lookback_days)
        users = CursorExport(name="users", page_size=s.page_size, dress=lambda answer: rows_of(answer, "users"))
        tickets = CursorExport(
            name="tickets", page_size=s.page_size, include="metric_sets,users", history=history, dress=with_sideloads
        )
        return (
            Stream(
                name="organizations",
                makes=(Company,),
                pull=TimeExport(name="organizations", page_size=s.page_size),
                records=mapping.organization,
                fetch=Shown(name="organizations"),
                ids=organization_ids,
            ),
            Stream(name="users", makes=(Contact,), pull=users, records=mapping.contact, fetch=Shown(name="users")),
            Stream(
                name="tickets",
                makes=(Ticket,),
                pull=tickets,
                records=mapping.ticket,
                fetch=Shown(name="tickets", include="metric_sets,users", dress=with_sideloads),
            ),
            Stream(
                name="csat",
                makes=(SurveyResponse,),
                pull=(csat := Csat(history=history, lookback=lookback)),
                records=mapping.survey_response,
                ids=csat.ids,
            ),
        )

    def _budget(self) -> Budget:
        s = self.settings
        rates = {"default": [Rate(s.requests_per_minute, 60)], "exports": [Rate(s.exports_per_minute, 60)]}
        return Budget(rates, concurrency=MANIFEST.concurrency)


def with_sideloads(answer: dict[str, Any]) -> list[Row]:
    """The tickets of an answer, each with its `metric_set` (in it, or in a list beside) and its requester's address."""
    tickets = rows_of(answer, "tickets")
    emails = {user["id"]: user.get("email") for user in answer.get("users") or ()}
    beside = {metrics["ticket_id"]: metrics for metrics in answer.get("metric_sets") or ()}
    return [
        {"metric_set": beside.get(row.get("id")), "requester_email": emails.get(row.get("requester_id")), **row}
        for row in tickets
    ]
