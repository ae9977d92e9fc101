"""Salesforce's own ways of refusing and of counting.

There is no 429 and no Retry-After: both limits answer 403 REQUEST_LIMIT_EXCEEDED. Of the requests of a day (the 24 hours
before now, for the whole organisation) every answer tells how many are used: `Sforce-Limit-Info: api-usage=873/15000`.
The hub stops at a share of them, because everything else that talks to this Salesforce would be stopped, too.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from connectors.kit.errors import ConnectorError, ContractError, DeniedError, PausedError, TransientError
from connectors.kit.rates import RateHeaders, RateReading
from connectors.kit.reply import Reply

LOOK_AGAIN = timedelta(hours=1)
"""The window rolls: requests of a day ago become free one by one, so it is worth asking again long before a day is over."""
CONCURRENT_WAIT = 5.0
BUSY = frozenset({"SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT"})
LOST_LOCATOR = frozenset({"INVALID_QUERY_LOCATOR", "INVALID_LOCATOR"})


class LostLocatorError(ContractError):
    """A place in a result that Salesforce no longer keeps: the query is asked again from the last row seen."""


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status < 400:
        return None
    code, message = _told(reply)
    words = " ".join(message.split())[:200]
    if code == "REQUEST_LIMIT_EXCEEDED":
        if "concurrent" in message.lower():
            return TransientError(f"{reply.place}: {words}", retry_after=CONCURRENT_WAIT)
        return _paused(now)
    if code in BUSY:
        return TransientError(f"{reply.place} answered {code}: {words}")
    if code in LOST_LOCATOR:
        return LostLocatorError(f"{reply.place} answered {code}: {words}", status=reply.status)
    if code == "INVALID_FIELD":
        field = (re.search(r"No such column '([^']+)'", message) or [None, "a field"])[1]
        return DeniedError(
            f"{reply.place}: there is no field {field}, or its user may not read it: {words}",
            scope="stream",
            permission=f"field-level read access to {field}",
        )
    if code == "INVALID_TYPE":
        kind = (re.search(r"sObject type '([^']+)'", message) or [None, "the object"])[1]
        return DeniedError(
            f"{reply.place}: {kind} is not there for this user: {words}", scope="stream", permission=f"Read on {kind}"
        )
    if code in ("API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"):
        return DeniedError(f"{reply.place}: {words}", permission="API Enabled")
    return None


def usage(ceiling: float) -> RateHeaders:
    """Reads what is used of the day's requests; nothing is left once `ceiling`, a share of them, is reached."""

    def read(headers: Mapping[str, str], now: datetime) -> Iterable[RateReading]:
        seen = re.search(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)", headers.get("sforce-limit-info", ""))
        if not seen:
            return ()
        ours = int(int(seen[2]) * ceiling)
        left = max(0, ours - int(seen[1]))
        # with a time of renewal a budget would spread what is left over it; it rolls, so none is told until nothing is left
        return (RateReading(remaining=left, limit=ours, reset_after=None if left else LOOK_AGAIN.total_seconds()),)

    return read


def _paused(now: datetime) -> PausedError:
    until = now + LOOK_AGAIN
    return PausedError(
        f"the requests Salesforce allows in 24 hours are used up; paused until {until:%Y-%m-%d %H:%M} UTC", until=until
    )


def _told(reply: Reply) -> tuple[str, str]:
    """Code and message of an error body, which is a list of objects."""
    body = reply.parsed()
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, Mapping):
        return "", ""
    return str(first.get("errorCode", "")), str(first.get("message", ""))
