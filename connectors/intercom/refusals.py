"""Intercom's own ways of refusing and of counting: error lists, the scroll's loss, and limits that are renewed at a time.

Bodies are `{"type": "error.list", "errors": [{"code": …, "message": …}]}`. No Retry-After is promised: X-RateLimit-Reset says
(in seconds since 1970) when the ten-second slice is new. Nothing is waited for while enough of a slice is left.
"""

from collections.abc import Mapping
from datetime import datetime

from connectors.kit import rates
from connectors.kit.errors import ConnectorError, ContractError, DeniedError, TransientError
from connectors.kit.reply import Reply

PERMISSIONS = {
    "companies": "Read and list users and companies",
    "contacts": "Read and list users and companies",
    "conversations": "Read conversations",
    "tickets": "Read tickets",
}
SCROLL_IDLE = 60.0  # seconds after which a scroll nobody reads is closed
SLICE, LONGEST = 10.0, 60.0

rate_headers = rates.named(
    remaining="x-ratelimit-remaining", limit="x-ratelimit-limit", reset="x-ratelimit-reset", reset_is="epoch"
)


class ScrollLostError(ContractError):
    """The scroll cannot be gone on with, only begun again."""


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    if reply.status < 400:
        return None
    code, message = _told(reply)
    words = f": {message or code}" if message or code else ""
    if reply.status == 403 or (reply.status == 401 and code == "token_unauthorized"):
        permission = next((asks for part, asks in PERMISSIONS.items() if f"/{part}" in reply.place), None)
        needs = f"the permission {permission!r}" if permission else "a permission"
        return DeniedError(f"{reply.place} needs {needs} of the app{words}", scope="stream", permission=permission)
    if code == "intercom_version_invalid":
        return DeniedError(f"{reply.place} needs another api_version{words}", scope="stream", permission="api_version")
    if code == "scroll_exists":
        return TransientError(f"{reply.place}: another scroll of the app is open{words}", retry_after=SCROLL_IDLE)
    if "/companies/scroll" in reply.place and (reply.status in (400, 404) or "restart the scroll" in message):
        return ScrollLostError(f"{reply.place} has lost its place{words}", status=reply.status)
    if reply.status == 429:
        return TransientError(f"{reply.place} is rate limited{words}", retry_after=_wait(reply, now))
    return None


def _wait(reply: Reply, now: datetime) -> float:
    """Seconds until the slice is new: what a clock that differs from ours makes of it is never less than nothing or long."""
    asked = rates.retry_after(reply.headers, now)
    if asked is not None:
        return asked
    resets = [reading.reset_after for reading in rate_headers(reply.headers, now)]
    return min(LONGEST, (resets[0] if resets else None) or SLICE)


def _told(reply: Reply) -> tuple[str, str]:
    """Code and message of the first error; empty where the body is no error list."""
    body = reply.parsed()
    errors = body.get("errors") if isinstance(body, Mapping) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    told: Mapping[str, object] = first if isinstance(first, Mapping) else {}
    return str(told.get("code") or ""), str(told.get("message") or "")
