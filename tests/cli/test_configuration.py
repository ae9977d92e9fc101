"""`cshub check` and `cshub db`; and that no command begins anything with a wrong configuration or a wrong store."""

import sqlite3
from pathlib import Path

import pytest

from hub.resources import CONFIG
from hub.store import migrate
from tests.cli.conftest import Cli

SHIPPED = list((CONFIG / "playbooks").glob("*.yaml"))
ALL_COMMANDS = [
    ("check",),
    ("db", "status"),
    ("db", "upgrade"),
    ("sync",),
    ("sync", "--status"),
    ("try", "crm"),
    ("score",),
    ("train",),
    ("explain", "Acme"),
    ("metrics",),
    ("identity", "list"),
    ("identity", "decide", "a:1", "cus_1", "--by", "me"),
    ("playbook", "list"),
    ("playbook", "fire", "churn_save", "cus_1"),
    ("token", "create", "x"),
    ("token", "list"),
    ("token", "revoke", "tok_1"),
    ("serve",),
    ("worker",),
]
WITH_STORE = [
    command for command in ALL_COMMANDS if command[0] not in ("check", "db", "try") and command != ("playbook", "list")
]


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_a_wrong_configuration_is_listed_and_nothing_is_done(empty: Cli, command: tuple[str, ...]) -> None:
    empty.write("hub.yaml", f"store: sqlite:///{empty.store}\ntimezone: Nowhere\nslack: {{token: '${{NO_SUCH}}'}}\n")
    empty.write("sources.yaml", "sources: {crm: {connector: hubspt}}")
    empty.write("health.yaml", "bands: [")
    result = empty(*command)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.removeprefix(f"{empty.config}/").split(" (")[0] for line in result.stderr.splitlines()] == [
        "hub.yaml:3: slack.token: environment variable NO_SUCH is not set",
        "hub.yaml:2: timezone: 'Nowhere' is no time zone; names are such as UTC, Europe/Berlin, America/New_York",
        "sources.yaml:1: sources.crm.connector: there is no connector 'hubspt'",
        (
            "health.yaml:1: is not valid YAML: while parsing a flow node begun on line 1, "
            "expected the node content, but found '<stream end>'"
        ),
        "4 faults in the configuration; nothing was done.",
    ]
    assert not empty.store.exists()


def test_check_counts_what_there_is_and_notes_unreachable_channels(empty: Cli) -> None:
    result = empty("check")
    assert result.exit_code == 0
    assert (
        result.stdout
        == f"{empty.config}: 0 sources, {len(SHIPPED)} playbooks, health by main; beside it adoption; nothing is wrong\n"
    )
    noted = result.stderr.splitlines()
    for name in ("churn_save", "health_critical", "nps_detractor", "onboarding_stalled"):
        assert f"note: playbook {name} sends to email, slack, which config/hub.yaml does not set up" in noted
    assert "pagerduty" not in result.stderr, "which is off or optional in what ships"
    assert not empty.store.exists()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    result = Cli(tmp_path / "nope", tmp_path / "x.db")("check")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (2, f"{tmp_path}/nope: --config: no such folder")


def test_a_store_is_made_once_and_then_is_up_to_date(empty: Cli) -> None:
    result = empty("db", "status")
    assert (result.exit_code, result.stdout) == (
        1,
        f"{empty.store}: at nothing, this version wants {migrate.newest()}: cshub db upgrade\n",
    )
    assert empty("db", "upgrade").stdout == f"{empty.store} was brought from nothing to {migrate.newest()}\n"
    assert empty("db", "upgrade").stdout == f"{empty.store} is up to date\n"
    result = empty("db", "status")
    assert (result.exit_code, result.stdout) == (0, f"{empty.store}: up to date\n")


@pytest.mark.parametrize("command", WITH_STORE, ids=" ".join)
def test_a_store_that_was_not_made_is_refused_with_the_command_to_run(empty: Cli, command: tuple[str, ...]) -> None:
    result = empty(*command)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0] == (
        f"{empty.store}: is at version none, and this is {migrate.newest()}: run `cshub db upgrade`"
    )
    assert tables(empty.store) == []


@pytest.mark.parametrize("command", WITH_STORE, ids=" ".join)
def test_a_store_of_an_older_version_is_refused_with_the_command_to_run(
    cli: Cli, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    have = migrate.newest()
    monkeypatch.setattr(migrate, "newest", lambda: "9999")
    result = cli(*command)
    assert result.exit_code == 2
    assert f"{cli.store}: is at version {have}, and this is 9999: run `cshub db upgrade`" in result.stderr


@pytest.mark.parametrize("command", [("db", "upgrade"), ("sync",), ("token", "list")], ids=" ".join)
def test_a_store_of_a_newer_version_is_left_alone(cli: Cli, command: tuple[str, ...]) -> None:
    with sqlite3.connect(cli.store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    connection.close()
    result = cli(*command)
    assert result.exit_code == 2
    assert "is at version 9999_future, which this cshub does not know" in result.stderr


@pytest.mark.parametrize(
    ("store", "code", "expected"),
    [
        ("mysql://root:hunter2@db/x", 2, "store: is not the URL of a database the store can use, such as sqlite:///"),
        ("postgresql://cshub:hunter2@db:port/x", 2, "store: is not the URL of a database the store can use"),
        ("postgresql://cshub:hunter2@127.0.0.1:1/x", 1, "postgresql://cshub:***@127.0.0.1:1/x cannot be used: "),
        ("sqlite:////proc/nope/x.db", 2, "/proc/nope/x.db: store: its folder cannot be made: "),
    ],
)
@pytest.mark.parametrize("command", [("db", "status"), ("db", "upgrade"), ("sync",), ("token", "list")], ids=" ".join)
def test_a_store_that_cannot_be_used_is_a_line(
    empty: Cli, store: str, code: int, expected: str, command: tuple[str, ...]
) -> None:
    empty.environment["CSHUB_STORE"] = store
    result = empty(*command)
    assert result.exit_code == code
    assert expected in result.stderr
    assert "hunter2" not in result.output


def test_a_file_that_is_no_database_is_a_line_and_stays_as_it_is(empty: Cli) -> None:
    empty.store.write_bytes(b"not a database" * 100)
    result = empty("db", "upgrade")
    assert (result.exit_code, result.stderr) == (1, f"{empty.store} cannot be used: file is not a database\n")
    assert empty.store.read_bytes() == b"not a database" * 100


def tables(path: Path) -> list[str]:
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    try:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    finally:
        connection.close()
