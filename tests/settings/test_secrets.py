"""`${secret:NAME}`: taken from the store where a configuration asks for it, and put back into every message."""

import asyncio
import shutil
from pathlib import Path

import pytest

from hub.access.vault import Vault
from hub.errors import ConfigError
from hub.settings import load, load_secret_keys
from hub.store import Store
from tests.fakes.clock import START

KEY = "a key of the test with thirty-two characters"
SLACK = "xoxb-${NOT_A_VARIABLE}"
HUB = """
company: Acme
store: ${CSHUB_STORE}
slack:
  token: ${secret:slack_token}
"""


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    shutil.copy(sqlite_template, tmp_path / "cshub.db")
    made = tmp_path / "config"
    made.mkdir()
    (made / "hub.yaml").write_text(HUB, encoding="utf-8")
    (made / "sources.yaml").write_text("sources: {}\n", encoding="utf-8")
    return made


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {"CSHUB_STORE": f"sqlite:///{folder.parent / 'cshub.db'}", **more}


def put(folder: Path, name: str, value: str, key: str = KEY) -> None:
    async def run() -> None:
        async with Store.open(f"sqlite:///{folder.parent / 'cshub.db'}") as store:
            await Vault.of([key]).set(store, name, value, by="Ann", now=START)

    asyncio.run(run())


def test_a_secret_is_filled_in_as_it_is_and_never_shown(folder: Path) -> None:
    put(folder, "slack_token", SLACK)
    settings = load(folder, environment=environment(folder, CSHUB_SECRETS_KEY=KEY))
    assert settings.hub.slack is not None
    assert settings.hub.slack.token.get_secret_value() == SLACK
    assert SLACK not in repr(settings)
    assert KEY not in repr(settings)


def test_the_key_of_hub_yaml_comes_before_the_environments(folder: Path) -> None:
    (folder / "hub.yaml").write_text(HUB + "secrets_key: ${MY_KEY}\nold_secrets_key: ${OLD_KEY}\n", encoding="utf-8")
    given = environment(folder, MY_KEY=KEY, OLD_KEY=KEY[::-1], CSHUB_SECRETS_KEY="x" * 40)
    assert load_secret_keys(folder, environment=given) == [KEY, KEY[::-1]]
    put(folder, "slack_token", SLACK, key=KEY[::-1])
    assert load(folder, environment=given).hub.slack is not None


@pytest.mark.parametrize(
    ("key", "stored", "said"),
    [
        (KEY, False, "there is no stored secret 'slack_token' (there are: other): cshub secret set slack_token"),
        (None, True, "there is no key for secrets: set secrets_key in hub.yaml, or $CSHUB_SECRETS_KEY"),
        (KEY + "!", True, "the secret 'slack_token' cannot be read with this key"),
    ],
)
def test_what_is_wrong_is_a_fault_at_its_place(folder: Path, key: str | None, stored: bool, said: str) -> None:
    put(folder, "slack_token" if stored else "other", SLACK)
    given = environment(folder) | ({"CSHUB_SECRETS_KEY": key} if key else {})
    with pytest.raises(ConfigError) as failed:
        load(folder, environment=given)
    [fault] = failed.value.faults
    assert (fault.key, fault.line) == ("slack.token", 5)
    assert said in fault.message
    assert SLACK not in str(failed.value)


def test_a_value_that_does_not_fit_is_named_by_its_secret(folder: Path) -> None:
    (folder / "hub.yaml").write_text("store: ${CSHUB_STORE}\ntimezone: ${secret:zone}\n", encoding="utf-8")
    put(folder, "zone", "very-secret-zone")
    with pytest.raises(ConfigError) as failed:
        load(folder, environment=environment(folder, CSHUB_SECRETS_KEY=KEY))
    assert "very-secret-zone" not in str(failed.value)
    assert "${secret:zone}" in str(failed.value)


def test_retention_is_held_to_its_kinds_and_least_days(folder: Path) -> None:
    (folder / "hub.yaml").write_text(
        "store: ${CSHUB_STORE}\nretention:\n  keep: {usage: 1000 days, quarantine: forever}\n", encoding="utf-8"
    )
    ages = load(folder, environment=environment(folder)).hub.retention.ages()
    named = {kind.name: None if age is None else age.days for kind, age in ages.items()}
    assert (named["usage"], named["quarantine"], named["bounces"], named["audit_details"]) == (1000, None, 365, None)
    for keep, said in (
        ("usage: 90 days", "830 days are the least"),
        ("usages: 90 days", "kinds are usage, ticket_texts"),
    ):
        (folder / "hub.yaml").write_text(f"store: ${{CSHUB_STORE}}\nretention:\n  keep: {{{keep}}}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=said):
            load(folder, environment=environment(folder))
