"""The question at the end of a mail to a CSM: was this of use? The link says for whom and of what, and is signed."""

from collections.abc import Mapping
from html import escape
from typing import Any

STYLE = "margin:0 0 16px;font-family:Helvetica,Arial,sans-serif;font-size:13px;color:#5b6470;text-align:center"


def with_question(payload: Mapping[str, Any], url: str) -> dict[str, Any]:
    """A mail's payload, asking at its end."""
    asked = dict(payload)
    if "text" in asked:
        asked["text"] = f"{str(asked['text']).rstrip()}\n\nWas this of use? Say so here: {url}\n"
    if "html" in asked:
        line = f'<p style="{STYLE}">Was this of use? <a href="{escape(url)}" style="color:#5b6470">Say so</a></p>'
        head, body, tail = str(asked["html"]).rpartition("</body>")
        asked["html"] = f"{head}{line}{body}{tail}" if body else f"{tail}{line}"
    return asked
