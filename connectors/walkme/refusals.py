"""What WalkMe's refusals mean: a token that has run out (401, renewed once), or a key without the permission (403)."""

from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

READ = "the permission to read Insights"


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status in (401, 403):
        return DeniedError(
            f"{reply.place} is refused; the key needs {READ}, and the public API switched on: {reply.said()}",
            permission=READ,
            scope="source" if reply.status == 401 else "stream",
        )
    return None
