"""What an HTTP status means for us, where a vendor's own rule (`Judge`) has not said so already.

2xx, 304        fine
401, 403        DeniedError: one call, no retry
408 423 425 429 TransientError, after the wait the vendor names
5xx             TransientError
other 3xx       ContractError: redirects are not followed, a credential must not travel to another host
other 4xx       ContractError with its status, in the vendor's words
"""

from collections.abc import Callable
from datetime import datetime

from connectors.kit.errors import ConnectorError, ContractError, DeniedError, TransientError
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply

Judge = Callable[[Reply, datetime], ConnectorError | None]
LATER = frozenset({408, 423, 425, 429})


def verdict(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None. `now` turns a Retry-After date into seconds."""
    status = reply.status
    if 200 <= status < 300 or status == 304:
        return None
    said = reply.said()
    words = f": {said}" if said else ""
    if status == 401:
        return DeniedError(f"{reply.place} does not accept the credential{words}")
    if status == 403:
        return DeniedError(f"{reply.place} is not allowed with this credential{words}", scope="stream")
    if status in LATER or status >= 500:
        return TransientError(f"{reply.place} answered {status}{words}", retry_after=retry_after(reply.headers, now))
    if 300 <= status < 400:
        return ContractError(f"{reply.place} redirects elsewhere, which is not followed; set base_url", status=status)
    return ContractError(f"{reply.place} answered {status}{words}", status=status)
