"""`cshub audit`: what it lists, and that it notices what was done to the log."""

import json
import sqlite3

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def audited(cli: Cli) -> Cli:
    """Two entries: a playbook stopped, and let go on."""
    assert cli("playbook", "stop", "--all", "--by", "ann", "--reason", "a fire").exit_code == 0
    assert cli("playbook", "start", "--all", "--by", "ann").exit_code == 0
    return cli


def head(cli: Cli) -> str:
    shown = cli("audit", "verify")
    assert shown.exit_code == 0
    return shown.stdout.rpartition("head ")[2].strip()


def tamper(cli: Cli, *statements: str) -> None:
    connection = sqlite3.connect(cli.store)
    for statement in ("DROP TRIGGER audit_record_kept", "DROP TRIGGER audit_record_never_deleted", *statements):
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_list(audited: Cli) -> None:
    shown = audited("audit", "list").stdout
    assert shown.index("playbookStart") < shown.index("playbookStop")
    newest, oldest = map(json.loads, audited("audit", "list", "--json").stdout.splitlines())
    assert (newest["actor"], newest["action"], newest["outcome"]) == ("ann", "playbookStart", "done")
    assert oldest["request"]["reason"] == "a fire"
    assert audited("audit", "list", "--actor", "bob", "--json").stdout == ""


def test_a_log_that_is_whole(audited: Cli) -> None:
    shown = audited("audit", "verify")
    assert "4 records, each sealed to the one before; of 0 the detail was taken out" in shown.stdout
    assert head(audited).startswith("4:")


def test_one_that_was_changed(audited: Cli) -> None:
    tamper(audited, "UPDATE audit_record SET actor = 'bob' WHERE number = 2")
    shown = audited("audit", "verify")
    assert shown.exit_code == 1
    assert "record 2 is broken: it was changed after it was written" in shown.stderr


def test_one_whose_end_was_cut_off_tells_only_by_a_head_that_was_kept(audited: Cli) -> None:
    noted = head(audited)
    tamper(audited, "DELETE FROM audit_record WHERE number > 2")
    assert audited("audit", "verify").exit_code == 0
    shown = audited("audit", "verify", "--head", noted)
    assert shown.exit_code == 1
    assert "record 4 of this digest is not in the log" in shown.stderr


def test_a_head_is_still_there_after_more_was_added(audited: Cli) -> None:
    noted = head(audited)
    audited("playbook", "stop", "--all", "--by", "ann", "--reason", "another")
    assert audited("audit", "verify", "--head", noted).exit_code == 0


def test_what_is_no_head(audited: Cli) -> None:
    shown = audited("audit", "verify", "--head", "4")
    assert shown.exit_code == 2
    assert "NUMBER:DIGEST" in shown.stderr
