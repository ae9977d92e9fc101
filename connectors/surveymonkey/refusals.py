"""SurveyMonkey's own ways of refusing and of counting.

Bodies are `{"error": {"id": "1014", "name": …, "message": …, "http_status_code": 403}}`. Headers tell of a minute's and a day's
limit, each with what is left and the seconds until it is renewed. A day that is used up is a pause and no failure.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.kit import rates
from connectors.kit.errors import ConnectorError, DeniedError, PausedError, TransientError
from connectors.kit.reply import Reply

PERMISSION = "the scopes View surveys, View responses and View response details"
MINUTE = 60.0
PREFIX = "x-ratelimit-app-global-"

rate_headers = rates.several(
    rates.named(remaining=f"{PREFIX}minute-remaining", limit=f"{PREFIX}minute-limit", reset=f"{PREFIX}minute-reset"),
    rates.named(
        remaining=f"{PREFIX}day-remaining", limit=f"{PREFIX}day-limit", reset=f"{PREFIX}day-reset", bucket="day"
    ),
)


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    words = f": {_said(reply)}" if _said(reply) else ""
    if reply.status == 401:
        return DeniedError(f"{reply.place} does not accept the access token{words}", permission=PERMISSION)
    if reply.status == 403:
        needs = f"{reply.place} is refused; the app needs {PERMISSION}"
        return DeniedError(f"{needs}{words}", scope="stream", permission=PERMISSION)
    if reply.status == 429:
        return _limited(reply, words, now)
    return None


def _limited(reply: Reply, words: str, now: datetime) -> TransientError:
    left = rates.number(reply.headers.get(f"{PREFIX}day-remaining", ""))
    day = rates.number(reply.headers.get(f"{PREFIX}day-reset", ""))
    if left == 0 and day is not None:
        until = now + timedelta(seconds=day)
        told = f"the day's calls of the SurveyMonkey app are used up; paused until {until:%Y-%m-%d %H:%M} UTC"
        return PausedError(told, until=until)
    asked = rates.retry_after(reply.headers, now)
    wait = asked if asked is not None else rates.number(reply.headers.get(f"{PREFIX}minute-reset", ""))
    return TransientError(f"{reply.place} is rate limited{words}", retry_after=MINUTE if wait is None else wait)


def _said(reply: Reply) -> str:
    body = reply.parsed()
    error = body.get("error") if isinstance(body, Mapping) else None
    told = error.get("message") or error.get("name") if isinstance(error, Mapping) else None
    return " ".join(str(told).split())[:200] if told else reply.said()
