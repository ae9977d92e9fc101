"""The demo's mail server over real SMTP: what it keeps, and what it refuses or loses on purpose."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from hub.demo.mail import MailFaults, MailServer
from hub.demo.outbox import Outbox
from hub.demo.page import render


class Place:
    def __init__(self, server: MailServer, outbox: Outbox) -> None:
        self.server, self.outbox = server, outbox

    async def send(self, mail: EmailMessage) -> None:
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=self.server.port, start_tls=False, timeout=10)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    outbox = Outbox(tmp_path / "outbox.db")
    server = MailServer(outbox, faults=MailFaults())
    await server.start()
    yield Place(server, outbox)
    await server.stop()
    outbox.close()


def letter(message_id: str = "<run-1@northbeam.example>", html: bool = True) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Customer Success <cs@northbeam.example>"
    mail["To"] = "ines.costa@northbeam.example"
    mail["Subject"] = "Zoë's account is at risk"
    mail["Message-ID"] = message_id
    mail["X-Priority"] = "1"
    mail.set_content("Plain\n.\nwords\n")
    if html:
        mail.add_alternative("<p>Rich words: é</p>", subtype="html")
    return mail


async def test_a_mail_is_kept_in_its_parts(place: Place) -> None:
    await place.send(letter())
    [arrival] = place.outbox.arrivals()
    assert (arrival.kind, arrival.address, arrival.answered) == ("email", "ines.costa@northbeam.example", True)
    assert (arrival.subject, arrival.dedup) == ("Zoë's account is at risk", "<run-1@northbeam.example>")
    assert arrival.body["text"] == "Plain\n.\nwords\n"
    assert arrival.body["html"] == "<p>Rich words: é</p>\n"
    assert arrival.body["from"] == "Customer Success <cs@northbeam.example>"
    assert ["X-Priority", "1"] in arrival.body["headers"]


async def test_a_mail_of_text_alone(place: Place) -> None:
    await place.send(letter(html=False))
    assert place.outbox.arrivals()[0].body["html"] is None


async def test_the_same_message_id_twice_is_a_duplicate(place: Place) -> None:
    await place.send(letter())
    await place.send(letter())
    await place.send(letter("<run-2@northbeam.example>"))
    assert [(duplicate.dedup, duplicate.count) for duplicate in place.outbox.duplicates()] == [
        ("<run-1@northbeam.example>", 2)
    ]


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("try_later", aiosmtplib.SMTPDataError, 451),
        ("refused", aiosmtplib.SMTPDataError, 554),
        ("no_such_mailbox", aiosmtplib.SMTPRecipientsRefused, 550),
    ],
)
async def test_what_is_refused_is_not_kept(place: Place, fault: str, error: type[Exception], code: int) -> None:
    setattr(place.server.faults, fault, 1)
    with pytest.raises(error) as raised:
        await place.send(letter())
    codes = [each.code for each in raised.value.recipients] if code == 550 else [raised.value.code]  # type: ignore[attr-defined]  # of either error
    assert codes == [code]
    assert place.outbox.arrivals() == []
    await place.send(letter())
    assert place.outbox.counts()["email"] == 1


async def test_the_answer_can_be_lost_after_the_mail_was_taken(place: Place) -> None:
    place.server.faults.dropped = 1
    with pytest.raises((aiosmtplib.SMTPServerDisconnected, ConnectionError)):
        await place.send(letter())
    [arrival] = place.outbox.arrivals()
    assert not arrival.answered


async def test_a_stopped_server_takes_nothing(place: Place) -> None:
    await place.server.stop()
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await place.send(letter())


async def test_pictures_within_a_mail_are_kept_and_shown(place: Place) -> None:
    mail = letter(html=False)
    mail.add_alternative('<img src="cid:health">', subtype="html")
    _, html = mail.iter_parts()
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG pixels", "image", "png", cid="<health>")
    await place.send(mail)
    data = "data:image/png;base64,iVBORyBwaXhlbHM="
    assert place.outbox.arrivals()[0].body["pictures"] == {"cid:health": data}
    shown = render(place.outbox)
    assert f"&lt;img src=&quot;{data}&quot;&gt;" in shown
    assert "<summary>headers</summary>" in shown
    assert "Message-ID: &lt;run-1@northbeam.example&gt;" in shown
