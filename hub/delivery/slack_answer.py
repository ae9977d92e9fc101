"""Answers to whom pressed a button or typed a command: a POST to the address that Slack gave with the request.

The address is a secret for half an hour and five uses. It is only called where Slack's answers are taken: at
hooks.slack.com, or at the host of the configured `base_url`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from hub.delivery.base import Refusal, Rejected, Uncertain
from hub.delivery.posting import post
from hub.delivery.slack_web import TIMEOUT_SECONDS
from hub.errors import TransientError

HOST = "hooks.slack.com"


async def answer(url: str, message: Mapping[str, Any], *, base_url: str) -> bool:
    """Post `message` ({text, blocks, replace_original…}) for the person alone; False where the address takes no more.

    Raises TransientError where it may work later. Said twice is better here than not at all, so no answer counts as that.
    """
    if not _is_slacks(url, base_url):
        return False
    body = {"response_type": "ephemeral", **message}
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        got = await post(url, orjson.dumps(body), to="Slack", headers=headers, timeout_seconds=TIMEOUT_SECONDS)
    except Rejected as error:
        if error.kind is Refusal.TRANSIENT:
            raise TransientError(error.reason) from None
        return False
    except Uncertain as error:
        raise TransientError(error.reason) from None
    if got.status == 429 or got.status >= 500:
        raise TransientError(f"Slack takes no answer now ({got.status})")
    return got.taken


def _is_slacks(url: str, base_url: str) -> bool:
    try:
        given, ours = urlsplit(url), urlsplit(base_url)
        if given.scheme == "https" and given.hostname == HOST:
            return given.port in (None, 443)
        return (given.scheme, given.netloc) == (ours.scheme, ours.netloc)
    except ValueError:
        return False
