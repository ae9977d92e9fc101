"""What Zendesk's refusals and rate headers mean.

Bodies are JSON (`{"error": …, "description": …}`), the edge's own JSON, or plain text (`Number of allowed API requests per
minute exceeded`), so none is relied on. `ratelimit-*` tell of the account's requests a minute; each narrower limit has a
header `zendesk-ratelimit-<what>: total=10; remaining=9; resets=60`, of which the incremental exports' concern us.
"""

from datetime import datetime

from connectors.kit import rates
from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

ADMINISTRATOR = "the role administrator"

rate_headers = rates.several(
    rates.named(remaining="ratelimit-remaining", limit="ratelimit-limit", reset="ratelimit-reset", bucket="default"),
    rates.fields(
        "zendesk-ratelimit-",
        buckets={"incremental-exports": "exports", "incremental-exports-cursor": "exports"},
    ),
)


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    if reply.status == 401:
        return DeniedError(f"{reply.place} does not accept email and token: {reply.said()}", permission=ADMINISTRATOR)
    if reply.status == 403:
        return DeniedError(
            f"{reply.place} is refused; it needs {ADMINISTRATOR}: {reply.said()}",
            scope="stream",
            permission=ADMINISTRATOR,
        )
    return None
