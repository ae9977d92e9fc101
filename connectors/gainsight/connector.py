"""Gainsight as a source: its settings, and which objects become which records."""

from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.gainsight import mapping
from connectors.gainsight.pull import ObjectPull
from connectors.gainsight.refusals import judge
from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Contact, ImportedScore

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    base_url: str = MANIFEST.base_url
    access_key: SecretStr
    page_size: int = Field(default=1000, ge=2, le=5000)
    statuses: tuple[str, ...] = ()
    status_field: str | None = "Status"
    industry_field: str | None = "Industry"
    employees_field: str | None = "Employees"
    parent_field: str | None = "ParentCompany"
    external_key_field: str | None = "SfdcAccountId"
    csm_email_field: str | None = "Csm__gr.Email"
    csm_name_field: str | None = "Csm__gr.Name"
    became_customer_field: str | None = "OriginalContractDate"
    domain_field: str | None = None
    segment_field: str | None = None
    country_field: str | None = None
    person_object: str = "Company_Person"
    person_company_field: str = "Company_ID"
    person_email_field: str = "Person_ID__gr.Email"
    person_name_field: str = "Person_ID__gr.Name"
    title_field: str | None = "Title"
    role_field: str | None = None
    active_field: str | None = None
    score_object: str = "Company_Scorecard_History"
    score_company_field: str = "CompanyId"
    score_date_field: str = "SnapshotDate"
    score_name_field: str = "MeasureId__gr.Name"
    score_field: str | None = "ScoreId__gr.Score"
    score_label_field: str | None = "ScoreId__gr.Label"


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def client(self) -> Client:
        settings = self._settings
        key = settings.access_key.get_secret_value()
        return Client(
            settings.base_url,
            budget=MANIFEST.budget(settings.base_url, key),
            headers={"accesskey": key},
            judge=judge,
            proxy=settings.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self._settings
        company = mapping.CompanyColumns(
            industry=s.industry_field,
            employees=s.employees_field,
            parent=s.parent_field,
            external_key=s.external_key_field,
            csm_email=s.csm_email_field,
            csm_name=s.csm_name_field,
            became_customer=s.became_customer_field,
            domain=s.domain_field,
            segment=s.segment_field,
            country=s.country_field,
            status=s.status_field,
        )
        person = mapping.PersonColumns(
            company=s.person_company_field,
            email=s.person_email_field,
            name=s.person_name_field,
            title=s.title_field,
            role=s.role_field,
            active=s.active_field,
        )
        score = mapping.ScoreColumns(
            company=s.score_company_field,
            date=s.score_date_field,
            name=s.score_name_field,
            score=s.score_field,
            label=s.score_label_field,
        )
        companies = self._pull("Company", company)
        people = self._pull(s.person_object, person)
        scores = self._pull(s.score_object, score)
        return (
            Stream(
                name="companies",
                makes=(Company,),
                pull=companies,
                records=partial(mapping.companies, columns=company, statuses=s.statuses),
                key=_key,
                fetch=companies.fetch,
                whole=True,
            ),
            Stream(
                name="people",
                makes=(Contact,),
                pull=people,
                records=partial(mapping.people, columns=person),
                key=_key,
                fetch=people.fetch,
                whole=True,
            ),
            Stream(
                name="scores",
                makes=(ImportedScore,),
                pull=scores,
                records=partial(mapping.history, columns=score),
                key=_key,
                fetch=scores.fetch,
                whole=True,
            ),
        )

    def _pull(self, name: str, columns: mapping.Columns) -> ObjectPull:
        size, lag = self._settings.page_size, MANIFEST.lag_seconds
        return ObjectPull(name=name, select=columns.selected, page_size=size, lag_seconds=lag)


def _key(raw: Raw) -> str:
    return str(raw.get(mapping.KEY, ""))
