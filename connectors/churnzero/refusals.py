"""How ChurnZero refuses: `{"error": {"code", "message"}}`; beyond 100 requests a minute it is slow, beyond 200 it says 429."""

from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError, TransientError
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply

MINUTE = 60.0
PERMISSIONS = {
    "/ChurnScoreCalculation": "Bulk Read: Churn Scores",
    "/Contact": "Bulk Read: Contacts",
    "/Account": "Bulk Read: Accounts",
}


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    words = f": {reply.said()}" if reply.said() else ""
    if reply.status == 401:
        return DeniedError(
            f"{reply.place} does not accept user and API key{words}", permission="the permission Developer Tools"
        )
    if reply.status == 403:
        needs = next((asks for part, asks in PERMISSIONS.items() if part in reply.place), "Bulk Read")
        told = f"{reply.place} is refused; the user's group needs {needs}{words}"
        return DeniedError(told, scope="stream", permission=needs)
    if reply.status == 429:
        wait = retry_after(reply.headers, now)
        return TransientError(f"{reply.place} is rate limited", retry_after=MINUTE if wait is None else wait)
    return None
