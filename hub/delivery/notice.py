"""Plain messages about the hub itself: a subject and lines of text, as each channel that people read takes them."""

import html
from typing import Any

LONGEST_SECTION = 3_000


def payload(channel: str, subject: str, text: str) -> dict[str, Any]:
    """What "slack" or "email" takes; nothing in it is markup."""
    if channel == "email":
        return {"text": text, "html": f"<pre>{html.escape(text)}</pre>"}
    section = {"type": "section", "text": {"type": "plain_text", "text": text[:LONGEST_SECTION]}}
    return {"text": subject, "blocks": [section]}
