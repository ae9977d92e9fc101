"""What Mixpanel's refusals mean: it says some of them with status 400 and in plain text.

Recorded: 400 `Unable to authenticate request` (text), 403 `{"error": "User is not a member of this project"}`, and 400
`to_date cannot be later than today` where the project's time zone is another than configured.
"""

from datetime import datetime

from connectors.kit.errors import ConnectorError, DeniedError
from connectors.kit.reply import Reply

MEMBER = "a service account that is a member of the project"


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    """The error `reply` stands for, or None for the general rules."""
    if reply.status not in (400, 401, 403):
        return None
    said = reply.said()
    words = said.lower()
    if reply.status == 401 or "authenticate" in words:
        return DeniedError(f"{reply.place} does not accept user and secret: {said}", permission=MEMBER)
    if reply.status == 403:
        return DeniedError(
            f"{reply.place} is refused; it needs {MEMBER} (is project_id right?): {said}", permission=MEMBER
        )
    if "later than today" in words:
        return DeniedError(f"{reply.place}: {said}; set project_timezone to the project's time zone", scope="stream")
    return None
