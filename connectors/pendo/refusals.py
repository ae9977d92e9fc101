"""What Pendo's refusals mean: a key it does not know (401), or a subscription without API access (403)."""

from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

KEY = "an integration key"


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status == 401:
        return DeniedError(f"{reply.place} does not accept integration_key; it needs {KEY}", permission=KEY)
    if reply.status == 403:
        return DeniedError(
            f"{reply.place} is refused; it needs {KEY} of a subscription with API access: {reply.said()}",
            permission=KEY,
        )
    return None
