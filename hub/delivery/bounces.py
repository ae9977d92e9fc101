"""What comes back of mail, read: delivery status notifications (RFC 3464), complaints (RFC 5965), and services' webhooks.

`reports(mail)`      a mail of the bounce mailbox -> what it tells; nothing where it is no report
`told(form, body)`   a webhook's JSON -> what it tells: our own form, Amazon SES through SNS, Postmark

A status 5.x.x is for ever, 4.x.x for now (RFC 3463); but one that says nothing against the address is for now too, whatever the
server says: a full mailbox, a message it finds too long, or our own mail without a signature, which would otherwise cost every
address of a provider in a day. What only says that a message is late is not told.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from hub.errors import CshubError
from hub.model.mail import COMPLAINT, HARD, KINDS, SOFT, Bounced

LONGEST = 500
NOT_THE_ADDRESS = re.compile(r"5\.(1\.[78]|2\.[23]|[3567]\.\d+)")
"""Of the sender (5.1.7, 5.1.8), a full mailbox or a message too long (5.2.2, 5.2.3), their system (5.3), the protocol (5.5),
the content (5.6), security and policy (5.7)."""
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What Python's own reader of mail raises on headers that are broken enough."""
MAILBOX = "mailbox"
_TAG = re.compile(r"\+(del_[A-Za-z0-9]+)@")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
POSTMARK_HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
POSTMARK_SOFT = frozenset(
    {"SoftBounce", "Transient", "DnsError", "Blocked", "SMTPApiError", "Undeliverable", "Unknown"}
)


class FormError(CshubError):
    """A webhook that does not say what its form says it does."""


def reports(raw: bytes, *, now: datetime) -> list[Bounced]:
    """What a mail of the bounce mailbox tells; `now` where it has no date. One that cannot be read tells nothing."""
    try:
        return _reports(raw, now)
    except UNREADABLE:
        return []


def _reports(raw: bytes, now: datetime) -> list[Bounced]:
    mail = message_from_bytes(raw, policy=default)
    at = _date(mail.get("Date")) or now
    kind = mail.get_content_type(), str(mail.get_param("report-type", "")).lower()
    if kind == ("multipart/report", "delivery-status"):
        return list(_status(mail, at))
    if kind == ("multipart/report", "feedback-report"):
        return list(_feedback(mail, at))
    return []


def _status(mail: EmailMessage, at: datetime) -> Iterator[Bounced]:
    delivery_id, message_id = _tag(mail), _returned_id(mail)
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        for group in groups if isinstance(groups, list) else ():
            if not isinstance(group, Message) or str(group.get("Action", "")).strip().lower() != "failed":
                continue
            if (address := _recipient(group)) is None:
                continue
            said = " ".join(str(group.get("Diagnostic-Code", "")).split())
            given = _STATUS.search(str(group.get("Status", "")))
            status = given[1] if given else None
            yield Bounced(
                address=address,
                kind=_kind(status),
                at=at,
                told_by=MAILBOX,
                status=status,
                reason=_short(said.partition(";")[2].strip() or said),
                message_id=message_id,
                delivery_id=delivery_id,
            )


def _feedback(mail: EmailMessage, at: datetime) -> Iterator[Bounced]:
    """A complaint, as mailbox providers send them to who asked for them."""
    for part in mail.walk():
        if part.get_content_type() != "message/feedback-report":
            continue
        groups = part.get_payload()
        fields = groups[0] if isinstance(groups, list) and groups else message_from_bytes(_bytes(part), policy=default)
        if not isinstance(fields, Message) or str(fields.get("Feedback-Type", "")).strip().lower() != "abuse":
            continue
        address = _mailbox(str(fields.get("Original-Rcpt-To", ""))) or _returned_to(mail)
        if address is not None:
            yield Bounced(
                address=address,
                kind=COMPLAINT,
                at=at,
                told_by=MAILBOX,
                reason="abuse",
                message_id=_returned_id(mail),
                delivery_id=_tag(mail),
            )


def told(form: str, body: bytes, *, now: datetime) -> list[Bounced]:
    """What a webhook of `form` tells; FormError where it is not that."""
    try:
        value = json.loads(body)
        return _FORMS[form](value, now) if isinstance(value, Mapping) else []
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormError(f"this is no {form} event: {type(error).__name__}") from None


def _own(value: Mapping[str, Any], now: datetime) -> list[Bounced]:
    """{type: mail.bounced, data: {address, kind, status?, reason?, message_id?, at?}}; other types are left alone."""
    if value["type"] != "mail.bounced":
        return []
    data = value["data"]
    if data["kind"] not in KINDS:
        raise ValueError(data["kind"])
    return [_made(data["address"], data["kind"], data.get("at"), now, "own", data)]


def _ses(value: Mapping[str, Any], now: datetime) -> list[Bounced]:
    """A notification of SNS, or the bare event of SES within it."""
    event = json.loads(value["Message"]) if value.get("Type") == "Notification" else value
    what = event.get("notificationType") or event.get("eventType")
    message_id = (event.get("mail", {}).get("commonHeaders") or {}).get("messageId")
    if what == "Bounce":
        bounce = event["bounce"]
        kind = HARD if bounce["bounceType"] == "Permanent" else SOFT
        return [
            _made(
                each["emailAddress"],
                kind,
                bounce.get("timestamp"),
                now,
                "ses",
                {"status": each.get("status"), "reason": each.get("diagnosticCode"), "message_id": message_id},
            )
            for each in bounce["bouncedRecipients"]
        ]
    if what == "Complaint":
        complaint = event["complaint"]
        said = {"reason": complaint.get("complaintFeedbackType"), "message_id": message_id}
        return [
            _made(each["emailAddress"], COMPLAINT, complaint.get("timestamp"), now, "ses", said)
            for each in complaint["complainedRecipients"]
        ]
    return []


def _postmark(value: Mapping[str, Any], now: datetime) -> list[Bounced]:
    """A bounce or a spam complaint. Its MessageID is the service's own, so the ledger's message is not found by it."""
    if value.get("RecordType") == "SpamComplaint" or value.get("Type") == "SpamComplaint":
        kind = COMPLAINT
    elif value.get("RecordType", "Bounce") != "Bounce":
        return []
    elif value["Type"] in POSTMARK_HARD:
        kind = HARD
    elif value["Type"] in POSTMARK_SOFT:
        kind = SOFT
    else:
        return []
    said = " ".join(filter(None, (value.get("Description"), value.get("Details"))))
    given = _STATUS.search(str(value.get("Details", "")))
    status = given[1] if given else None
    return [_made(value["Email"], kind, value.get("BouncedAt"), now, "postmark", {"status": status, "reason": said})]


_FORMS: Mapping[str, Callable[[Mapping[str, Any], datetime], list[Bounced]]] = {
    "own": _own,
    "ses": _ses,
    "postmark": _postmark,
}
FORMS = tuple(_FORMS)


def _made(address: str, kind: str, at: str | None, now: datetime, form: str, said: Mapping[str, Any]) -> Bounced:
    mailbox = _mailbox(address)
    if mailbox is None:
        raise ValueError(address)
    moment = datetime.fromisoformat(_seconds(at)) if at else now
    if moment.tzinfo is None:
        raise ValueError(at)
    return Bounced(
        address=mailbox,
        kind=kind,
        at=moment,
        told_by=form,
        status=said.get("status"),
        reason=_short(said.get("reason")),
        message_id=said.get("message_id"),
    )


def _seconds(at: str) -> str:
    """Services write sevenths of a second's fraction; six digits are what Python reads."""
    return re.sub(r"(\.\d{6})\d+", r"\1", at)


def _kind(status: str | None) -> str:
    return HARD if status is not None and status.startswith("5.") and not NOT_THE_ADDRESS.fullmatch(status) else SOFT


def _recipient(group: Message) -> str | None:
    """Of a group of fields about one recipient: whom we wrote to, before the other side forwarded it."""
    given = group.get("Original-Recipient") or group.get("Final-Recipient") or ""
    return _mailbox(str(given).partition(";")[2])


def _mailbox(given: str) -> str | None:
    address = parseaddr(given.strip())[1].lower()
    return address if "@" in address else None


def _tag(mail: EmailMessage) -> str | None:
    """The message that the return path names."""
    for name in ("To", "Delivered-To", "X-Original-To"):
        for value in mail.get_all(name, []):
            if found := _TAG.search(str(value)):
                return found[1]
    return None


def _returned(mail: EmailMessage) -> Iterator[Message]:
    """The mail that came back, or its head."""
    for part in mail.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list):
                yield from (each for each in inner if isinstance(each, Message))
        elif part.get_content_type() == "text/rfc822-headers":
            yield message_from_bytes(_bytes(part), policy=default)


def _returned_id(mail: EmailMessage) -> str | None:
    return next((str(each["Message-ID"]).strip() for each in _returned(mail) if each["Message-ID"]), None)


def _returned_to(mail: EmailMessage) -> str | None:
    return next((found for each in _returned(mail) if (found := _mailbox(str(each.get("To", ""))))), None)


def _bytes(part: Message) -> bytes:
    given = part.get_payload(decode=True)
    return given if isinstance(given, bytes) else b""


def _date(value: object) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(value)) if value else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _short(text: str | None) -> str | None:
    return " ".join(text.split())[:LONGEST] or None if text else None
