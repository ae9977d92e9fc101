"""Catalyst as a source: its settings, and which lists become which records."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.catalyst import mapping
from connectors.catalyst.pull import ListPull
from connectors.kit.base import Raw, Stream
from connectors.kit.errors import ConnectorError, TransientError
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, ImportedScore

MANIFEST = Manifest.of(Path(__file__).parent)
MINUTE = 60.0


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    api_key: SecretStr
    page_size: int = Field(default=100, ge=2, le=100)
    types: tuple[str, ...] = ()
    name_label: str = "Account Name"
    type_label: str | None = "Account Type"
    industry_label: str | None = "Industry"
    domain_label: str | None = "Website"
    segment_label: str | None = None
    country_label: str | None = None
    employees_label: str | None = None
    csm_email_label: str | None = None
    csm_name_label: str | None = None
    became_customer_label: str | None = None
    score_field: str = "score"
    score_label_field: str | None = "health"
    score_name_field: str | None = "profile_name"


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        settings = self._settings
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, settings.api_key.get_secret_value()),
            authorization=bearer(settings.api_key),
            judge=judge,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self._settings
        labels = mapping.Labels(
            name=s.name_label,
            type=s.type_label,
            industry=s.industry_label,
            domain=s.domain_label,
            segment=s.segment_label,
            country=s.country_label,
            employees=s.employees_label,
            csm_email=s.csm_email_label,
            csm_name=s.csm_name_label,
            became_customer=s.became_customer_label,
        )
        fields = mapping.ScoreFields(score=s.score_field, label=s.score_label_field, name=s.score_name_field)
        accounts = self._pull("/accounts", "updated_at_gte", lambda raw: str(raw.get("id") or ""))
        scores = self._pull("/health", "score_updated_at_gte", mapping.score_key)
        return (
            Stream(
                name="accounts",
                makes=(Company,),
                pull=accounts,
                records=partial(mapping.account, labels=labels, types=s.types),
                fetch=accounts.fetch,
                whole=True,
            ),
            Stream(
                name="scores",
                makes=(ImportedScore,),
                pull=scores,
                records=partial(mapping.score, fields=fields),
                key=mapping.score_key,
                whole=True,
            ),
        )

    def _pull(self, path: str, filter_: str, key: Callable[[Raw], str]) -> ListPull:
        size, lag = self._settings.page_size, MANIFEST.lag_seconds
        return ListPull(path=path, filter=filter_, key=key, page_size=size, lag_seconds=lag)


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """A 429 that does not say when to come back is waited out for the minute its limit is counted in."""
    if reply.status != 429:
        return None
    wait = retry_after(reply.headers, now)
    return TransientError(f"{reply.place} is rate limited", retry_after=MINUTE if wait is None else wait)
