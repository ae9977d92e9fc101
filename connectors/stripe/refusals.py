"""Stripe's own ways of refusing: restricted keys that lack a permission, limits, and its word on trying again."""

import re
from collections.abc import Mapping
from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError, TransientError
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status < 400:
        return None
    body = reply.parsed()
    told = body.get("error") if isinstance(body, Mapping) else None
    error: Mapping[str, object] = told if isinstance(told, Mapping) else {}
    words = str(error.get("message", ""))
    if reply.status == 403 and (wanted := re.search(r"'(rak_\w+)'", words)):
        return DeniedError(
            f"{reply.place} needs the permission {wanted[1]}; give it to the restricted key",
            scope="stream",
            permission=wanted[1],
        )
    if reply.status == 409 or (reply.status == 400 and error.get("code") == "lock_timeout"):
        return TransientError(f"{reply.place}: {words or 'is locked'}", retry_after=retry_after(reply.headers, now))
    if reply.headers.get("stripe-should-retry") == "true" and reply.status not in (401, 403):
        return TransientError(f"{reply.place}: {words}", retry_after=retry_after(reply.headers, now))
    return None
