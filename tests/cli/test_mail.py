"""`cshub mail`: templates looked at, the suppression list, and what came back; nothing is sent unless asked for."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.access.links import Links
from hub.store import Store
from hub.store.suppression import Reason, list_suppressed
from hub.web.unsubscribe import token_of
from tests.cli.conftest import Cli
from tests.fakes.browser import browser, pixels
from tests.fakes.imap import PASSWORD, USER, FakeImap, serving_imap
from tests.fakes.smtp import FakeSmtp, serving_smtp

BOUNCES = Path(__file__).parent.parent / "delivery" / "bounces"


@pytest.fixture
def outside() -> Iterator[tuple[FakeSmtp, FakeImap]]:
    """A mail server and a mailbox, in an event loop beside the command's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    smtp, imap = serving_smtp(), serving_imap()

    async def enter() -> tuple[FakeSmtp, FakeImap]:
        return await smtp.__aenter__(), await imap.__aenter__()

    async def leave() -> None:
        await smtp.__aexit__(None, None, None)
        await imap.__aexit__(None, None, None)

    try:
        yield asyncio.run_coroutine_threadsafe(enter(), loop).result(20)
        asyncio.run_coroutine_threadsafe(leave(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def with_mail(cli: Cli, smtp: FakeSmtp, imap: FakeImap) -> Cli:
    cli.write(
        "hub.yaml",
        f"""
company: Northbeam
url: https://hub.example
store: ${{CSHUB_STORE}}
secret: a-secret-of-the-tests-and-nobody-else
mail:
  host: 127.0.0.1
  port: {smtp.port}
  starttls: false
  sender: Hub <hub@northbeam.example>
  bounces:
    address: {USER}
    tagged: true
    mailbox: {{host: 127.0.0.1, port: {imap.port}, tls: false, user: {USER}, password: {PASSWORD}}}
""",
    )
    return cli


def listed(cli: Cli) -> list[Any]:
    async def run() -> list[Any]:
        async with Store.open(f"sqlite:///{cli.store}") as store, store.reading() as connection:
            return await list_suppressed(connection)

    return asyncio.run(run())


def test_a_template_is_shown_and_sent_to_nobody(empty: Cli, tmp_path: Path) -> None:
    shown = empty("mail", "preview", "churn_save", "--to", "ines@northbeam.example")
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("To: ines@northbeam.example\nSubject: Example Company is at risk: health 42")
    assert "\n  - The renewal is 40 days away.\n" in shown.output
    html = tmp_path / "mail.html"
    written = empty("mail", "preview", "churn_save", "--html", str(html))
    assert written.output.startswith("wrote ")
    assert "<strong>Example Company</strong> needs you." in html.read_text(encoding="utf-8")
    assert not empty.store.exists(), "made-up values need no store"
    unknown = empty("mail", "preview", "nope")
    assert (unknown.exit_code, "there is no templates/email/nope.md; there are: " in unknown.output) == (1, True)


def test_a_picture(empty: Cli, tmp_path: Path) -> None:
    browser()
    file = tmp_path / "mail.png"
    taken = empty("mail", "preview", "nps_detractor", "--png", str(file), "--width", "640")
    assert taken.exit_code == 0, taken.output
    image = pixels(file.read_bytes())
    assert image.shape[1] == 640
    assert (image < 128).any()


def test_without_a_browser_it_says_so(empty: Cli, tmp_path: Path) -> None:
    empty.environment["PATH"] = str(tmp_path)
    refused = empty("mail", "preview", "churn_save", "--png", str(tmp_path / "x.png"))
    assert (refused.exit_code, "no browser" in refused.output) == (1, True)
    assert not (tmp_path / "x.png").exists()


def test_it_is_sent_to_who_is_named_alone(cli: Cli, outside: tuple[FakeSmtp, FakeImap]) -> None:
    smtp, imap = outside
    with_mail(cli, smtp, imap)
    assert cli("mail", "preview", "churn_save").exit_code == 0
    assert smtp.taken == []
    sent = cli("mail", "preview", "churn_save", "--send-to", "ines@northbeam.example")
    assert sent.exit_code == 0, sent.output
    assert [to for _, to in smtp.envelopes] == [["ines@northbeam.example"]]
    assert str(smtp.taken[0]["Subject"]).strip().startswith("[preview] Example Company is at risk")
    refused = Cli(cli.config.parent / "none", cli.store)
    refused.config.mkdir()
    assert "no mail server is set up" in refused("mail", "preview", "churn_save", "--send-to", "a@b.example").output


def test_the_suppression_list(cli: Cli) -> None:
    assert "nobody is suppressed" in cli("mail", "suppressed").output
    assert "ann@x.example gets no more mail about offers" in cli(
        "mail", "suppress", "ann@x.example", "--topic", "offers", "--note", "by phone", "--by", "eve"
    ).output.replace("\n", " ")
    cli("mail", "suppress", "@Y.example")
    assert "suppressed already" in cli("mail", "suppress", "@y.example").output
    assert [(each.address, each.topic, each.reason) for each in listed(cli)] == [
        ("@y.example", "", Reason.MANUAL),
        ("ann@x.example", "offers", Reason.MANUAL),
    ]
    shown = cli("mail", "suppressed").output
    assert "by phone" in shown
    assert "everything" in shown
    assert "nobody" in cli("mail", "suppressed", "--reason", "bounced").output
    for wrong in ("nobody", "a b@x.example", "a@b@c"):
        refused = cli("mail", "suppress", wrong)
        assert (refused.exit_code, "neither an e-mail address nor a domain" in refused.output) == (1, True)
    assert "taken off: ann@x.example" in cli("mail", "unsuppress", "ANN@x.example").output
    assert "is not on the list" in cli("mail", "unsuppress", "ann@x.example").output
    assert [each.address for each in listed(cli)] == ["@y.example"]


def test_the_bounce_mailbox_is_read_once(cli: Cli, outside: tuple[FakeSmtp, FakeImap]) -> None:
    smtp, imap = outside
    with_mail(cli, smtp, imap)
    assert "nothing came back" in cli("mail", "bounces").output
    token = token_of(Links("a-secret-of-the-tests-and-nobody-else"), "Kim@x.example", "offers")
    imap.mails += [
        (BOUNCES / "hard.eml").read_bytes().replace(b"\n", b"\r\n"),
        f"Subject: unsubscribe {token}\r\n\r\n".encode(),
        b"Subject: unsubscribe nonsense\r\n\r\n",
    ]
    shown = cli("mail", "bounces", "--read")
    assert shown.exit_code == 0, shown.output
    assert "1 new, of 0 messages of ours; 0 addresses suppressed" in shown.output, "it names no message of ours"
    assert "ann@customer.example" in shown.output
    assert imap.seen == {1, 2, 3}
    assert {(each.address, each.topic, each.reason) for each in listed(cli)} == {
        ("kim@x.example", "offers", Reason.UNSUBSCRIBED),
    }
    assert "0 new, of 0 messages of ours" in cli("mail", "bounces", "--read").output
    imap.refuse = "SELECT"
    assert cli("mail", "bounces", "--read").exit_code == 1
