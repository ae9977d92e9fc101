"""The section `live` of config/hub.yaml: how many subscriptions a process holds, and how patient it is with them.

live:
  connections: 2000        open at a time in one process, WebSockets and streams of events together
  of_token: 1000           of these of one token: no single one takes every place
  operations: 50           at a time on one WebSocket
  patience: 10 seconds     until connection_init must have come, and until what is sent must have been taken
  check: 3 seconds         how often it is looked at whether tokens are still valid
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hub.playbooks.durations import parse_duration


def _short(value: object) -> timedelta:
    """A duration as everywhere, and in seconds, too, of which nothing else speaks."""
    match = re.fullmatch(r"(\d{1,2}) seconds?", value) if isinstance(value, str) else None
    return parse_duration(value) if match is None else timedelta(seconds=int(match[1]))


Seconds = Annotated[timedelta, BeforeValidator(_short), Field(gt=timedelta(0), le=timedelta(minutes=1))]


class Live(BaseModel):
    """See the module."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    connections: int = Field(default=2_000, ge=1)
    of_token: int = Field(default=1_000, ge=1)
    operations: int = Field(default=50, ge=1)
    patience: Seconds = timedelta(seconds=10)
    check: Seconds = timedelta(seconds=3)
