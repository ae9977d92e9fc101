"""What Google's refusals mean: {"error": {"code", "message", "status", "details"}}.

RESOURCE_EXHAUSTED is three things: a quota of the day, one of the hour, or too many requests at once. The first two pause the
source until they are new, the third is worth trying again; which it is stands in the message.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.ga4.quota import next_day, next_hour
from connectors.kit.errors import ConnectorError, ContractError, DeniedError, PausedError, TransientError
from connectors.kit.rates import number, retry_after
from connectors.kit.reply import Reply

VIEWER = "Viewer of the property"


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    said = reply.said()
    if reply.status in (401, 403):
        return DeniedError(
            f"{reply.place} is refused; the service account must be {VIEWER}, and the Data API switched on: {said}",
            permission=VIEWER,
            scope="source" if reply.status == 401 else "stream",
        )
    if reply.status == 400:
        return ContractError(f"{reply.place} refuses the report: {said}; are the dimensions right?", status=400)
    if reply.status != 429:
        return None
    wait, words = _delay(reply, now), said.lower()
    if "per day" in words or "per hour" in words:
        until = next_day(now) if "per day" in words else next_hour(now)
        return PausedError(f"{reply.place}: {said}; paused until {until:%Y-%m-%d %H:%M} UTC", until=until)
    return TransientError(f"{reply.place} answered 429: {said}", retry_after=wait)


def _delay(reply: Reply, now: datetime) -> float | None:
    """The wait in the error's RetryInfo ("17s"), or in the header."""
    body = reply.parsed()
    error: Any = body.get("error") if isinstance(body, Mapping) else None
    for detail in (error.get("details") or ()) if isinstance(error, Mapping) else ():
        if isinstance(detail, Mapping) and "retryDelay" in detail:
            return number(str(detail["retryDelay"]).removesuffix("s"))
    return retry_after(reply.headers, now)
