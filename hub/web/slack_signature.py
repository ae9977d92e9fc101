"""Whether a request is Slack's: the signature v0 over its raw bytes, and a timestamp that is not old.

X-Slack-Request-Timestamp: 1531420618
X-Slack-Signature: v0=<hex HMAC-SHA256 with the signing secret over "v0:<timestamp>:<body>">
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

OLDEST = timedelta(minutes=5)


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> bool:
    """Whether the body was signed with `secret` within OLDEST, by the clock of whoever asks."""
    stamp = headers.get("x-slack-request-timestamp", "")
    given = headers.get("x-slack-signature", "")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return False
    if abs(now.timestamp() - int(stamp)) > OLDEST.total_seconds():
        return False
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), given.encode("utf-8", "replace"))
