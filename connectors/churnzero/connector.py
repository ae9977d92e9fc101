"""ChurnZero as a source: its settings, and which entities become which records."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.churnzero import mapping
from connectors.churnzero.days import DayPull
from connectors.churnzero.pull import EntityPull
from connectors.churnzero.refusals import judge
from connectors.churnzero.scores import Better
from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client, basic
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Contact, ImportedScore

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    user: str
    api_key: SecretStr
    better: Better
    recalculated_days: int = Field(default=7, ge=1)
    days_at_once: int = Field(default=30, ge=1)
    external_key_field: str | None = "CrmId"
    domain_field: str | None = None
    segment_field: str | None = None
    industry_field: str | None = None
    country_field: str | None = None
    employees_field: str | None = None
    parent_field: str | None = None
    title_field: str | None = None
    role_field: str | None = None


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        settings = self._settings
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, settings.user, settings.api_key.get_secret_value()),
            authorization=basic(settings.user, settings.api_key),
            judge=judge,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self._settings
        fields = mapping.AccountFields(
            external_key=s.external_key_field,
            domain=s.domain_field,
            segment=s.segment_field,
            industry=s.industry_field,
            country=s.country_field,
            employees=s.employees_field,
            parent=s.parent_field,
        )
        lag = MANIFEST.lag_seconds
        accounts = EntityPull(entity="Account", changed=mapping.MODIFIED, lag_seconds=lag, expand="UserAccount")
        contacts = EntityPull(entity="Contact", changed=mapping.MODIFIED, lag_seconds=lag)
        scores = EntityPull(
            entity="ChurnScoreCalculation", changed="CalculationDay", lag_seconds=lag, expand="ChurnScore"
        )
        by_day = DayPull(rows=scores, again=timedelta(days=s.recalculated_days), span=timedelta(days=s.days_at_once))
        return (
            Stream(
                name="accounts",
                makes=(Company,),
                pull=accounts,
                records=partial(mapping.account, fields=fields),
                key=_key,
                fetch=accounts.fetch,
                whole=True,
            ),
            Stream(
                name="contacts",
                makes=(Contact,),
                pull=contacts,
                records=partial(mapping.contact, title=s.title_field, role=s.role_field),
                key=_key,
                fetch=contacts.fetch,
                whole=True,
            ),
            Stream(
                name="scores",
                makes=(ImportedScore,),
                pull=by_day,
                records=partial(mapping.calculation, better=s.better),
                key=_key,
                fetch=scores.fetch,
                whole=True,
            ),
        )


def _key(raw: Raw) -> str:
    return str(raw.get("Id", ""))
