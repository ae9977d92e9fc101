"""How Gainsight refuses: `{"result": false, "errorCode": …, "errorDesc": …}`, and limits of fixed minutes and days."""

from datetime import datetime
from typing import Any

from connectors.kit.errors import ConnectorError, ContractError, DeniedError, TransientError
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply

MINUTE = 60.0


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    if reply.status < 400 or reply.status >= 500:
        return None
    body: Any = reply.parsed()
    said = " ".join(str(body.get("errorDesc") or "").split())[:200] if isinstance(body, dict) else ""
    words = f": {said}" if said else ""
    if reply.status == 401:
        return DeniedError(f"{reply.place} does not accept the access key{words}", permission="an access key")
    if reply.status == 403:
        return DeniedError(f"{reply.place} is not allowed with this access key{words}", scope="stream")
    if reply.status == 429:
        wait = retry_after(reply.headers, now)
        return TransientError(f"{reply.place} is rate limited", retry_after=MINUTE if wait is None else wait)
    return ContractError(f"{reply.place} answered {reply.status}{words}", status=reply.status)
