"""The console: messages as text on a stream, for a hub without Slack or a mail server, and for looking before sending.

It stands in for another channel by taking that one's name.
"""

import sys
from typing import TextIO

from hub.delivery.base import USUAL, Message, Receipt


class ConsoleChannel:
    """Writes what it is given to `stream` (standard output)."""

    manners = USUAL

    def __init__(self, name: str = "console", *, stream: TextIO | None = None) -> None:
        self._name = name
        self._stream = stream

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> Receipt:
        stream = self._stream or sys.stdout
        lines = [f"[{self._name}] to {message.address}", message.subject or "", str(message.payload.get("text", ""))]
        stream.write("\n".join(line for line in lines if line) + "\n\n")
        stream.flush()
        return {"console": True}
