"""What lifecycle.yaml says of reports: when each digest is made, of how many days, and for whom."""

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.durable.schedule import schedule
from hub.errors import ConfigError

CSMS = "csms"
_CHANNEL = re.compile(r"#[\w.-]{1,80}|[CGD][A-Z0-9]{6,}")
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


class DigestSettings(BaseModel):
    """A digest.

    schedule   cron, in `timezone` (None: the hub's)
    days       what it looks back on
    to         csms: each CSM gets their own customers, by e-mail and in Slack where their user is known there;
               an e-mail address or a Slack channel (#name or its id) gets all customers
    movers     falls and rises that are told, at most so many of each
    least_move   of health, 0-1: less is no move
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True
    schedule: str
    timezone: str | None = None
    days: Annotated[int, Field(ge=1, le=366)]
    to: tuple[str, ...] = (CSMS,)
    movers: Annotated[int, Field(ge=1, le=20)] = 5
    least_move: Annotated[float, Field(gt=0, le=1)] = 0.05

    @field_validator("to")
    @classmethod
    def _known(cls, to: tuple[str, ...]) -> tuple[str, ...]:
        for each in to:
            if each != CSMS and not is_channel(each) and not _ADDRESS.fullmatch(each):
                raise ValueError(f"{each!r} is none of: csms, an e-mail address, a Slack channel such as #cs-reports")
        return tuple(dict.fromkeys(to))

    @model_validator(mode="after")
    def _ticks(self) -> Self:
        try:
            schedule("digest", self.schedule, "digest", {}, timezone=self.timezone or "UTC")
        except ConfigError as error:
            raise ValueError("; ".join(fault.message for fault in error.faults)) from None
        return self


def is_channel(place: str) -> bool:
    """Whether it is a place in Slack."""
    return bool(_CHANNEL.fullmatch(place))


class ReportsSettings(BaseModel):
    """The digests there are; each has templates of its name, digest_weekly and digest_monthly."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True
    weekly: DigestSettings = DigestSettings(schedule="0 7 * * 1", days=7)
    monthly: DigestSettings = DigestSettings(schedule="0 7 1 * *", days=30)

    @property
    def digests(self) -> dict[str, DigestSettings]:
        """{name: digest} of those that are on."""
        found = {"weekly": self.weekly, "monthly": self.monthly}
        return {name: each for name, each in found.items() if self.enabled and each.enabled}
