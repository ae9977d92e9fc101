"""HubSpot's own ways of refusing and of counting: error categories, quota policies, rate headers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.kit.errors import ConnectorError, DeniedError, PausedError, TransientError
from connectors.kit.rates import RateReading, number, retry_after
from connectors.kit.reply import Reply
from connectors.kit.verdict import Judge

WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0}  # seconds until a window of that policy is surely new
MALFORMED_TOKEN = 530


def judge(time_zone: str) -> Judge:
    """Rules for a portal in `time_zone`, at whose midnight the daily quota is renewed."""

    def rule(reply: Reply, now: datetime) -> ConnectorError | None:
        if reply.status < 400:
            return None
        body = reply.parsed()
        told: Mapping[str, object] = body if isinstance(body, Mapping) else {}
        if reply.status == MALFORMED_TOKEN:
            return DeniedError(f"{reply.place} takes the token for malformed; copy it again from the private app")
        if reply.status == 403 and told.get("category") == "MISSING_SCOPES":
            return _missing_scopes(reply, told)
        if reply.status == 429:
            return _limited(reply, str(told.get("policyName", "")), now, ZoneInfo(time_zone))
        return None

    return rule


def _missing_scopes(reply: Reply, told: Mapping[str, object]) -> DeniedError:
    wanted: list[str] = []
    errors = told.get("errors")
    for error in errors if isinstance(errors, list) else ():
        context = error.get("context", {}) if isinstance(error, Mapping) else {}
        wanted.extend(str(scope) for scope in context.get("requiredGranularScopes", ()))
    scopes = ", ".join(dict.fromkeys(wanted)) or None
    grant = f"scope {scopes}" if scopes else "a scope HubSpot does not name"
    return DeniedError(f"{reply.place} needs {grant}; add it to the private app", scope="stream", permission=scopes)


def _limited(reply: Reply, policy: str, now: datetime, zone: ZoneInfo) -> TransientError:
    if policy == "DAILY":
        until = next_midnight(now, zone)
        return PausedError(
            f"the daily quota of HubSpot calls is used up; paused until {until:%Y-%m-%d %H:%M} UTC", until=until
        )
    asked = retry_after(reply.headers, now)
    wait = asked if asked is not None else WAITS.get(policy, 10.0)
    return TransientError(f"{reply.place} is rate limited ({policy or 'no policy named'})", retry_after=wait)


def next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The next midnight in `zone`, in UTC."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)


def rate_headers(headers: Mapping[str, str], now: datetime) -> Iterable[RateReading]:
    """The rolling window and the second's; search answers carry neither, and are budgeted by the manifest alone."""
    window = number(headers.get("x-hubspot-ratelimit-interval-milliseconds", ""))
    yield RateReading(
        remaining=number(headers.get("x-hubspot-ratelimit-remaining", "")),
        limit=number(headers.get("x-hubspot-ratelimit-max", "")),
        reset_after=window / 1000 if window is not None else 10.0,
    )
    yield RateReading(
        remaining=number(headers.get("x-hubspot-ratelimit-secondly-remaining", "")),
        limit=number(headers.get("x-hubspot-ratelimit-secondly", "")),
        reset_after=1.0,
    )
