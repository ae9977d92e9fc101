"""`cshub export-person`, `erase`, `retention` and `secret` on a hub that has pulled the simulated company."""

import json
import sqlite3
import stat
from pathlib import Path

from click.testing import CliRunner

from hub.cli import main
from tests.cli.conftest import Cli


def ask(store: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(store)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_a_person_is_exported_planned_erased_and_reported(company: Cli, tmp_path: Path) -> None:
    assert company("sync", "crm", "helpdesk").exit_code == 0
    [(email,)] = ask(company.store, "SELECT lower(requester_email) FROM ticket ORDER BY id LIMIT 1")
    assert isinstance(email, str)
    output = tmp_path / "person.json"
    result = company("export-person", email, "--output", str(output))
    assert result.exit_code == 0, result.output
    assert f"wrote {output}" in result.stdout
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert json.loads(output.read_text(encoding="utf-8"))["records"]["ticket"][0]["requester_email"].lower() == email

    dry = company("erase", email, "--dry-run")
    assert dry.exit_code == 0
    assert "nothing was changed" in dry.stdout
    unasked = company("erase", email)  # nobody answers
    assert unasked.exit_code == 1
    count = f"SELECT count(*) FROM ticket WHERE lower(requester_email) = '{email}'"
    assert ask(company.store, count) != [(0,)]

    done = company("erase", email, "--yes", "--by", "Ann")
    assert done.exit_code == 0, done.output
    assert ask(company.store, count) == [(0,)]
    listed = company("erase", "--list")
    assert "a person, asked by Ann" in listed.stdout
    assert email not in listed.stdout
    assert all(email not in str(row) for row in ask(company.store, "SELECT * FROM audit_record"))
    assert company("erase").exit_code == 1


def test_retention_is_shown_and_run(cli: Cli) -> None:
    shown = cli("retention", "show")
    assert shown.exit_code == 0, shown.output
    assert "never run yet" in shown.stdout
    assert "nothing was changed" in cli("retention", "run", "--dry-run").stdout
    assert cli("retention", "run").exit_code == 0
    assert "last run: " in cli("retention", "show").stdout


def test_secrets_are_set_listed_rotated_deleted_and_never_shown(cli: Cli) -> None:
    old, new = (cli("secret", "key").stdout.strip() for _ in range(2))
    assert (old != new, len(old) >= 32) == (True, True)
    refused = cli("secret", "set", "crm_token")
    assert (refused.exit_code, "cshub secret key" in refused.stderr) == (1, True)
    cli.environment["CSHUB_SECRETS_KEY"] = old
    environment = {"CSHUB_STORE": f"sqlite:///{cli.store}", **cli.environment}
    stored = CliRunner(env=environment).invoke(
        main, ["--config", str(cli.config), "secret", "set", "crm_token"], input="sk-very-secret\n"
    )
    assert stored.exit_code == 0, stored.output
    outputs = [stored.output, cli("secret", "list").output]
    cli.environment |= {"CSHUB_SECRETS_KEY": new, "CSHUB_OLD_SECRETS_KEY": old}
    assert "old key: cshub secret rotate" in cli("secret", "list").stdout
    outputs.append(cli("secret", "rotate").output)
    assert "1 secrets are encrypted" in outputs[-1]
    del cli.environment["CSHUB_OLD_SECRETS_KEY"]
    outputs += [cli("secret", "list").output, cli("secret", "delete", "crm_token").output]
    assert cli("secret", "delete", "crm_token").exit_code == 1
    assert all("sk-very-secret" not in output for output in outputs)
    assert all("sk-very-secret" not in str(row) for row in ask(cli.store, "SELECT * FROM audit_record"))
