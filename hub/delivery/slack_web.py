"""Slack's Web API: one call a method, and its answers sorted into what the ledger knows.

HTTP 200 says nothing; `ok` does. The library's own retries are off: who may try again is the ledger's to say. Its asynchronous
client needs aiohttp, its ordinary one needs nothing, so that one runs in a thread.
"""

import asyncio
import http.client
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from hub.delivery.base import Refusal, Rejected, Uncertain
from hub.delivery.posting import seconds

BASE_URL = "https://slack.com/api/"
TIMEOUT_SECONDS = 15

# Slack's words for "not with this token": a person must act, and then every message goes through again
DENIED = frozenset(
    {
        "access_denied",
        "account_inactive",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
TRANSIENT = frozenset(
    {
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
# by Slack's own description "some aspect of the operation" may have succeeded before these
UNCERTAIN = frozenset({"fatal_error", "internal_error"})
HINTS: Mapping[str, str] = {
    "channel_not_found": "no such channel, or the bot cannot see it: check the name, and invite the bot to it",
    "not_in_channel": "the bot is not in the channel: invite it",
    "is_archived": "the channel is archived",
    "message_not_found": "somebody deleted it",
    "not_enabled": "the app's Home tab is off: switch it on in the app's settings",
}


class SlackWeb:
    """Calls methods as the bot of `token`. `base_url` ends before the method's name."""

    def __init__(self, token: str, *, base_url: str = BASE_URL, timeout_seconds: int = TIMEOUT_SECONDS) -> None:
        # its logger repeats whole requests at debug level; ours says what matters in the ledger
        logger = logging.getLogger("hub.delivery.slack.client")
        logger.setLevel(logging.CRITICAL)
        self._client = WebClient(
            token=token, base_url=base_url, timeout=timeout_seconds, retry_handlers=[], logger=logger
        )
        self.base_url = str(self._client.base_url)

    def __repr__(self) -> str:
        return f"SlackWeb({self.base_url})"

    async def call(self, method: str, body: Mapping[str, Any], *, as_form: bool = False) -> Mapping[str, Any]:
        """What Slack answers; raise Rejected or Uncertain. `as_form`: for the methods that take no JSON."""
        return await asyncio.to_thread(self._call, method, dict(body), as_form)

    def _call(self, method: str, body: dict[str, Any], as_form: bool) -> Mapping[str, Any]:
        try:
            answer = self._client.api_call(method, data=body) if as_form else self._client.api_call(method, json=body)
        except SlackApiError as error:
            raise _sorted(error) from None
        except URLError as error:
            # urllib wraps what goes wrong up to the last byte of the request: Slack can't have had all of it
            raise Rejected(f"Slack cannot be reached: {error.reason}", kind=Refusal.TRANSIENT) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Uncertain(f"Slack did not answer: {type(error).__name__}") from None
        data = answer.data
        return data if isinstance(data, dict) else {}


class BlocksRefused(Rejected):
    """`invalid_blocks`: what they show may be there a little later."""


def _sorted(error: SlackApiError) -> Rejected | Uncertain:
    status: int = error.response.status_code
    data: Any = error.response.data
    told = str(data.get("error", "")) if isinstance(data, dict) else ""
    code = "" if " " in told else told  # with blanks it is the library's own account of a body that is no JSON
    detail = _detail(data)
    if status == 429 or code in TRANSIENT or status == 503:
        return Rejected(
            f"Slack asks to wait ({code or status})", kind=Refusal.TRANSIENT, retry_after=_retry_after(error)
        )
    if status >= 500 or code in UNCERTAIN:
        return Uncertain(f"Slack failed with {code if code in UNCERTAIN else status} and may have posted")
    if code in DENIED:
        return Rejected(f"Slack refuses our token ({code}): renew it or its scopes", kind=Refusal.DENIED)
    if not code:
        return Uncertain("Slack's answer cannot be read")
    hint = HINTS.get(code, detail)
    kind = BlocksRefused if code == "invalid_blocks" else Rejected
    return kind(f"Slack refuses the message: {code}" + (f" ({hint})" if hint else ""), kind=Refusal.PERMANENT)


def _retry_after(error: SlackApiError) -> timedelta | None:
    headers = {str(name).lower(): value for name, value in error.response.headers.items()}
    value = headers.get("retry-after")
    return seconds(str(value[0] if isinstance(value, list) and value else value))


def _detail(data: Any) -> str:
    """What Slack says about a refused block, from response_metadata.messages."""
    metadata = data.get("response_metadata") if isinstance(data, dict) else None
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return "; ".join(str(message) for message in messages[:3]) if isinstance(messages, list) else ""
