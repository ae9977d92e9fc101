"""The Typeform connector: its settings, and its one stream."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.typeform import mapping
from connectors.typeform.pulls import Responses
from connectors.typeform.refusals import judge
from hub.model.records import SurveyResponse, SurveyType

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = MANIFEST.base_url
    token: SecretStr
    forms: tuple[str, ...] = ()
    questions: dict[str, SurveyType] = Field(default={})
    company_field: str = "account_id"
    email_field: str = "email"
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
            budget=MANIFEST.budget(s.base_url, s.token.get_secret_value()),
            authorization=bearer(s.token),
            judge=judge,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        responses = Responses(
            forms=s.forms,
            questions=s.questions,
            page_size=s.page_size,
            lag=timedelta(seconds=MANIFEST.lag_seconds),
        )
        to_records = partial(mapping.responses, company_field=s.company_field, email_field=s.email_field)
        return (
            Stream(
                name="responses",
                makes=(SurveyResponse,),
                pull=responses,
                records=to_records,
                key=_key,
                fetch=responses.fetch,
                whole=True,
            ),
        )


def _key(raw: Raw) -> str:
    response = raw.get("response_id") or raw.get("token") or ""
    return f"{(raw.get('form') or {}).get('id', '')}.{response}" if response else ""
