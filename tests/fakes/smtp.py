"""A mail server on loopback: speaks SMTP, keeps what it took, and refuses as told.

async with serving_smtp() as smtp:
    smtp.refuse["rcpt"] = "550 no such mailbox"
    smtp.most_on_one = 2                          messages over one connection
    channel = MailChannel(host="127.0.0.1", port=smtp.port, …)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class FakeSmtp:
    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    hang_up_after_data: bool = False
    connections: int = 0
    most_on_one: int | None = None

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if "mail" in self.refuse:
            return self.refuse["mail"]
        session.many = getattr(session, "many", 0) + 1
        if self.most_on_one is not None and session.many > self.most_on_one:
            server.transport.close()
            return "421 enough for one connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if "rcpt" in self.refuse:
            return self.refuse["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "data" in self.refuse:
            return self.refuse["data"]
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        if self.hang_up_after_data:
            server.transport.abort()
        return "250 taken"


@asynccontextmanager
async def serving_smtp() -> AsyncIterator[FakeSmtp]:
    smtp = FakeSmtp()
    loop = asyncio.get_running_loop()

    def answer() -> SMTP:
        smtp.connections += 1
        return SMTP(smtp, hostname="mail.example", loop=loop)

    server = await loop.create_server(answer, "127.0.0.1", 0)
    smtp.port = server.sockets[0].getsockname()[1]
    try:
        yield smtp
    finally:
        server.close()
        await server.wait_closed()
