"""Typeform's own ways of refusing: `{"code": "…", "description": "…"}`. Limits are told in no header."""

from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

PERMISSION = "the scopes forms:read and responses:read"


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    words = f": {reply.said()}" if reply.said() else ""
    if reply.status == 401:
        return DeniedError(f"{reply.place} does not accept the personal token{words}", permission=PERMISSION)
    if reply.status == 403:
        needs = f"{reply.place} is refused; the token needs {PERMISSION}"
        return DeniedError(f"{needs}{words}", scope="stream", permission=PERMISSION)
    return None
