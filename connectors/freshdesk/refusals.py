"""Freshdesk's own ways of refusing and of counting.

Bodies are `{"code": …, "message": …}` or `{"description": …, "errors": […]}`, and often empty. A limit is told in
X-RateLimit-Total and X-RateLimit-Remaining, for a minute whose end nobody tells; a 429 says in Retry-After when to come back.
"""

from datetime import datetime

from connectors.kit import rates
from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

MINUTE = 60.0
PERMISSIONS = {
    "/surveys": "to view reports, and satisfaction surveys in the plan",
    "/companies": "to view companies",
    "/contacts": "to view contacts",
    "/tickets": "to view all tickets",
}

rate_headers = rates.named(remaining="x-ratelimit-remaining", limit="x-ratelimit-total", reset_is=MINUTE)


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    words = f": {reply.said()}" if reply.said() else ""
    if reply.status == 401:
        return DeniedError(f"{reply.place} does not accept the API key{words}", permission="the API key of an agent")
    missing_feature = reply.status == 404 and "/surveys" in reply.place
    if reply.status == 403 or missing_feature:
        permission = next((asks for part, asks in PERMISSIONS.items() if part in reply.place), None)
        needs = (
            f"the agent's role needs the permission {permission}" if permission else "the agent's role is too narrow"
        )
        return DeniedError(f"{reply.place} is refused; {needs}{words}", scope="stream", permission=permission)
    return None
