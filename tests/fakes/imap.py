"""An IMAP server on loopback: one account, one folder, the few commands a reader of a mailbox says (RFC 3501).

async with serving_imap() as imap:
    imap.mails.append(raw)
    mailbox = ImapMailbox(host="127.0.0.1", port=imap.port, user=USER, password=PASSWORD, tls=False)
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "bounces@cshub.example", "secret-word"


@dataclass
class FakeImap:
    """`mails` by their numbers from 1 on; `seen`: numbers. `said`: commands in order, without the login."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    refuse: str | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().strip():
            tag, _, command = line.partition(" ")
            if not command.upper().startswith("LOGIN"):
                self.said.append(command)
            for answer in self.answer(command):
                writer.write(answer + b"\r\n")
            word = command.split()[0].upper()
            refused = (word == "LOGIN" and f'{USER} "{PASSWORD}"' not in command) or word == self.refuse
            writer.write(f"{tag} {'NO denied' if refused else 'OK done'}\r\n".encode())
            await writer.drain()
            if word == "LOGOUT":
                break
        writer.close()

    def answer(self, command: str) -> list[bytes]:
        upper = command.upper()
        if upper == "CAPABILITY":
            return [b"* CAPABILITY IMAP4REV1"]
        if upper.startswith("SELECT"):
            return [f"* {len(self.mails)} EXISTS".encode()]
        if upper.startswith("UID SEARCH"):
            unseen = [str(n) for n in range(1, len(self.mails) + 1) if n not in self.seen]
            return [" ".join(["* SEARCH", *unseen]).encode()]
        if found := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[\]\)", upper):
            number = int(found[1])
            raw = self.mails[number - 1]
            return [f"* {number} FETCH (UID {number} BODY[] {{{len(raw)}}}".encode() + b"\r\n" + raw + b")"]
        if found := re.match(r"UID STORE ([\d,]+) \+FLAGS \(\\SEEN\)", upper):
            self.seen |= {int(number) for number in found[1].split(",")}
        if upper == "LOGOUT":
            return [b"* BYE"]
        return []


@asynccontextmanager
async def serving_imap() -> AsyncIterator[FakeImap]:
    imap = FakeImap()
    server = await asyncio.start_server(imap.serve, "127.0.0.1", 0)
    imap.port = server.sockets[0].getsockname()[1]
    try:
        yield imap
    finally:
        server.close()
