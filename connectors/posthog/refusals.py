"""What PostHog's refusals mean: {"type", "code", "detail", "attr"}, where the wait after a 429 stands in a sentence."""

import re
from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError, TransientError
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply

SCOPE = re.compile(r"scope\W+([a-z_]+:[a-z]+)")
SECONDS = re.compile(r"available in (\d+) second")


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    said = reply.said()
    if reply.status == 429 and retry_after(reply.headers, now) is None:
        waits = SECONDS.search(said)
        return TransientError(f"{reply.place} answered 429: {said}", retry_after=float(waits[1]) if waits else None)
    if reply.status in (401, 403):
        scope = SCOPE.search(said)
        permission = scope[1] if scope else "query:read"
        return DeniedError(
            f"{reply.place} refuses the personal API key; it needs the scope {permission} for this project: {said}",
            permission=permission,
        )
    return None
