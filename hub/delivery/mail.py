"""E-mail over SMTP: multipart/alternative, one recipient a message, one connection a message.

SMTP knows no duplicates. The Message-ID is made from our key, so that the same message has the same id on every attempt
and mail programs that look can tell; and an attempt whose answer got lost after the data is Uncertain, never repeated.
4xx means later, 5xx means never (RFC 5321, 4.2.1).
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY_8BIT
from email.utils import format_datetime
from typing import TypeVar

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPNotSupported, SMTPResponseException

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Uncertain

TIMEOUT_SECONDS = 20.0
MANNERS = Manners(expiry=timedelta(days=1))
SMTP_POLICY = SMTP_POLICY_8BIT.clone(cte_type="7bit")  # every server takes it
Answer = TypeVar("Answer")


class MailChannel:
    """Sends from `sender` through one server.

    start_tls      True: required. None: where the server offers it. False: never
    unsubscribe    an address or https URL to write into List-Unsubscribe of messages to customers
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
        unsubscribe: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        manners: Manners = MANNERS,
    ) -> None:
        self.manners = manners
        if not _is_address(sender):
            raise ValueError(f"{sender!r} is no e-mail address to send from")
        self._sender = Address(sender_name, addr_spec=sender)
        self._host, self._port = host, port
        self._username, self._password = username, password
        self._use_tls, self._start_tls = use_tls, start_tls
        self._unsubscribe = unsubscribe
        self._timeout = timeout_seconds

    def __repr__(self) -> str:
        return f"MailChannel({self._host}:{self._port})"

    async def send(self, message: Message) -> Receipt:
        if not _is_address(message.address):
            raise Rejected(f"{message.address!r} is no e-mail address", kind=Refusal.PERMANENT)
        mail = self.compose(message)
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
            await _before_data(lambda: client.mail(self._sender.addr_spec))
            await _before_data(lambda: client.rcpt(message.address))
            answer = await _data(client, mail.as_bytes(policy=SMTP_POLICY))
            return {"message_id": mail["Message-ID"], "answer": answer}
        finally:
            client.close()

    def compose(self, message: Message) -> EmailMessage:
        """The mail as it goes over the wire."""
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=message.address)
        mail["Subject"] = " ".join((message.subject or "").split())
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.dedup_key.replace(':', '.')}@{self._sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        if self._unsubscribe and message.payload.get("audience") == "customer":
            target = self._unsubscribe if "://" in self._unsubscribe else f"mailto:{self._unsubscribe}"
            mail["List-Unsubscribe"] = f"<{target}>"
        mail.set_content(message.payload["text"])
        mail.add_alternative(message.payload["html"], subtype="html")
        return mail


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


def _is_address(address: str) -> bool:
    """Fit for an envelope and a header: one @ between two parts, printable ASCII, no blanks."""
    local, at, domain = address.rpartition("@")
    return (
        bool(at and local and domain)
        and address.isascii()
        and address.isprintable()
        and not set(" <>,;") & set(address)
    )
