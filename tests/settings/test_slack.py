"""What hub.yaml says of Slack: secrets that are not shown, threads, and a note where nobody hears its buttons."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from hub.settings.files import HubFile, Slack
from hub.settings.reach import unreachable


def settings(**slack: Any) -> Any:
    hub = HubFile(store="sqlite:///x.db", slack=Slack(**slack))
    return SimpleNamespace(hub=hub, playbooks=SimpleNamespace(playbooks={}))


def test_secrets_are_not_shown() -> None:
    given = Slack(token="xoxb-secret", signing_secret="signing-secret", threads="2 days")  # type: ignore[arg-type]  # pydantic makes secrets and durations of texts
    assert "secret" not in repr(given).replace("signing_secret", "").replace("SecretStr", "")
    assert given.threads == timedelta(days=2)
    with pytest.raises(ValidationError) as caught:
        Slack(token="xoxb-secret", signing_secret="short")  # type: ignore[arg-type]  # the same
    assert "short'" not in str(caught.value)


def test_buttons_that_nobody_hears_are_noted() -> None:
    [note] = unreachable(settings(token="xoxb-x"))
    assert note == "slack has no signing_secret in config/hub.yaml: its buttons, /cshub and the App Home are off"
    assert unreachable(settings(token="xoxb-x", signing_secret="long-enough")) == []
