"""The demo's mail server: real SMTP on loopback, that keeps what it takes in the outbox.

POST /_faults on the page beside it changes `MailFaults` while it runs; see hub.demo.sandboxes
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

from aiosmtpd.smtp import SMTP, Envelope, Session

from hub.clock import utc_now
from hub.demo.faults import Countdown
from hub.demo.outbox import Outbox


@dataclass(slots=True, kw_only=True)
class MailFaults(Countdown):
    """What goes wrong with the next n mails; each counts down as it strikes.

    try_later        451 after the data; nothing is kept
    no_such_mailbox  550 at RCPT
    refused          554 after the data; nothing is kept
    dropped          the mail is kept, and the connection is closed before the server says so
    """

    try_later: int = 0
    no_such_mailbox: int = 0
    refused: int = 0
    dropped: int = 0


class MailServer:
    """Listens from `start` to `stop`; `port` 0 takes a free one, and says which afterwards."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: MailFaults | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.host, self.port = host, port
        self.faults = faults or MailFaults()
        self._handler = _Handler(outbox, self.faults, clock)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def conversation() -> asyncio.BaseProtocol:
            made: asyncio.BaseProtocol = SMTP(
                self._handler, hostname="mail.northbeam.example", enable_SMTPUTF8=True, loop=loop
            )
            return made

        self._server = await loop.create_server(conversation, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class _Handler:
    def __init__(self, outbox: Outbox, faults: MailFaults, clock: Callable[[], datetime]) -> None:
        self._outbox, self._faults, self._clock = outbox, faults, clock

    async def handle_RCPT(  # noqa: N802  the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._faults.take("no_such_mailbox"):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  the same
        if self._faults.take("try_later"):
            return "451 4.3.0 Try again later"
        if self._faults.take("refused"):
            return "554 5.7.1 Message refused"
        dropped = self._faults.take("dropped")
        content = envelope.content
        # the older policy takes headers as they are: the newer one takes each apart whenever it is looked at
        mail = message_from_bytes(content if isinstance(content, bytes) else str(content).encode())
        for recipient in envelope.rcpt_tos:
            self._keep(mail, sender=envelope.mail_from or "", recipient=recipient, answered=not dropped)
        if dropped and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 OK"

    def _keep(self, mail: Message, *, sender: str, recipient: str, answered: bool) -> None:
        headers = [(name, _decoded(str(value))) for name, value in mail.items()]
        known = {name.lower(): value for name, value in reversed(headers)}
        message_id = known.get("message-id", "").strip() or None
        self._outbox.add(
            "email",
            at=self._clock(),
            address=recipient,
            subject=known.get("subject", ""),
            dedup=message_id,
            answered=answered,
            body={
                "message_id": message_id,
                "sender": sender,
                "from": known.get("from", ""),
                "to": known.get("to", ""),
                "text": _part(mail, "text/plain"),
                "html": _part(mail, "text/html"),
                "pictures": _pictures(mail),
                "headers": [[name, value] for name, value in headers],
            },
        )


def _decoded(header: str) -> str:
    """A header as people read it: in one line, its encoded words as text."""
    line = "".join(header.splitlines())
    return str(make_header(decode_header(line))) if "=?" in line else line


def _pictures(mail: Message) -> dict[str, str]:
    """{what the HTML calls it: the picture itself}, of pictures within the mail."""
    found = {}
    for part in mail.walk():
        name = part["Content-ID"]
        if name and part.get_content_maintype() == "image":
            data = base64.b64encode(_content(part)).decode("ascii")
            found[f"cid:{str(name).strip().strip('<>')}"] = f"data:{part.get_content_type()};base64,{data}"
    return found


def _part(mail: Message, kind: str) -> str | None:
    """The first text of a kind that is no attachment."""
    for part in mail.walk():
        if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
            text = _content(part).decode(part.get_content_charset("utf-8"), errors="replace")
            return text.replace("\r\n", "\n")
    return None


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
