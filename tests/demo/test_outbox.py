"""The outbox keeps what arrived, tells what arrived twice, and shows it without trusting it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.demo.outbox import Duplicate, Outbox
from hub.demo.page import mrkdwn, render
from hub.demo.sifting import Wanted

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "deep" / "outbox.db")


def slack(outbox: Outbox, ts: str, text: str, *, dedup: str | None = None, kind: str = "slack") -> int:
    body = {"ts": ts, "text": text, "blocks": [], "metadata": None}
    return outbox.add(kind, at=NOW, address="C1", shown="#cs", subject=text, dedup=dedup, body=body)  # type: ignore[arg-type]  # a test's shorthand


def mail(outbox: Outbox, message_id: str, *, html: str | None = None, text: str = "") -> int:
    body = {"from": "cs@northbeam.example", "html": html, "text": text}
    return outbox.add("email", at=NOW, address="a@b.example", subject="Hello", dedup=message_id, body=body)


def test_it_survives_being_opened_again(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db")
    slack(first, "1.0", "one", dedup="k1")
    first.close()
    again = Outbox(tmp_path / "outbox.db")
    assert slack(again, "2.0", "two") == 2
    assert [(arrival.number, arrival.body["text"], arrival.at) for arrival in again.arrivals()] == [
        (2, "two", NOW),
        (1, "one", NOW),
    ]


def test_duplicates_are_told_by_place_and_key(outbox: Outbox) -> None:
    slack(outbox, "1.0", "one", dedup="k1")
    slack(outbox, "2.0", "one", dedup="k1")
    slack(outbox, "3.0", "another", dedup="k2")
    slack(outbox, "4.0", "no key")
    slack(outbox, "5.0", "no key")
    mail(outbox, "<k1@x>")
    assert outbox.duplicates() == [Duplicate(kind="slack", address="C1", dedup="k1", count=2)]
    assert {kind: count for kind, count in outbox.counts().items() if count} == {"slack": 5, "email": 1}
    assert outbox.counts()["slack_update"] == outbox.counts()["webhook"] == outbox.counts()["pagerduty"] == 0
    data = outbox.as_json(limit=2)
    assert [arrival["number"] for arrival in data["arrivals"]] == [6, 5]
    assert data["duplicates"] == [{"kind": "slack", "address": "C1", "dedup": "k1", "count": 2}]


def test_an_update_changes_what_is_read_and_not_what_arrived(outbox: Outbox) -> None:
    slack(outbox, "1.0", "open")
    slack(outbox, "1.0", "seen", kind="slack_update")
    slack(outbox, "1.0", "closed", kind="slack_update")
    assert [message.body["text"] for message in outbox.messages()] == ["closed"]
    assert [arrival.body["text"] for arrival in outbox.arrivals()] == ["closed", "seen", "open"]


def test_the_page_shows_blocks(outbox: Outbox) -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Alder & Sons is at risk"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Health*\n31 of 100"}]},
        {"type": "divider"},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "style": "primary",
                    "text": {"type": "plain_text", "text": "Open"},
                    "url": "http://h/c",
                },
                {"type": "button", "text": {"type": "plain_text", "text": "Bad"}, "url": "javascript:alert(1)"},
            ],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "_today_"}]},
    ]
    body = {"ts": "1.0", "text": "fallback", "blocks": blocks, "metadata": None}
    outbox.add("slack", at=NOW, address="C1", shown="#cs", dedup="k<1>", answered=False, body=body)
    page = render(outbox)
    assert "<h3>Alder &amp; Sons is at risk</h3>" in page
    assert "<li><strong>Health</strong><br>31 of 100</li>" in page
    assert '<a class="button primary" href="http://h/c" rel="noreferrer">Open</a>' in page
    assert '<span class="button ">Bad</span>' in page
    assert "javascript:" not in page
    assert "k&lt;1&gt;" in page
    assert "taken, never confirmed" in page
    assert "fallback" not in page


def test_the_page_trusts_nothing(outbox: Outbox) -> None:
    slack(outbox, "1.0", "<script>alert(1)</script>")
    mail(outbox, "<1@x>", html='<p>Hi "you"</p><script>alert(2)</script>')
    mail(outbox, "<2@x>", text="<b>plain</b>")
    page = render(outbox)
    assert "<script" not in page
    assert 'srcdoc="&lt;p&gt;Hi &quot;you&quot;&lt;/p&gt;' in page
    assert "<iframe sandbox " in page
    assert '<pre class="text">&lt;b&gt;plain&lt;/b&gt;</pre>' in page


def test_an_empty_page_says_so(outbox: Outbox) -> None:
    assert "Nothing has arrived yet." in render(outbox)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("*bold* _it_ ~no~ `x*y*`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>x*y*</code>"),
        ("a &lt;b&gt; & c\nd", "a &lt;b&gt; &amp; c<br>d"),
        ("<https://x.example/?a=1&amp;b=2|see>", '<a href="https://x.example/?a=1&amp;b=2" rel="noreferrer">see</a>'),
        ("<javascript:alert(1)|see>", '<span class="mention">see</span>'),
        ("<@U1> and snake_case_name 2*3*4", '<span class="mention">@U1</span> and snake_case_name 2*3*4'),
    ],
)
def test_mrkdwn(content: str, shown: str) -> None:
    assert mrkdwn(content) == shown


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, ["mail", "later", "answer", "Alder"]),
        ({"kind": "email"}, ["mail"]),
        ({"kind": "slack"}, ["later", "answer", "Alder"]),
        ({"kind": "pager"}, ["mail", "later", "answer", "Alder"]),
        ({"to": "#cs"}, ["later", "answer", "Alder"]),
        ({"to": "a@b.example"}, ["mail"]),
        ({"q": "alder"}, ["Alder"]),
        ({"q": "100%"}, []),
        ({"thread": "C1/1.0"}, ["answer", "Alder"]),
        ({"before": "3"}, ["answer", "Alder"]),
        ({"kind": "slack", "before": "2"}, ["Alder"]),
    ],
)
def test_many_arrivals_are_narrowed(outbox: Outbox, asked: dict[str, str], shown: list[str]) -> None:
    slack(outbox, "1.0", "Alder")
    body = {"ts": "2.0", "text": "answer", "blocks": [], "thread_ts": "1.0"}
    outbox.add("slack", at=NOW, address="C1", shown="#cs", subject="answer", body=body)
    slack(outbox, "3.0", "later")
    mail(outbox, "<1@x>", text="mail")
    slack(outbox, "1.0", "Alder is well", kind="slack_update")
    found = outbox.messages(wanted=Wanted.of(asked))
    assert [each.body["text"].split()[0] for each in found] == shown
    assert {each.body["text"] for each in found} & {"Alder"} == set(), "as it was last updated"


def test_the_page_keeps_what_was_asked_for(outbox: Outbox) -> None:
    slack(outbox, "1.0", "Alder & Sons")
    page = render(outbox, players={"U1": "Ines"}, wanted=Wanted(kind="slack", text='a"b'))
    assert "Nothing of the kind has arrived." in page
    assert 'value="a&quot;b"' in page
    assert '<input type="hidden" name="kind" value="slack">' in page
    assert '<a href="/outbox?as=U1&amp;kind=email&amp;q=a%22b">e-mail</a>' in page
    assert "Alder &amp; Sons" in render(outbox, wanted=Wanted(text="alder"))
