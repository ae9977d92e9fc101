"""The SurveyMonkey connector: its settings, and its one stream."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.kit.base import Raw, Stream
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from connectors.surveymonkey import mapping
from connectors.surveymonkey.pulls import Responses
from connectors.surveymonkey.refusals import judge, rate_headers
from hub.model.records import SurveyResponse, SurveyType

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = MANIFEST.base_url
    token: SecretStr
    surveys: tuple[str, ...] = ()
    questions: dict[str, SurveyType] = Field(default={})
    company_variable: str = "account_id"
    page_size: int = Field(default=100, ge=1, le=100)
    client_id: str | None = None
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
            rate_headers=rate_headers,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        s = self.settings
        lag = timedelta(seconds=MANIFEST.lag_seconds)
        responses = Responses(surveys=s.surveys, questions=s.questions, page_size=s.page_size, lag=lag)
        return (
            Stream(
                name="responses",
                makes=(SurveyResponse,),
                pull=responses,
                records=partial(mapping.responses, company_variable=s.company_variable),
                key=_key,
                fetch=responses.fetch,
                whole=True,
            ),
        )


def _key(raw: Raw) -> str:
    return f"{(raw.get('survey') or {}).get('id', '')}.{raw['id']}" if raw.get("id") else ""
