"""PagerDuty and webhooks as config/hub.yaml says them, and the channels that come of it; no secret is ever shown."""

from datetime import timedelta
from pathlib import Path

import pytest

from hub.compose.channels import channels
from hub.delivery.webhook import new_secret
from hub.documents import Document
from hub.errors import ConfigError
from hub.settings import load
from hub.settings.files import HubFile

KEY = "0123456789abcdef0123456789abcdef"
NEW, OLD = new_secret(), new_secret()
BOTH = f"""
store: sqlite:///x.db
pagerduty:
  services: {{cs: {KEY}}}
  base_url: https://events.eu.pagerduty.com
  expiry: 2 hours
webhooks:
  endpoints:
    crm: {{url: "https://hooks.example/s3cr3t", secret: "{NEW}", old_secret: "{OLD}"}}
  allow: [10.1.0.0/16, "fd00::/8"]
  disable_after: 5 days
"""


def parsed(text: str) -> HubFile:
    return Document.from_text(text, name="hub.yaml").parse(HubFile)


def test_channels_as_they_are_set_up(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(BOTH, encoding="utf-8")
    (tmp_path / "sources.yaml").write_text("sources: {}\n", encoding="utf-8")
    settings = load(tmp_path, environment={})
    made = channels(settings)
    assert sorted(made) == ["pagerduty", "webhook"]
    assert repr(made["pagerduty"]) == "PagerDutyChannel(https://events.eu.pagerduty.com, cs)"
    assert made["pagerduty"].manners.expiry == timedelta(hours=2)
    assert made["webhook"].manners.expiry == timedelta(days=1)
    assert made["webhook"].manners.disabled_after == timedelta(days=5)
    assert settings.hub.webhooks is not None
    assert settings.hub.webhooks.endpoints["crm"].secrets == (NEW, OLD), "the newest first"
    shown = f"{settings.hub!r} {made!r}"
    assert not any(each in shown for each in (KEY, NEW, OLD, "s3cr3t"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("pagerduty: {services: {}}", "pagerduty.services"),
        ("pagerduty: {services: {cs: hunter2}}", "32 letters and digits"),
        (f"pagerduty: {{services: {{CS!: {KEY}}}}}", "is no name"),
        (f"pagerduty: {{services: {{cs: {KEY}}}, base_url: http://pager.example}}", "must begin with https"),
        (f"pagerduty: {{services: {{cs: {KEY}}}, expiry: soon}}", "is no duration"),
        ("webhooks: {endpoints: {}}", "webhooks.endpoints"),
        ("webhooks: {endpoints: {crm: {url: 'https://h.example', secret: hunter2}}}", "cshub delivery secret"),
        (f"webhooks: {{endpoints: {{crm: {{url: hunter2, secret: '{NEW}'}}}}}}", "must be an address such as"),
        (
            f"webhooks: {{endpoints: {{crm: {{url: 'https://u:hunter2@h.example', secret: '{NEW}'}}}}}}",
            "without a user",
        ),
        (
            f"webhooks: {{endpoints: {{crm: {{url: 'https://h.example', secret: '{NEW}'}}}}, allow: [everything]}}",
            "is no network",
        ),
    ],
)
def test_what_cannot_be(given: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parsed(f"store: sqlite:///x.db\n{given}\n")
    assert "hunter2" not in str(caught.value)
    assert NEW not in str(caught.value)


def test_loopback_may_be_called_without_tls() -> None:
    text = f"store: sqlite:///x.db\npagerduty: {{services: {{cs: {KEY}}}, base_url: 'http://127.0.0.1:9/x'}}\n"
    assert parsed(text).pagerduty is not None
