"""The shape of attention.yaml, and the rules it says."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.attention import Rules
from hub.model.records import Severity
from hub.settings.files import Duration
from hub.settings.team import Clock


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CsmEntry(_Part):
    hours: bool = True
    a_day: Annotated[int, Field(ge=1, le=1_000)] | None = 10


class DigestEntry(_Part):
    at: list[Clock] = Field(default_factory=lambda: list(Rules().digest_at), min_length=1, max_length=24)
    severities: list[Severity] = [Severity.LOW]

    @field_validator("severities")
    @classmethod
    def _not_urgent(cls, value: list[Severity]) -> list[Severity]:
        if Severity.URGENT in value:
            raise ValueError("urgent messages never wait for a digest")
        return value


class SnoozeEntry(_Part):
    urgent_comes_through: bool = True


class PrecisionEntry(_Part):
    fewest: Annotated[int, Field(ge=1)] = 10


class AttentionFile(_Part):
    """config/attention.yaml."""

    csm: CsmEntry = CsmEntry()
    digest: DigestEntry = DigestEntry()
    same_reason: Duration = timedelta(days=7)
    snooze: SnoozeEntry = SnoozeEntry()
    precision: PrecisionEntry = PrecisionEntry()

    def rules(self) -> Rules:
        return Rules(
            hours=self.csm.hours,
            most_a_day=self.csm.a_day,
            digest_at=tuple(sorted(set(self.digest.at))),
            into_digest=frozenset(self.digest.severities),
            together=self.same_reason,
            urgent_through_snoozes=self.snooze.urgent_comes_through,
            fewest_votes=self.precision.fewest,
        )
