"""Chargebee's own ways of refusing, told by `api_error_code`."""

from collections.abc import Mapping
from datetime import datetime

from connectors.kit.errors import ConnectorError, ContractError, DeniedError, TransientError
from connectors.kit.rates import retry_after
from connectors.kit.reply import Reply

LIMITED = frozenset({"api_request_limit_exceeded", "concurrent_operation_detected", "lock_timeout"})
WINDOW = 60.0


class WrongCatalogError(ContractError):
    """The site has the other version of the product catalog."""


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status < 400:
        return None
    body = reply.parsed()
    told = body if isinstance(body, Mapping) else {}
    code, words = str(told.get("api_error_code", "")), " ".join(str(told.get("message", "")).split())[:200]
    if code == "configuration_incompatible":
        return WrongCatalogError(f"{reply.place}: {words or 'is not for this site'}", status=reply.status)
    if code in LIMITED or reply.status == 429:
        wait = retry_after(reply.headers, now)
        return TransientError(f"{reply.place} is limited: {words}", retry_after=wait if wait is not None else WINDOW)
    if code == "api_authorization_failed":
        return DeniedError(
            f"{reply.place}: the key may not read that: {words}",
            scope="stream",
            permission="a read-only key for all data",
        )
    if code == "site_not_found":
        return DeniedError(f"{reply.place}: there is no such site; base_url is https://SITE.chargebee.com")
    return None
