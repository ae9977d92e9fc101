"""The Drift connector: its settings, and its streams."""

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from connectors.drift import mapping
from connectors.drift.pulls import Pulls
from connectors.kit.base import Stream
from connectors.kit.budget import Budget, Rate, shared
from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.http import Client, bearer
from connectors.kit.manifest import Manifest
from connectors.kit.reply import Reply
from connectors.kit.settings import SourceSettings
from hub.model.records import Company, Contact, Ticket

MANIFEST = Manifest.of(Path(__file__).parent)


class Settings(SourceSettings):
    """See manifest.yaml for each."""

    base_url: str = MANIFEST.base_url
    token: SecretStr
    requests_per_minute: int = Field(default=MANIFEST.rates["default"][0].requests, ge=1)
    page_size: int = Field(default=50, ge=1, le=50)


class Connector:
    manifest = MANIFEST

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def client(self) -> Client:
        s = self.settings
        return Client(
            s.base_url,
            budget=shared(MANIFEST.name, s.base_url, s.token.get_secret_value(), make=self._budget),
            authorization=bearer(s.token),
            judge=judge,
            proxy=s.proxy,
        )

    def streams(self) -> tuple[Stream, ...]:
        pulls = Pulls(page_size=self.settings.page_size, lag=timedelta(seconds=MANIFEST.lag_seconds))
        return (
            Stream(
                name="accounts",
                makes=(Company,),
                pull=pulls.accounts,
                records=mapping.account,
                key=lambda raw: str(raw.get("accountId", "")),
                whole=True,
            ),
            Stream(
                name="conversations",
                makes=(Ticket, Contact),
                pull=pulls.conversations,
                records=mapping.conversation,
                fetch=pulls.fetch,
                whole=True,
            ),
        )

    def _budget(self) -> Budget:
        rates = {"default": [Rate(self.settings.requests_per_minute, 60)]}
        return Budget(rates, concurrency=MANIFEST.concurrency)


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """Which scope a 403 is about; the general rules for everything else."""
    if reply.status != 403:
        return None
    stream = "accounts" if "/accounts" in reply.place else "conversations"
    permission = MANIFEST.streams[stream].permission
    words = f": {reply.said()}" if reply.said() else ""
    told = f"{reply.place} is refused; the private app needs {permission}{words}"
    return DeniedError(told, scope="stream", permission=permission)
