"""E-mail over SMTP: text and HTML of one content, pictures within it, one recipient a message.

While the ledger has more to send (`staying`) connections stay open for the next message; else each has its own.

    text                multipart/alternative
    html                multipart/related, where it has pictures: `cid:name` is attachment `name`

Mail to customers (`audience: customer` of the payload) has its own sender, and the recipient's own link to unsubscribe: in the
text, where templates left room for it, and in the header, of one click where it is https (RFC 8058).

SMTP knows no duplicates. The Message-ID is made from our key, so that the same message has the same id on every attempt
and mail programs that look can tell; and an attempt whose answer got lost after the data is Uncertain, never repeated.
4xx means later, 5xx means never (RFC 5321, 4.2.1).
"""

import base64
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from typing import TypeVar

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPNotSupported, SMTPResponseException

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Uncertain
from hub.delivery.mail_headers import HEADERS_KEPT, SMTP_POLICY, boundary, header
from hub.delivery.mail_templates import CUSTOMER, UNSUBSCRIBE

TIMEOUT_SECONDS = 20.0
MOST_ON_ONE = 50
"""Messages over one connection: many servers take no more of them."""
MANNERS = Manners(expiry=timedelta(days=1))
Answer = TypeVar("Answer")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]")


Link = Callable[[str, str], str]
"""(address, topic) -> a token that says so, signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Mail to customers.

    sender, sender_name   who it is from; None: as all mail
    reply_to   "csm": whom the payload names; an address; None: the sender
    link       tokens to unsubscribe with; `url` + token is the page that takes them
    mailbox    an address that takes them as a subject, "unsubscribe TOKEN"
    """

    sender: str | None = None
    sender_name: str = ""
    reply_to: str | None = None
    link: Link | None = None
    url: str = ""
    mailbox: str | None = None


class MailChannel:
    """Sends from `sender` through one server.

    start_tls    True: required. None: where the server offers it. False: never
    return_path  where bounces go; None: to the sender. tagged: with the message's id behind a +
    """

    name = "email"

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        sender_name: str = "",
        username: str | None = None,
        password: str | None = None,
        use_tls: bool = False,
        start_tls: bool | None = None,
        customers: Customers | None = None,
        return_path: str | None = None,
        tagged: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
        manners: Manners = MANNERS,
    ) -> None:
        self.manners = manners
        self._customers = customers or Customers()
        for each in filter(None, (sender, self._customers.sender, return_path)):
            if not _is_address(each):
                raise ValueError(f"{each!r} is no e-mail address to send from")
        self._sender = Address(sender_name, addr_spec=sender)
        own = self._customers.sender
        self._customer_sender = Address(self._customers.sender_name, addr_spec=own) if own else self._sender
        self._host, self._port = host, port
        self._username, self._password = username, password
        self._use_tls, self._start_tls = use_tls, start_tls
        self._return_path, self._tagged = return_path, tagged
        self._timeout = timeout_seconds
        self._staying = 0
        self._idle: list[SMTP] = []
        self._sent: dict[SMTP, int] = {}

    def __repr__(self) -> str:
        return f"MailChannel({self._host}:{self._port})"

    async def send(self, message: Message) -> Receipt:
        if not _is_address(message.address):
            raise Rejected(f"{message.address!r} is no e-mail address", kind=Refusal.PERMANENT)
        mail = self.compose(message)
        client = await self._connected(message)
        try:
            await _before_data(lambda: client.rcpt(message.address))
            answer = await _data(client, mail.as_bytes(policy=SMTP_POLICY))
        except BaseException:  # a cancelled one, too
            self._hang_up(client)  # whatever the conversation has come to, the next begins with a new one
            raise
        self._sent[client] = self._sent.get(client, 0) + 1
        if self._staying and self._sent[client] < MOST_ON_ONE:
            self._idle.append(client)
        else:
            self._hang_up(client)
        return {"message_id": mail["Message-ID"], "answer": answer}

    @contextmanager
    def staying(self) -> Iterator[None]:
        self._staying += 1
        try:
            yield
        finally:
            self._staying -= 1
            while self._idle and not self._staying:
                self._hang_up(self._idle.pop())

    def _hang_up(self, client: SMTP) -> None:
        self._sent.pop(client, None)
        client.close()

    async def _connected(self, message: Message) -> SMTP:
        """A connection that has taken the sender: one that stands open, or else a new one.

        A server may have closed what stood open, or have had enough of it: then nothing is said of the message yet, and it is
        told to a new one.
        """
        sender = self._envelope_sender(message)
        while self._idle:
            client = self._idle.pop()
            try:
                await client.mail(sender)
            except (SMTPException, OSError):
                self._hang_up(client)
            except BaseException:  # a cancelled one, too: the connection is nobody's any more
                self._hang_up(client)
                raise
            else:
                return client
        client = SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._timeout,
            use_tls=self._use_tls,
            start_tls=False if self._use_tls else self._start_tls,
        )
        try:
            await _before_data(client.connect)
            if self._username is not None:
                username, password = self._username, self._password or ""
                await _before_data(lambda: client.login(username, password))
            await _before_data(lambda: client.mail(sender))
        except BaseException:  # a cancelled one, too: no connection is left open
            client.close()
            raise
        return client

    def compose(self, message: Message) -> EmailMessage:
        """The mail as it goes over the wire."""
        payload = message.payload
        to_customer = payload.get("audience") == CUSTOMER
        sender = self._customer_sender if to_customer else self._sender
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = header("From", str(sender))
        mail["To"] = header("To", message.address)
        mail["Subject"] = "".join(filter(str.isprintable, " ".join((message.subject or "").split())))
        mail["Date"] = format_datetime(message.at)
        # of one domain, whoever it is from: what comes back names it
        mail["Message-ID"] = f"<{message.dedup_key.replace(':', '.')}@{self._sender.domain}>"
        mail["Auto-Submitted"] = header("Auto-Submitted", "auto-generated")
        text, html = payload["text"], payload["html"]
        if to_customer:
            if reply_to := self._reply_to(payload.get("reply_to")):
                mail["Reply-To"] = header("Reply-To", reply_to)
            page = self._opt_out(mail, message.address, str(payload.get("topic", "")))
            text, html = text.replace(UNSUBSCRIBE, page), html.replace(UNSUBSCRIBE, escape(page))
        mail.set_content(text)
        mail.make_alternative(boundary=boundary(message.dedup_key, "alternative"))
        mail.add_alternative(html, subtype="html")
        _, rich = mail.iter_parts()
        attachments = payload.get("attachments", ())
        if attachments:
            rich.make_related(boundary=boundary(message.dedup_key, "related"))
        for each in attachments:
            kind, _, subtype = each["type"].partition("/")
            rich.add_related(
                base64.b64decode(each["content"]),
                maintype=kind,
                subtype=subtype,
                cid=f"<{each['name']}>",
                filename=f"{_NOT_A_NAME.sub('_', each['name'])}.{subtype}",
                disposition="inline",
            )
        return mail

    def _envelope_sender(self, message: Message) -> str:
        """Where it comes back to."""
        if self._return_path is None:
            to_customer = message.payload.get("audience") == CUSTOMER
            return (self._customer_sender if to_customer else self._sender).addr_spec
        if not (self._tagged and message.id):
            return self._return_path
        local, _, domain = self._return_path.rpartition("@")
        return f"{local}+{message.id}@{domain}"

    def _reply_to(self, csm: str | None) -> str | None:
        given = csm if self._customers.reply_to == "csm" else self._customers.reply_to
        return given if given and _is_address(given) else None

    def _opt_out(self, mail: EmailMessage, address: str, topic: str) -> str:
        """Write the header; return what the text links to."""
        customers = self._customers
        if customers.link is None:
            return f"mailto:{self._customer_sender.addr_spec}?subject=unsubscribe"
        token = customers.link(address, topic)
        page = customers.url + token
        ways = [f"<{page}>"]
        if customers.mailbox:
            ways.append(f"<mailto:{customers.mailbox}?subject=unsubscribe%20{token}>")
        mail["List-Unsubscribe"] = ", ".join(ways)
        if page.startswith("https://"):  # which one-click asks for
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return page


async def _before_data(step: Callable[[], Awaitable[Answer]]) -> Answer:
    """A step of the conversation after whose failure nothing can have been sent."""
    try:
        return await step()
    except SMTPAuthenticationError as error:
        kind = Refusal.TRANSIENT if error.code < 500 else Refusal.DENIED
        raise Rejected(f"the mail server refuses our login: {_answer(error)}", kind=kind) from None
    except SMTPResponseException as error:
        raise _refused(error) from None
    except SMTPNotSupported as error:
        raise Rejected(f"the mail server cannot do this: {error.message}", kind=Refusal.PERMANENT) from None
    except (SMTPException, OSError) as error:
        raise Rejected(f"the mail server cannot be reached: {type(error).__name__}", kind=Refusal.TRANSIENT) from None
    except (UnicodeError, ValueError):
        raise Rejected("the address cannot be said in SMTP", kind=Refusal.PERMANENT) from None


async def _data(client: SMTP, mail: bytes) -> str:
    try:
        response = await client.data(mail)
    except SMTPResponseException as error:
        raise _refused(error) from None
    except (SMTPException, OSError) as error:
        raise Uncertain(f"the mail server did not answer after the data: {type(error).__name__}") from None
    return response.message


def _refused(error: SMTPResponseException) -> Rejected:
    kind = Refusal.PERMANENT if error.code >= 500 else Refusal.TRANSIENT
    return Rejected(f"the mail server says {_answer(error)}", kind=kind)


def _answer(error: SMTPResponseException) -> str:
    return f"{error.code} {' '.join(error.message.split())[:200]}"


@lru_cache(maxsize=HEADERS_KEPT)
def _is_address(address: str) -> bool:
    """Fit for an envelope and a header: printable ASCII, no blanks, and nothing that Python reads in another way."""
    if not address.isascii() or not address.isprintable() or set(" <>,;") & set(address):
        return False
    try:
        return Address(addr_spec=address).addr_spec == address
    except (MessageError, AttributeError, IndexError, ValueError):  # all of which its reader raises on nonsense
        return False
