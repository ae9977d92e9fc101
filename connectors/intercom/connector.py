"""Intercom as a source: its settings, and which listing or search becomes which records."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from connectors.intercom import companies, mapping
from connectors.intercom.refusals import judge, rate_headers
from connectors.intercom.searches import Dress, Search
from connectors.kit.base import Page, Raw, Stream
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Contact, SurveyResponse, Ticket

MANIFEST = Manifest.of(Path(__file__).parent)
FOUND_AT_ONCE = 50
RATED = {"field": "conversation_rating.score", "operator": ">", "value": 0}


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = MANIFEST.base_url
    token: SecretStr
    api_version: str = Field(default="2.15", pattern=r"^\d+\.\d+$", examples=["2.15"])
    companies_by: Literal["scroll", "list"] = "scroll"
    history_days: int = Field(default=730, ge=1)
    page_size: int = Field(default=150, ge=1, le=150)
    title_attribute: str | None = None
    role_attribute: str | None = None
    webhook_secret: SecretStr | None = None


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=MANIFEST.budget(s.base_url, s.token.get_secret_value()),
            authorization=bearer(s.token),
            headers={"Intercom-Version": s.api_version, "Accept": "application/json"},
            judge=judge,
            rate_headers=rate_headers,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        search = partial(Search, page_size=s.page_size, lag=timedelta(seconds=MANIFEST.lag_seconds))
        history = timedelta(days=s.history_days)
        contacts = search(path="/contacts", rows="data", daily=True)
        talks = partial(
            search, path="/conversations", rows="conversations", history=history, dress=_asked(contacts), deleted=True
        )
        conversations, ratings = talks(), talks(also=[RATED], holds=_is_rated)
        tickets = search(path="/tickets", rows="tickets", history=history, dress=_asked(contacts))
        to_contact = partial(mapping.contact, title=s.title_attribute, role=s.role_attribute)
        by_scroll = s.companies_by == "scroll"
        return (
            Stream(
                name="companies",
                makes=(Company,),
                pull=companies.by_scroll if by_scroll else companies.by_list,
                records=mapping.company,
                fetch=companies.fetch,
                whole=by_scroll,
            ),
            Stream(
                name="contacts",
                makes=(Contact,),
                pull=contacts,
                records=to_contact,
                fetch=partial(_find, contacts),
                whole=True,
            ),
            Stream(
                name="conversations",
                makes=(Ticket,),
                pull=conversations,
                records=mapping.conversation,
                fetch=partial(_find, conversations),
            ),
            Stream(
                name="ratings",
                makes=(SurveyResponse,),
                pull=ratings,
                records=mapping.rating,
                fetch=partial(_find, ratings),
            ),
            Stream(
                name="tickets",
                makes=(Ticket,),
                pull=tickets,
                records=mapping.ticket,
                key=lambda raw: f"{mapping.TICKET}{raw.get('id', '')}",
                fetch=partial(_find, tickets, prefix=mapping.TICKET),
            ),
        )


async def _find(search: Search, client: Client, keys: Sequence[str], *, prefix: str = "") -> AsyncIterator[Page]:
    ids = [key.removeprefix(prefix) for key in keys]
    async for page in search.find(client, ids, size=FOUND_AT_ONCE):
        yield Page(rows=page.rows, gone=[prefix + key for key in page.gone])


def _asked(contacts: Search) -> Dress:
    """Puts the contact who asked into each row: conversations and tickets name people, not companies."""

    async def dress(client: Client, rows: Sequence[Raw]) -> Sequence[Raw]:
        wanted = sorted({key for row in rows if (key := mapping.asked_of(row))})
        people: dict[str, Raw] = {}
        for begin in range(0, len(wanted), FOUND_AT_ONCE):
            people.update(await contacts.by_id(client, wanted[begin : begin + FOUND_AT_ONCE]))
        return [{**row, "asked": _part(people.get(mapping.asked_of(row) or ""))} for row in rows]

    return dress


def _part(contact: Raw | None) -> Mapping[str, object] | None:
    """What is used of a contact: raw rows end up in the quarantine, and there is much in them."""
    return contact and {name: contact.get(name) for name in ("id", "email", "companies")}


def _is_rated(row: Raw) -> bool:
    return isinstance(row.get("conversation_rating"), Mapping)
