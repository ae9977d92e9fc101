"""`cshub token`: the secret is printed once, and only its digest is kept."""

import hashlib
import re
import sqlite3
from pathlib import Path

from tests.cli.conftest import Cli


def rows(store: Path) -> list[dict[str, object]]:
    connection = sqlite3.connect(store)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM api_token ORDER BY created_at")]
    finally:
        connection.close()


def test_a_secret_is_printed_once_and_only_its_digest_is_stored(cli: Cli) -> None:
    made = cli("token", "create", "Ann's notebook", "--role", "csm", "--csm", "ann@example.com", "--days", "30")
    assert made.exit_code == 0
    assert re.fullmatch(r"cshub_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert made.stderr == ""
    secret = made.stdout.strip()
    [row] = rows(cli.store)
    assert row["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(row)
    for path in cli.store.parent.glob("cshub.db*"):
        assert secret.encode() not in path.read_bytes()

    listed = cli("token", "list").stdout
    assert re.search(
        rf"{row['id']} +Ann's notebook +csm +all +ann@example.com +\d{{4}}-\d\d-\d\d +never +valid", listed
    )
    assert secret not in listed


def test_a_revoked_token_says_so(cli: Cli) -> None:
    cli("token", "create", "x")
    id_ = str(rows(cli.store)[0]["id"])
    assert cli("token", "revoke", id_).stdout == f"{id_} (x) is revoked\n"
    assert re.search(rf"{id_} +x +viewer .* revoked", cli("token", "list").stdout)
    assert rows(cli.store)[0]["revoked_at"] is not None


def test_a_rotated_token_prints_another_secret_and_says_until_when_the_one_before_opens(cli: Cli) -> None:
    first = cli("token", "create", "x", "--role", "csm", "--scope", "read", "--scope", "personal").stdout.strip()
    [before] = rows(cli.store)
    id_ = str(before["id"])
    made = cli("token", "rotate", id_, "--overlap", "7d")
    assert re.fullmatch(r"cshub_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert made.stdout.strip() != first
    assert re.fullmatch(r"the secret before opens until \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", made.stderr)
    [after] = rows(cli.store)
    assert (after["id"], after["previous_digest"]) == (id_, before["digest"])
    assert after["digest"] == hashlib.sha256(made.stdout.strip().encode()).hexdigest()
    assert re.search(
        rf"{id_} +x +csm +personal read +.* valid, with the secret before until", cli("token", "list").stdout
    )
    assert cli("token", "rotate", id_, "--overlap", "a while").exit_code == 2
    refused = cli("token", "rotate", id_, "--overlap", "20 weeks")
    assert (refused.exit_code, refused.stderr) == (1, "the overlap must be 0 to 90 days\n")
    refused = cli("token", "create", "y", "--scope", "export")
    assert (refused.exit_code, refused.stderr) == (1, "the role viewer has no scope export; it has read\n")
    assert rows(cli.store) == [after]


def test_what_is_refused_is_a_line_and_writes_nothing(cli: Cli) -> None:
    result = cli("token", "revoke", "tok_none")
    assert (result.exit_code, result.stderr) == (1, "no token 'tok_none'\n")
    result = cli("token", "create", "  ")
    assert (result.exit_code, result.stderr) == (1, "a token needs a name: whose it is, or what it is for\n")
    assert cli("token", "create", "x", "--days", "0").exit_code == 2
    assert rows(cli.store) == []
