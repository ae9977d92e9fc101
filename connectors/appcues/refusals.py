"""What Appcues' refusals mean."""

from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

KEY = "an API key and its secret"


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status in (401, 403):
        return DeniedError(
            f"{reply.place} is refused; it needs {KEY} of this account: {reply.said()}",
            permission=KEY,
            scope="source" if reply.status == 401 else "stream",
        )
    return None
