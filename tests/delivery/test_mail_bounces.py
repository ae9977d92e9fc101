"""Bounces read: notifications as mail servers write them, complaints, and services' webhooks; and the mailbox they come to."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hub.delivery.bounces import FormError, reports, told
from hub.delivery.mailbox import ImapMailbox, MailboxError
from hub.model.mail import Bounced
from tests.fakes.imap import PASSWORD, USER, FakeImap, serving_imap

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
FOLDER = Path(__file__).parent / "bounces"


def mail(name: str) -> bytes:
    return (FOLDER / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n")


def test_a_hard_bounce() -> None:
    assert reports(mail("hard"), now=NOW) == [
        Bounced(
            address="ann@customer.example",
            kind="hard",
            at=datetime(2026, 11, 2, 9, 15, tzinfo=timezone(timedelta(hours=1))),
            told_by="mailbox",
            status="5.1.1",
            reason="550 5.1.1 <ann@customer.example>: no such user here",
            message_id="<save.1.0.aa11@cshub.example>",
            delivery_id="del_aa11",
        )
    ]


def test_what_may_be_taken_later_and_what_is_only_late() -> None:
    found = reports(mail("soft"), now=NOW)
    assert [(each.address, each.kind, each.status) for each in found] == [
        ("bob@other.example", "soft", "5.2.2"),
        ("joe@other.example", "soft", "4.4.7"),
    ]
    assert {each.message_id for each in found} == {"<save.1.0.bb22@cshub.example>"}
    assert {each.delivery_id for each in found} == {None}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", "hard"),
        ("5.1.10", "hard"),
        ("5.2.1", "hard"),
        ("5.4.1", "hard"),
        ("5.0.0", "hard"),
        ("5.7.26", "soft"),
        ("5.7.1", "soft"),
        ("5.1.8", "soft"),
        ("5.2.3", "soft"),
        ("5.3.4", "soft"),
        ("4.7.0", "soft"),
    ],
)
def test_what_says_nothing_against_the_address_is_for_now(status: str, kind: str) -> None:
    raw = mail("hard").replace(b"Status: 5.1.1", f"Status: {status}".encode())
    [found] = reports(raw, now=NOW)
    assert (found.status, found.kind) == (status, kind)


def test_exchange_and_gmail_write_theirs_within_other_parts() -> None:
    [found] = reports(mail("exchange"), now=NOW)
    assert (found.address, found.kind, found.status) == ("ann@contoso.example", "hard", "5.1.10")
    assert found.message_id == "<save.1.0.dd44@cshub.example>"
    [found] = reports(mail("gmail"), now=NOW)
    assert (found.address, found.kind, found.status) == ("ann@provider.example", "soft", "5.7.26")
    assert found.message_id == "<save.1.0.ee55@cshub.example>"


def test_a_complaint() -> None:
    [found] = reports(mail("complaint"), now=NOW)
    assert (found.address, found.kind) == ("kim@provider.example", "complaint")
    assert found.message_id == "<save.1.0.cc33@cshub.example>"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: I am on holiday\r\n\r\nuntil Monday",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\nno parts",
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=x\r\n\r\n--x--",
        b"\xff\xfe\x00 not a mail at all",
        mail("hard").replace(b"To: bounces+del_aa11@cshub.example", b'To: "'),  # Python's reader raises at such heads
        mail("hard").replace(b"To: bounces+del_aa11@cshub.example", b"To: x@["),
    ],
)
def test_what_is_no_report_tells_nothing(raw: bytes) -> None:
    assert reports(raw, now=NOW) == []


def test_a_bounce_told_twice_is_one() -> None:
    [once], [again] = reports(mail("hard"), now=NOW), reports(mail("hard"), now=NOW + timedelta(days=1))
    assert once.id == again.id
    assert len({each.id for name in ("hard", "soft", "complaint") for each in reports(mail(name), now=NOW)}) == 4


BOUNCE = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bouncedRecipients": [
            {
                "emailAddress": "Jane <Jane@x.example>",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 no such user",
            },
            {"emailAddress": "joe@x.example"},
        ],
        "timestamp": "2026-11-02T14:59:38.237Z",
    },
    "mail": {"commonHeaders": {"messageId": "<save.1.0.aa11@cshub.example>"}},
}


def test_amazon_ses_through_sns_and_bare() -> None:
    wrapped = {"Type": "Notification", "MessageId": "1", "Message": json.dumps(BOUNCE)}
    for body in (BOUNCE, wrapped):
        jane, joe = told("ses", json.dumps(body).encode(), now=NOW)
        assert (jane.address, jane.kind, jane.status) == ("jane@x.example", "hard", "5.1.1")
        assert (jane.message_id, jane.reason) == ("<save.1.0.aa11@cshub.example>", "smtp; 550 5.1.1 no such user")
        assert jane.at == datetime(2026, 11, 2, 14, 59, 38, 237000, tzinfo=UTC)
        assert (joe.address, joe.kind, joe.status) == ("joe@x.example", "hard", None)
    for_now = json.dumps({**BOUNCE, "bounce": {**BOUNCE["bounce"], "bounceType": "Transient"}})  # type: ignore[dict-item]  # a mapping, as above
    assert {each.kind for each in told("ses", for_now.encode(), now=NOW)} == {"soft"}
    complaint = {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "a@x.example"}]}}
    [found] = told("ses", json.dumps(complaint).encode(), now=NOW)
    assert (found.kind, found.at) == ("complaint", NOW)
    assert told("ses", b'{"Type": "SubscriptionConfirmation", "SubscribeURL": "https://x"}', now=NOW) == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"RecordType": "Bounce", "Type": "HardBounce"}, "hard"),
        ({"RecordType": "Bounce", "Type": "SoftBounce"}, "soft"),
        ({"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, "complaint"),
        ({"RecordType": "Bounce", "Type": "AutoResponder"}, None),
        ({"RecordType": "Delivery"}, None),
    ],
)
def test_postmark(values: dict[str, str], kind: str | None) -> None:
    body = {
        **values,
        "Email": "john@x.example",
        "BouncedAt": "2026-11-02T13:28:10.2735393-04:00",
        "Details": "550 5.1.1 x",
    }
    found = told("postmark", json.dumps(body).encode(), now=NOW)
    assert [each.kind for each in found] == ([] if kind is None else [kind])
    if found:
        assert (found[0].address, found[0].status) == ("john@x.example", "5.1.1")
        assert found[0].at == datetime(2026, 11, 2, 17, 28, 10, 273539, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("own", b"not json"),
        ("own", b'{"type": "mail.bounced"}'),
        ("own", b'{"type": "mail.bounced", "data": {"address": "a@x.example", "kind": "unsure"}}'),
        ("own", b'{"type": "mail.bounced", "data": {"address": "nobody", "kind": "hard"}}'),
        (
            "own",
            b'{"type": "mail.bounced", "data": {"address": "a@x.example", "kind": "hard", "at": "2026-11-02T10:00"}}',
        ),
        ("ses", b'{"notificationType": "Bounce"}'),
        ("postmark", b'{"RecordType": "Bounce"}'),
    ],
)
def test_what_is_not_of_its_form(form: str, body: bytes) -> None:
    with pytest.raises(FormError, match=f"this is no {form} event"):
        told(form, body, now=NOW)


def box(imap: FakeImap, **values: Any) -> ImapMailbox:
    return ImapMailbox(
        **{"host": "127.0.0.1", "port": imap.port, "user": USER, "password": PASSWORD, "tls": False} | values
    )


async def test_a_mailbox_is_read_without_marking_and_marked_when_told() -> None:
    async with serving_imap() as imap:
        imap.mails += [mail("hard"), mail("soft"), b"Subject: x\r\n\r\n"]
        imap.seen.add(1)
        found = await box(imap).read(limit=1)
        assert found == [("2", mail("soft"))]
        assert imap.seen == {1}, "what was read comes again until it was dealt with"
        await box(imap, folder="Back to us").seen(["2", "3"])
        assert imap.seen == {1, 2, 3}
        assert 'SELECT "Back to us"' in imap.said
        assert await box(imap).read() == []


async def test_a_mailbox_that_cannot_be_read_says_why_and_keeps_the_password() -> None:
    async with serving_imap() as imap:
        with pytest.raises(MailboxError, match=r"says: .*denied") as caught:
            await box(imap, password="wrong-secret").read()
        assert "wrong-secret" not in f"{caught.value} {box(imap, password='wrong-secret')!r}"
        imap.refuse = "SELECT"
        with pytest.raises(MailboxError, match="says: "):
            await box(imap).read()
    with pytest.raises(MailboxError, match="cannot be reached"):
        await box(imap).read()
