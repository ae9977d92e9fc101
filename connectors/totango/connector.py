"""Totango as a source: its settings, and which searches become which records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from connectors.kit.base import Raw, Stream
from connectors.kit.errors import ConnectorError, DeniedError, TransientError
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply
from connectors.kit.settings import SourceSettings
from connectors.totango import mapping
from connectors.totango.pull import Search
from connectors.totango.questions import HEALTH_ONLY, Fields, Span, Term
from hub.model.records import Company, Contact, ImportedScore

MANIFEST = Manifest.of(Path(__file__).parent)
MINUTE = 60.0


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    app_token: SecretStr
    page_size: int = Field(default=1000, ge=2, le=1000)
    ceiling: int = Field(default=10_000, ge=1)
    part_by: str | None = None
    users_part_by: str | None = None
    part_from: int = 0
    part_to: int = 2**31
    sort_by: str = "display_name"
    status_groups: tuple[str, ...] = ()
    csm_name_attribute: str | None = "Success Manager"
    csm_email_attribute: str | None = None
    external_key_attribute: str | None = None
    parent_attribute: str | None = None
    domain_attribute: str | None = None
    segment_attribute: str | None = None
    industry_attribute: str | None = None
    country_attribute: str | None = None
    employees_attribute: str | None = None
    became_customer_attribute: str | None = None
    user_email_attribute: str | None = None
    title_attribute: str | None = None
    role_attribute: str | None = None

    @model_validator(mode="after")
    def _has_a_range(self) -> "Settings":
        if self.part_from >= self.part_to:
            raise ValueError("part_from must be below part_to")
        return self


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        settings = self._settings
        token = settings.app_token.get_secret_value()
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, token),
            headers={"app-token": token},
            judge=judge,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self._settings
        who: Sequence[Term] = (
            ({"type": "string", "term": "status_group", "in_list": list(s.status_groups)},) if s.status_groups else ()
        )
        asked = Fields.of(
            {
                "csm_name": ("string_attribute", s.csm_name_attribute),
                "csm_email": ("string_attribute", s.csm_email_attribute),
                "external_key": ("string_attribute", s.external_key_attribute),
                "parent": ("string_attribute", s.parent_attribute),
                "domain": ("string_attribute", s.domain_attribute),
                "segment": ("string_attribute", s.segment_attribute),
                "industry": ("string_attribute", s.industry_attribute),
                "country": ("string_attribute", s.country_attribute),
                "employees": ("number_attribute", s.employees_attribute),
                "became_customer": ("date_attribute", s.became_customer_attribute),
            }
        )
        asked_of_users = Fields.of(
            {
                "email": ("string_attribute", s.user_email_attribute),
                "title": ("string_attribute", s.title_attribute),
                "role": ("string_attribute", s.role_attribute),
            }
        )
        return (
            Stream(
                name="accounts",
                makes=(Company,),
                pull=self._search("accounts", who, asked),
                records=mapping.account,
                key=_key,
                whole=True,
            ),
            Stream(
                name="users",
                makes=(Contact,),
                pull=self._search("users", (), asked_of_users),
                records=partial(mapping.user, email=s.user_email_attribute),
                key=_user_key,
                whole=True,
            ),
            Stream(
                name="scores",
                makes=(ImportedScore,),
                pull=self._search("accounts", who, HEALTH_ONLY),
                records=mapping.health,
                key=_key,
            ),
        )

    def _search(self, kind: str, terms: Sequence[Term], fields: Fields) -> Search:
        s = self._settings
        part_by = s.part_by if kind == "accounts" else s.users_part_by
        return Search(
            kind=kind,
            terms=terms,
            fields=fields,
            key=_key if kind == "accounts" else _user_key,
            page_size=min(s.page_size, s.ceiling),
            ceiling=s.ceiling,
            sort_by=s.sort_by,
            span=Span(part_by, s.part_from, s.part_to) if part_by else None,
            part_by="part_by" if kind == "accounts" else "users_part_by",
        )


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """A 429 that does not say when to come back is waited out for the minute its limit is counted in."""
    if reply.status == 401:
        words = f": {reply.said()}" if reply.said() else ""
        return DeniedError(f"{reply.place} does not accept the token{words}", permission="a token of a global admin")
    if reply.status != 429:
        return None
    wait = retry_after(reply.headers, now)
    return TransientError(f"{reply.place} is rate limited", retry_after=MINUTE if wait is None else wait)


def _key(raw: Raw) -> str:
    return str(raw.get("name") or "")


def _user_key(raw: Raw) -> str:
    account = raw.get("account")
    return mapping.user_key(account.get("name") if isinstance(account, Mapping) else None, _key(raw))
