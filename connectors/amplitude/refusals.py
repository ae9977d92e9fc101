"""What Amplitude's refusals mean.

404 is no data, 400 an export above 4 GB or a malformed hour, 504 an export that took too long: a smaller window helps, so
trying the same again does not. 429 says in its body which of the limits it was.
"""

from datetime import datetime

from connectors.kit.errors import ConnectorError, ContractError, DeniedError
from connectors.kit.reply import Reply

KEYS = "the API key and secret key of the project"
TOO_LARGE = ("4gb", "4 gb", "too large", "exceeds")


class NoDataError(ContractError):
    """Nothing arrived in the hours asked for."""


class TooLargeError(ContractError):
    """More arrived than one export can hold."""


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    said = reply.said()
    if reply.status in (401, 403):
        return DeniedError(f"{reply.place} does not accept api_key and secret_key: {said}", permission=KEYS)
    if reply.status == 404:
        return NoDataError(f"{reply.place}: no data", status=404)
    if reply.status == 504 or (reply.status == 400 and any(word in said.lower() for word in TOO_LARGE)):
        return TooLargeError(f"{reply.place} answered {reply.status}: {said}", status=reply.status)
    return None
