"""Digests over the wire: mail as a real SMTP server takes it, and pictures as the demo's Slack shows them."""

import base64
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from hub.delivery import Message
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.demo import slack as sandbox
from hub.demo.outbox import Outbox
from hub.store import Store
from tests.analytics.digesting import ANN, world
from tests.analytics.test_digest import hub_of, ledger
from tests.fakes.serving import serving
from tests.fakes.smtp import serving_smtp
from tests.fakes.story import NOW


def message(sent: Any) -> Message:
    return Message(
        id=sent.id, dedup_key=sent.dedup_key, address=sent.address, subject=sent.subject, payload=sent.payload, at=NOW
    )


async def test_mail_has_its_pictures_within(sqlite_store: Store, tmp_path: Path) -> None:
    await world(sqlite_store)
    await hub_of(sqlite_store, tmp_path, to=("csms",)).reports.send_due("weekly")
    async with serving_smtp() as smtp:
        channel = MailChannel(host="127.0.0.1", port=smtp.port, sender="hub@example.com", start_tls=False)
        await channel.send(message((await ledger(sqlite_store))["email", ANN]))
    (mail,) = smtp.taken
    assert mail["Subject"] == "Week to 30 June 2026: 1 customer fell, 1 new at risk, 1 renewal within 30 days"
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", *["image/png"] * 4]
    (html,) = (part for part in mail.walk() if part.get_content_type() == "text/html")
    assert isinstance(html, EmailMessage)
    named = re.findall(r'src="cid:(\w+)"', html.get_content())
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [f"<{name}>" for name in named] == [part["Content-ID"] for part in pictures]
    for part in pictures:
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert content.startswith(b"\x89PNG")
        assert 1_000 < len(content) <= 60_000


async def test_slack_shows_its_pictures(sqlite_store: Store, tmp_path: Path) -> None:
    await world(sqlite_store)
    await hub_of(sqlite_store, tmp_path, to=("#cs-reports",)).reports.send_due("weekly")
    outbox = Outbox(tmp_path / "outbox.db")
    app = sandbox.app(outbox, token="xoxb-test", people=dict, channels=("cs-reports",))
    async with serving(app) as url:
        sent = (await ledger(sqlite_store))["slack", "#cs-reports"]
        await SlackChannel("xoxb-test", base_url=f"{url}/api/").send(message(sent))
    arrived = outbox.arrivals()
    outbox.close()
    posted = next(each for each in arrived if "blocks" in each.body)
    files = [each for each in arrived if "bytes" in each.body]
    shown = [block for block in posted.body["blocks"] if block["type"] == "image"]
    assert len(files) == len(shown) == 4
    assert {block["slack_file"]["id"] for block in shown} == {each.address for each in files}
    assert all(base64.b64decode(each.body["bytes"]).startswith(b"\x89PNG") for each in files)
    assert shown[0]["alt_text"].startswith("Customers by health from ")
    text = str(posted.body["blocks"])
    assert "*Whose health moved*" in text
    assert "Missing in the data" not in text
