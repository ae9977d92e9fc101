"""A mailbox read over IMAP: what has not been seen yet, a few at a time, marked as seen when it was dealt with.

The library waits for the network, so it works in a thread of its own. `read` hands over raw mails and their numbers; `seen`
marks them, and only after that are they gone from the next `read`: what was not marked comes again.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Callable, Sequence
from typing import TypeVar

from hub.errors import CshubError

TIMEOUT_SECONDS = 20.0
LIMIT = 100
LONGEST = 5_000_000
Answer = TypeVar("Answer")


class MailboxError(CshubError):
    """The mailbox cannot be read now; the message says why and keeps the password."""


class ImapMailbox:
    """One folder of one account."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        tls: bool = True,
        folder: str = "INBOX",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._user, self._password, self._folder = user, password, folder
        self._timeout = timeout_seconds

    def __repr__(self) -> str:
        return f"ImapMailbox({self._user} at {self._host}:{self._port})"

    async def read(self, *, limit: int = LIMIT) -> list[tuple[str, bytes]]:
        """Up to `limit` mails not seen yet, the oldest first: (number, raw mail)."""
        return await asyncio.to_thread(self._with, lambda box: _unseen(box, limit))

    async def seen(self, numbers: Sequence[str]) -> None:
        """They were dealt with."""
        if numbers:
            await asyncio.to_thread(
                self._with, lambda box: _expect(box.uid("STORE", ",".join(numbers), "+FLAGS", "(\\Seen)"))
            )

    def _with(self, work: "Callable[[imaplib.IMAP4], Answer]") -> Answer:
        try:
            with self._connected() as box:
                box.login(self._user, self._password)
                _expect(box.select(f'"{self._folder}"'))
                return work(box)
        except imaplib.IMAP4.error as error:
            said = str(error).replace(self._password, "…")
            raise MailboxError(f"the mailbox {self._user} at {self._host} says: {said[:200]}") from None
        except OSError as error:
            raise MailboxError(f"the mailbox at {self._host} cannot be reached: {type(error).__name__}") from None

    def _connected(self) -> imaplib.IMAP4:
        if not self._tls:
            return imaplib.IMAP4(self._host, self._port, timeout=self._timeout)
        return imaplib.IMAP4_SSL(
            self._host, self._port, timeout=self._timeout, ssl_context=ssl.create_default_context()
        )


def _unseen(box: imaplib.IMAP4, limit: int) -> list[tuple[str, bytes]]:
    [found] = _expect(box.uid("SEARCH", "UNSEEN", "SMALLER", str(LONGEST)))
    made: list[tuple[str, bytes]] = []
    for number in (found or b"").decode("ascii").split()[:limit]:
        parts = _expect(box.uid("FETCH", number, "(BODY.PEEK[])"))
        made += [(number, bytes(part[1])) for part in parts if isinstance(part, tuple)]
    return made


def _expect(answer: tuple[str, list[Answer]]) -> list[Answer]:
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(f"{kind} {data!r}")
    return data
