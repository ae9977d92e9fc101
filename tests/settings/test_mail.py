"""The `mail:` part of hub.yaml, and what is made of it."""

from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.access.links import Links
from hub.compose.channels import channels
from hub.compose.mail import mailing_of
from hub.delivery import Message
from hub.delivery.mail import MailChannel
from hub.delivery.webhook import new_secret
from hub.documents import Document
from hub.errors import ConfigError
from hub.playbooks.mailing import Mailing, Window
from hub.settings import load
from hub.settings.files import HubFile

SECRET = new_secret()
WHOLE = f"""
store: sqlite:///x.db
url: https://hub.example/
timezone: Europe/Berlin
mail:
  host: smtp.example.com
  sender: Hub <hub@example.com>
  customers:
    sender: Success <cs@example.com>
    reply_to: csm
    window: {{from: "09:00", to: "17:30", days: [tue, wed]}}
    zones: {{US: America/New_York}}
    most_per_week: 2
    unsubscribe: bounces@example.com
  bounces:
    address: bounces@example.com
    tagged: true
    mailbox: {{host: imap.example.com, user: bounces, password: hunter2}}
    webhook: {{secret: "{SECRET}", password: sixteen characters}}
    soft: {{most: 3, within: 7 days}}
"""


def parsed(text: str) -> HubFile:
    return Document.from_text(text, name="hub.yaml").parse(HubFile)


def test_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(WHOLE, encoding="utf-8")
    settings = load(tmp_path, environment={})
    assert mailing_of(settings) == Mailing(
        window=Window(begin=time(9), end=time(17, 30), days=frozenset({1, 2})),
        most_per_week=2,
        always=frozenset({"onboarding"}),
        zone=ZoneInfo("Europe/Berlin"),
        zones={"us": ZoneInfo("America/New_York")},
    )
    made = channels(settings, links=Links("x" * 32))["email"]
    assert isinstance(made, MailChannel)
    payload = {"text": "t", "html": "h", "audience": "customer", "topic": "offers", "reply_to": "eve@example.com"}
    mail = made.compose(
        Message(dedup_key="k", address="a@x.example", subject="s", payload=payload, at=datetime(2026, 11, 2))  # noqa: DTZ001  not looked at
    )
    assert (mail["From"], mail["Reply-To"]) == ("Success <cs@example.com>", "eve@example.com")
    assert str(mail["List-Unsubscribe"]).startswith("<https://hub.example/unsubscribe/")
    assert settings.hub.mail is not None
    assert settings.hub.mail.bounces.soft.within == timedelta(days=7)
    assert not any(secret in repr(settings.hub) for secret in (SECRET, "hunter2", "sixteen"))


def test_what_holds_where_nothing_is_said() -> None:
    found = parsed("store: sqlite:///x.db\nmail: {host: h, sender: hub@example.com}")
    assert found.mail is not None
    rules = found.mail.customers
    assert (rules.reply_to, rules.most_per_week, rules.sender) == ("csm", 3, None)
    assert rules.window is not None
    assert (rules.window.begin, rules.window.end, rules.window.weekdays) == (time(8), time(18), frozenset(range(5)))
    assert (found.mail.bounces.mailbox, found.mail.bounces.webhook) == (None, None)


def test_any_time_and_as_many_as_come() -> None:
    rules = "{window: null, most_per_week: null, reply_to: null}"
    found = parsed(f"store: sqlite:///x.db\nmail: {{host: h, sender: hub@example.com, customers: {rules}}}")
    assert found.mail is not None
    given = found.mail.customers
    assert (given.window, given.most_per_week, given.reply_to) == (None, None, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("sender: nobody", "holds no e-mail address"),
        ("customers: {sender: nobody}", "holds no e-mail address"),
        ("customers: {reply_to: boss}", "is no e-mail address"),
        ('customers: {window: {from: "18:00", to: "08:00"}}', "must be later than from"),
        ("customers: {window: {from: 8}}", "is no time of day"),
        ("customers: {window: {days: []}}", "window.days"),
        ("customers: {window: {days: [monday]}}", "window.days"),
        ("customers: {zones: {US: New York}}", "is no time zone"),
        ("customers: {most_per_week: 0}", "most_per_week"),
        ("bounces: {tagged: true}", "tagged: needs an address"),
        ("bounces: {address: nobody}", "is no e-mail address"),
        ("bounces: {webhook: {}}", "needs a secret, a password, or both"),
        ("bounces: {webhook: {password: hunter2}}", "must have 16 characters"),
        ("bounces: {webhook: {secret: hunter2}}", "cshub delivery secret"),
        ("bounces: {soft: {within: soon}}", "is no duration"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(given: str, words: str) -> None:
    sender = "" if given.startswith("sender") else "  sender: hub@example.com\n"
    with pytest.raises(ConfigError) as caught:
        parsed(f"store: sqlite:///x.db\nmail:\n  host: h\n{sender}  {given}\n")
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)
