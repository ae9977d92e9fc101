"""cshub writeback: what would be written, and that nothing is where nothing was asked for."""

import re

from tests.cli.conftest import Cli

SOURCES = """
sources:
  crm:
    connector: hubspot
    settings: {base_url: "http://127.0.0.1:1", token: not-a-real-token}
    write: {fields: {health: cshub_health}}
  desk:
    connector: zendesk
    settings: {base_url: "http://127.0.0.1:1", email: a@b.example, token: not-a-real-token}
"""


def test_without_send_nothing_is_asked_of_anybody(cli: Cli) -> None:
    cli.write("sources.yaml", SOURCES)
    done = cli("writeback", "crm")
    assert (done.exit_code, done.output) == (0, "0 would be written, 0 are as they should be; --send writes them\n")


def test_a_source_that_names_no_fields_is_given_nothing(cli: Cli) -> None:
    cli.write("sources.yaml", SOURCES)
    done = cli("writeback", "desk", "--send")
    assert (done.exit_code, "name the fields under sources.desk.write" in done.output) == (1, True)
    missing = cli("writeback", "nobody")
    assert (missing.exit_code, "crm" in missing.output) == (1, True)


def test_what_was_found_out_is_written_once_and_a_name_there_is_not_is_told(company: Cli) -> None:
    sources = company.config / "sources.yaml"
    text = sources.read_text(encoding="utf-8")
    crm = text[: text.index("  helpdesk:")]

    def fields(named: str) -> None:
        sources.write_text(f"{crm.rstrip()}\n    write: {{fields: {named}}}\n", encoding="utf-8")

    fields("{health: cshub_wealth}")
    company("sync")
    company("score", "--no-fire")
    wrong = company("writeback", "crm", "--send")
    assert wrong.exit_code == 1
    assert re.search(r"0 of \d+ written: .*\"cshub_wealth\" does not exist", wrong.stderr.replace("\n", " "))
    assert "✗ writing to crm" in wrong.stdout
    fields("{health: cshub_health, churn_risk: cshub_churn_risk}")
    planned = company("writeback", "crm").stdout
    assert ("cshub_churn_risk nothing -> " in planned, "None" in planned, "-> nothing" in planned) == (
        True,
        False,
        False,
    )
    assert re.search(
        r"\n[1-9]\d* written, 0 were as they should be, 0 refused\n", company("writeback", "crm", "--send").stdout
    )
    assert company("writeback", "crm").stdout.startswith("0 would be written, ")
